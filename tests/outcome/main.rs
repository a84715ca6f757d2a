//! What becomes of an edition that is refused, paused, resumed or cancelled while couriers deliver it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../support/database.rs"]
mod database;
#[path = "../crash/hooked.rs"]
#[allow(dead_code, reason = "each test file uses its part")]
mod hooked;
#[path = "../support/site.rs"]
mod site;
#[path = "../crash/world.rs"]
#[allow(dead_code)]
mod world;

mod brake;
mod steering;
