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
pub mod recipe;
mod router;
mod server;
mod sky;

pub use input::{Cloud, Deployment, Place, Served};
use recipe::Made;
pub use recipe::{File, LeftOut, Recipe, Step};

/// What `freehold deploy` writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folder {
    /// Every file, the README first.
    pub files: Vec<File>,
    /// Recipes that were not written, and why.
    pub left_out: Vec<LeftOut>,
}

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
