//! Problems with assertions.

use crate::quality::regex;
use crate::quality::schema::SchemaError;

/// A problem with an assertion.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Index of its grader among all of the prompt; members of a set follow it.
    pub place: usize,
    /// Line in the file; `None` where it is not known.
    pub line: Option<usize>,
    pub kind: String,
    pub what: Fault,
}

/// The kinds of problem, see [`Problem`].
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
    /// A template cannot be filled in, or a file that a value names cannot be read.
    #[error("{0}")]
    Filling(String),
    /// It would run code from the prompt file, or needs a service that this program does not offer.
    #[error("{kind:?} is not run: {why}")]
    NotRun { kind: String, why: &'static str },
}

impl Fault {
    /// What the user can do about it.
    pub fn remedy(&self) -> String {
        match self {
            Self::Unknown { .. } => "`freehold help graders` lists the names.".to_owned(),
            Self::NoType => "Write `type: contains` or another name that `freehold help graders` lists.".to_owned(),
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

    /// Can the prompt still be used, without a grade by this assertion?
    pub fn is_not_run(&self) -> bool {
        matches!(self, Self::NotRun { .. })
    }
}
