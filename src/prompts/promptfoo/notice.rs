//! What a person should know about a configuration that can be used.

/// Something about a configuration that a person should know, although it can be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// Line of the configuration, where it is known.
    pub line: Option<usize>,
    pub kind: NoticeKind,
}

/// See [`Notice`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoticeKind {
    /// A key that nothing reads; perhaps it is misspelt.
    UnknownKey { place: &'static str, key: String },
    /// A test without any assertion: every answer passes it.
    NothingAsserted { test: usize },
    /// Something only a script engine could do; what it belongs to counts as not graded.
    NotRun { what: String },
    /// The configuration asks for this many repeats of each test; a run's own setting decides.
    Repeats(u32),
    /// No file has a name that fits a pattern.
    NoFiles { pattern: String },
}
