//! Turns a plan into files that run: recipes for an API, for one machine, for a cluster, for a hybrid.
//!
//! ```text
//! document (advice, plan) + catalogue ─► Deployment ─► Folder: files, and what was left out and why
//!          read                             input          cloud, llama, ollama, compose, kubernetes, …
//! ```
//!
//! Pure: no files are written here. No secret is written either: keys appear as names of environment
//! variables, or of secrets that the reader creates. Every value of a document is hostile text; [`quote`]
//! has one function for each kind of file that writes such values. A file that lacks a value is left out,
//! and the README says which value is missing.
//!
//! To add a recipe, write a file with a function from a [`Deployment`] to files, and add one line to
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

/// The files that `freehold deploy` writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folder {
    /// All files, the README first.
    pub files: Vec<File>,
    /// Recipes that were not written, with the reason.
    pub left_out: Vec<LeftOut>,
}

/// All recipes of a deployment.
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
