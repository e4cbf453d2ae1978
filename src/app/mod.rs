//! Use cases: one function per command, values in, document out.
//!
//! ```text
//! cli: arguments, files, clock ─► values ─► app ─► document (or [`Refusal`]) ─► cli: format, write
//! ```
//!
//! What a command decides is decided here. No clap, no terminal, no files, no clock, no environment:
//! whoever calls has read them, and passes what was found as values.

pub mod db;
pub mod doctor;
pub mod fit;
pub mod machine;
pub mod prompts;
mod refusal;
pub mod report;
pub mod schema;
pub mod usage;

pub use refusal::{Refusal, RefusalKind};
