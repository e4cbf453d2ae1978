//! Why a command gives no document.

/// Why something was refused, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Refusal {
    pub kind: RefusalKind,
    pub message: String,
    pub hint: Option<String>,
}

/// The kind of a refusal, which decides the exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefusalKind {
    /// What was asked, or a file that came with it, is wrong.
    Input,
    /// What was asked is understood, but cannot be done.
    Failed,
}

impl Refusal {
    /// A refusal because what was asked is wrong.
    pub fn input(message: impl Into<String>) -> Self {
        Self { kind: RefusalKind::Input, message: message.into(), hint: None }
    }
    /// A refusal because it cannot be done.
    pub fn failed(message: impl Into<String>) -> Self {
        Self { kind: RefusalKind::Failed, message: message.into(), hint: None }
    }
    /// The same refusal with a sentence on what to do about it.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl From<crate::cost::ResolveError> for Refusal {
    fn from(error: crate::cost::ResolveError) -> Self {
        use crate::cost::ResolveError as E;
        let hint = match &error {
            E::Missing(_) => {
                "give each as a flag or in a scenario file (--scenario FILE); `freehold breakeven --help` lists every key"
            }
            E::Unknown { .. } => {
                "`freehold db list` shows the catalogue; a price or machine that is not in it can be given by its numbers"
            }
            E::DoesNotFit { .. } => {
                "a smaller format (--quantisation), more GPUs (local.gpus_per_unit: --count of `fit`, --gpus-per-unit of `breakeven`) or other hardware; `freehold fit` shows what fits"
            }
            E::Impossible { .. } => return Self::input(error.to_string()),
        };
        Self::input(error.to_string()).hint(hint)
    }
}
