//! `freehold bench`: what a run is decided by, what its requests come to, and what its journal says.
//!
//! ```text
//! what is asked ─► settings, plan ─► (consent, then requests, in `cli`) ─► journal, tally ─► document
//!                                        ▲                                   │
//!                                        └──── what is left to ask ◄─────────┘
//! ```

pub mod asked;
pub mod bounds;
pub mod journal;
pub mod limits;
pub mod load;
pub mod load_samples;
pub mod local;
pub mod measured;
pub mod memory;
pub mod range;
pub mod replay;
pub mod request;
pub mod resume;
pub mod settings;
pub mod spending;
pub mod steps;
pub mod stopping;
pub mod tally;
pub mod targets;
