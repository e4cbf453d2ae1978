//! `freehold.fit/1`: which models fit which hardware, and how fast they are predicted to run there.
//!
//! Bytes are bytes, speeds tokens per second; a band holds four measurements of five.

use super::envelope::Envelope;
use super::view::{Block, Cell, Table, View};
use crate::capacity::{Band, CannotPredict, Memory, Placement, Prediction};
use crate::provenance::Source;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Name and major version of the document.
pub const SCHEMA: &str = "freehold.fit/1";

/// A fit document.
pub type FitDocument = Envelope<FitResult>;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FitResult {
    /// Pairs that fit, on the devices alone or partly in system memory.
    pub rows: Vec<FitRow>,
    /// Pairs that do not fit or cannot be predicted, each with the reason.
    pub left_out: Vec<LeftOut>,
}

/// One model on one kind of hardware in one weight format.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FitRow {
    pub hardware: String,
    pub hardware_name: String,
    pub accelerators: u32,
    pub model: String,
    pub parameters: f64,
    pub quantisation: String,
    /// `cuda`, `metal`, `vulkan`, `rocm`, `cpu`, `vllm`.
    pub backend: String,
    pub context_tokens: u64,
    pub concurrency: u32,
    pub memory: MemoryRow,
    pub decode_tps: BandRow,
    pub decode_tps_per_stream: BandRow,
    pub prefill_tps: BandRow,
    /// What the hardware's peaks allow at most.
    pub decode_roof_tps: f64,
    pub basis: Source,
}

/// A likely value and the band around it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct BandRow {
    pub low: f64,
    pub likely: f64,
    pub high: f64,
}

/// Memory over all devices, bytes.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MemoryRow {
    pub weights_bytes: f64,
    pub kv_cache_bytes: f64,
    pub buffers_bytes: f64,
    pub margin_bytes: f64,
    pub needed_bytes: f64,
    pub usable_bytes: f64,
    pub placement: PlacementRow,
    /// Layers on the devices; null where all are.
    pub device_layers: Option<u32>,
    pub layers: Option<u32>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum PlacementRow {
    Fits,
    /// Some layers stay in system memory and run on the processor.
    Offload,
}

/// A pair without a prediction.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LeftOut {
    pub hardware: String,
    pub model: String,
    pub quantisation: String,
    pub reason: Reason,
    /// Needed and usable, where it does not fit.
    pub needed_bytes: Option<f64>,
    pub usable_bytes: Option<f64>,
    /// The record's field that is not known, where that is the reason.
    pub unknown: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    TooLarge,
    /// A figure the prediction needs is not in the catalogue.
    Unknown,
}

impl From<Band> for BandRow {
    fn from(band: Band) -> Self {
        Self { low: band.low.get(), likely: band.likely.get(), high: band.high.get() }
    }
}

impl From<Memory> for MemoryRow {
    fn from(memory: Memory) -> Self {
        let (placement, device_layers, layers) = match memory.placement {
            Placement::Offload { device_layers, layers } => {
                (PlacementRow::Offload, Some(device_layers), Some(layers))
            }
            Placement::Fits | Placement::TooLarge => (PlacementRow::Fits, None, None),
        };
        Self {
            weights_bytes: memory.weights,
            kv_cache_bytes: memory.cache,
            buffers_bytes: memory.buffers,
            margin_bytes: memory.margin,
            needed_bytes: memory.needed,
            usable_bytes: memory.usable,
            placement,
            device_layers,
            layers,
        }
    }
}

/// Names of one pair, as the caller knows them.
#[derive(Debug, Clone, Copy)]
pub struct Pair<'a> {
    pub hardware: &'a str,
    pub hardware_name: &'a str,
    pub accelerators: u32,
    pub model: &'a str,
    pub parameters: f64,
    pub quantisation: &'a str,
    pub backend: &'a str,
    pub context_tokens: u64,
    pub concurrency: u32,
}

