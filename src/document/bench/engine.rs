//! What only a local target has: its engine, its rates without prompts, and the energy it used.

use super::model::ModelFacts;
use super::sample::Sample;
use super::summary::Summary;
use crate::document::metrics::definition;
use crate::measure::backend::local::Timed;
use crate::measure::energy::{Origin, Used as Measured};
use crate::measure::synthetic::Test;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What ran a local model.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Engine {
    /// The build of `llama.cpp`.
    pub build: Option<String>,
    /// `CPU`, or the name of the GPU.
    pub device: Option<String>,
    /// Layers on the GPU; the output layer counts as one.
    pub gpu_layers: Option<u32>,
    /// Layers of the model, the output layer not counted.
    pub layers: Option<u32>,
    /// Processor threads that the engine computes with.
    pub threads: Option<u32>,
    /// Context length for all sequences together, tokens.
    pub context_tokens: Option<u32>,
    /// Name of the model's file, without its folder.
    pub model_file: Option<String>,
    /// SHA-256 of the model's file.
    pub model_sha256: Option<String>,
    /// Size of the model's file, bytes.
    pub model_bytes: Option<u64>,
    /// The model by its file's header: what calibrating the predictor with this measurement needs. Null in
    /// older documents.
    #[serde(default)]
    pub model: Option<ModelFacts>,
    #[doc = definition!(load_ms)]
    pub load_ms: Option<f64>,
    /// Share of the model's file that was in the system's page cache before it was loaded, 0 to 1: near 0
    /// is a cold load, near 1 a warm one.
    #[serde(default)]
    pub load_cached_share: Option<f64>,
    /// Milliseconds to load the model after its file was dropped from the page cache; null unless
    /// `--load-times` asked for it.
    #[serde(default)]
    pub load_cold_ms: Option<f64>,
    /// Milliseconds to load the model again directly after that, from the page cache; null unless
    /// `--load-times` asked for it.
    #[serde(default)]
    pub load_warm_ms: Option<f64>,
    /// Milliseconds from the start of the engine's process to its first message, before any model is
    /// loaded.
    #[serde(default)]
    pub worker_start_ms: Option<f64>,
    /// The engine's backend: `CPU`, `CUDA`, `Vulkan`, `Metal`, `ROCm`.
    #[serde(default)]
    pub backend: Option<String>,
    /// Which variant of the CPU backend runs, where the engine chose one at run time.
    #[serde(default)]
    pub cpu_variant: Option<String>,
    /// Version of the GPU's driver; null where it cannot be read.
    #[serde(default)]
    pub driver: Option<String>,
    /// Most tokens that the engine is given at once (`n_batch`).
    #[serde(default)]
    pub batch_tokens: Option<u32>,
    /// Most tokens that are computed in one pass (`n_ubatch`).
    #[serde(default)]
    pub ubatch_tokens: Option<u32>,
    /// Flash attention: `auto`, `on`, `off`.
    #[serde(default)]
    pub flash_attention: Option<String>,
    /// Format of keys and values in the cache: `f16`, `q8_0`, `q4_0`.
    #[serde(default)]
    pub kv_type: Option<String>,
    /// Bytes of the weights, as the engine allocated them.
    #[serde(default)]
    pub weights_bytes: Option<u64>,
    /// Bytes of the KV cache, as the engine allocated it.
    #[serde(default)]
    pub kv_bytes: Option<u64>,
    /// Bytes of the compute buffers, as the engine allocated them.
    #[serde(default)]
    pub compute_bytes: Option<u64>,
    /// Bytes of weights, KV cache and compute buffers that are on a GPU.
    #[serde(default)]
    pub device_bytes: Option<u64>,
    /// Resident memory of the engine's process after loading, bytes.
    #[serde(default)]
    pub resident_bytes: Option<u64>,
    #[doc = definition!(resident_peak_bytes)]
    #[serde(default)]
    pub resident_peak_bytes: Option<u64>,
    /// How the next token is chosen: `greedy` takes the most likely one.
    pub sampling: Option<String>,
    /// Id of the machine or accelerator in the catalogue; null where it was not recognised.
    pub hardware: Option<String>,
}

