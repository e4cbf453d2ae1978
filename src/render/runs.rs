//! The view of the runs that are kept.

use super::every_format::Page;
use super::view::{Block, Cell, Table, View};
use crate::document::envelope::Envelope;
use crate::document::runs::RunsResult;
use crate::number;

impl Page for Envelope<RunsResult> {
    fn view(&self) -> View {
        let r = &self.result;
        let mut view = View::new("Kept runs");
        let Some(folder) = &r.folder else {
            view.paragraph("There is no folder for runs: HOME is not set, or is no absolute path.");
            return view;
        };
        view.paragraph(format!("In {folder}, where only you can read them."));
        if r.runs.is_empty() {
            view.paragraph("No such run is kept.");
            return view;
        }
        let mut table = Table::new(&["run", "last written (UTC)", "#days ago", "#kB", ""]);
        for run in &r.runs {
            let (days, kilobytes) = (run.age_s / 86_400.0, run.bytes as f64 / 1000.0);
            let state = match (run.deleted, run.being_written) {
                (true, _) => "deleted",
                (_, true) => "being written",
                _ => "",
            };
            table.row([
                run.file.as_str().into(),
                run.written.clone().into(),
                Cell::Number(days, number::grouped(days, 1)),
                Cell::Number(kilobytes, number::grouped(kilobytes, 0)),
                state.into(),
            ]);
        }
        view.push(Block::Table(table));
        view
    }
    fn json(&self) -> Result<String, serde_json::Error> {
        crate::document::json::pretty(self)
    }
}