impl FitRow {
    /// A prediction with its names.
    pub fn new(pair: Pair<'_>, prediction: &Prediction) -> Self {
        Self {
            hardware: pair.hardware.to_owned(),
            hardware_name: pair.hardware_name.to_owned(),
            accelerators: pair.accelerators,
            model: pair.model.to_owned(),
            parameters: pair.parameters,
            quantisation: pair.quantisation.to_owned(),
            backend: pair.backend.to_owned(),
            context_tokens: pair.context_tokens,
            concurrency: pair.concurrency,
            memory: prediction.memory.into(),
            decode_tps: prediction.decode_tps.into(),
            decode_tps_per_stream: prediction.decode_tps_per_stream.into(),
            prefill_tps: prediction.prefill_tps.into(),
            decode_roof_tps: prediction.decode_roof_tps.get(),
            basis: prediction.basis.source(),
        }
    }
}

impl LeftOut {
    /// Why there is no row.
    pub fn new(pair: Pair<'_>, why: &CannotPredict) -> Self {
        let (reason, needed_bytes, usable_bytes, unknown) = match why {
            CannotPredict::DoesNotFit { needed, usable, .. } => {
                (Reason::TooLarge, Some(*needed), Some(*usable), None)
            }
            CannotPredict::Unknown(unknown) => (Reason::Unknown, None, None, Some(unknown.to_string())),
        };
        Self {
            hardware: pair.hardware.to_owned(),
            model: pair.model.to_owned(),
            quantisation: pair.quantisation.to_owned(),
            reason,
            needed_bytes,
            usable_bytes,
            unknown,
        }
    }
}

impl Envelope<FitResult> {
    /// For people. One pair is shown in full, several as a table.
    pub fn view(&self) -> View {
        let rows = &self.result.rows;
        let mut view = View::new(self.title());
        if rows.is_empty() {
            view.paragraph("Nothing fits.");
        } else {
            view.push(Block::Table(speeds(rows)));
            if one_pair(rows) {
                view.heading("Memory");
                view.push(Block::Table(memory(rows)));
            }
            view.paragraph(note(rows));
        }
        for line in left_out(&self.result.left_out) {
            view.paragraph(line);
        }
        if !self.warnings.is_empty() {
            view.push(Block::Warnings(self.warnings.clone()));
        }
        view
    }

    fn title(&self) -> String {
        let rows = &self.result.rows;
        let Some(first) = rows.first() else { return "Fit".to_owned() };
        let hardware = if first.accelerators > 1 {
            format!("{} × {}", first.accelerators, first.hardware_name)
        } else {
            first.hardware_name.clone()
        };
        match (rows.iter().all(|r| r.hardware == first.hardware), rows.iter().all(|r| r.model == first.model))
        {
            (true, true) => format!("{} on {hardware}", first.model),
            (true, false) => format!("What fits {hardware}"),
            (false, true) => format!("Where {} fits", first.model),
            (false, false) => "The largest model that fits each".to_owned(),
        }
    }
}

fn one_pair(rows: &[FitRow]) -> bool {
    rows.iter().all(|r| r.hardware == rows[0].hardware && r.model == rows[0].model)
}

fn gib(bytes: f64) -> Cell {
    let gib = bytes / 1_073_741_824.0;
    Cell::Number(
        bytes,
        if gib < 1.0 {
            format!("{gib:.3}")
        } else if gib < 10.0 {
            format!("{gib:.2}")
        } else {
            format!("{gib:.1}")
        },
    )
}

fn speed(band: BandRow) -> Cell {
    Cell::Number(band.likely, figure(band.likely))
}

fn range(band: BandRow) -> Cell {
    format!("{} to {}", figure(band.low), figure(band.high)).into()
}

fn figure(value: f64) -> String {
    match value {
        v if v < 10.0 => format!("{v:.1}"),
        v if v < 1000.0 => format!("{v:.0}"),
        // More digits than the prediction knows would only look exact.
        v => format!("{:.0}", (v / 10.0).round() * 10.0),
    }
}

