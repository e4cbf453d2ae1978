//! Where a number came from. Every figure shown to a user carries one of these.

#![warn(missing_docs)]

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The origin of one value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "wire::Source", into = "wire::Source")]
pub enum Source {
    /// Given by the user.
    User(UserInput),
    /// Taken from a measurement.
    Measured {
        /// The bench document.
        file: String,
        /// Where in it, as a path that resolves: `result.targets[0].metrics.decode_tps.median`.
        path: String,
        /// How the value follows from what stands there, where it is not that number itself.
        derived: Option<String>,
    },
    /// Taken from the catalogue.
    Database {
        /// Kind and id of the entry: `gpu nvidia-rtx-4090`.
        entry: String,
        /// The page or package the figure was read from.
        source: String,
        /// The day it was read.
        as_of: Date,
    },
    /// Neither given, nor measured, nor in the catalogue: a default, a prediction, or a choice of the
    /// program's own.
    Assumed {
        /// Id of the default, or of the formula that predicted it.
        rule: String,
        /// Why this value.
        reason: String,
    },
}

/// How a user gave a value.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum UserInput {
    /// A flag of the command line: `--need.output-tokens`.
    Flag {
        /// With its dashes, without its value.
        flag: String,
    },
    /// A question of the wizard, by the key it answers.
    Question {
        /// As in files: `need.input_tokens`.
        key: String,
    },
    /// A key of a file.
    File {
        /// What the file was to the command.
        role: FileRole,
        /// As the user named it.
        file: String,
        /// Counted from 1; `None` where the file has no lines to speak of (a profile of the program).
        line: Option<u32>,
        /// As written in the file: `need.input_tokens`.
        key: String,
    },
    /// A document of an older version says it in words alone.
    Words {
        /// The words, as they stand there.
        via: String,
    },
}

/// What a file was to the command that read it: decides by which flag it is given again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum FileRole {
    /// A scenario of `breakeven`.
    Scenario,
    /// A need: shipped, saved, or a file.
    Profile,
    /// A cost document whose inputs are used again.
    Document,
    /// Records of usage, or the document made of them.
    Usage,
}

impl FileRole {
    /// The flag a file of this role is given by.
    pub const fn flag(self) -> &'static str {
        match self {
            Self::Scenario | Self::Document => "--scenario",
            Self::Profile => "--profile",
            Self::Usage => "--usage",
        }
    }
}

impl UserInput {
    /// A flag, with its hyphens.
    pub fn flag(flag: impl Into<String>) -> Self {
        Self::Flag { flag: flag.into() }
    }
    /// The answer to the question for a key.
    pub fn question(key: impl Into<String>) -> Self {
        Self::Question { key: key.into() }
    }
}

impl fmt::Display for UserInput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag { flag } => f.write_str(flag),
            Self::Question { key } => write!(f, "question: {key}"),
            Self::File { role, file, line, key } => {
                // A bare name does not say that it is a profile.
                let what = if *role == FileRole::Profile && !file.contains('.') { "profile " } else { "" };
                match line {
                    Some(line) => write!(f, "{what}{file}:{line} {key}"),
                    None => write!(f, "{what}{file}: {key}"),
                }
            }
            Self::Words { via } => f.write_str(via),
        }
    }
}

