//! Limits for templates, and their errors.

/// The longest rendered text, bytes.
pub(super) const LONGEST_OUTPUT: usize = super::super::bounds::LARGEST_LINE;
/// The most steps of one rendering: evaluated nodes and repetitions of loops.
pub(super) const MOST_STEPS: usize = 1_000_000;
/// The deepest nesting of brackets, blocks and macro calls.
pub(super) const DEEPEST: usize = 60;
/// The most operands, filters, calls and members in one expression, because a chain of them is as deep as
/// it is long.
pub(super) const LONGEST_EXPRESSION: usize = 300;

/// A template that cannot be read or filled in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line} of the template: {message}")]
pub struct TemplateError {
    /// Line of the template, from 1.
    pub line: usize,
    pub message: String,
}
