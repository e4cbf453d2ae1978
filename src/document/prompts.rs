//! `freehold.prompts/1`: what is in a set of prompts, before anything is sent.

use super::envelope::Envelope;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Name and major version of the document.
pub const SCHEMA: &str = "freehold.prompts/1";

/// The document of `prompts check`.
pub type PromptsDocument = Envelope<PromptsResult>;

/// What is in a set of prompts, and what a run with it costs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PromptsResult {
    /// Prompts in the file.
    pub prompts: u32,
    /// How many of them are conversations.
    pub conversations: u32,
    /// Requests of one run to one target: every turn of every prompt, times the repeats.
    pub requests: u32,
    /// Prompts that expect something of the answer, so that it can be graded.
    pub graded: u32,
    /// Prompts that only a judge can grade.
    pub needs_judge: u32,
    /// Prompts with the same text as an earlier one.
    pub repeated: u32,
    /// Kinds of work; empty where there are fewer than two.
    pub categories: Vec<CategoryOfPrompts>,
    /// Bytes of all prompts, each asked once. A token has at least one byte, so this bounds the number of
    /// tokens.
    pub input_bytes: u64,
    /// Estimated input tokens at four bytes a token, as in English, each prompt asked once.
    pub input_tokens_likely: u64,
    /// Output tokens if every answer is as long as its limit allows, each prompt asked once.
    pub output_tokens_at_most: u64,
    /// Cost of a run, for each model that was named.
    pub runs: Vec<CostOfRun>,
    /// How many prompts the margin requires, depending on how often two sides disagree.
    pub needed: Vec<NeededForMargin>,
    /// Assertions of the prompts that are not checked.
    pub not_run: Vec<NotRun>,
}

/// A kind of work.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CategoryOfPrompts {
    /// Its name; empty for prompts without one.
    pub category: String,
    /// Number of its prompts.
    pub prompts: u32,
    /// It has at least 20 prompts, enough for a verdict on this kind alone.
    pub can_move: bool,
}

/// What a run costs with one model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CostOfRun {
    /// Id of the model in the catalogue.
    pub model: String,
    /// US dollars, with input at four bytes a token and every answer as long as its limit allows; null
    /// without a price.
    pub likely_usd_at_most: Option<f64>,
    /// US dollars, with input at one byte a token and every answer as long as its limit allows; null
    /// without a price.
    pub worst_usd: Option<f64>,
    /// Date of the price, `YYYY-MM-DD`; null without a price.
    pub price_as_of: Option<String>,
    /// Where the price was read; null without a price.
    pub price_source: Option<String>,
}

/// How many prompts the margin requires at one rate of disagreement.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct NeededForMargin {
    /// Share of the prompts on which only one of two equally good sides passes, 0 to 1.
    pub disagree_share: f64,
    /// Prompts needed to show non-inferiority with 80 % power.
    pub prompts: u32,
}

/// An assertion that is not checked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct NotRun {
    /// Id of its prompt.
    pub prompt_id: String,
    /// Its line in the file, where that is known.
    pub line: Option<u32>,
    /// What it is, and why it is not checked.
    pub what: String,
}
