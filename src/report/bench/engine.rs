//! What only a local target has: its engine, its rates without prompts, and the power it took.

use super::model::ModelFacts;
use super::{Sample, Summary, Target, build::summary_of, view::short};
use crate::measure::backend::local::Timed;
use crate::measure::energy::{Origin, Used as Measured};
use crate::measure::synthetic::Test;
use crate::report::view::{Block, Cell, Table, View};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What ran a local model.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Engine {
    /// `llama.cpp` build.
    pub build: Option<String>,
    /// CPU, or the GPU's name.
    pub device: Option<String>,
    /// Layers on the GPU; the output layer counts as one.
    pub gpu_layers: Option<u32>,
    /// Layers of the model, the output layer not counted.
    pub layers: Option<u32>,
    pub threads: Option<u32>,
    pub context_tokens: Option<u32>,
    pub model_file: Option<String>,
    pub model_sha256: Option<String>,
    pub model_bytes: Option<u64>,
    /// The model by its header: what the predictor needs to be calibrated by this measurement.
    #[serde(default)]
    pub model: Option<ModelFacts>,
    pub load_ms: Option<f64>,
    /// Share of the file that was in the system's page cache before: near 0 is a cold load, near 1
    /// a warm one.
    #[serde(default)]
    pub load_cached_share: Option<f64>,
    /// A load after the file was dropped from the page cache, and one directly after it, where
    /// `--load-times` asked for them.
    #[serde(default)]
    pub load_cold_ms: Option<f64>,
    #[serde(default)]
    pub load_warm_ms: Option<f64>,
    /// Start of the engine's process to its first word, before any model.
    #[serde(default)]
    pub worker_start_ms: Option<f64>,
    /// `CPU`, `CUDA`, `Vulkan`, `Metal`, `ROCm`.
    #[serde(default)]
    pub backend: Option<String>,
    /// Kind of processor that the processor's backend was built for, where it was chosen at run time.
    #[serde(default)]
    pub cpu_variant: Option<String>,
    /// Version of the GPU's driver, where it tells.
    #[serde(default)]
    pub driver: Option<String>,
    #[serde(default)]
    pub batch_tokens: Option<u32>,
    #[serde(default)]
    pub ubatch_tokens: Option<u32>,
    /// `auto`, `on`, `off`.
    #[serde(default)]
    pub flash_attention: Option<String>,
    /// `f16`, `q8_0`, `q4_0`.
    #[serde(default)]
    pub kv_type: Option<String>,
    /// Weights, KV cache and working buffers as the engine allocated them.
    #[serde(default)]
    pub weights_bytes: Option<u64>,
    #[serde(default)]
    pub kv_bytes: Option<u64>,
    #[serde(default)]
    pub compute_bytes: Option<u64>,
    /// Of these three, on a GPU.
    #[serde(default)]
    pub device_bytes: Option<u64>,
    /// Resident memory of the engine's process after loading.
    #[serde(default)]
    pub resident_bytes: Option<u64>,
    /// The most it had resident during the run.
    #[serde(default)]
    pub resident_peak_bytes: Option<u64>,
    /// `greedy`: the most likely token each time.
    pub sampling: Option<String>,
    /// Id of the machine or accelerator in the catalogue, where it could be told.
    pub hardware: Option<String>,
}

/// One test of the engine alone: no chat template, no tokenizer, no sampling. Comparable with
/// llama-bench's figure of the same name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Synthetic {
    /// llama-bench's name: `pp512`, `tg128 @ d4096`.
    pub test: String,
    pub prompt_tokens: u32,
    pub output_tokens: u32,
    /// Tokens in the cache before the clock started.
    pub depth_tokens: u32,
    /// Of the rounds, tokens per second.
    pub tps: Summary,
    pub tps_mean: Option<f64>,
    /// Sample standard deviation; null below two rounds.
    pub tps_sd: Option<f64>,
    /// Each round, in the order they ran.
    pub round_tps: Vec<f64>,
    /// Mean power of the device over the rounds, idle power included; null where its energy cannot be
    /// read.
    #[serde(default)]
    pub busy_watts: Option<f64>,
    /// The same energy per token, of each round.
    #[serde(default)]
    pub token_j: Summary,
}