/// One test of the engine alone: no chat template, no tokenizer, no sampling. Comparable with llama-bench's
/// figure of the same name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Synthetic {
    /// The test's name in llama-bench: `pp512`, `tg128 @ d4096`.
    pub test: String,
    /// Tokens of the prompt.
    pub prompt_tokens: u32,
    /// Tokens that were generated.
    pub output_tokens: u32,
    /// Tokens in the cache before the clock started.
    pub depth_tokens: u32,
    #[doc = definition!(synthetic_tps)]
    pub tps: Summary,
    /// Mean over the rounds, tokens per second.
    pub tps_mean: Option<f64>,
    /// Sample standard deviation of the rounds, tokens per second; null below two rounds.
    pub tps_sd: Option<f64>,
    /// Tokens per second of each round, in the order they ran.
    pub round_tps: Vec<f64>,
    #[doc = definition!(busy_watts)]
    /// Null where its energy cannot be read.
    #[serde(default)]
    pub busy_watts: Option<f64>,
    #[doc = definition!(synthetic_token_j)]
    #[serde(default)]
    pub token_j: Summary,
}

impl Synthetic {
    /// The figures of a test, from the times of its rounds.
    pub fn new(test: Test, rounds: &[Timed]) -> Self {
        let tokens = f64::from(test.counted());
        let round_tps: Vec<f64> =
            rounds.iter().filter(|r| !r.took.is_zero()).map(|r| tokens / r.took.as_secs_f64()).collect();
        // The mean is taken over all rounds or none: a round whose energy is not known leaves it out.
        let used: Vec<Measured> = rounds.iter().map(|r| r.energy).collect::<Option<_>>().unwrap_or_default();
        let seconds: f64 = used.iter().map(|u| u.over.as_secs_f64()).sum();
        let joules: f64 = used.iter().map(|u| u.joules).sum();
        let n = round_tps.len() as f64;
        let mean = (!round_tps.is_empty()).then(|| round_tps.iter().sum::<f64>() / n);
        let squares = |mean: f64| round_tps.iter().map(|v| (v - mean).powi(2)).sum::<f64>();
        Self {
            test: test.label(),
            prompt_tokens: test.prompt,
            output_tokens: test.generate,
            depth_tokens: test.depth,
            tps: Summary::of(&round_tps),
            tps_mean: mean,
            tps_sd: mean.filter(|_| round_tps.len() > 1).map(|mean| (squares(mean) / (n - 1.0)).sqrt()),
            round_tps,
            busy_watts: (seconds > 0.0).then(|| joules / seconds),
            token_j: Summary::of(&used.iter().map(|u| u.joules / tokens).collect::<Vec<f64>>()),
        }
    }
}

/// Where a target's energy was read, before anything is computed from it.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct EnergyFacts {
    pub origin: Option<Origin>,
    pub scope: Option<String>,
    /// Why there is no figure, or why it cannot be trusted.
    pub reason: Option<String>,
    /// Power with the model loaded and nothing running, W.
    pub idle_watts: Option<f64>,
}

/// Energy of a local target's device. Figures are gross, idle power included, unless they say otherwise;
/// null with a `reason` where they could not be measured.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Energy {
    /// What it was read from.
    pub origin: Option<Origin>,
    /// Which parts of the machine the figures cover, in words.
    pub scope: Option<String>,
    /// The figures can be trusted.
    pub valid: bool,
    /// Why there is no figure; null where there is one.
    pub reason: Option<String>,
    #[doc = definition!(idle_watts)]
    pub idle_watts: Option<f64>,
    #[doc = definition!(busy_watts)]
    pub busy_watts: Option<f64>,
    #[doc = definition!(energy_j)]
    pub request_j: Summary,
    #[doc = definition!(output_token_j)]
    pub output_token_j: Summary,
    #[doc = definition!(request_net_j)]
    pub request_net_j: Summary,
}

/// Joules, seconds and output tokens of one request.
type Used = (f64, f64, Option<u64>);

