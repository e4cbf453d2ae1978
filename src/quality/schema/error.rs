//! Why a schema cannot be used.

/// Levels of a schema.
pub(super) const DEEPEST: usize = 100;

/// A schema that no answer can be held against.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SchemaError {
    #[error("the schema is not a mapping")]
    NotASchema,
    #[error("the schema is neither JSON nor YAML: {0}")]
    Unreadable(String),
    #[error("the schema says it is {0}, but only draft-07 is known")]
    Dialect(String),
    #[error("the schema has the unknown keyword {0:?}")]
    UnknownKeyword(String),
    #[error("the schema has the unknown format {0:?}")]
    UnknownFormat(String),
    #[error("the schema has {0:?}, which has no effect there")]
    WithoutEffect(String),
    #[error("the schema is not valid: {0}")]
    Invalid(String),
    #[error("the schema refers to {0:?}, which is not in it; nothing is fetched")]
    Elsewhere(String),
    #[error("the schema refers to itself without end, at {0:?}")]
    Endless(String),
    #[error("the schema nests deeper than {DEEPEST} levels")]
    TooDeep,
}
