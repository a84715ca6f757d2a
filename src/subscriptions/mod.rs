//! The life of a subscriber: lists in and out, signed links, leaving.

pub mod admin;
pub mod api_token;
mod cell;
pub mod delivery_name;
pub mod export;
mod fate;
mod group;
pub mod import;
mod import_report;
mod line;
pub mod list_folder;
pub mod moving;
mod private_file;
mod rows;
pub mod token;
mod token_text;
pub mod unsubscribe;
