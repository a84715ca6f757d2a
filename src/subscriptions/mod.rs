//! The life of a subscriber: lists in and out, signing up, signed links, leaving.

pub mod account;
pub mod addressing;
pub mod admin;
pub mod admin_session;
pub mod api_token;
mod cell;
pub mod confirm;
pub mod delivery_name;
pub mod erase;
pub mod export;
mod fate;
mod group;
pub mod import;
mod import_report;
pub mod limits;
mod line;
pub mod link;
pub mod list_folder;
pub mod moving;
pub mod preferences;
mod private_file;
mod rows;
pub mod sign_up;
pub mod token;
mod token_text;
pub mod unsubscribe;
pub mod upkeep;
