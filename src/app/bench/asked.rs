//! What the user asks of a run, each value as it was given.

use crate::app::Refusal;
use crate::document::bench::build::{CRITERION, Judging};
use crate::document::bench::load::LoadPlan;
use crate::measure::backend::protocol::KvType;
use crate::measure::load::{Arrivals, Extent, Shape, Slo, phases};
use crate::measure::synthetic::Test;
use crate::measure::wire::LimitField;
use crate::quality::judge::Form;
use std::path::PathBuf;

/// What the user asks of a run. `None` and empty: not given, so that the default holds.
#[derive(Debug, Clone, Default)]
pub struct Asked {
    /// Local models.
    pub models: Vec<String>,
    /// `PROVIDER:MODEL[@BASE_URL]`.
    pub apis: Vec<String>,
    /// Logs with finished answers.
    pub answers: Vec<PathBuf>,
    /// The prompt file.
    pub prompts: Option<PathBuf>,
    pub repeats: Option<u32>,
    pub warmup: Option<u32>,
    pub max_output_tokens: Option<u32>,
    pub seed: Option<u64>,
    pub cache: Option<Cache>,
    /// Accepted loss of pass rate.
    pub margin: Option<f64>,
    /// Stop when the verdict on every pair of targets is clear.
    pub until_decided: bool,
    /// The targets are the same weights from several sellers.
    pub same_weights: bool,
    /// The APIs only stand in for a cloud API.
    pub stand_in: bool,
    /// APIs are asked for temperature 0.
    pub api_greedy: bool,
    /// The field of a chat request that limits the answer.
    pub limit_field: Option<LimitField>,
    /// Variables with the keys of servers that are not a provider's own.
    pub key_variables: Vec<String>,
    /// Hosts that may be asked over plain http, and whether keys go there.
    pub allow_http: Vec<String>,
    pub allow_http_keys: bool,
    /// Attempts after a failed one.
    pub retries: u32,
    /// Most US dollars that may be spent.
    pub max_cost: Option<f64>,
    pub load: LoadOptions,
    pub judging: JudgingOptions,
    pub local: LocalOptions,
}

/// Default of the attempts after a failed one.
pub const RETRIES: u32 = 2;

impl Asked {
    /// Attempts of one call, each of which may be billed.
    pub fn attempts(&self) -> u32 {
        self.retries.saturating_add(1)
    }

    /// Number of targets that are asked, without recorded answers.
    pub fn live(&self) -> usize {
        self.models.len() + self.apis.len()
    }
}

/// What is done about prompt caches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Cache {
    /// Every prompt is new, and so is the beginning of every conversation.
    #[default]
    Bust,
    /// Every turn of a conversation is new, too.
    Cold,
    /// Prompts as they are.
    Natural,
}

impl Cache {
    /// Does a marker begin every prompt?
    pub const fn marks(self) -> bool {
        !matches!(self, Self::Natural)
    }
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bust => "bust",
            Self::Cold => "cold",
            Self::Natural => "natural",
        }
    }
}

/// What the user asks of the load.
#[derive(Debug, Clone, Default)]
pub struct LoadOptions {
    /// Levels ascending, then rates ascending, each once.
    pub shapes: Vec<Shape>,
    pub extent: Extent,
    /// How arrivals are spread, where the user says it.
    pub arrivals: Option<Arrivals>,
    /// The latency limits, where the user gives them.
    pub limits: Option<Slo>,
    /// Measure only under load, without requests one at a time.
    pub only: bool,
}

impl LoadOptions {
    /// The load on all targets together: each load `rounds` times.
    pub fn plan(&self, targets: usize, rounds: u32, warmup: u32, slo: Slo) -> LoadPlan {
        LoadPlan { phases: phases(targets, &self.shapes, rounds), extent: self.extent, warmup, slo }
    }

    /// Is there an open loop?
    pub fn has_rates(&self) -> bool {
        self.shapes.iter().any(|shape| matches!(shape, Shape::Open { .. }))
    }

    /// The most requests at once that a closed loop asks for; 1 without one.
    pub fn most_at_once(&self) -> u32 {
        let levels = self.shapes.iter().filter_map(|shape| match shape {
            Shape::Closed { concurrency } => Some(*concurrency),
            Shape::Open { .. } => None,
        });
        levels.max().unwrap_or(1)
    }