impl Source {
    /// Given by a flag, written with its hyphens.
    pub fn flag(flag: impl Into<String>) -> Self {
        Self::User(UserInput::flag(flag))
    }
    /// A value the program chose, by which rule and why.
    pub fn assumed(rule: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::Assumed { rule: rule.into(), reason: reason.into() }
    }
    /// A number that stands at `path` of a bench document.
    pub fn measured(file: impl Into<String>, path: impl Into<String>) -> Self {
        Self::Measured { file: file.into(), path: path.into(), derived: None }
    }
    /// One word, as the tables show it.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::User(_) => "user",
            Self::Measured { .. } => "measured",
            Self::Database { .. } => "database",
            Self::Assumed { .. } => "assumed",
        }
    }
    /// The origin in a few words, as tables show it.
    pub fn describe(&self) -> String {
        match self {
            Self::User(how) => format!("user ({how})"),
            Self::Measured { file, path, .. } => format!("measured ({file}: {path})"),
            Self::Database { entry, as_of, .. } => format!("database ({entry}, {as_of})"),
            Self::Assumed { reason, .. } => format!("assumed ({reason})"),
        }
    }
    /// The date of a catalogue figure.
    pub const fn as_of(&self) -> Option<Date> {
        match self {
            Self::Database { as_of, .. } => Some(*as_of),
            _ => None,
        }
    }
}

/// How sources are written in documents. Documents of the first versions have only words (`via`) for a
/// value the user gave; they stay readable, and `via` is still written beside the typed fields.
mod wire {
    use super::{Date, Deserialize, FileRole, JsonSchema, Serialize, UserInput};

    #[derive(Debug, Serialize, Deserialize, JsonSchema)]
    #[serde(tag = "kind", rename_all = "lowercase")]
    #[schemars(rename = "Source")]
    /// Where a value came from.
    pub enum Source {
        /// Given by the user: exactly one of `flag`, `question` and `file` says how.
        User {
            /// The same in words.
            via: String,
            /// The flag, with its hyphens: `--need.output-tokens`.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            flag: Option<String>,
            /// The key whose question was answered.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            question: Option<String>,
            /// The file it stands in.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            file: Option<String>,
            /// What that file was to the command.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            role: Option<FileRole>,
            /// Its line, counted from 1.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            line: Option<u32>,
            /// Its key in the file: `need.input_tokens`.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            key: Option<String>,
        },
        /// Taken from a measurement.
        Measured {
            /// The bench document.
            file: String,
            /// Where in it, as a path that resolves: `result.targets[0].metrics.decode_tps.median`.
            path: String,
            /// How the value follows from what stands there, where it is not that number itself.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            derived: Option<String>,
        },
        /// Taken from the catalogue.
        Database {
            /// Kind and id of the entry: `gpu nvidia-rtx-4090`.
            entry: String,
            /// The page or package the figure was read from.
            source: String,
            /// The day it was read, `YYYY-MM-DD`.
            #[schemars(with = "String")]
            as_of: Date,
        },
        /// Neither given, nor measured, nor in the catalogue: a default, a prediction, or a choice of
        /// the program's own.
        Assumed {
            /// Id of the default, or of the formula that predicted it.
            rule: String,
            /// Why this value.
            reason: String,
        },
    }

    impl From<super::Source> for Source {
        fn from(source: super::Source) -> Self {
            match source {
                super::Source::User(how) => {
                    let via = how.to_string();
                    let (mut flag, mut question, mut file, mut role, mut line, mut key) =
                        (None, None, None, None, None, None);
                    match how {
                        UserInput::Flag { flag: f } => flag = Some(f),
                        UserInput::Question { key } => question = Some(key),
                        UserInput::File { role: r, file: f, line: l, key: k } => {
                            (role, file, line, key) = (Some(r), Some(f), l, Some(k));
                        }
                        UserInput::Words { .. } => {}
                    }
                    Self::User { via, flag, question, file, role, line, key }
                }
                super::Source::Measured { file, path, derived } => Self::Measured { file, path, derived },
                super::Source::Database { entry, source, as_of } => Self::Database { entry, source, as_of },
                super::Source::Assumed { rule, reason } => Self::Assumed { rule, reason },
            }
        }
    }

