//! Notices about a configuration that can be used.

/// Something that a person should know about a configuration that can be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// Line in the configuration; `None` where it is not known.
    pub line: Option<usize>,
    pub kind: NoticeKind,
}

/// See [`Notice`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoticeKind {
    /// A key that is not used; it may be misspelt.
    UnknownKey { place: &'static str, key: String },
    /// A test without any assertion, which every answer passes.
    NothingAsserted { test: usize },
    /// Something that only a script engine could do; what depends on it is not graded.
    NotRun { what: String },
    /// The configuration asks for this many repeats of each test. The setting of the run takes precedence.
    Repeats(u32),
    /// No file matches a pattern.
    NoFiles { pattern: String },
}
