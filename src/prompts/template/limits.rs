//! How far a template may go, and what is wrong with one.

/// Longest rendered text, bytes.
pub(super) const LONGEST_OUTPUT: usize = super::super::bounds::LARGEST_LINE;
/// Steps of one rendering: nodes evaluated and turns of loops.
pub(super) const MOST_STEPS: usize = 1_000_000;
/// Brackets, blocks and macro calls inside each other.
pub(super) const DEEPEST: usize = 60;
/// Operands, filters, calls and members of one expression: a chain of them is as deep as it is long.
pub(super) const LONGEST_EXPRESSION: usize = 300;

/// A template that cannot be read or filled in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line} of the template: {message}")]
pub struct TemplateError {
    /// Line of the template, from 1.
    pub line: usize,
    pub message: String,
}