impl Synthetic {
    /// From the rounds' times.
    pub fn new(test: Test, rounds: &[Timed]) -> Self {
        let tokens = f64::from(test.counted());
        let round_tps: Vec<f64> =
            rounds.iter().filter(|r| !r.took.is_zero()).map(|r| tokens / r.took.as_secs_f64()).collect();
        // A round whose energy is not known spoils the mean.
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
            tps: summary_of(&round_tps),
            tps_mean: mean,
            tps_sd: mean.filter(|_| round_tps.len() > 1).map(|mean| (squares(mean) / (n - 1.0)).sqrt()),
            round_tps,
            busy_watts: (seconds > 0.0).then(|| joules / seconds),
            token_j: summary_of(&used.iter().map(|u| u.joules / tokens).collect::<Vec<f64>>()),
        }
    }
}

/// Where a target's energy was read, before anything is computed from it.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct EnergyFacts {
    pub origin: Option<Origin>,
    pub scope: Option<String>,
    /// Why there is no figure, or none that can be trusted.
    pub reason: Option<String>,
    /// With the model loaded and nothing running.
    pub idle_watts: Option<f64>,
}

/// Energy of a local target's device. Every figure is gross, idle power included, unless it says
/// otherwise; null with a `reason` where it could not be measured.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Energy {
    /// What it was read from.
    pub origin: Option<Origin>,
    /// What is inside the figures.
    pub scope: Option<String>,
    /// The figures can be trusted.
    pub valid: bool,
    pub reason: Option<String>,
    /// Model loaded, nothing running.
    pub idle_watts: Option<f64>,
    /// Mean over the time of all requests.
    pub busy_watts: Option<f64>,
    /// Of each request.
    pub request_j: Summary,
    /// Of each request, over its output tokens; its prompt is inside.
    pub output_token_j: Summary,
    /// Of each request, less idle power over its time.
    pub request_net_j: Summary,
}

/// Joules, seconds and output tokens of one request.
type Used = (f64, f64, Option<u64>);

