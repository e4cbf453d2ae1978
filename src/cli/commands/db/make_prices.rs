//! `db make-prices` (hidden; `make prices` calls it): the shipped price file and the page about it.

use crate::catalog::import::{self, Format, Imported, Origin};
use crate::catalog::ship::{self, Shipped};
use crate::catalog::{Catalog, write};
use crate::cli::catalog::read_capped;
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::output::write_atomic;
use crate::render::{Block, Cell, Table, View};
use std::path::{Path, PathBuf};

#[derive(Debug, clap::Args)]
pub struct Args {
    /// `data.json` of genai-prices.
    #[arg(long, value_name = "FILE")]
    genai_prices: PathBuf,
    #[arg(long, value_name = "VERSION")]
    genai_prices_version: String,
    /// `model_prices_and_context_window.json` of litellm.
    #[arg(long, value_name = "FILE")]
    litellm: PathBuf,
    #[arg(long, value_name = "VERSION")]
    litellm_version: String,
    /// Where the prices go.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Where the page about them goes.
    #[arg(long, value_name = "FILE")]
    page: PathBuf,
}

pub fn run(args: &Args, context: &Context) -> Result<(), CliError> {
    let first = read(Format::GenaiPrices, &args.genai_prices, &args.genai_prices_version, context)?;
    let second = read(Format::Litellm, &args.litellm, &args.litellm_version, context)?;
    let rules = ship::Rules::shipped().map_err(|e| CliError::failed(e.to_string()))?;
    let shipped = ship::ship(first, &second, &rules, &Catalog::embedded(), context.today);
    let sources = format!(
        "genai-prices {}, checked against litellm {}",
        args.genai_prices_version, args.litellm_version
    );
    let head = format!(
        "Models rented by the token: {sources}, read {}.\n\
         Made by `make prices`; do not edit. Rules and decisions: src/catalog/ship/rules.toml,\n\
         docs/prices.md. Both sources are under the MIT licence: README.md.",
        context.today
    );
    write_atomic(&args.out, write::api_models(&head, &shipped.models).as_bytes())?;
    write_atomic(&args.page, page(&shipped, &sources, context).to_markdown().as_bytes())?;
    context.note(&format!(
        "{} models of {} providers, {} disagreements",
        shipped.models.len(),
        shipped.counts.len(),
        shipped.disagreements.len()
    ));
    Ok(())
}

fn read(format: Format, path: &Path, version: &str, context: &Context) -> Result<Imported, CliError> {
    let text = read_capped(path, import::MAX_FILE_BYTES)?;
    let origin = Origin {
        file: path.display().to_string(),
        source: format!("{} {version}", format.name()),
        as_of: context.today,
    };
    import::read(format, &text, &origin).map_err(|p| CliError::usage(p.to_string()))
}

fn page(shipped: &Shipped, sources: &str, context: &Context) -> View {
    let mut view = View::new("Where the shipped prices come from");
    view.paragraph(format!(
        "{} models of {} providers, from {sources}, read {}. This page is made by \"make prices\": it says \
         which models were taken, where the two sources disagree and which figure is shipped. The rules, \
         each with its reason, are in src/catalog/ship/rules.toml.",
        shipped.models.len(),
        shipped.counts.len(),
        context.today
    ));
    view.paragraph(
        "genai-prices is the source: it dates its changes, keeps announced ones with their day, and cites \
         the providers' pages. litellm is held against it, and adds what the other does not have: the longest \
         answer, the day a model is switched off, dated names, and batch or cache prices where the two agree \
         on the list price.",
    );
    providers(&mut view, shipped);
    disagreements(&mut view, shipped);
    scheduled(&mut view, shipped, context);
    view.heading("Left out");
    let reasons = shipped.left_out.iter();
    view.push(Block::List(
        reasons.map(|(reason, ids)| format!("{reason} ({}): {}", ids.len(), ids.join(", "))).collect(),
    ));
    view.heading("Open weights without a record");
    view.paragraph(
        "Sold by hosts of open models, but linked to no open model of the catalogue: the weights are not public, or \
         nobody has added them yet. They cannot serve as the second comparator.",
    );
    view.paragraph(shipped.unlinked.join(", "));
    view
}

fn providers(view: &mut View, shipped: &Shipped) {
    view.heading("Providers");
    let mut table = Table::new(&["Provider", "#Models", "#Also in litellm", "#Same input and output price"]);
    for (provider, count) in &shipped.counts {
        table.row([
            provider.as_str().into(),
            number(count.models),
            number(count.checked),
            number(count.agree),
        ]);
    }
    view.push(Block::Table(table));
}

fn disagreements(view: &mut View, shipped: &Shipped) {
    view.heading("Disagreements");
    view.paragraph(
        "Figures that both sources give and that differ by more than half a per cent, on the day the files \
         were read. US dollars per million tokens.",
    );
    let mut table = Table::new(&["Model", "Figure", "#genai-prices", "#litellm", "Shipped", "Why"]);
    for d in &shipped.disagreements {
        let shown = |value: Option<f64>| value.map(|v| Cell::Number(v, v.to_string()));
        table.row([
            d.change.id.as_str().into(),
            d.change.field.as_str().into(),
            shown(d.change.old).into(),
            shown(d.change.new).into(),
            if d.second_taken { "litellm" } else { "genai-prices" }.into(),
            d.reason.as_str().into(),
        ]);
    }
    view.push(Block::Table(table));
}

fn scheduled(view: &mut View, shipped: &Shipped, context: &Context) {
    view.heading("Announced changes");
    let mut table = Table::new(&["Model", "From", "#Input", "#Output", "#Input before", "#Output before"]);
    for model in &shipped.models {
        for pair in model.price.windows(2) {
            let Some(from) = pair[1].from.filter(|from| *from > context.today) else { continue };
            let shown = |value: Option<f64>| value.map(|v| Cell::Number(v, v.to_string()));
            table.row([
                model.id.as_str().into(),
                from.to_string().into(),
                shown(pair[1].rates.input_per_mtok).into(),
                shown(pair[1].rates.output_per_mtok).into(),
                shown(pair[0].rates.input_per_mtok).into(),
                shown(pair[0].rates.output_per_mtok).into(),
            ]);
        }
    }
    view.push(Block::Table(table));
}

fn number(n: usize) -> Cell {
    Cell::Number(n as f64, n.to_string())
}