impl Energy {
    /// Figures from the energy of each request.
    pub fn new(facts: &EnergyFacts, rows: &[&Sample]) -> Self {
        let used: Vec<Used> = rows
            .iter()
            .filter(|_| facts.reason.is_none())
            .filter_map(|s| Some((s.energy_j?, s.energy_over_ms? / 1e3, s.output_tokens)))
            .collect();
        let seconds: f64 = used.iter().map(|(_, over, _)| over).sum();
        let joules: f64 = used.iter().map(|(joules, ..)| joules).sum();
        let of = |pick: &dyn Fn(&Used) -> Option<f64>| {
            Summary::of(&used.iter().filter_map(pick).collect::<Vec<f64>>())
        };
        Self {
            origin: facts.origin,
            scope: facts.scope.clone(),
            valid: facts.origin.is_some() && facts.reason.is_none(),
            reason: facts.reason.clone(),
            idle_watts: facts.idle_watts,
            busy_watts: (seconds > 0.0).then(|| joules / seconds),
            request_j: of(&|(joules, ..)| Some(*joules)),
            output_token_j: of(&|(joules, _, tokens)| {
                tokens.filter(|n| *n > 0).map(|tokens| joules / tokens as f64)
            }),
            request_net_j: of(&|(joules, over, _)| Some(joules - facts.idle_watts? * over)),
        }
    }

    /// Is the power that of a GPU's board? Only then does it compare with the catalogue's.
    pub fn is_of_a_board(&self) -> bool {
        self.valid && matches!(self.origin, Some(Origin::NvmlCounter | Origin::NvmlPower))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_those_of_the_rounds() {
        let test: Test = "tg128@d512".parse().expect("a test");
        let rounds =
            [1.0, 2.0, 4.0].map(|s| Timed { took: std::time::Duration::from_secs_f64(s), energy: None });
        let row = Synthetic::new(test, &rounds);
        assert_eq!(row.round_tps, [128.0, 64.0, 32.0]);
        assert_eq!((row.test.as_str(), row.tps.median), ("tg128 @ d512", Some(64.0)));
        assert!((row.tps_mean.expect("known") - 74.666_67).abs() < 1e-4);
        assert!((row.tps_sd.expect("known") - 48.881).abs() < 1e-3);
        assert_eq!((row.busy_watts, row.token_j.median), (None, None), "nobody read it");
        assert_eq!(Synthetic::new(test, &rounds[..1]).tps_sd, None);
        assert_eq!(Synthetic::new(test, &[]).tps_mean, None);
        assert_eq!(Synthetic::new(test, &[]).busy_watts, None);
    }

    /// Reads the energy as a run does, from a folder like the kernel's `powercap`.
    #[test]
    fn power_is_that_of_the_rounds() {
        let root = tempfile::tempdir().expect("a folder");
        let zone = root.path().join("intel-rapl:0");
        std::fs::create_dir(&zone).expect("made");
        let set = |microjoules: u64| {
            std::fs::write(zone.join("energy_uj"), microjoules.to_string()).expect("written");
        };
        std::fs::write(zone.join("name"), "package-0").expect("written");
        set(1_000_000);
        let source = crate::measure::energy::processor(root.path()).expect("readable");
        let meter = crate::measure::energy::Meter::start(source).expect("reads");
        let round = |microjoules: u64| {
            let mark = meter.mark();
            set(microjoules);
            let used = meter.since(mark).expect("trusted");
            Timed {
                took: used.over,
                energy: Some(Measured { over: std::time::Duration::from_secs(2), ..used }),
            }
        };
        let rounds = [round(65_000_000), round(193_000_000), round(257_000_000)];
        let row = Synthetic::new("tg128".parse().expect("a test"), &rounds);
        assert_eq!(row.token_j.median, Some(0.5));
        assert!((row.busy_watts.expect("known") - 256.0 / 6.0).abs() < 1e-9, "{row:?}");
        let spoilt = [rounds[0], Timed { energy: None, ..rounds[1] }];
        assert_eq!(Synthetic::new("tg128".parse().expect("a test"), &spoilt).busy_watts, None);
    }
}
