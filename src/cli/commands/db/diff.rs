//! `db diff`: where two sources of prices disagree.

use super::document;
use super::import::{comparison_json, comparison_view};
use crate::catalog::compare::{Change, Comparison, compare};
use crate::catalog::import::{self, Format, Origin};
use crate::catalog::ship::Rules;
use crate::catalog::{ApiModel, Catalog};
use crate::cli::catalog::{load, read_capped};
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::output::OutputArgs;
use crate::render::{Block, Table, View};
use std::path::Path;

/// Show where two sources of prices disagree.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  freehold db diff shipped litellm:model_prices.json --provider mistral
  freehold db diff genai-prices:data.json litellm:model_prices.json --json

Between genai-prices and litellm the decisions that the shipped prices rest on are shown too.")]
pub struct Args {
    /// `shipped`, `mine` (the shipped with your own records), or FORMAT:FILE.
    #[arg(value_name = "A")]
    old: String,
    /// The other one.
    #[arg(value_name = "B")]
    new: String,
    /// Only this provider's models (repeatable).
    #[arg(long = "provider", value_name = "NAME")]
    providers: Vec<String>,
    /// Only figures that both have and that differ.
    #[arg(long)]
    changed: bool,
    #[command(flatten)]
    output: OutputArgs,
}

pub(super) fn run(args: &Args, context: &Context) -> Result<(), CliError> {
    let (old, new) = (models(&args.old, context)?, models(&args.new, context)?);
    let wanted = |m: &ApiModel| args.providers.is_empty() || args.providers.contains(&m.provider);
    let old: Vec<ApiModel> = old.into_iter().filter(wanted).collect();
    let new: Vec<ApiModel> = new.into_iter().filter(wanted).collect();
    let mut comparison = compare(&old, &new, context.today);
    if args.changed {
        comparison.added.clear();
        comparison.gone.clear();
        comparison.changed.retain(|c| c.old.is_some() && c.new.is_some());
    }
    let decisions = decisions(args, &comparison)?;
    let json = || {
        let result = serde_json::json!({
            "a": args.old, "b": args.new, "comparison": comparison_json(&comparison),
            "decisions": decisions.iter()
                .map(|(id, taken, why)| serde_json::json!({"id": id, "shipped": taken, "reason": why}))
                .collect::<Vec<_>>(),
        });
        document("diff", result, context)
    };
    let view = || {
        let mut view = View::new("");
        comparison_view(&mut view, &comparison, [label(&args.old), label(&args.new)]);
        if !decisions.is_empty() {
            view.heading("Decisions");
            let mut table = Table::new(&["Model", "Shipped", "Why"]);
            for (id, taken, why) in &decisions {
                table.row([id.as_str().into(), (*taken).into(), why.as_str().into()]);
            }
            view.push(Block::Table(table));
        }
        view
    };
    args.output.write(context, json, view, None)
}

/// The heading of a source's column.
fn label(name: &str) -> &str {
    name.split(':').next().unwrap_or(name)
}

/// `shipped`, `mine`, or FORMAT:FILE.
fn models(name: &str, context: &Context) -> Result<Vec<ApiModel>, CliError> {
    match name {
        "shipped" => return Ok(Catalog::embedded().api_models),
        "mine" => return Ok(load(context)?.api_models),
        _ => {}
    }
    let expected = || {
        let formats = Format::ALL.map(Format::name).join(", ");
        CliError::usage(format!("`{name}` is no source of prices"))
            .hint(format!("give `shipped`, `mine`, or FORMAT:FILE with a format of {formats}"))
    };
    let (format, file) = name.split_once(':').ok_or_else(expected)?;
    let format = Format::named(format).ok_or_else(expected)?;
    let text = read_capped(Path::new(file), import::MAX_FILE_BYTES)?;
    let origin = Origin { file: file.to_owned(), source: format.name().to_owned(), as_of: context.today };
    let imported = import::read(format, &text, &origin).map_err(|p| CliError::usage(p.to_string()))?;
    Ok(imported.models)
}

/// What was decided where these two disagree on models that are shipped.
fn decisions(args: &Args, c: &Comparison) -> Result<Vec<(String, &'static str, String)>, CliError> {
    let format = |name: &str| name.split_once(':').and_then(|(f, _)| Format::named(f));
    if format(&args.old) != Some(Format::GenaiPrices) || format(&args.new) != Some(Format::Litellm) {
        return Ok(Vec::new());
    }
    let rules = Rules::shipped().map_err(|e| CliError::failed(e.to_string()))?;
    let shipped = Catalog::embedded();
    let mut found: Vec<(String, &'static str, String)> = c
        .changed
        .iter()
        .filter(|change| change.old.is_some() && change.new.is_some())
        .filter_map(|change| {
            let id = shipped.resolve_api_model(&change.id).ok()?.model().id.clone();
            let (second, why) = rules.decide(&Change { id: id.clone(), ..change.clone() });
            Some((id, if second { "litellm" } else { "genai-prices" }, why))
        })
        .collect();
    found.sort();
    found.dedup();
    Ok(found)
}
