//! Ports for what is not there.

use std::net::TcpListener;

/// A port of loopback where nobody listens.
pub fn unused_port() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    listener.local_addr().unwrap().port()
}
