//! Which network addresses a source may lead to: public ones, unless its configuration allows others.

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use url::{Host, Url};

/// Decides about one address.
pub type Rule = Arc<dyn Fn(IpAddr) -> bool + Send + Sync>;

/// Only addresses of the public Internet.
pub fn public_only() -> Rule {
    Arc::new(is_public)
}

/// Every address, private ones too.
pub fn anywhere() -> Rule {
    Arc::new(|_| true)
}

/// Whether `address` is one that anybody on the Internet may have (IANA's special-purpose registries, RFC 6890).
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => is_public_v4(v4),
        IpAddr::V6(v6) => is_public_v6(v6),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    !(address.is_unspecified()
        || address.is_loopback()
        || address.is_private()
        || address.is_link_local()
        || address.is_multicast()
        || address.is_documentation()
        || a == 0
        || a >= 240
        || (a == 100 && (64..128).contains(&b))
        || (a == 192 && b == 0 && c == 0)
        || (a == 192 && b == 88 && c == 99)
        || (a == 198 && (18..20).contains(&b)))
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let [s0, s1, s2, s3, s4, s5, s6, s7] = address.segments();
    let embedded = |high: u16, low: u16| {
        let [[a, b], [c, d]] = [high.to_be_bytes(), low.to_be_bytes()];
        is_public_v4(Ipv4Addr::new(a, b, c, d))
    };
    match (s0, s1) {
        // A translator behind this prefix would carry us to the IPv4 address inside (RFC 6052).
        (0x64, 0xff9b) => (s2, s3, s4, s5) == (0, 0, 0, 0) && embedded(s6, s7),
        // 6to4, the same in the other direction.
        (0x2002, _) => embedded(s1, s2),
        // Protocol assignments (Teredo among them) and documentation.
        (0x2001, low) if low < 0x200 || low == 0xdb8 => false,
        (0x3fff, low) if low < 0x1000 => false,
        // Global unicast is all of this block; loopback, mapped, local and multicast lie outside it.
        _ => (0x2000..0x4000).contains(&s0),
    }
}

/// A host that leads to an address which the rule does not allow.
#[derive(Debug)]
pub(super) struct Refused {
    host: String,
    address: IpAddr,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host == self.address.to_string() {
            return write!(f, "not a public address: {}", self.address);
        }
        write!(
            f,
            "{} leads to an address that is not public: {}",
            self.host, self.address
        )
    }
}

impl std::error::Error for Refused {}

/// Checks an address that is written out; names are checked where they are resolved.
pub(super) fn check_literal(url: &Url, rule: &Rule) -> Result<(), Refused> {
    let address: IpAddr = match url.host() {
        Some(Host::Ipv4(v4)) => v4.into(),
        Some(Host::Ipv6(v6)) => v6.into(),
        Some(Host::Domain(_)) | None => return Ok(()),
    };
    if rule(address) {
        Ok(())
    } else {
        Err(Refused {
            host: address.to_string(),
            address,
        })
    }
}

/// The resolver of the HTTP client: what it does not give, is not connected to, however often a name changes.
pub(super) struct Filtered {
    pub(super) rule: Rule,
}

impl Resolve for Filtered {
    fn resolve(&self, name: Name) -> Resolving {
        let rule = Arc::clone(&self.rule);
        Box::pin(async move {
            let host = name.as_str().to_owned();
            let found: Vec<SocketAddr> = tokio::net::lookup_host((host.as_str(), 0)).await?.collect();
            let allowed: Vec<SocketAddr> = found
                .iter()
                .copied()
                .filter(|address| rule(address.ip()))
                .collect();
            if let (true, Some(refused)) = (allowed.is_empty(), found.first()) {
                return Err(Refused {
                    host,
                    address: refused.ip(),
                }
                .into());
            }
            Ok(Box::new(allowed.into_iter()) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn only_public_addresses_are_public() {
        for public in [
            "1.1.1.1",
            "9.255.255.255",
            "100.63.255.255",
            "100.128.0.0",
            "172.15.0.1",
            "172.32.0.1",
            "223.255.255.255",
            "2606:4700::1",
            "2001:200::1",
            "2a00::1",
            "64:ff9b::101:101",
            "2002:0101:0101::1",
        ] {
            assert!(is_public(public.parse().unwrap()), "{public}");
        }
        for other in [
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.1",
            "100.64.0.1",
            "100.127.255.255",
            "127.0.0.1",
            "127.9.9.9",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.1",
            "192.0.2.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "239.255.255.255",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:1.1.1.1",
            "::127.0.0.1",
            "fc00::1",
            "fd12::1",
            "fe80::1",
            "fec0::1",
            "ff02::1",
            "2001:db8::1",
            "2001::1",
            "64:ff9b::7f00:1",
            "64:ff9b:1::1",
            "2002:7f00:1::1",
            "100::1",
            "3fff::1",
        ] {
            assert!(!is_public(other.parse().unwrap()), "{other}");
        }
    }

    #[test]
    fn every_spelling_of_a_literal_is_seen() {
        for spelling in [
            "http://127.0.0.1/",
            "http://2130706433/",
            "http://0x7f.1/",
            "http://0177.0.0.1",
            "http://[::1]/",
            "http://[::ffff:10.0.0.1]/",
        ] {
            let url = Url::parse(spelling).unwrap();
            assert!(check_literal(&url, &public_only()).is_err(), "{spelling}");
            assert!(check_literal(&url, &anywhere()).is_ok(), "{spelling}");
        }
    }
}
