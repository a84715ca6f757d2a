//! Postrider gathers plain-language research summaries and publishes them as digests and feeds.
//!
//! The modules stand in the order in which the data passes them. A module uses only those that
//! `docs/architecture.md` lists for it; `tests/house.rs` holds them to it.

pub mod domain;

pub mod config;
pub mod gather;
pub mod store;

pub mod edition;
pub mod render;

pub mod deliver;
pub mod feed;

pub mod schedule;
pub mod subscriptions;

pub mod app;
pub mod cli;
pub mod web;
