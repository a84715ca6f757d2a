//! Pages and mails in a real browser, against the real program with a real mail server behind it.
//!
//! `driver.mjs` leads Debian's Chromium through Playwright; `browser.rs` tells it what to do.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../support/programs.rs"]
mod programs;
#[path = "../support/site.rs"]
mod site;

mod browser;
mod editor;
mod forms;
mod grounds;
mod letter;
mod mails;
mod pages;
mod pictures;
mod planted;
mod scanner;
mod sending;
mod signing_up;
mod stories;
mod world;
