//! What the store promises, run against SQLite and PostgreSQL.

#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "support/database.rs"]
mod database;
#[path = "support/links.rs"]
mod links;
#[path = "support/plan.rs"]
mod plan;
#[path = "support/seed.rs"]
mod seed;

#[path = "store_contract/accounts.rs"]
mod accounts;
#[path = "store_contract/adding.rs"]
mod adding;
#[path = "store_contract/admin.rs"]
mod admin;
#[path = "store_contract/audience.rs"]
mod audience;
#[path = "store_contract/backlog.rs"]
mod backlog;
#[path = "store_contract/choices.rs"]
mod choices;
#[path = "store_contract/confirming.rs"]
mod confirming;
#[path = "store_contract/counting.rs"]
mod counting;
#[path = "store_contract/editions.rs"]
mod editions;
#[path = "store_contract/erasure.rs"]
mod erasure;
#[path = "store_contract/expiry.rs"]
mod expiry;
#[path = "store_contract/interventions.rs"]
mod interventions;
#[path = "store_contract/leases.rs"]
mod leases;
#[path = "store_contract/ledger.rs"]
mod ledger;
#[path = "store_contract/mailboxes.rs"]
mod mailboxes;
#[path = "store_contract/memory.rs"]
mod memory;
#[path = "store_contract/moves.rs"]
mod moves;
#[path = "store_contract/notices.rs"]
mod notices;
#[path = "store_contract/opening.rs"]
mod opening;
#[path = "store_contract/outcomes.rs"]
mod outcomes;
#[path = "store_contract/planning.rs"]
mod planning;
#[path = "store_contract/privacy.rs"]
mod privacy;
#[path = "store_contract/received.rs"]
mod received;
#[path = "store_contract/relays.rs"]
mod relays;
#[path = "store_contract/retention.rs"]
mod retention;
#[path = "store_contract/scrubbing.rs"]
mod scrubbing;
#[path = "store_contract/sequences.rs"]
mod sequences;
#[path = "store_contract/sign_ups.rs"]
mod sign_ups;
#[path = "store_contract/site.rs"]
mod site;
#[path = "store_contract/subscribers.rs"]
mod subscribers;
#[path = "store_contract/summaries.rs"]
mod summaries;
#[path = "store_contract/sweeping.rs"]
mod sweeping;
#[path = "store_contract/together.rs"]
mod together;
