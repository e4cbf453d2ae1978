//! The view of a document about a set of prompts.

use super::view::{Block, Cell, Table, View};
use crate::document::envelope::Envelope;
use crate::document::prompts::PromptsResult;
use crate::money::Currency;
use crate::number;

impl Envelope<PromptsResult> {
    /// The document for people.
    pub fn view(&self) -> View {
        let r = &self.result;
        let mut view = View::new("Prompts");
        let talks = match (r.conversations, r.prompts) {
            (0, _) => String::new(),
            (1, 1) => ", a conversation".to_owned(),
            (n, all) if n == all => ", all of them conversations".to_owned(),
            (1, _) => ", one of them a conversation".to_owned(),
            (n, _) => format!(", {n} of them conversations"),
        };
        let plural = |n: u32, one: &str, more: &str| format!("{n} {}", if n == 1 { one } else { more });
        let expecting = match (r.graded, r.prompts) {
            (0, 1) => "It expects nothing".to_owned(),
            (1, 1) => "It expects something".to_owned(),
            (0, _) => "None expects anything".to_owned(),
            (graded, all) if graded == all => "Each expects something".to_owned(),
            (graded, _) => plural(graded, "expects something", "expect something"),
        };
        view.paragraph(format!(
            "{}{talks}: valid. {expecting} of the answer. A run on one target sends {}.",
            plural(r.prompts, "prompt", "prompts"),
            plural(r.requests, "request", "requests"),
        ));
        let tokens = |n: u64, kind: &str| format!("{n} {kind} token{}", if n == 1 { "" } else { "s" });
        view.paragraph(format!(
            "Asked once: about {} (four bytes each; {} at most), {} at most.",
            tokens(r.input_tokens_likely, "input"),
            r.input_bytes,
            tokens(r.output_tokens_at_most, "output")
        ));
        let margin = self.inputs.get("margin").and_then(|m| m.value.as_f64()).unwrap_or_default();
        let needed: Vec<String> = r
            .needed
            .iter()
            .enumerate()
            .map(|(i, n)| {
                let (of_what, of_them) = if i == 0 { (" prompts", " of them") } else { ("", "") };
                format!(
                    "{}{of_what} where the two disagree on {:.0} %{of_them}",
                    n.prompts,
                    n.disagree_share * 100.0
                )
            })
            .collect();
        if !needed.is_empty() {
            view.paragraph(format!(
                "To show with 80 % power that a side as good as the other is not worse by {} takes {}.",
                number::points(margin),
                needed.join(", ")
            ));
        }
        if !r.runs.is_empty() {
            let mut table = Table::new(&["model", "#likely, at most", "#worst case", "price of", "source"]);
            let usd = |v: Option<f64>| v.map_or(Cell::None, |v| Cell::Number(v, Currency::usd().show(v)));
            for run in &r.runs {
                table.row_of(vec![
                    run.model.clone().into(),
                    usd(run.likely_usd_at_most),
                    usd(run.worst_usd),
                    run.price_as_of.clone().into(),
                    run.price_source.clone().into(),
                ]);
            }
            view.heading("What a run costs");
            view.push(Block::Table(table));
        }
        if !r.categories.is_empty() {
            let mut table = Table::new(&["kind of work", "#prompts", "enough for a verdict of its own"]);
            for c in &r.categories {
                table.row_of(vec![
                    if c.category.is_empty() { "(none)".into() } else { c.category.clone().into() },
                    Cell::Number(f64::from(c.prompts), c.prompts.to_string()),
                    if c.can_move { "yes" } else { "no: 20 are needed at least" }.into(),
                ]);
            }
            view.heading("Kinds of work");
            view.push(Block::Table(table));
        }
        if !r.not_run.is_empty() {
            view.heading("Not run");
            let line = |l: Option<u32>| l.map_or_else(String::new, |l| format!(", line {l}"));
            view.push(Block::List(
                r.not_run.iter().map(|n| format!("{}{}: {}", n.prompt_id, line(n.line), n.what)).collect(),
            ));
        }
        if !self.warnings.is_empty() {
            view.push(Block::Warnings(self.warnings.clone()));
        }
        view
    }
}
