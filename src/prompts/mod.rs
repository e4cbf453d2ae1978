//! Reads prompt sets in the formats that people keep them in, with what is expected of the answers.
//!
//! ```text
//! JSONL, CSV, TOML, text ─┐
//! promptfoo configuration ─┼─► Vec<Prompt>      OpenAI-evals, Inspect, lm-eval logs ─► finished answers
//! conversations           ─┘
//! ```
//!
//! Bytes in, no I/O: files that a configuration names are requested through a trait. All limits are in
//! [`bounds`].

mod assertion;
pub mod bounds;
pub mod conversation;
mod csv;
mod file;
mod fill;
mod grade_names;
pub(crate) mod js;
pub mod logs;
mod prompt;
pub mod promptfoo;
pub mod redact;
pub mod sample;
pub mod set;
pub mod template;
pub(crate) mod yaml;

pub use assertion::{Assertion, Malformed};
pub use bounds::{LARGEST_FILE, LARGEST_LINE};
pub use conversation::Conversation;
pub use file::{FileFormat, parse};
pub use fill::{FileFault, Files, NoFiles, filled, resolved};
pub(crate) use prompt::utf8;
pub use prompt::{Prompt, PromptError};
pub use set::Set;
