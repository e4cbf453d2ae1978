//! What the bench document is made from: the facts of a run, and its requests.

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

/// What is known of a target beside its requests.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct TargetFacts {
    pub id: String,
    pub kind: Kind,
    pub model: String,
    pub stand_in: bool,
    pub origin: Option<String>,
    pub price: Option<PriceInForce>,
    pub engine: Option<Engine>,
    /// Tests of the engine alone (`--synthetic`), where there were any.
    #[serde(default)]
    pub synthetic: Vec<Synthetic>,
    /// What embedding the prompts came to (`--embed`), where that was asked for.
    #[serde(default)]
    pub embedding: Option<Embedding>,
    /// Of a local target: where its energy was read, or why it was not.
    #[serde(default)]
    pub energy: Option<EnergyFacts>,
    /// What happened during the run: heat, other programs on the device, load levels left out.
    #[serde(default)]
    pub remarks: Vec<String>,
    /// The proxy that requests went through, without its credentials.
    #[serde(default)]
    pub proxy: Option<String>,
    /// What a reader of its figures must know, in a sentence.
    #[serde(default)]
    pub note: Option<String>,
    /// The file in which another program has recorded its answers; such a target is sent nothing.
    #[serde(default)]
    pub recorded_in: Option<String>,
    /// Of a judge: the form in which it was asked for its verdicts.
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

/// What is known when a run begins: targets, prompts and settings. Kept at the beginning of its journal, so
/// that the document can be made from the journal alone.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Basis {
    pub targets: Vec<TargetFacts>,
    pub prompts: Vec<Prompt>,
    pub max_output_tokens: u32,
    pub seed: u64,
    /// Accepted loss of pass rate, as a share from 0 to 1.
    pub margin: f64,
    /// The run ends early once the verdict on every pair is clear.
    #[serde(default)]
    pub until_decided: bool,
    /// Prompts got a unique beginning to defeat prompt caches.
    pub cache_bust: bool,
    pub load: LoadPlan,
    /// What was planned and allowed; what was spent is not known yet.
    pub spending: Spending,
    pub inputs: BTreeMap<String, Input>,
    pub created: String,
}

impl Basis {
    /// Every pair of targets, by index, with the one in question first: the local one beside an API; of two
    /// of the same kind, the one that was named first.
    pub fn couples(&self) -> Vec<(usize, usize)> {
        let n = self.targets.len();
        let turned =
            |a: usize, b: usize| self.targets[a].kind == Kind::Api && self.targets[b].kind == Kind::Local;
        let all = (0..n).flat_map(|a| (a + 1..n).map(move |b| (a, b)));
        all.map(|(a, b)| if turned(a, b) { (b, a) } else { (a, b) }).collect()
    }
}

/// What a judge prefers between two targets.
#[derive(Debug, Clone, PartialEq)]
pub struct JudgedPair {
    pub a: String,
    pub b: String,
    pub preference: PairJudged,
}

/// Everything a bench document is made of.
#[derive(Debug)]
pub struct Run<'a> {
    pub basis: &'a Basis,
    /// Requests one at a time, in the order they ran, without warm-up.
    pub samples: Vec<Sample>,
    /// Requests under load, warm-up included.
    pub sent: &'a [Sent],
    /// For each target: requests cut off when the run was killed or interrupted.
    pub cut: &'a [u32],
    pub ended: &'a Ended,
    pub spent_usd: Option<f64>,
    /// The most that requests whose cost is not known can have cost, US dollars.
    pub unsettled_usd: Option<f64>,
    /// For each target: answers whose tool calls fit the tools that were offered, and answers that call any
    /// tool.
    pub calls_fit: &'a [[u32; 2]],
    /// Preferences of the judges, by pair.
    pub judged: &'a [JudgedPair],
    /// The judges themselves.
    pub judges: &'a [Judge],
    /// Requests that failed without a bill in an earlier part of the run and were asked again.
    pub asked_again: u32,
}
