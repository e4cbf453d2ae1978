//! Prompt sets as people keep them → prompts with what is expected of their answers.
//!
//! ```text
//! JSONL, CSV, TOML, text ─┐
//! promptfoo configuration ─┼─► Vec<Prompt>      OpenAI-evals, Inspect, lm-eval logs ─► finished answers
//! conversations           ─┘
//! ```
//!
//! Bytes in, no I/O of its own: files that a configuration names are asked for through a trait.
//! Every bound on what is read stands in [`bounds`].

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
