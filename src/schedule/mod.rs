//! When runs are due (see docs/architecture.md).

pub mod cron;
pub mod runner;
pub mod words;
