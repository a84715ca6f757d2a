//! What is remembered of an address between two fetches.

use super::clock::Timestamp;

/// The validators and orders that a server gave for one address, kept verbatim.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FetchState {
    /// `ETag`, sent back in `If-None-Match`.
    pub etag: Option<String>,
    /// `Last-Modified`, sent back in `If-Modified-Since`.
    pub last_modified: Option<String>,
    /// Where a 301 or 308 said that it lives from now on.
    pub moved_to: Option<String>,
    /// Not to be asked before this instant (`Retry-After`).
    pub not_before: Option<Timestamp>,
    /// A 410 said that it is gone for good.
    pub gone: bool,
    /// Where the next pull goes on, when the last one did not come to the end.
    pub resume: Option<String>,
}
