//! What a document is made of, beside and with the requests.

use crate::document::bench::embedding::Embedding;
use crate::document::bench::engine::{EnergyFacts, Synthetic};
use crate::document::bench::judge::Judge;
use crate::document::bench::load::LoadPlan;
use crate::document::bench::pair::PairJudged;
use crate::document::bench::price::PriceInForce;
use crate::document::bench::{Engine, Kind, Sample, Spending};
use crate::document::envelope::Input;
use crate::measure::load::Sent;
use crate::measure::run::Ended;
use crate::prompts::Prompt;
use crate::quality::judge::Form;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What is known of a target beside its measurements.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct TargetFacts {
    pub id: String,
    pub kind: Kind,
    pub model: String,
    pub stand_in: bool,
    pub origin: Option<String>,
    pub price: Option<PriceInForce>,
    pub engine: Option<Engine>,
    /// The engine alone, where that was measured.
    #[serde(default)]
    pub synthetic: Vec<Synthetic>,
    /// Vectors of the prompts, where they were made.
    #[serde(default)]
    pub embedding: Option<Embedding>,
    /// Of a local target: where its energy was read, or why not.
    #[serde(default)]
    pub energy: Option<EnergyFacts>,
    /// What happened meanwhile: heat, other programs on the device, levels left out.
    #[serde(default)]
    pub remarks: Vec<String>,
    /// The proxy requests went through, without its credentials.
    #[serde(default)]
    pub proxy: Option<String>,
    /// What a reader of its figures must know.
    #[serde(default)]
    pub note: Option<String>,
    /// Nothing is asked: its answers stand in this file of another program.
    #[serde(default)]
    pub recorded_in: Option<String>,
    /// Of a judge: how it was asked to put its verdicts.
    #[serde(default)]
    pub judge_form: Option<Form>,
}

impl TargetFacts {
    /// A target whose answers another program has recorded.
    pub fn recorded(file: &str, model: Option<&str>) -> Self {
        let model = model.unwrap_or(file);
        Self {
            id: format!("recorded:{model}"),
            kind: Kind::Api,
            model: model.to_owned(),
            stand_in: false,
            origin: None,
            price: None,
            engine: None,
            synthetic: Vec::new(),
            embedding: None,
            energy: None,
            remarks: Vec::new(),
            proxy: None,
            note: None,
            recorded_in: Some(file.to_owned()),
            judge_form: None,
        }
    }
}

/// What a document rests on beside the requests themselves: known when the run begins, and kept at
/// the beginning of its journal.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Basis {
    pub targets: Vec<TargetFacts>,
    pub prompts: Vec<Prompt>,
    pub max_output_tokens: u32,
    pub seed: u64,
    /// Accepted loss of pass rate.
    pub margin: f64,
    /// Prompts are asked until the verdict on every pair is clear.
    #[serde(default)]
    pub until_decided: bool,
    /// Prompt caches were to be defeated.
    pub cache_bust: bool,
    pub load: LoadPlan,
    /// As planned; what was spent is not known yet.
    pub spending: Spending,
    pub inputs: BTreeMap<String, Input>,
    pub created: String,
}

impl Basis {
    /// Every pair of targets, what is in question first: local models are, beside APIs; of two of a kind, the one
    /// named first.
    pub fn couples(&self) -> Vec<(usize, usize)> {
        let n = self.targets.len();
        let turned =
            |a: usize, b: usize| self.targets[a].kind == Kind::Api && self.targets[b].kind == Kind::Local;
        let all = (0..n).flat_map(|a| (a + 1..n).map(move |b| (a, b)));
        all.map(|(a, b)| if turned(a, b) { (b, a) } else { (a, b) }).collect()
    }
}

/// What a judge prefers, of one pair of targets.
#[derive(Debug, Clone, PartialEq)]
pub struct JudgedPair {
    pub a: String,
    pub b: String,
    pub preference: PairJudged,
}

/// Everything a document is made of.
#[derive(Debug)]
pub struct Run<'a> {
    pub basis: &'a Basis,
    /// In the order they ran, without warm-up.
    pub samples: Vec<Sample>,
    /// Requests under load, warm-up included.
    pub sent: &'a [Sent],
    /// Per target: requests cut off by a kill or an interruption.
    pub cut: &'a [u32],
    pub ended: &'a Ended,
    pub spent_usd: Option<f64>,
    /// The most that requests of unknown cost can have cost.
    pub unsettled_usd: Option<f64>,
    /// Per target: answers whose calls of tools fit what was offered, and answers that call any.
    pub calls_fit: &'a [[u32; 2]],
    /// What judges prefer.
    pub judged: &'a [JudgedPair],
    /// The judges themselves.
    pub judges: &'a [Judge],
    /// Requests that failed without a bill in an earlier part of the run and were asked again.
    pub asked_again: u32,
}
