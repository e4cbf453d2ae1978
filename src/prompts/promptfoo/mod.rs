//! promptfoo configurations: prompts × tests × providers → rows, each of which is a prompt that can be sent,
//! with the assertions by which its answer is graded.
//!
//! ```text
//! YAML ─► references resolved ─► prompts, default test, tests (inline, files, CSV), scenarios
//!                                   └─► variables multiplied out ─► templates filled in ─► rows
//! ```
//!
//! Files are interpreted as by promptfoo 0.123, so that a file means the same to both programs. Programs
//! that a file names (JavaScript, Python, `exec:`) are never run, and the environment is never read.

mod csv_tests;
mod expand;
mod notice;
mod providers;
mod reader;
mod render;
mod row;
mod sources;
mod templates;
mod test_cases;

pub use expand::read;
pub use notice::{Notice, NoticeKind};
pub(crate) use render::resolve_variables as resolve;
pub use row::{Config, Row};

#[cfg(test)]
mod tests;
