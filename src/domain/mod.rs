//! The words of the program as types; no input or output happens here.

pub mod address;
pub mod category;
pub mod clock;
pub mod condition;
pub mod delivery;
pub mod digest;
pub mod dkim;
pub mod dkim_key;
pub mod doi;
pub mod edition;
pub mod fetch;
pub mod notice;
pub mod problem;
pub mod prose;
pub mod random;
pub mod reader_event;
pub mod relay;
pub mod site;
pub mod slug;
pub mod subscriber;
pub mod summary;
pub mod text;

pub use address::{EmailAddress, LocalPartRule};
pub use category::Category;
pub use clock::{Clock, SystemClock, Timestamp};
pub use digest::Digest;
pub use doi::Doi;
pub use fetch::FetchState;
pub use problem::{Problem, Result};
pub use prose::Prose;
pub use random::{Random, SystemRandom};
pub use site::Site;
pub use slug::Slug;
pub use summary::Summary;
