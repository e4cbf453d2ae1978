//! Measuring: the only asynchronous, network and foreign code.
//!
//! ```text
//! prompts + targets ─► plan ─► backend (local worker | api) ─► timestamped events ─► fold ─► samples ─► stats
//! ```
//!
//! A backend yields [`event::Stamped`] events and computes nothing. Every metric is a fold over
//! them, so a definition can change without a new measurement. Money and documents are elsewhere.

pub mod backend;
pub mod clock;
pub mod energy;
pub mod event;
pub mod fetch;
pub mod fold;
pub mod level;
pub mod load;
pub mod net;
pub mod page;
pub mod plan;
pub mod redact;
pub mod retry;
pub mod run;
pub mod sse;
pub mod stats;
pub mod synthetic;
pub mod template;
pub mod text;
pub mod usage;