    /// Refuses options about a load that is not asked for.
    pub fn check(&self) -> Result<(), Refusal> {
        if !self.shapes.is_empty() {
            if self.arrivals.is_some() && !self.has_rates() {
                return Err(Refusal::input("--arrivals says how a --rate is spread, and there is none"));
            }
            return Ok(());
        }
        let given = [
            ("--duration", self.extent.seconds.is_some()),
            ("--requests", self.extent.requests.is_some()),
            ("--arrivals", self.arrivals.is_some()),
            ("--slo", self.limits.is_some()),
            ("--load-only", self.only),
        ];
        match given.iter().find(|(_, given)| *given) {
            None => Ok(()),
            Some((name, _)) => Err(Refusal::input(format!("{name} belongs to a load, and there is none"))
                .hint("Add --concurrency 1,4,16 (closed loops) or --rate 2/s (an open loop).")),
        }
    }
}

/// Judges, and other graders outside of this program.
#[derive(Debug, Clone, Default)]
pub struct JudgingOptions {
    pub judges: Vec<String>,
    /// Most tokens of a judge's answer.
    pub tokens: u32,
    pub form: JudgeForm,
    /// A rubric for every prompt that has none of its own.
    pub rubric: Option<String>,
    /// What decides which of two answers is better.
    pub criterion: Option<String>,
    pub no_rubrics: bool,
    pub no_preferences: bool,
    /// An embedding model.
    pub embedder: Option<String>,
    pub programs: Vec<Program>,
    /// A file of grades that a person gave.
    pub human: Option<PathBuf>,
}

/// Default of the tokens of a judge's answer.
pub const JUDGE_TOKENS: u32 = 512;

impl JudgingOptions {
    /// What judges are asked for.
    pub fn judging(&self) -> Judging {
        Judging {
            rubrics: !self.no_rubrics,
            preferences: !self.no_preferences,
            criterion: self.criterion.clone().unwrap_or_else(|| CRITERION.to_owned()),
        }
    }
}

/// A program of the user that grades.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    /// Its name in prompt files.
    pub name: String,
    pub path: PathBuf,
}

impl Program {
    /// The program as an argument of the command line.
    pub fn written(&self) -> String {
        format!("{}={}", self.name, self.path.display())
    }
}

/// The form in which judges are asked for their verdicts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum JudgeForm {
    /// JSON for models and servers on this machine, a line for others.
    #[default]
    Auto,
    /// Free text, with the verdict in the last line.
    Line,
    /// Structured output.
    Json,
}

impl JudgeForm {
    /// Its name, where it is not the default.
    pub const fn given(self) -> Option<&'static str> {
        match self {
            Self::Auto => None,
            Self::Line => Some("line"),
            Self::Json => Some("json"),
        }
    }

    /// The form for one judge.
    pub fn of(self, on_this_machine: bool) -> Form {
        match self {
            Self::Line => Form::Line,
            Self::Auto if !on_this_machine => Form::Line,
            Self::Auto | Self::Json => Form::Json,
        }
    }
}

/// How local models are run.
#[derive(Debug, Clone, Default)]
pub struct LocalOptions {
    pub context: Option<u32>,
    pub threads: Option<u32>,
    pub gpu_layers: Option<u32>,
    pub devices: Vec<String>,
    /// Fail where no layer is on a GPU.
    pub require_gpu: bool,
    pub batch: Option<u32>,
    pub flash_attention: Option<bool>,
    pub kv_type: Option<KvType>,
    /// Most memory beside the model file, MiB.
    pub memory_limit: Option<u64>,
    /// Tests of the engine alone.
    pub synthetic: Vec<Test>,
    pub sampling: Option<SamplingChoice>,
    pub temperature: Option<f32>,
    pub top_p: Option<f32>,
    pub top_k: Option<u32>,
    pub min_p: Option<f32>,
    /// File of a JSON schema for answers.
    pub json_schema: Option<PathBuf>,
    /// Give prompts to the model without its chat template.
    pub raw: bool,
    pub system_as_user: bool,
}

/// How tokens are chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SamplingChoice {
    /// The likeliest each time.
    Greedy,
    /// Drawn by the values that the model's file recommends.
    Model,
}

impl SamplingChoice {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Greedy => "greedy",
            Self::Model => "model",
        }
    }
}

/// The name of a KV cache type on the command line.
pub const fn kv_name(kv: KvType) -> &'static str {
    match kv {
        KvType::F16 => "f16",
        KvType::Q8_0 => "q8_0",
        KvType::Q4_0 => "q4_0",
    }
}

/// `on` or `off`, as on the command line.
pub const fn switch_name(on: bool) -> &'static str {
    if on { "on" } else { "off" }
}
