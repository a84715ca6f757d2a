//! A relay over real TCP that misbehaves as told, and records everything it received.
//!
//! Without a script it is a good and strict relay. A script says, for a command, what to do the first
//! time, the second time and so on, or for whom; when it is used up the relay is good again.

#![allow(dead_code, clippy::unwrap_used, clippy::expect_used)]

use std::net::{Shutdown, TcpListener};
use std::sync::{Arc, Mutex};
use std::thread;

#[path = "script.rs"]
mod script;
#[path = "talk.rs"]
mod talk;

#[allow(unused_imports, reason = "each test file uses its part")]
pub use script::{Act, Script, say, say_and_drop};

/// A message that was taken, or would have been.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    /// The envelope sender.
    pub from: String,
    /// The recipients that were accepted.
    pub to: Vec<String>,
    /// The message, dots unstuffed, with its line ends.
    pub data: String,
    /// Whether the reply to the final dot was positive.
    pub taken: bool,
}

/// What was received, over all connections.
#[derive(Debug, Default)]
pub struct Record {
    /// Messages with their final dot.
    pub messages: Vec<Received>,
    /// Every command line, without its line end.
    pub commands: Vec<String>,
    /// Every octet.
    pub octets: Vec<u8>,
    /// How many connections were made.
    pub connections: usize,
    /// How many of them are over.
    pub ended: usize,
    /// How many transactions were begun.
    pub transactions: usize,
    /// How often the relay answered, since the first transaction of each connection, before it read on.
    pub flights: usize,
    /// How often a message for nobody was ended by a lone dot.
    pub lone_dots: usize,
    /// Commands that came before the answer they had to wait for (RFC 2920, 3.1).
    pub too_early: Vec<String>,
}

/// A listening relay on loopback; it lives as long as the process.
#[derive(Debug, Clone)]
pub struct ScriptedRelay {
    /// Its TCP port.
    pub port: u16,
    record: Arc<Mutex<Record>>,
    script: Arc<Mutex<Script>>,
}

impl ScriptedRelay {
    /// Starts listening.
    pub fn start(script: Script) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let relay = Self {
            port: listener.local_addr().unwrap().port(),
            record: Arc::default(),
            script: Arc::new(Mutex::new(script)),
        };
        let (record, script) = (Arc::clone(&relay.record), Arc::clone(&relay.script));
        thread::spawn(move || {
            for socket in listener.incoming().flatten() {
                socket.set_nodelay(true).unwrap();
                record.lock().unwrap().connections += 1;
                let (record, script) = (Arc::clone(&record), Arc::clone(&script));
                thread::spawn(move || {
                    let _ = talk::Talk::new(&socket, Arc::clone(&record), script).run();
                    let _ = socket.shutdown(Shutdown::Both);
                    record.lock().unwrap().ended += 1;
                });
            }
        });
        relay
    }

    /// From now on the relay does everything right, and lets the user in with `password`.
    pub fn heal(&self, password: &str) {
        let mut script = self.script.lock().unwrap();
        script.heal();
        password.clone_into(&mut script.login.1);
    }

    /// Looks at the record.
    pub fn record<T>(&self, look: impl FnOnce(&Record) -> T) -> T {
        look(&self.record.lock().unwrap())
    }

    /// The messages that were taken.
    pub fn taken(&self) -> Vec<Received> {
        self.record(|record| record.messages.iter().filter(|m| m.taken).cloned().collect())
    }

    /// The command lines that begin with `verb`.
    pub fn commands(&self, verb: &str) -> Vec<String> {
        self.record(|record| {
            let lines = record.commands.iter();
            lines
                .filter(|line| line.to_uppercase().starts_with(verb))
                .cloned()
                .collect()
        })
    }

    /// Whether these octets were ever received.
    pub fn has_seen(&self, octets: &[u8]) -> bool {
        self.record(|record| record.octets.windows(octets.len()).any(|window| window == octets))
    }
}

/// Base64, written here so that the relay shares no code with what it tests.
pub fn encode(text: &str) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut encoded = String::new();
    for chunk in text.as_bytes().chunks(3) {
        let bits =
            chunk.iter().fold(0u32, |bits, &byte| bits << 8 | u32::from(byte)) << (8 * (3 - chunk.len()));
        for index in 0..4 {
            let digit = DIGITS[(bits >> (18 - 6 * index)) as usize & 63];
            encoded.push(if index <= chunk.len() {
                char::from(digit)
            } else {
                '='
            });
        }
    }
    encoded
}
