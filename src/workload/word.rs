//! A word that an answer or a key may be.

/// A word that may be chosen, and what it means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Word {
    /// As it is typed.
    pub word: &'static str,
    /// What it means, in a few words.
    pub means: &'static str,
}
