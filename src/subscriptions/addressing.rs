//! What an address or a network is looked up by.

use std::net::IpAddr;

use super::import::address_hash;
use crate::domain::{EmailAddress, LocalPartRule};

/// How addresses are told apart, and what hashes are made with.
#[derive(Debug, Clone)]
pub struct Addressing {
    /// Whether `Ann@` and `ann@` are one reader.
    pub local_part: LocalPartRule,
    /// The database's own salt.
    pub salt: String,
    /// What visitors' networks are hashed with: there are few enough of them to try all, so it is not
    /// kept in the database.
    pub network_salt: String,
}

/// What an address is looked up by; not to be shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Known {
    /// What its spellings have in common.
    pub key: String,
    /// The salted hash of the key.
    pub hash: String,
    /// The salted hash of what all addresses of the mailbox have in common; the same as `hash` for an address
    /// without a `+`. What anybody can cause by typing an address into a form is limited by it.
    pub mailbox: String,
}

/// What `address` is looked up by, where `local_part` tells addresses apart and `salt` is the database's own.
pub(super) fn known(address: &EmailAddress, local_part: LocalPartRule, salt: &str) -> Known {
    let (key, mailbox) = (address.key(local_part), address.mailbox_key());
    Known {
        hash: address_hash(&key, salt),
        mailbox: address_hash(&mailbox, salt),
        key,
    }
}

impl Addressing {
    /// What `address` is looked up by.
    pub fn known(&self, address: &EmailAddress) -> Known {
        known(address, self.local_part, &self.salt)
    }

    /// The hash by which the network of `client` is counted: a /24 of IPv4, a /48 of IPv6.
    pub fn network(&self, client: IpAddr) -> String {
        let network = match client.to_canonical() {
            IpAddr::V4(client) => {
                let [a, b, c, _] = client.octets();
                format!("network {a}.{b}.{c}.0/24")
            }
            IpAddr::V6(client) => {
                let [a, b, c, ..] = client.segments();
                format!("network {a:x}:{b:x}:{c:x}::/48")
            }
        };
        address_hash(&network, &self.network_salt)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    #[test]
    fn a_mailbox_is_known_by_the_hash_of_its_plain_address() {
        let addressing = Addressing {
            local_part: LocalPartRule::Insensitive,
            salt: "pepper".to_owned(),
            network_salt: "thyme".to_owned(),
        };
        let known = |text: &str| addressing.known(&EmailAddress::parse(text).unwrap());
        let (plain, tagged) = (known("ann@example.org"), known("Ann+news@example.org"));
        assert_eq!(plain.mailbox, plain.hash);
        assert_eq!(tagged.mailbox, plain.hash);
        assert_ne!(tagged.hash, plain.hash);
        assert_eq!(tagged.key, "ann+news@example.org");
        assert_ne!(known("an.n@example.org").mailbox, plain.mailbox);
    }

    #[test]
    fn clients_of_one_network_count_as_one() {
        let addressing = Addressing {
            local_part: LocalPartRule::Insensitive,
            salt: "pepper".to_owned(),
            network_salt: "thyme".to_owned(),
        };
        let hash = |client: &str| addressing.network(client.parse().unwrap());
        for (one, other, same) in [
            ("192.0.2.1", "192.0.2.254", true),
            ("192.0.2.1", "::ffff:192.0.2.7", true),
            ("192.0.2.1", "192.0.3.1", false),
            ("2001:db8:1:2::3", "2001:db8:1:ffff::1", true),
            ("2001:db8:1::3", "2001:db8:2::3", false),
        ] {
            assert_eq!(hash(one) == hash(other), same, "{one} {other}");
            assert!(!hash(one).contains("192"));
        }
    }
}
