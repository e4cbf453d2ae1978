//! Measuring: the only code that is asynchronous, uses the network or calls foreign code.
//!
//! ```text
//! prompts + targets ─► schedule ─► backend (local worker | api) ─► timestamped events ─► trace ─► figures ─► stats
//! ```
//!
//! A backend yields [`event::Stamped`] events and computes nothing. A trace keeps what they say, and every
//! figure is computed from a trace, so that a definition can change without a new measurement. Prices and
//! documents belong to other rooms.

pub mod address;
pub mod allowed;
pub mod backend;
pub mod clock;
pub mod conversation;
pub mod counts;
pub mod ending;
pub mod energy;
pub mod event;
pub mod fetch;
pub mod fetch_text;
pub mod figures;
pub mod load;
pub mod model_name;
pub mod net;
pub mod provider_error;
pub mod redact;
pub mod retry;
pub mod run;
pub mod schedule;
pub mod sse;
pub mod stats;
pub mod synthetic;
pub mod template;
pub mod text;
pub mod thoughts;
pub mod trace;
pub mod trust;
pub mod usage;
pub mod wire;
