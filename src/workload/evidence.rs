//! What was measured, as the engines need it. Made from a `bench` document by
//! `document::bench`; absent is unknown.

/// One bench document, digested.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Evidence {
    /// The file it was read from, for the source of every number taken from it.
    pub file: String,
    pub targets: Vec<MeasuredTarget>,
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
    pub id: String,
    pub kind: TargetKind,
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
    pub input_tokens: Option<f64>,
    pub output_tokens: Option<f64>,
    pub reasoning_tokens: Option<f64>,
    pub idle_watts: Option<f64>,
    pub load_watts: Option<f64>,
    /// Failed requests ÷ all requests.
    pub failure_share: Option<f64>,
    pub cost_usd_per_request: Option<f64>,
}

/// Speed at one concurrency.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MeasuredLevel {
    pub concurrency: u32,
    pub prefill_tps: Option<f64>,
    /// All sequences together.
    pub decode_tps: Option<f64>,
    /// Median TTFT at this level.
    pub ttft_ms: Option<f64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TargetKind {
    Local,
    Api,
}

/// The answer to "is local good enough on these prompts?".
#[derive(Debug, Clone, PartialEq)]
pub struct MeasuredQuality {
    /// Dotted path in the document.
    pub path: String,
    pub prompts: u32,
    /// Accepted loss of pass rate.
    pub margin: f64,
    /// `None`: cannot be decided with this many prompts.
    pub non_inferior: Option<bool>,
    pub local_pass_rate: f64,
    pub api_pass_rate: f64,
}
