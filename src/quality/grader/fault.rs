//! What is wrong with an assertion.

use crate::quality::regex;
use crate::quality::schema::SchemaError;

/// What is wrong with an assertion.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Place among all graders, members of sets counted behind their set.
    pub place: usize,
    /// Line of the file, where it is known.
    pub line: Option<usize>,
    pub kind: String,
    pub what: Fault,
}

/// See [`Problem`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    #[error("there is no assertion {kind:?}{}", nearest.as_ref().map(|n| format!("; did you mean {n:?}?")).unwrap_or_default())]
    Unknown { kind: String, nearest: Option<String> },
    #[error("the assertion has no type")]
    NoType,
    #[error("{kind:?} needs {wanted}")]
    Value { kind: String, wanted: &'static str },
    #[error("{kind:?} needs a threshold: {wanted}")]
    NoThreshold { kind: String, wanted: &'static str },
    #[error("a list in quotation marks is broken: a comma must follow each closing mark")]
    ListSyntax,
    #[error("the pattern is no regular expression: {0}")]
    Regex(regex::Invalid),
    #[error("{0}")]
    Schema(SchemaError),
    /// A template, or a file that a value names.
    #[error("{0}")]
    Filling(String),
    /// It would run a program of the prompt file, or needs a service that is not part of this tool.
    #[error("{kind:?} is not run: {why}")]
    NotRun { kind: String, why: &'static str },
}

impl Fault {
    /// What to do about it.
    pub fn remedy(&self) -> String {
        match self {
            Self::Unknown { .. } => "The names are in docs/graders.md.".to_owned(),
            Self::NoType => "Write `type: contains` or another name of docs/graders.md.".to_owned(),
            Self::Value { wanted, .. } => format!("Give it {wanted} as `value`."),
            Self::NoThreshold { wanted, .. } => format!("Give it {wanted} as `threshold`."),
            Self::ListSyntax => "Write the values as a YAML list.".to_owned(),
            Self::Regex(_) => "It has to be JavaScript's kind, without flags.".to_owned(),
            Self::Schema(_) => "It has to be a JSON schema of draft-07 with known keywords only.".to_owned(),
            Self::Filling(_) => "Mend the template, or the path.".to_owned(),
            Self::NotRun { .. } => {
                "Replace it, or grade it with a program of your own (`exec`); the prompt counts as not graded."
                    .to_owned()
            }
        }
    }

    /// Is the prompt usable all the same, only without a grade?
    pub fn is_not_run(&self) -> bool {
        matches!(self, Self::NotRun { .. })
    }
}
