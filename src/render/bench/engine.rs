//! What ran the local models (device, memory, times, energy), and the tests of the engine alone.

use crate::document::bench::engine::{Energy, Engine};
use crate::document::bench::{Summary, Target};
use crate::number;
use crate::render::view::{Block, Cell, Table, View};

impl Energy {
    /// The energy of a target in one line.
    fn sentence(&self) -> String {
        if !self.valid {
            return format!(
                "energy: not measured, {}",
                self.reason.as_deref().unwrap_or("no reason is known")
            );
        }
        let part = |name: &str, value: Option<f64>, unit: &str| {
            value.map(|v| format!("{name} {} {unit}", number::measured(v)))
        };
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

/// What ran the local models, one paragraph for each.
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
        // Layers on the GPU include the output layer; the model's own number does not.
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

/// The parts of the time to the first token.
fn ttft_line(t: &Target) -> Option<String> {
    let m = &t.metrics;
    let ms = |s: &Summary| s.median.map(|v| format!("{} ms", number::measured(v)));
    let parts = join([
        part("template and tokenizer", ms(&m.tokenize_ms)),
        part("prefill", ms(&m.prompt_ms)),
        part("first sample", ms(&m.first_sample_ms)),
    ]);
    let each = m
        .sample_ms
        .median
        .map_or(String::new(), |v| format!("; sampling and detokenising one token {v:.3} ms"));
    (!parts.is_empty()).then(|| format!("TTFT: {parts}{each}"))
}

/// The tests of the engine alone, in tables like llama-bench's.
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
                (Some(low), Some(high)) => format!(" ({}–{})", number::measured(low), number::measured(high)),
                _ => String::new(),
            };
            let median = row.tps.median.map_or(String::new(), number::measured);
            let mut cells = vec![
                row.test.clone().into(),
                number(row.tps_mean, format!("{mean:.2}{spread}")),
                number(row.tps.median, format!("{median}{interval}")),
                Cell::Number(f64::from(row.tps.n), row.tps.n.to_string()),
            ];
            if metered {
                cells.push(number(row.busy_watts, row.busy_watts.map_or(String::new(), number::measured)));
                cells.push(number(
                    row.token_j.median,
                    row.token_j.median.map_or(String::new(), number::measured),
                ));
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

/// The tests of the engine alone as CSV: target, test and tokens per second for each round.
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
