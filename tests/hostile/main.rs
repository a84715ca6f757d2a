//! Relays that misbehave, through the whole program: the ledger holds what docs/relays.md promises.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../support/account.rs"]
#[allow(dead_code, reason = "each test file uses its part")]
mod account;
#[path = "../support/database.rs"]
#[allow(dead_code, unused_macros)]
mod database;
#[path = "../support/mail.rs"]
#[allow(dead_code)]
mod mail;
#[path = "../support/ports.rs"]
mod ports;
#[path = "../support/relay.rs"]
mod relay;
#[path = "../support/site.rs"]
mod site;

mod faults;
mod flights;
mod rows;
mod table;
