//! The parts of a recipe: files, steps, notes, and what it lacks.

/// A file to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Its path below the folder, with `/`: `kubernetes/service.yaml`. It is fixed by the recipe, never
    /// taken from a document.
    pub path: String,
    /// Its contents.
    pub text: String,
    /// It is a script to be executed.
    pub executable: bool,
}

impl File {
    /// A file that is not executable.
    pub fn new(path: impl Into<String>, text: impl Into<String>) -> Self {
        Self { path: path.into(), text: text.into(), executable: false }
    }
    /// A script to be executed.
    pub fn script(path: impl Into<String>, text: impl Into<String>) -> Self {
        Self { executable: true, ..Self::new(path, text) }
    }
}

/// A recipe or part of one that was not written.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct LeftOut {
    /// The path of the folder or file that it would have been.
    pub path: String,
    /// What is missing, in one sentence.
    pub because: String,
}

impl LeftOut {
    /// What was not written, and why.
    pub fn new(path: impl Into<String>, because: impl Into<String>) -> Self {
        Self { path: path.into(), because: because.into() }
    }
}

/// A recipe: files in a folder of their own, and how to use them.
#[derive(Debug, Clone, PartialEq)]
pub struct Recipe {
    /// Name of the folder: `kubernetes`.
    pub folder: &'static str,
    /// What one has at its end; the heading of its README.
    pub title: String,
    /// The files, with paths below the recipe's folder.
    pub files: Vec<File>,
    /// What to do, in order.
    pub steps: Vec<Step>,
    /// What a reader must know before starting.
    pub notes: Vec<String>,
    /// The command with which it is accepted; `None` where that of another recipe covers it.
    pub accept: Option<String>,
    /// Parts of it that were not written.
    pub left_out: Vec<LeftOut>,
}

/// One step of a recipe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// What the step does.
    pub text: String,
    /// The command; empty where there is none.
    pub command: String,
}

impl Step {
    /// A step, with the command that does it.
    pub fn new(text: impl Into<String>, command: impl Into<String>) -> Self {
        Self { text: text.into(), command: command.into() }
    }
}

/// A recipe, or what it lacks; `None` where the recipe does not apply to this deployment.
pub(super) type Made = Option<Result<Recipe, LeftOut>>;
