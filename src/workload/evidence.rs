//! What was measured, as the engines need it. Made from a `bench` document by
//! `document::bench`; absent is unknown.

use crate::provenance::Source;

/// A measured number, and where it stands in its document.
#[derive(Debug, Clone, PartialEq)]
pub struct Figure {
    /// In the unit of the field that holds it.
    pub value: f64,
    /// A path that resolves: `result.targets[0].metrics.decode_tps.median`.
    pub path: String,
    /// How the value follows from what stands there, where it is not that number itself.
    pub derived: Option<&'static str>,
}

impl Figure {
    /// The number that stands at this path.
    pub fn at(value: Option<f64>, path: String) -> Option<Self> {
        value.map(|value| Self { value, path, derived: None })
    }
    /// A number computed from what stands at this path.
    pub fn derived(value: Option<f64>, path: String, how: &'static str) -> Option<Self> {
        value.map(|value| Self { value, path, derived: Some(how) })
    }
    /// Its origin, given the document's file.
    pub fn source(&self, file: &str) -> Source {
        let (file, path) = (file.to_owned(), self.path.clone());
        Source::Measured { file, path, derived: self.derived.map(str::to_owned) }
    }
}

/// One bench document, digested.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Evidence {
    /// The file it was read from, for the source of every number taken from it.
    pub file: String,
    /// Every target of the document, in its order.
    pub targets: Vec<MeasuredTarget>,
    /// How local and API answers compared, where both were graded.
    pub quality: Option<MeasuredQuality>,
}

impl Evidence {
    /// Targets that only stood in for a cloud API.
    pub fn stand_ins(&self) -> impl Iterator<Item = &MeasuredTarget> {
        self.targets.iter().filter(|t| t.kind == TargetKind::Api && t.stand_in)
    }
}

/// One measured target.
#[derive(Debug, Clone, PartialEq)]
pub struct MeasuredTarget {
    /// Dotted path in the document: `result.targets[0]`.
    pub path: String,
    /// As in the document: `local:smollm2.gguf`.
    pub id: String,
    /// Where it answered from.
    pub kind: TargetKind,
    /// The model, as it was asked for.
    pub model: String,
    /// It only stood in for a cloud API.
    pub stand_in: bool,
    /// Id of the accelerator or machine in the catalogue, where it could be told.
    pub hardware: Option<String>,
    /// The devices it ran on, as their drivers name them; empty where the document does not say.
    pub devices: Vec<String>,
    /// It ran on a GPU (or not: on the processor); unknown for an API.
    pub on_gpu: Option<bool>,
    /// System throughput at each measured concurrency, ascending; batch-1 is `concurrency: 1`.
    pub levels: Vec<MeasuredLevel>,
    /// Means per request, as the target counts tokens.
    pub input_tokens: Option<Figure>,
    /// All generated tokens, reasoning included.
    pub output_tokens: Option<Figure>,
    /// Without reasoning.
    pub visible_output_tokens: Option<Figure>,
    /// Tokens of thoughts alone.
    pub reasoning_tokens: Option<Figure>,
    /// Power with the model loaded and no request running, W.
    pub idle_watts: Option<Figure>,
    /// Power while it answered, W.
    pub load_watts: Option<Figure>,
    /// Failed requests ÷ all requests.
    pub failure_share: Option<Figure>,
    /// Share of its graded answers that passed, 0 to 1.
    pub pass_rate: Option<Figure>,
    /// Mean bill of one request, US dollars, by the prices of the day.
    pub cost_usd_per_request: Option<Figure>,
}

/// Speed at one concurrency.
#[derive(Debug, Clone, PartialEq)]
pub struct MeasuredLevel {
    /// Requests under way at once.
    pub concurrency: u32,
    /// The same with where it stands in the document.
    pub at: Figure,
    /// Prompt tokens read per second, all sequences together.
    pub prefill_tps: Option<Figure>,
    /// All sequences together.
    pub decode_tps: Option<Figure>,
    /// Median TTFT at this level.
    pub ttft_ms: Option<Figure>,
}

/// Where a target answered from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TargetKind {
    /// The engine on this machine.
    Local,
    /// A server, wherever it stands.
    Api,
}

/// The answer to "is local good enough on these prompts?".
#[derive(Debug, Clone, PartialEq)]
pub struct MeasuredQuality {
    /// Dotted path in the document.
    pub path: String,
    /// Prompts that both answered and that could be graded.
    pub prompts: u32,
    /// Accepted loss of pass rate.
    pub margin: f64,
    /// `None`: cannot be decided with this many prompts.
    pub non_inferior: Option<bool>,
    /// Share of them that the local model passed, 0 to 1.
    pub local_pass_rate: f64,
    /// Share of them that the API passed, 0 to 1.
    pub api_pass_rate: f64,
    /// Share of the prompts whose kinds of work the local model can take over; `None` without such kinds.
    pub moved_share: Option<Figure>,
    /// Of the requests that it takes over, those whose answers fail: what a check of the answers sends on.
    pub escalation_share: Option<Figure>,
}
