//! `[serve]`: where the web server listens, and whom it believes.

use std::net::SocketAddr;

use super::section::Section;
use crate::domain::{Network, Problem, Result};

pub(super) const KEYS: &[&str] = &["listen", "trusted_proxies"];

const DEFAULT: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 8080);

/// How the web server runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Serve {
    /// IP address and port; port 0 takes a free one.
    pub listen: SocketAddr,
    /// The servers in front of this one whose word about a visitor's address is believed.
    pub trusted_proxies: Vec<Network>,
}

/// Reads an IP address and a port.
///
/// # Errors
/// When it is none, such as a host name.
pub fn parse_listen(text: &str) -> Result<SocketAddr> {
    text.trim().parse().map_err(|_| {
        Problem::configuration(format!("expected an IP address and a port, got {text:?}"))
            .hint("write 127.0.0.1:8080 for this machine only, 0.0.0.0:8080 or [::]:8080 for every network")
    })
}

pub(super) fn read(mut section: Section<'_>) -> Result<Serve> {
    Ok(Serve {
        listen: section.parsed("listen", parse_listen)?.unwrap_or(DEFAULT),
        trusted_proxies: section
            .list("trusted_proxies", Network::parse)?
            .unwrap_or_default(),
    })
}