fn speeds(rows: &[FitRow]) -> Table {
    let several_models = rows.iter().any(|r| r.model != rows[0].model);
    let several_hardware = rows.iter().any(|r| r.hardware != rows[0].hardware);
    let several_streams = rows.iter().any(|r| r.concurrency > 1);
    let mut columns = Vec::new();
    if several_hardware {
        columns.push("hardware");
    }
    if several_models {
        columns.push("model");
    }
    columns.extend(["format", "#GiB", "decode band", "#tok/s"]);
    if several_streams {
        columns.push("#each");
    }
    columns.extend(["#prefill", "runs on"]);
    let mut table = Table::new(&columns);
    for row in rows {
        let mut cells: Vec<Cell> = Vec::new();
        if several_hardware {
            cells.push(row.hardware.as_str().into());
        }
        if several_models {
            cells.push(row.model.as_str().into());
        }
        cells.extend([
            row.quantisation.as_str().into(),
            gib(row.memory.needed_bytes),
            range(row.decode_tps),
            speed(row.decode_tps),
        ]);
        if several_streams {
            cells.push(speed(row.decode_tps_per_stream));
        }
        cells.extend([speed(row.prefill_tps), runs_on(row).into()]);
        table.rows.push(cells);
    }
    table
}

fn runs_on(row: &FitRow) -> String {
    match (row.memory.device_layers, row.memory.layers) {
        (Some(device), Some(all)) => format!("{}, {device} of {all} layers; rest cpu", row.backend),
        _ => row.backend.clone(),
    }
}

fn memory(rows: &[FitRow]) -> Table {
    let mut table = Table::new(&[
        "format",
        "#weights GiB",
        "#KV cache GiB",
        "#buffers GiB",
        "#margin GiB",
        "#needed GiB",
        "#usable GiB",
    ]);
    for row in rows {
        let m = &row.memory;
        table.row([
            row.quantisation.as_str().into(),
            gib(m.weights_bytes),
            gib(m.kv_cache_bytes),
            gib(m.buffers_bytes),
            gib(m.margin_bytes),
            gib(m.needed_bytes),
            gib(m.usable_bytes),
        ]);
    }
    table
}

fn note(rows: &[FitRow]) -> String {
    let first = &rows[0];
    let streams = if first.concurrency > 1 {
        format!(", {} at once (tok/s is the sum)", first.concurrency)
    } else {
        String::new()
    };
    let basis = match &first.basis {
        Source::Measured { file, .. } => format!("calibrated by {file}"),
        _ => "from bytes and operations, not measured".to_owned(),
    };
    format!(
        "At a context of {} tokens{streams}. Speeds are predictions, {basis}; the band holds about four \
         measurements of five. `freehold bench` measures.",
        first.context_tokens
    )
}

fn left_out(left: &[LeftOut]) -> Vec<String> {
    let mut lines = Vec::new();
    let large: Vec<&LeftOut> = left.iter().filter(|l| l.reason == Reason::TooLarge).collect();
    match large.as_slice() {
        [] => {}
        few if few.len() <= 3 => {
            for l in few {
                let (needed, usable) = (l.needed_bytes.unwrap_or(0.0), l.usable_bytes.unwrap_or(0.0));
                lines.push(format!(
                    "Too large: {} at {} needs {:.1} GiB, {} has {:.1} GiB to use.",
                    l.model,
                    l.quantisation,
                    needed / 1_073_741_824.0,
                    l.hardware,
                    usable / 1_073_741_824.0
                ));
            }
        }
        many => lines.push(format!("Too large: {} more (all are in the JSON).", many.len())),
    }
    let unknown: Vec<&str> = left.iter().filter_map(|l| l.unknown.as_deref()).collect();
    match unknown.as_slice() {
        [] => {}
        [one] => lines.push(format!("No prediction: {one}.")),
        [first, ..] => lines.push(format!(
            "No prediction for {} more, for want of figures in the catalogue: {first}, ...",
            unknown.len()
        )),
    }
    lines
}
