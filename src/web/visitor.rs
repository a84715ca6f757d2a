//! From where a request comes: the peer, or what trusted proxies say of it.

use crate::domain::Network;
use axum::http::{HeaderMap, header};
use std::net::{IpAddr, SocketAddr};

/// The other end of the connection on which a request came.
#[derive(Debug, Clone, Copy)]
pub(super) struct Peer(pub(super) IpAddr);

/// The visitor's address: the last hop that no trusted proxy vouches for. Whatever stands before it in the
/// headers may be invented.
pub(super) fn address(peer: IpAddr, headers: &HeaderMap, trusted: &[Network]) -> IpAddr {
    let is_trusted = |address: IpAddr| trusted.iter().any(|network| network.contains(address));
    let follow = |hops: Vec<Option<IpAddr>>| {
        let mut at = peer;
        for hop in hops.into_iter().rev() {
            match hop {
                Some(hop) if is_trusted(at) => at = hop,
                _ => break,
            }
        }
        at
    };
    let usual = x_forwarded_for(headers).map(follow);
    let standard = forwarded(headers).map(follow);
    match (usual, standard) {
        (Some(one), None) | (None, Some(one)) => one,
        // A proxy that sets one header may pass on a visitor's other one: where they differ neither counts.
        (Some(one), Some(other)) if one == other => one,
        _ => peer,
    }
    .to_canonical()
}

/// The hops of every `X-Forwarded-For`, nearest last; `None` for one that is no address.
fn x_forwarded_for(headers: &HeaderMap) -> Option<Vec<Option<IpAddr>>> {
    list(headers, "x-forwarded-for", |item| node(item.trim()))
}

/// The hops of every `Forwarded` (RFC 7239), nearest last.
fn forwarded(headers: &HeaderMap) -> Option<Vec<Option<IpAddr>>> {
    list(headers, header::FORWARDED.as_str(), |element| {
        let mut pairs = element.split(';').filter_map(|pair| pair.trim().split_once('='));
        let (_, value) = pairs.find(|(name, _)| name.trim().eq_ignore_ascii_case("for"))?;
        node(value.trim().trim_matches('"'))
    })
}

fn list(headers: &HeaderMap, name: &str, read: fn(&str) -> Option<IpAddr>) -> Option<Vec<Option<IpAddr>>> {
    let mut hops = Vec::new();
    for value in headers.get_all(name) {
        match value.to_str() {
            Ok(text) => hops.extend(text.split(',').map(read)),
            Err(_) => hops.push(None),
        }
    }
    (!hops.is_empty()).then_some(hops)
}

/// An address with or without a port, IPv6 in brackets where it has one.
fn node(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let address = bare.unwrap_or(text).parse().ok();
    address.or_else(|| text.parse::<SocketAddr>().ok().map(|socket| socket.ip()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use axum::http::{HeaderName, HeaderValue};

    const XFF: &str = "x-forwarded-for";
    const FWD: &str = "forwarded";

    #[test]
    fn only_a_trusted_proxy_is_believed() {
        let trusted: Vec<Network> = ["127.0.0.1", "10.0.0.0/8", "fd00::/8"]
            .iter()
            .map(|text| Network::parse(text).unwrap())
            .collect();
        let rows: &[(&str, &[(&str, &str)], &str)] = &[
            // Nobody in between.
            ("192.0.2.1", &[], "192.0.2.1"),
            ("127.0.0.1", &[], "127.0.0.1"),
            // A visitor who says so is not believed.
            ("192.0.2.1", &[(XFF, "203.0.113.9")], "192.0.2.1"),
            ("192.0.2.1", &[(FWD, "for=203.0.113.9")], "192.0.2.1"),
            // One proxy; what the visitor put in front does not count.
            ("127.0.0.1", &[(XFF, "203.0.113.9")], "203.0.113.9"),
            ("127.0.0.1", &[(XFF, "198.51.100.1, 203.0.113.9")], "203.0.113.9"),
            ("::ffff:127.0.0.1", &[(XFF, "203.0.113.9")], "203.0.113.9"),
            (
                "127.0.0.1",
                &[(XFF, "198.51.100.1"), (XFF, "203.0.113.9")],
                "203.0.113.9",
            ),
            // Two proxies, both trusted.
            (
                "127.0.0.1",
                &[(XFF, "198.51.100.1, 203.0.113.9, 10.1.2.3")],
                "203.0.113.9",
            ),
            // All of them trusted: the farthest.
            ("127.0.0.1", &[(XFF, "10.9.9.9, 10.1.2.3")], "10.9.9.9"),
            // A hop that is no address ends the search.
            (
                "127.0.0.1",
                &[(XFF, "203.0.113.9, unknown, 10.1.2.3")],
                "10.1.2.3",
            ),
            ("127.0.0.1", &[(XFF, "unknown")], "127.0.0.1"),
            ("127.0.0.1", &[(XFF, "")], "127.0.0.1"),
            ("127.0.0.1", &[(XFF, "203.0.113.9,")], "127.0.0.1"),
            // Ports and brackets.
            ("127.0.0.1", &[(XFF, "203.0.113.9:4711")], "203.0.113.9"),
            ("127.0.0.1", &[(XFF, "[2001:db8::1]:4711")], "2001:db8::1"),
            ("127.0.0.1", &[(XFF, "[2001:db8::1]")], "2001:db8::1"),
            ("fd00::1", &[(XFF, "2001:db8::1")], "2001:db8::1"),
            ("127.0.0.1", &[(XFF, "::ffff:203.0.113.9")], "203.0.113.9"),
            // The standard's header.
            (
                "127.0.0.1",
                &[(FWD, "for=203.0.113.9;proto=https")],
                "203.0.113.9",
            ),
            (
                "127.0.0.1",
                &[(FWD, "for=198.51.100.1, proto=https; For=\"[2001:db8::1]:80\"")],
                "2001:db8::1",
            ),
            ("127.0.0.1", &[(FWD, "for=_hidden")], "127.0.0.1"),
            ("127.0.0.1", &[(FWD, "proto=https")], "127.0.0.1"),
            // Both headers: they must agree.
            (
                "127.0.0.1",
                &[(XFF, "203.0.113.9"), (FWD, "for=203.0.113.9")],
                "203.0.113.9",
            ),
            (
                "127.0.0.1",
                &[(XFF, "203.0.113.9"), (FWD, "for=198.51.100.1")],
                "127.0.0.1",
            ),
        ];
        for (peer, headers, expected) in rows {
            let mut map = HeaderMap::new();
            for (name, value) in *headers {
                map.append(HeaderName::from_static(name), HeaderValue::from_static(value));
            }
            let found = address(peer.parse().unwrap(), &map, &trusted);
            assert_eq!(found.to_string(), *expected, "{peer} {headers:?}");
        }
    }
}
