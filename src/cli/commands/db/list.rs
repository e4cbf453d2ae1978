//! `db list` and `db search`.

use super::{KindArg, document, rows};
use crate::catalog::{Catalog, Kind, nearest};
use crate::cli::catalog::load;
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::output::OutputArgs;
use crate::render::{Block, View};
use serde_json::{Map, Value};

/// List the records of the catalogue.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  freehold db list                                 everything
  freehold db list rentals --format csv -o rentals.csv
  freehold db list api-models --provider anthropic
  freehold db list open-models --tier 3")]
pub struct ListArgs {
    /// One kind of record (default: all).
    kind: Option<KindArg>,
    /// Only this provider's (rentals and API models).
    #[arg(long, value_name = "NAME")]
    provider: Option<String>,
    /// Only models of this capability tier, 1 (highest) to 4.
    #[arg(long, value_name = "1..4", value_parser = clap::value_parser!(u8).range(1..=4))]
    tier: Option<u8>,
    #[command(flatten)]
    output: OutputArgs,
}

/// Find records by words in their ids, names, makers and aliases.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  freehold db search h100
  freehold db search llama 70b --kind api-models")]
pub struct SearchArgs {
    /// All of them must be there.
    #[arg(required = true, value_name = "WORD")]
    words: Vec<String>,
    /// One kind of record (default: all).
    #[arg(long)]
    kind: Option<KindArg>,
    #[command(flatten)]
    output: OutputArgs,
}

pub(super) fn list(args: &ListArgs, context: &Context) -> Result<(), CliError> {
    let catalog = load(context)?;
    let keep = |row: &rows::Row<'_>| {
        args.tier.is_none_or(|t| row.tier == Some(t))
            && args
                .provider
                .as_ref()
                .is_none_or(|p| row.provider.as_ref().is_some_and(|o| o.eq_ignore_ascii_case(p)))
    };
    let found = select(&catalog, args.kind, &keep, context);
    if found.is_empty() {
        return Err(nothing(args.provider.as_deref(), &catalog));
    }
    write(&found, &args.output, "list", context)
}

pub(super) fn search(args: &SearchArgs, context: &Context) -> Result<(), CliError> {
    let catalog = load(context)?;
    let words: Vec<String> = args.words.iter().map(|w| w.to_lowercase()).collect();
    let found = select(&catalog, args.kind, &|row| words.iter().all(|w| row.words.contains(w)), context);
    if found.is_empty() {
        let typed = args.words.join("-");
        let near = nearest(&typed, Kind::ALL.into_iter().flat_map(|k| catalog.ids(k)), 5);
        let error = CliError::failed(format!("no record holds all of: {}", args.words.join(" ")));
        return Err(if near.is_empty() { error } else { error.hint(format!("close: {}", near.join(", "))) });
    }
    write(&found, &args.output, "search", context)
}

fn nothing(provider: Option<&str>, catalog: &Catalog) -> CliError {
    let error = CliError::failed("no record fits");
    let Some(provider) = provider else { return error };
    let mut known: Vec<&str> = catalog.api_models.iter().map(|m| m.provider.as_str()).collect();
    known.extend(catalog.rentals.iter().map(|r| r.provider.as_str()));
    known.sort_unstable();
    known.dedup();
    let near = nearest(provider, known.iter().copied(), 3);
    error.hint(if near.is_empty() {
        format!("providers: {}", known.join(", "))
    } else {
        format!("did you mean {}?", near.join(", "))
    })
}

fn select<'a>(
    catalog: &'a Catalog,
    kind: Option<KindArg>,
    keep: &dyn Fn(&rows::Row<'_>) -> bool,
    context: &Context,
) -> Vec<(Kind, Vec<rows::Row<'a>>)> {
    Kind::ALL
        .into_iter()
        .filter(|k| kind.is_none_or(|only| only.kind() == *k))
        .map(|k| (k, rows::of(k, catalog, context.today).into_iter().filter(|r| keep(r)).collect::<Vec<_>>()))
        .filter(|(_, rows)| !rows.is_empty())
        .collect()
}

fn write(
    found: &[(Kind, Vec<rows::Row<'_>>)],
    output: &OutputArgs,
    name: &str,
    context: &Context,
) -> Result<(), CliError> {
    let json = || {
        let result: Map<String, Value> = found
            .iter()
            .map(|(kind, rows)| (kind.plural().replace('-', "_"), rows.iter().map(|r| (r.json)()).collect()))
            .collect();
        document(name, result, context)
    };
    output.write(context, json, || view(found), None)
}

fn view(found: &[(Kind, Vec<rows::Row<'_>>)]) -> View {
    let mut view = View::new("");
    for (kind, rows) in found {
        let mut table = rows::table(*kind);
        table.rows = rows.iter().map(|r| r.cells.clone()).collect();
        let what = kind.plural().replace('-', " ");
        view.heading(format!("{} {what}", rows.len()));
        view.push(Block::Table(table));
    }
    view
}
