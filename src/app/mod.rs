//! Use cases: one function per command, values in, document out.
//!
//! ```text
//! cli: arguments, files, clock ─► values ─► app ─► document (or [`Refusal`]) ─► cli: format, write
//! ```
//!
//! What a command decides is decided here. This room uses no clap, no terminal, no files, no clock and no
//! environment: the caller has read them, and passes what was found as values.

pub mod advise;
pub mod bench;
pub mod breakeven;
pub mod db;
pub mod deploy;
pub mod doctor;
pub mod explain;
pub mod fit;
pub mod machine;
pub mod needs;
pub mod plan;
pub mod prompts;
mod refusal;
pub mod report;
pub mod review;
pub mod schema;
pub mod usage;

pub use refusal::{Refusal, RefusalKind};
