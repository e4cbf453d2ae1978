//! From a plan to files that run: recipes for the API, for one machine, for a cluster, for both.
//!
//! ```text
//! document (advice, plan) + catalogue ─► Deployment ─► Folder: files, and what was left out and why
//!          read                             input          cloud, llama, ollama, compose, kubernetes, …
//! ```
//!
//! Pure: no files are touched here, and nothing secret is written: keys are names of environment
//! variables or of secrets that the reader makes. Every value of a document is hostile text; each kind
//! of file has one function in [`quote`] that writes it. A file that lacks a value is not written, and
//! the README says which value it lacks.
//!
//! A recipe is one file here with a function from a [`Deployment`] to files, and one line in
//! [`folder`].

#![warn(missing_docs)]

mod accept;
mod cloud;
mod compose;
pub mod image;
pub mod input;
mod kserve;
mod kubernetes;
mod llama;
mod mlx;
mod ollama;
pub mod quote;
mod ray;
pub mod read;
mod readme;
mod router;
mod server;
mod sky;

pub use input::{Cloud, Deployment, Place, Served};

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

/// What `freehold deploy` writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folder {
    /// Every file, the README first.
    pub files: Vec<File>,
    /// Recipes that were not written, and why.
    pub left_out: Vec<LeftOut>,
}

/// A recipe, or what it lacks; `None` where it makes no sense for this deployment.
type Made = Option<Result<Recipe, LeftOut>>;

/// All recipes of a deployment as files.
pub fn folder(of: &Deployment) -> Folder {
    let made: [Made; 10] = [
        llama::recipe(of),
        ollama::recipe(of),
        mlx::recipe(of),
        compose::recipe(of),
        kubernetes::recipe(of),
        kserve::recipe(of),
        ray::recipe(of),
        sky::recipe(of),
        cloud::recipe(of),
        router::recipe(of),
    ];
    let mut left_out = of.left_out.clone();
    let mut recipes = Vec::new();
    for made in made.into_iter().flatten() {
        match made {
            Ok(recipe) => recipes.push(recipe),
            Err(lacks) => left_out.push(lacks),
        }
    }
    for recipe in &mut recipes {
        left_out.append(&mut recipe.left_out);
    }
    let mut files = vec![File::new("README.md", readme::whole(of, &recipes, &left_out))];
    if !recipes.is_empty() {
        files.extend(accept::prompts(of).map(|text| File::new(accept::PROMPTS, text)));
    }
    for recipe in recipes {
        let text = readme::of(&recipe);
        files.push(File::new(format!("{}/README.md", recipe.folder), text));
        let inside = |f: File| File { path: format!("{}/{}", recipe.folder, f.path), ..f };
        files.extend(recipe.files.into_iter().map(inside));
    }
    Folder { files, left_out }
}
