//! The view of a fit document.

use super::view::{Block, Cell, Table, View};
use crate::document::envelope::Envelope;
use crate::document::fit::{BandRow, FitResult, FitRow, LeftOut, Reason};
use crate::number::grouped;
use crate::provenance::Source;

impl Envelope<FitResult> {
    /// The document for people. A single pair is shown in full, several as a table.
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
        // More digits would suggest an accuracy that predictions do not have.
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
        columns.extend(["#each", "#TTFT ms"]);
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
            cells.push(row.ttft_ms.map_or(Cell::None, |t| Cell::Number(t.likely, grouped(t.likely, 0))));
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
