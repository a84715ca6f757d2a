//! Nothing is lost and nothing is sent twice: processes that are killed, stopped, late, or many.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../support/database.rs"]
mod database;
#[path = "../support/programs.rs"]
mod programs;
#[path = "../support/relay.rs"]
mod relay;
#[path = "../support/site.rs"]
mod site;

mod inbox;
mod kills;
mod together;
