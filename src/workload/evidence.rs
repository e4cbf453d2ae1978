//! Measurements as the engines use them. They are made from a `bench` document by `document::bench`; what
//! was not measured is `None`.

use crate::provenance::Source;

/// A measured number, with its place in the document.
#[derive(Debug, Clone, PartialEq)]
pub struct Figure {
    /// The value, in the unit of the field that holds this figure.
    pub value: f64,
    /// The path of the number in the document: `result.targets[0].metrics.decode_tps.median`.
    pub path: String,
    /// How the value is computed from the number at `path`; `None` where it is that number.
    pub derived: Option<&'static str>,
}

impl Figure {
    /// The number at this path; `None` where the document has none.
    pub fn at(value: Option<f64>, path: String) -> Option<Self> {
        value.map(|value| Self { value, path, derived: None })
    }
    /// A value computed from the number at this path; `None` where the document has none.
    pub fn derived(value: Option<f64>, path: String, how: &'static str) -> Option<Self> {
        value.map(|value| Self { value, path, derived: Some(how) })
    }
    /// The source of the value, for the document's file name.
    pub fn source(&self, file: &str) -> Source {
        let (file, path) = (file.to_owned(), self.path.clone());
        Source::Measured { file, path, derived: self.derived.map(str::to_owned) }
    }
}

/// The measurements in one bench document.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Evidence {
    /// Name of the document's file, for the source of every number taken from it.
    pub file: String,
    /// Every target of the document, in its order.
    pub targets: Vec<MeasuredTarget>,
    /// How local and API answers compare in quality; `None` where they were not graded on both sides.
    pub quality: Option<MeasuredQuality>,
}

impl Evidence {
    /// Targets that stood in for a cloud API.
    pub fn stand_ins(&self) -> impl Iterator<Item = &MeasuredTarget> {
        self.targets.iter().filter(|t| t.kind == TargetKind::Api && t.stand_in)
    }
}

/// One measured target.
#[derive(Debug, Clone, PartialEq)]
pub struct MeasuredTarget {
    /// Path in the document: `result.targets[0]`.
    pub path: String,
    /// Its id in the document: `local:smollm2.gguf`.
    pub id: String,
    /// Where it runs.
    pub kind: TargetKind,
    /// The model's file or name, as it was given.
    pub model: String,
    /// It stood in for a cloud API, so that its speed says nothing about a provider.
    pub stand_in: bool,
    /// Id of the accelerator or machine in the catalogue; `None` where it was not recognised.
    pub hardware: Option<String>,
    /// Names of the devices it ran on, as their drivers give them; empty where the document does not say.
    pub devices: Vec<String>,
    /// Did it run on a GPU, or on the processor? `None` for an API.
    pub on_gpu: Option<bool>,
    /// Operating points: throughput at each measured concurrency, ascending; requests one at a time are
    /// `concurrency: 1`.
    pub levels: Vec<MeasuredLevel>,
    /// Mean input tokens of a request, as the target counts them.
    pub input_tokens: Option<Figure>,
    /// Mean output tokens of a request, reasoning included.
    pub output_tokens: Option<Figure>,
    /// Mean output tokens of a request without reasoning.
    pub visible_output_tokens: Option<Figure>,
    /// Mean reasoning tokens of a request.
    pub reasoning_tokens: Option<Figure>,
    /// Power with the model loaded and no request running, W.
    pub idle_watts: Option<Figure>,
    /// Power while it answered, W.
    pub load_watts: Option<Figure>,
    /// Failed requests ÷ all requests.
    pub failure_share: Option<Figure>,
    /// Share of its graded answers that passed, 0 to 1.
    pub pass_rate: Option<Figure>,
    /// Mean cost of a request at the prices of the day, US dollars.
    pub cost_usd_per_request: Option<Figure>,
}

/// Throughput and latency at one concurrency.
#[derive(Debug, Clone, PartialEq)]
pub struct MeasuredLevel {
    /// Requests under way at once.
    pub concurrency: u32,
    /// The concurrency, with its place in the document.
    pub at: Figure,
    /// Prefill rate of all requests together, tokens per second.
    pub prefill_tps: Option<Figure>,
    /// Decode rate of all requests together, tokens per second.
    pub decode_tps: Option<Figure>,
    /// Median TTFT, ms.
    pub ttft_ms: Option<Figure>,
}

/// Where a target runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TargetKind {
    /// An engine on this machine.
    Local,
    /// A server behind an API, wherever it is.
    Api,
}

/// The answer to "is the local model good enough on these prompts?".
#[derive(Debug, Clone, PartialEq)]
pub struct MeasuredQuality {
    /// Path in the document.
    pub path: String,
    /// Prompts that both answered and that could be graded.
    pub prompts: u32,
    /// Accepted loss of pass rate, as a share from 0 to 1.
    pub margin: f64,
    /// Is it not worse by more than the margin? `None` where this many prompts cannot decide it.
    pub non_inferior: Option<bool>,
    /// Share of these prompts that the local model passed, 0 to 1.
    pub local_pass_rate: f64,
    /// Share of these prompts that the API passed, 0 to 1.
    pub api_pass_rate: f64,
    /// Share of the prompts whose kinds of work the local model can take over, 0 to 1; `None` where prompts
    /// have no kinds.
    pub moved_share: Option<Figure>,
    /// Share of the requests that it takes over whose answers fail, 0 to 1: a check of the answers sends
    /// these on.
    pub escalation_share: Option<Figure>,
}
