//! Reasons why a scenario cannot be computed.

use std::fmt;

/// The reason why a scenario cannot be computed.
#[derive(Debug, Clone, PartialEq)]
pub enum ResolveError {
    /// Keys without a value, each with the reason why it is needed.
    Missing(Vec<MissingKey>),
    /// Two keys that contradict each other, or a value that cannot be.
    Impossible { key: String, why: String },
    /// The model is too large for the hardware.
    DoesNotFit { key: String, error: Box<crate::capacity::CannotPredict> },
    /// A name that the catalogue does not have.
    Unknown { key: String, id: String, near: Vec<String>, why: Option<String> },
}

/// A key that the user must give.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MissingKey {
    /// The key as in a scenario file: `local.purchase_usd`.
    pub key: String,
    pub why: String,
}

impl fmt::Display for ResolveError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(keys) => {
                write!(f, "the cost cannot be computed without:")?;
                for MissingKey { key, why } in keys {
                    write!(f, "\n  {key} ({}): {why}", flag_of(key))?;
                }
                Ok(())
            }
            Self::DoesNotFit { key, error } => match error.as_ref() {
                crate::capacity::CannotPredict::DoesNotFit { model, hardware, format, needed, usable } => {
                    write!(
                        f,
                        "{key}: {hardware} cannot hold {model} at {format}: it needs {:.1} GB and {:.1} GB are usable",
                        needed / 1e9,
                        usable / 1e9
                    )
                }
                other @ crate::capacity::CannotPredict::Unknown(_) => write!(f, "{key}: {other}"),
            },
            Self::Impossible { key, why } => write!(f, "{key}: {why}"),
            Self::Unknown { key, id, near, why } => {
                write!(f, "{key}: `{id}` is not in the catalogue")?;
                if let Some(why) = why {
                    write!(f, " ({why})")?;
                }
                if near.is_empty() { Ok(()) } else { write!(f, "; did you mean {}?", near.join(" or ")) }
            }
        }
    }
}

impl std::error::Error for ResolveError {}

/// The flag for a key; for a later offer the flag is repeated.
fn flag_of(key: &str) -> String {
    let flag = |key: &str| format!("--{}", key.replace('_', "-"));
    match key.split('.').collect::<Vec<_>>()[..] {
        [section, n, name] if n.bytes().all(|b| b.is_ascii_digit()) => {
            format!("{} given for offer {n}", flag(&format!("{section}.{name}")))
        }
        _ => flag(key),
    }
}

pub(super) fn impossible(key: &str, why: impl Into<String>) -> ResolveError {
    ResolveError::Impossible { key: key.to_owned(), why: why.into() }
}
