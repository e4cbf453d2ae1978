//! Embeddings of texts: the table for people, and the CSV.

use super::cells::summary_cell;
use crate::document::bench::Target;
use crate::document::bench::embedding::{EmbeddedText, Embedding};
use crate::document::metrics::Unit;
use crate::render::view::{Block, Cell, Table, View};

/// One table for all targets.
pub(super) fn view(view: &mut View, targets: &[Target]) {
    let made: Vec<(&Target, &Embedding)> =
        targets.iter().filter_map(|t| Some((t, t.embedding.as_ref()?))).collect();
    if made.is_empty() {
        return;
    }
    view.heading("Vectors of the texts");
    let mut table = Table::new(&[
        "target",
        "#tok/s",
        "#ms per text",
        "#tokens",
        "#texts",
        "#failed",
        "#numbers",
        "pooling",
    ]);
    let count = |n: u64| Cell::Number(n as f64, n.to_string());
    for (target, e) in &made {
        table.row([
            target.id.clone().into(),
            summary_cell(Unit::TokensPerSecond, &e.tps),
            summary_cell(Unit::Milliseconds, &e.text_ms),
            count(e.input_tokens),
            count(e.texts.len() as u64),
            count(e.failures.into()),
            count(e.dimensions.into()),
            if e.pooling_from_file { e.pooling.clone() } else { format!("{} (assumed)", e.pooling) }.into(),
        ]);
    }
    view.push(Block::Table(table));
    view.paragraph(
        "tok/s: input tokens of a round over its time, median of the rounds. Texts go in one after another, \
         as they are; ms per text has tokenizer and way to the engine inside.",
    );
    let failed = made.iter().flat_map(|(target, e)| {
        e.texts
            .iter()
            .filter_map(|t| Some(format!("{}, {}: {}", target.id, t.prompt_id, t.error.as_ref()?.message)))
    });
    let failed: Vec<String> = failed.collect();
    if !failed.is_empty() {
        view.push(Block::List(failed));
    }
}

/// One row per text: target, text, tokens, milliseconds, and the numbers of the vector where it was kept.
pub(super) fn csv(targets: &[Target]) -> String {
    let longest = |t: &EmbeddedText| t.vector.as_ref().map_or(0, Vec::len);
    let made = || targets.iter().filter_map(|t| Some((t, t.embedding.as_ref()?)));
    let width = made().flat_map(|(_, e)| e.texts.iter().map(longest)).max().unwrap_or(0);
    let numbers: Vec<String> = (0..width).map(|n| format!("#v{n}")).collect();
    let mut heads = vec!["target", "prompt_id", "#input_tokens", "#median_ms", "error"];
    heads.extend(numbers.iter().map(String::as_str));
    let mut table = Table::new(&heads);
    let number = |v: Option<f64>| v.map_or(Cell::None, |v| Cell::Number(v, v.to_string()));
    for (target, text) in made().flat_map(|(t, e)| e.texts.iter().map(move |text| (t, text))) {
        let mut row: Vec<Cell> = vec![
            target.id.clone().into(),
            text.prompt_id.clone().into(),
            number(text.input_tokens.map(f64::from)),
            number(text.median_ms),
            Cell::from(text.error.as_ref().map(|e| e.message.clone())),
        ];
        let vector = text.vector.as_deref().unwrap_or_default();
        row.extend(
            (0..width)
                .map(|n| vector.get(n).map_or(Cell::None, |v| Cell::Number(f64::from(*v), v.to_string()))),
        );
        table.row_of(row);
    }
    table.to_csv()
}
