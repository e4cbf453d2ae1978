//! What a recipe is made of: files, steps, notes, and what it lacks.

/// One file of the folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Below the folder, with `/`: `kubernetes/service.yaml`. Fixed by the recipe, never by a document.
    pub path: String,
    /// What is in it.
    pub text: String,
    /// A script that is meant to be started.
    pub executable: bool,
}

impl File {
    /// A file that is read.
    pub fn new(path: impl Into<String>, text: impl Into<String>) -> Self {
        Self { path: path.into(), text: text.into(), executable: false }
    }
    /// A script.
    pub fn script(path: impl Into<String>, text: impl Into<String>) -> Self {
        Self { executable: true, ..Self::new(path, text) }
    }
}

/// A recipe that is not in the folder.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct LeftOut {
    /// The folder or file it would have been.
    pub path: String,
    /// What it lacks, in one sentence.
    pub because: String,
}

impl LeftOut {
    /// A recipe, and what it lacks.
    pub fn new(path: impl Into<String>, because: impl Into<String>) -> Self {
        Self { path: path.into(), because: because.into() }
    }
}

/// One recipe: files of a folder of their own, and how they are used.
#[derive(Debug, Clone, PartialEq)]
pub struct Recipe {
    /// The folder: `kubernetes`.
    pub folder: &'static str,
    /// What it brings about, as a heading.
    pub title: String,
    /// The files, their paths below the recipe's folder.
    pub files: Vec<File>,
    /// What to do, in order.
    pub steps: Vec<Step>,
    /// What a reader must know before.
    pub notes: Vec<String>,
    /// The command that accepts it; `None` where another recipe's does.
    pub accept: Option<String>,
    /// Parts of it that lack a value.
    pub left_out: Vec<LeftOut>,
}

/// One step of a recipe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// What it does.
    pub text: String,
    /// The command; empty where there is none.
    pub command: String,
}

impl Step {
    /// Something to do, and the command that does it.
    pub fn new(text: impl Into<String>, command: impl Into<String>) -> Self {
        Self { text: text.into(), command: command.into() }
    }
}

/// A recipe, or what it lacks; `None` where it makes no sense for this deployment.
pub(super) type Made = Option<Result<Recipe, LeftOut>>;