    impl TryFrom<Source> for super::Source {
        type Error = String;
        fn try_from(source: Source) -> Result<Self, String> {
            Ok(match source {
                Source::User { via, flag, question, file, role, line, key } => {
                    Self::User(match (flag, question, file) {
                        (Some(flag), None, None) => UserInput::Flag { flag },
                        (None, Some(key), None) => UserInput::Question { key },
                        (None, None, Some(file)) => UserInput::File {
                            role: role.ok_or("a source has a `file` without its `role`")?,
                            file,
                            line,
                            key: key.ok_or("a source has a `file` without its `key`")?,
                        },
                        (None, None, None) => first_version(via),
                        _ => return Err("a source has more than one of `flag`, `question`, `file`".into()),
                    })
                }
                Source::Measured { file, path, derived } => Self::Measured { file, path, derived },
                Source::Database { entry, source, as_of } => Self::Database { entry, source, as_of },
                Source::Assumed { rule, reason } => Self::Assumed { rule, reason },
            })
        }
    }

    /// The only place that reads `via`: what the first versions wrote there. Whatever is not certain
    /// stays words.
    fn first_version(via: String) -> UserInput {
        if via.starts_with("--") && !via.contains(char::is_whitespace) {
            return UserInput::Flag { flag: via };
        }
        if let Some(key) = via.strip_prefix("question: ") {
            return UserInput::Question { key: key.to_owned() };
        }
        UserInput::Words { via }
    }
}

impl JsonSchema for Source {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        wire::Source::schema_name()
    }
    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        wire::Source::json_schema(generator)
    }
}

/// A value and its origin.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sourced<T> {
    /// The value.
    pub value: T,
    /// Its origin.
    pub source: Source,
}

impl<T> Sourced<T> {
    /// Pair a value with its origin.
    pub const fn new(value: T, source: Source) -> Self {
        Self { value, source }
    }
    /// A value given by a flag, written with its hyphens.
    pub fn flag(value: T, flag: impl Into<String>) -> Self {
        Self::new(value, Source::flag(flag))
    }
    /// A default or prediction.
    pub fn assumed(value: T, rule: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::new(value, Source::Assumed { rule: rule.into(), reason: reason.into() })
    }
    /// Change the value, keep the origin.
    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> Sourced<U> {
        Sourced { value: f(self.value), source: self.source }
    }
}

/// The source and date a catalogue figure rests on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Cite {
    /// Page, document or package: enough to find it again.
    pub source: String,
    /// The day it was read.
    #[schemars(with = "String")]
    pub as_of: Date,
    /// Where a figure is derived from others: from which and how.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub derived: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn there_and_back(source: &Source) -> Source {
        let text = serde_json::to_string(source).expect("JSON");
        serde_json::from_str(&text).expect("reads what it wrote")
    }

    #[test]
    fn sources_survive_a_document() {
        let file = |line| UserInput::File {
            role: FileRole::Scenario,
            file: "my plan.toml: x".into(),
            line,
            key: "need.input_tokens".into(),
        };
        for source in [
            Source::flag("--need.input-tokens"),
            Source::User(UserInput::question("volume")),
            Source::User(file(Some(4))),
            Source::User(file(None)),
            Source::User(UserInput::Words { via: "in other words".into() }),
            Source::measured("bench.json", "result.targets[0].tokens.input"),
            Source::assumed("rule", "why"),
        ] {
            assert_eq!(there_and_back(&source), source);
        }
    }

    #[test]
    fn the_words_of_the_first_version_are_read_and_never_guessed_at() {
        let read = |via: &str| -> Source {
            serde_json::from_value(serde_json::json!({"kind": "user", "via": via})).expect("reads")
        };
        assert_eq!(read("--cloud.model"), Source::flag("--cloud.model"));
        assert_eq!(read("question: volume"), Source::User(UserInput::question("volume")));
        for words in ["--x; rm -rf ~", "plan.toml:4 need.input_tokens", "the same GPU, rented"] {
            assert_eq!(read(words), Source::User(UserInput::Words { via: words.into() }));
        }
        let both = serde_json::json!({"kind": "user", "via": "", "flag": "--a", "question": "b"});
        assert!(serde_json::from_value::<Source>(both).is_err());
    }
}
