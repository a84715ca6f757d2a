//! Nothing is lost and nothing is sent twice: processes that are killed, stopped, late, or many.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../support/database.rs"]
mod database;
#[path = "../support/ports.rs"]
mod ports;
#[path = "../support/programs.rs"]
mod programs;
#[path = "../support/proxy.rs"]
mod proxy;
#[path = "../support/site.rs"]
mod site;

mod couriers;
mod draining;
mod hooked;
mod inbox;
mod kills;
mod nodes;
mod notices;
mod outage;
mod processes;
mod records;
mod relays;
mod schedules;
mod together;
mod world;
