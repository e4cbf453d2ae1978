//! The same open weights from several sellers, and on this machine: is what they sell the model that one
//! would run oneself?

use super::pair::{Finding, ShareOf};
use super::target::Rate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Targets that are said to be the same weights (`--same-weights`), compared with one of them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SameWeights {
    /// Id of the target that the others are compared with: the one on this machine, or else the first.
    pub reference: String,
    /// Every target, the reference first.
    pub sellers: Vec<Seller>,
}

/// One seller of the weights.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Seller {
    /// Id of the target.
    pub target: String,
    /// Prompts that both it and the reference answered; for the reference, those that it answered.
    pub prompts: u32,
    /// Share of these on which its first answer is the same text as the reference's; null for the
    /// reference.
    pub equal_text: Option<ShareOf>,
    /// Share of prompts on which its own first two answers are the same text: no more agreement than that
    /// is to be expected. Null where prompts were asked once.
    pub equal_to_itself: Option<ShareOf>,
    /// Of its answers that call tools, the share whose calls fit the tools that were offered; null where
    /// none calls one.
    pub tool_calls_fit: Option<Rate>,
    /// Share of its graded answers that pass; null where nothing is graded.
    pub pass_rate: Option<Rate>,
    /// Its pass rate less the reference's; null for the reference, and where nothing is graded.
    pub difference: Option<SellerDifference>,
    /// Median time to the first token, ms; null where it was not measured.
    pub ttft_ms: Option<f64>,
    /// Median output tokens a second of one stream; null where it was not measured.
    pub decode_tps: Option<f64>,
    /// US dollars per million input tokens; null where no price is known.
    pub input_usd_per_mtok: Option<f64>,
    /// US dollars per million output tokens; null where no price is known.
    pub output_usd_per_mtok: Option<f64>,
    /// Mean cost of 1,000 such requests, US dollars; null where it is not known.
    pub usd_per_1000: Option<f64>,
}

/// The difference between a seller's pass rate and the reference's.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SellerDifference {
    /// The seller's pass rate less the reference's.
    pub difference: f64,
    /// Lower end of its 95 % interval.
    pub low: f64,
    /// Upper end of its 95 % interval.
    pub high: f64,
    /// Is the seller worse than the reference by more than the margin?
    pub finding: Finding,
}
