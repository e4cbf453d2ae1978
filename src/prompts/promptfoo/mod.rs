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
mod render;
mod sources;

pub use expand::{Config, Row};
pub(crate) use render::resolve_variables as resolve;

use super::fill::Files;
use super::yaml;
use super::{Prompt, PromptError};

/// Something about a configuration that a person should know, although it can be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// Line of the configuration, where it is known.
    pub line: Option<usize>,
    pub kind: NoticeKind,
}

/// See [`Notice`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoticeKind {
    /// A key that nothing reads; perhaps it is misspelt.
    UnknownKey { place: &'static str, key: String },
    /// A test without any assertion: every answer passes it.
    NothingAsserted { test: usize },
    /// Something only a script engine could do; what it belongs to counts as not graded.
    NotRun { what: String },
    /// The configuration asks for this many repeats of each test; a run's own setting decides.
    Repeats(u32),
    /// No file has a name that fits a pattern.
    NoFiles { pattern: String },
}

/// Read a configuration; `file` is its name, for messages, and `files` are those beside it.
pub fn read(file: &str, bytes: &[u8], files: &dyn Files) -> Result<Config, PromptError> {
    let root = yaml::read(file, bytes)?;
    expand::Reader::new(file, files).config(&root)
}

impl Config {
    /// The prompts of the configuration, once each whatever its providers and repeats. Ids are `t1`,
    /// `t2`, … by test, with the number of the prompt behind where there are several.
    pub fn prompts(&self) -> Vec<Prompt> {
        let several = self.rows.iter().any(|r| r.prompt_number > 0);
        let mut seen = std::collections::BTreeSet::new();
        let rows = self.rows.iter().filter(|r| r.repeat == 0);
        rows.filter(|r| seen.insert((r.case, r.prompt_number)))
            .map(|row| {
                let id = if several {
                    format!("t{}.{}", row.case + 1, row.prompt_number + 1)
                } else {
                    format!("t{}", row.case + 1)
                };
                row.prompt(id)
            })
            .collect()
    }
}

#[cfg(test)]
mod tests;
