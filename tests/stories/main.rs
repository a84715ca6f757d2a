//! Stories of the whole program: the real binary on a site of its own, from a summary to an inbox.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../support/account.rs"]
mod account;
#[path = "../support/database.rs"]
#[macro_use]
#[allow(dead_code, reason = "each test file uses its part")]
mod database;
#[path = "../support/dkim.rs"]
mod dkim;
#[path = "../support/http.rs"]
#[allow(dead_code)]
mod http;
#[path = "../support/mail.rs"]
mod mail;
#[path = "../support/ports.rs"]
mod ports;
#[path = "../support/programs.rs"]
mod programs;
#[path = "../support/relay.rs"]
mod relay;
#[path = "../support/site.rs"]
mod site;

mod approval;
mod bad_input;
mod being_forgotten;
mod being_forgotten_by_link;
mod commands;
mod corrections;
mod faults_of_disks;
mod faults_of_relays;
mod holding_back;
mod interventions;
mod keeping;
mod limits;
mod logs;
mod looking_first;
mod manual_send;
mod notices;
mod publish_to_inbox;
mod reader_leaves;
mod readers;
mod several_relays;
mod shipped;
mod signed_mail;
mod sources;
mod templates;
