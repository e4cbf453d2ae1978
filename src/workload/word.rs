//! Words that an answer or a key may have as its value.

/// A word, with its meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Word {
    /// The word as it is typed.
    pub word: &'static str,
    /// Its meaning, in a few words.
    pub means: &'static str,
}
