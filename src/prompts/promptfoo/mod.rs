//! promptfoo configurations: prompts × tests × providers → rows, each a prompt that can be sent with
//! the assertions its answer is graded by.
//!
//! ```text
//! YAML ─► references resolved ─► prompts, default test, tests (inline, files, CSV), scenarios
//!                                   └─► variables multiplied out ─► templates filled in ─► rows
//! ```
//!
//! What promptfoo 0.123 makes of a file is what is made of it here, so that one file means one thing
//! to both. Programs a file names (JavaScript, Python, `exec:`) are never run; the environment is
//! never read.

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
