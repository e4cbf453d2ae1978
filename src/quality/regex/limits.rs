//! How far a pattern may go, and what is wrong with one.

/// Steps one test may take: more than any pattern needs that does not blow up, a tenth of a second.
pub const STEP_LIMIT: u64 = 10_000_000;
/// Longest pattern, UTF-16 units.
pub const LONGEST_PATTERN: usize = 10_000;

/// A pattern that is not a JavaScript regular expression.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Invalid {
    pub message: &'static str,
}

/// A pattern that took more steps than [`STEP_LIMIT`] on a text: whether it matches is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the pattern was stopped after {STEP_LIMIT} steps")]
pub struct Runaway;

/// The whole match and each group, from and to; `None` for a group that took no part.
pub type Groups = Vec<Option<(usize, usize)>>;
