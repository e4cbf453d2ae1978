//! Limits for patterns, and their errors.

/// The most steps of one test. Patterns that do not backtrack without end need far fewer; this many take a
/// tenth of a second.
pub const STEP_LIMIT: u64 = 10_000_000;
/// The longest pattern, UTF-16 units.
pub const LONGEST_PATTERN: usize = 10_000;

/// A pattern that is not a JavaScript regular expression.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Invalid {
    pub message: &'static str,
}

/// A pattern took more than [`STEP_LIMIT`] steps on a text, so that it is not known whether it matches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the pattern was stopped after {STEP_LIMIT} steps")]
pub struct Runaway;

/// Start and end of the whole match and of each group; `None` for a group that took no part.
pub type Groups = Vec<Option<(usize, usize)>>;
