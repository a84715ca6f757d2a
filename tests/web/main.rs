//! `postrider serve` as programs and readers meet it: over TCP, on a site of its own.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[allow(dead_code, reason = "each test file uses its part")]
#[path = "../support/database.rs"]
mod database;
#[path = "../support/relay.rs"]
mod relay;
#[path = "../support/site.rs"]
mod site;

mod account;
mod admin;
mod admin_counts;
mod admin_ledger;
mod admin_seen;
mod admin_together;
mod api;
mod bridge;
mod conditional;
mod desk;
mod faulty_forms;
mod feeds;
mod in_process;
mod limits;
mod metrics;
mod moves;
mod overrides;
mod preferences;
mod readers;
mod reading;
mod refusals;
mod sign_in;
mod sign_up;
mod sign_up_api;
mod sign_up_limits;
mod site_archive;
mod site_helpful;
mod site_pages;
mod site_summary;
mod tokens;
mod upkeep;
mod wire;

use std::time::{Duration, Instant};

/// Asks again and again until there is an answer, for at most 30 seconds.
fn wait_for<T>(what: &str, mut question: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(answer) = question() {
            return answer;
        }
        assert!(
            begun.elapsed() < Duration::from_secs(30),
            "waited in vain for {what}"
        );
        std::thread::sleep(Duration::from_millis(20));
    }
}
