//! `freehold.prompts/1`: what a set of prompts is like, before anything is sent.

use super::envelope::Envelope;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Name and major version of the document.
pub const SCHEMA: &str = "freehold.prompts/1";

/// The document of `prompts check`.
pub type PromptsDocument = Envelope<PromptsResult>;

/// What a set of prompts is like.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PromptsResult {
    /// Prompts in the file.
    pub prompts: u32,
    /// Of them, those that are conversations.
    pub conversations: u32,
    /// Requests of a run on one target: every turn, times the repeats.
    pub requests: u32,
    /// Prompts that expect something of the answer.
    pub graded: u32,
    /// Prompts that only a judge can grade.
    pub needs_judge: u32,
    /// Prompts that say the same as an earlier one.
    pub repeated: u32,
    /// Kinds of work, where there are two at least.
    pub categories: Vec<CategoryOfPrompts>,
    /// Bytes of all prompts, asked once. A token has one byte at least, so it bounds the tokens.
    pub input_bytes: u64,
    /// Input tokens at four bytes each, as in English; asked once.
    pub input_tokens_likely: u64,
    /// Output tokens if every answer is as long as its limit allows; asked once.
    pub output_tokens_at_most: u64,
    /// What a run costs, for each model that was named.
    pub runs: Vec<CostOfRun>,
    /// How many prompts the margin needs, by how often two sides disagree.
    pub needed: Vec<NeededForMargin>,
    /// Assertions that are not run.
    pub not_run: Vec<NotRun>,
}

/// A kind of work.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CategoryOfPrompts {
    /// Its name; empty for prompts without one.
    pub category: String,
    /// Its prompts.
    pub prompts: u32,
    /// It has 20 prompts at least, so a verdict of its own is possible.
    pub can_move: bool,
}

/// What a run costs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CostOfRun {
    /// Id of the model in the catalogue.
    pub model: String,
    /// With input at four bytes a token and every answer as long as its limit allows, USD; null without a
    /// price.
    pub likely_usd_at_most: Option<f64>,
    /// With input at one byte a token, USD; null without a price.
    pub worst_usd: Option<f64>,
    /// Day of the price.
    pub price_as_of: Option<String>,
    /// Where the price is from.
    pub price_source: Option<String>,
}

/// How many prompts decide.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct NeededForMargin {
    /// Share of the prompts on which only one of two equal sides passes.
    pub disagree_share: f64,
    /// Prompts that show non-inferiority with 80 % power then.
    pub prompts: u32,
}

/// An assertion that is not run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct NotRun {
    /// Its prompt.
    pub prompt_id: String,
    /// Its line in the file, where that is known.
    pub line: Option<u32>,
    /// What it is, and why it is not run.
    pub what: String,
}
