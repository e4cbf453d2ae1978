//! Load: many requests at once, in closed loops that keep a fixed number under way and open loops that send
//! at a rate whatever the answers do.
//!
//! ```text
//! shapes × targets × rounds ─► phases ─► api | local: requests under way ─► Record ─► RunObserver
//!                                                       Sent (one row each) ─► figures per level
//! ```
//!
//! Under load nothing is tried again: a refusal is part of what the load shows. A server that asks for a
//! pause gets it, and in an open loop that pause counts in every latency from the schedule.

pub mod api;
pub mod arrivals;
pub mod figures;
mod lag;
pub mod local;
pub mod phase;
pub mod queue;

pub use arrivals::Arrivals;
pub use figures::{LoadFigures, Sent, Slo, figures};
pub use lag::Lag;
pub use phase::{Extent, Phase, PhaseEnd, Shape, Surroundings, phases};
pub use queue::Queue;
