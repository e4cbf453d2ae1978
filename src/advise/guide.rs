//! `profiles/rules/guide.toml`: what goes with a verdict (how to start, how to move, when to look
//! again) and the brief's tables that are words.

use super::matrix::{BriefLine, Placement};
use crate::workload::given;
use serde::Deserialize;

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Guide {
    pub look_again: LookAgain,
    pub migrations: Vec<Migration>,
    pub recipes: Vec<Recipe>,
    pub tables: Vec<WordTable>,
    pub use_cases: Vec<UseCase>,
    pub tasks: Vec<Task>,
    /// Providers who serve their own models: the tables name these, resellers repeat them.
    pub makers: Vec<String>,
}

/// When the verdict should be checked.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LookAgain {
    pub months: i32,
    pub triggers: Vec<String>,
    pub brief: BriefLine,
}

/// Steps from one placement to the other.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Migration {
    pub id: String,
    pub title: String,
    pub steps: Vec<String>,
    pub brief: BriefLine,
}

/// How to start.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recipe {
    pub id: String,
    pub title: String,
    pub placements: Vec<Placement>,
    /// Only for API models of this provider.
    pub provider: Option<String>,
    pub time_to_first_result: String,
    pub steps: Vec<RecipeStep>,
    pub brief: BriefLine,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecipeStep {
    pub text: String,
    pub code: Option<String>,
}

/// A table of the brief, in words.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WordTable {
    pub id: String,
    pub title: String,
    pub columns: Vec<String>,
    pub rows: Vec<Vec<String>>,
    pub note: Option<String>,
    pub brief: BriefLine,
}

/// A row of the brief's use-case tables and the profile that stands for it.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UseCase {
    pub situation: String,
    pub reasoning: String,
    pub placement: Placement,
    pub profile: String,
    pub brief: BriefLine,
}

/// A kind of task and the tiers whose models do it.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Task {
    pub task: String,
    pub cloud_tier: u8,
    pub local_tier: u8,
    pub note: Option<String>,
    pub brief: BriefLine,
}

const GUIDE: &str = include_str!("../../profiles/rules/guide.toml");

impl Guide {
    /// The shipped one.
    pub fn shipped() -> Self {
        // Embedded text; a test parses it, so this cannot fail in a build that passed.
        toml::from_str(GUIDE)
            .map_err(|e| given::toml_error("profiles/rules/guide.toml", &e))
            .unwrap_or_else(|e| panic!("{e}"))
    }

    /// Steps for a placement: to local and hybrid one comes from the cloud, to the cloud from local.
    pub fn migration(&self, to: Placement) -> Option<&Migration> {
        let id = if to == Placement::Cloud { "local-to-cloud" } else { "cloud-to-local" };
        self.migrations.iter().find(|m| m.id == id)
    }

    /// The recipes of a placement. Where one is for the provider, the general one of the same title
    /// is left out.
    pub fn recipes(&self, placement: Placement, provider: Option<&str>) -> Vec<&Recipe> {
        let mut found: Vec<&Recipe> = Vec::new();
        for recipe in self.recipes.iter().filter(|r| r.placements.contains(&placement)) {
            let for_us = recipe.provider.as_deref().is_none_or(|p| Some(p) == provider);
            if for_us && found.iter().all(|f| f.title != recipe.title) {
                found.push(recipe);
            }
        }
        found
    }
}
