//! One issue of a digest: what is new, who gets what, and the deliveries that follow.

mod plan;
mod segment;
mod select;

pub use plan::{Forecast, Planned, Planner, Request, Seen, goes_out, nothing_left};
