//! The guide, `profiles/rules/guide.toml`: what goes with a verdict (how to start, how to move, when to
//! look again), and the comparison tables that consist of words.

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
    /// Providers that serve their own models. The tables name only these, because resellers repeat them.
    pub makers: Vec<String>,
}

/// When the verdict should be checked again.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LookAgain {
    pub months: i32,
    pub triggers: Vec<String>,
    pub brief: BriefLine,
}

/// Steps for moving from one placement to another.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Migration {
    pub id: String,
    pub title: String,
    /// The placements that it leads to.
    pub to: Vec<Placement>,
    /// For work that no provider may see.
    #[serde(default)]
    pub closed: bool,
    pub steps: Vec<String>,
    /// What to measure to see whether a step went well.
    pub measures: Vec<String>,
    /// Signs that a step should be taken back.
    pub stop_if: Vec<String>,
    pub brief: BriefLine,
}

/// How to begin with a placement.
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

/// A comparison table that consists of words.
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

/// A row of the use-case tables, with the profile that stands for it.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UseCase {
    pub situation: String,
    pub reasoning: String,
    pub placement: Placement,
    pub profile: String,
    pub brief: BriefLine,
}

/// A kind of task, and the tiers whose models can do it.
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
    /// The guide that this program ships with.
    pub fn shipped() -> Self {
        // The text is embedded and a test parses it, so that this cannot fail.
        toml::from_str(GUIDE)
            .map_err(|e| given::toml_error("profiles/rules/guide.toml", &e))
            .unwrap_or_else(|e| panic!("{e}"))
    }

    /// The steps for moving to a placement from where the work is done today, if that is known. There are
    /// none where nothing runs yet, and work that no provider may see does not come from the cloud.
    pub fn migration(&self, from: Option<Placement>, to: Placement, closed: bool) -> Option<&Migration> {
        let moves = match to {
            Placement::Cloud => from.is_some_and(|from| from != Placement::Cloud),
            Placement::Hybrid | Placement::Local => from != Some(to),
        };
        let closed = closed && to == Placement::Local;
        self.migrations.iter().find(|m| moves && m.to.contains(&to) && m.closed == closed)
    }

    /// The recipes of a placement. If there is one for the provider, the general recipe with the same title
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