impl Energy {
    /// From what the requests took.
    pub fn new(facts: &EnergyFacts, rows: &[&Sample]) -> Self {
        let used: Vec<Used> = rows
            .iter()
            .filter(|_| facts.reason.is_none())
            .filter_map(|s| Some((s.energy_j?, s.energy_over_ms? / 1e3, s.output_tokens)))
            .collect();
        let seconds: f64 = used.iter().map(|(_, over, _)| over).sum();
        let joules: f64 = used.iter().map(|(joules, ..)| joules).sum();
        let of = |pick: &dyn Fn(&Used) -> Option<f64>| {
            summary_of(&used.iter().filter_map(pick).collect::<Vec<f64>>())
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

    /// The power of a GPU's board, as the catalogue has it too.
    pub fn is_of_a_board(&self) -> bool {
        self.valid && matches!(self.origin, Some(Origin::NvmlCounter | Origin::NvmlPower))
    }

    /// One line for people.
    fn sentence(&self) -> String {
        if !self.valid {
            return format!(
                "energy: not measured, {}",
                self.reason.as_deref().unwrap_or("no reason is known")
            );
        }
        let part =
            |name: &str, value: Option<f64>, unit: &str| value.map(|v| format!("{name} {} {unit}", short(v)));
        let parts = [
            part("a request", self.request_j.median, "J"),
            part("an output token", self.output_token_j.median, "J"),
            part("busy", self.busy_watts, "W"),
            part("idle", self.idle_watts, "W"),
        ];
        let figures = parts.into_iter().flatten().collect::<Vec<_>>().join(", ");
        format!("energy: {figures} ({})", self.scope.as_deref().unwrap_or_default())
    }
}

/// What ran the local models: device, memory, times, energy.
pub(super) fn engines_view(view: &mut View, targets: &[Target]) {
    let lines: Vec<String> = targets
        .iter()
        .filter_map(|t| Some((t, t.engine.as_ref()?)))
        .flat_map(|(t, e)| {
            let lines = [
                Some(device_line(e)),
                Some(memory_line(e)),
                ttft_line(t),
                t.energy.as_ref().map(Energy::sentence),
            ];
            lines
                .into_iter()
                .flatten()
                .filter(|l| !l.is_empty())
                .map(|l| format!("{}: {l}", t.id))
                .collect::<Vec<_>>()
        })
        .collect();
    if !lines.is_empty() {
        view.heading("Local engine");
        view.push(Block::List(lines));
    }
}

fn part(name: &str, value: Option<String>) -> Option<String> {
    value.map(|v| format!("{name} {v}"))
}

fn join(parts: impl IntoIterator<Item = Option<String>>) -> String {
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

fn device_line(e: &Engine) -> String {
    let layers = e.gpu_layers.map(|n| match e.layers {
        // The output layer counts as one, and is not among the model's.
        Some(all) => format!("{n} of {}", all + 1),
        None => n.to_string(),
    });
    join([
        part("device", e.device.clone()),
        part("backend", e.backend.clone()),
        part("processor variant", e.cpu_variant.clone()),
        part("driver", e.driver.clone()),
        part("GPU layers", layers),
        part("threads", e.threads.map(|n| n.to_string())),
        part("context", e.context_tokens.map(|n| n.to_string())),
        part("sampling", e.sampling.clone()),
        part("build", e.build.clone()),
        part("SHA-256", e.model_sha256.as_ref().map(|h| h.chars().take(12).collect())),
    ])
}

fn memory_line(e: &Engine) -> String {
    let mib = |bytes: Option<u64>| bytes.map(|b| format!("{:.0} MiB", b as f64 / 1_048_576.0));
    let ms = |time: Option<f64>| time.map(|t| format!("{t:.0} ms"));
    let cached =
        e.load_cached_share.map_or(String::new(), |s| format!(" with {:.0} % of the file cached", s * 100.0));
    join([
        part("weights", mib(e.weights_bytes)),
        part("KV cache", mib(e.kv_bytes)),
        part("working buffers", mib(e.compute_bytes)),
        part("of them on GPUs", mib(e.device_bytes)),
        part("resident", mib(e.resident_bytes)),
        part("at most", mib(e.resident_peak_bytes)),
        part("loaded in", ms(e.load_ms).map(|t| t + &cached)),
        part("cold", ms(e.load_cold_ms)),
        part("warm", ms(e.load_warm_ms)),
    ])
}

/// Where the time to the first token went.
fn ttft_line(t: &Target) -> Option<String> {
    let m = &t.metrics;
    let ms = |s: &Summary| s.median.map(|v| format!("{} ms", short(v)));
    let parts = join([
        part("template and tokenizer", ms(&m.tokenize_ms)),
        part("prefill", ms(&m.prompt_ms)),
        part("first sample", ms(&m.first_sample_ms)),
    ]);
    let each =
        m.sample_ms.median.map_or(String::new(), |v| format!("; choosing and spelling a token {v:.3} ms"));
    (!parts.is_empty()).then(|| format!("TTFT: {parts}{each}"))
}

/// The tests of one target as a table like llama-bench's.
pub(super) fn synthetic_view(view: &mut View, targets: &[Target]) {
    for target in targets.iter().filter(|t| !t.synthetic.is_empty()) {
        view.heading(format!("{}: the engine alone", target.id));
        let metered = target.synthetic.iter().any(|row| row.busy_watts.is_some());
        let mut heads = vec!["test", "#t/s", "#median t/s", "#rounds"];
        if metered {
            heads.extend(["#W", "#J/token"]);
        }
        let mut table = Table::new(&heads);
        let number = |v: Option<f64>, text: String| v.map_or(Cell::None, |v| Cell::Number(v, text));
        for row in &target.synthetic {
            let mean = row.tps_mean.unwrap_or_default();
            let spread = row.tps_sd.map_or(String::new(), |sd| format!(" ± {sd:.2}"));
            let interval = match (row.tps.low, row.tps.high) {
                (Some(low), Some(high)) => format!(" ({}–{})", short(low), short(high)),
                _ => String::new(),
            };
            let median = row.tps.median.map_or(String::new(), short);
            let mut cells = vec![
                row.test.clone().into(),
                number(row.tps_mean, format!("{mean:.2}{spread}")),
                number(row.tps.median, format!("{median}{interval}")),
                Cell::Number(f64::from(row.tps.n), row.tps.n.to_string()),
            ];
            if metered {
                cells.push(number(row.busy_watts, row.busy_watts.map_or(String::new(), short)));
                cells.push(number(row.token_j.median, row.token_j.median.map_or(String::new(), short)));
            }
            table.row_of(cells);
        }
        view.push(Block::Table(table));
        view.paragraph(
            "t/s: mean ± standard deviation of the rounds, as llama-bench prints it; pp is prefill, tg is \
             decoding, d is the depth of the cache before the clock started. Nothing is tokenised or sampled.",
        );
    }
}

/// One row per round: target, test, tokens per second.
pub(super) fn synthetic_csv(targets: &[Target]) -> String {
    let mut table = Table::new(&["target", "test", "#round", "#tps"]);
    for (target, row) in targets.iter().flat_map(|t| t.synthetic.iter().map(move |row| (t, row))) {
        for (round, tps) in row.round_tps.iter().enumerate() {
            table.row([
                target.id.clone().into(),
                row.test.clone().into(),
                Cell::Number(round as f64, round.to_string()),
                Cell::Number(*tps, tps.to_string()),
            ]);
        }
    }
    table.to_csv()
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

    /// Joules of the very reader that a run has, from a folder like the kernel's.
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
