//! `db show`: a record, figure by figure, each with its source and date.

use super::document;
use crate::catalog::{Catalog, Kind, nearest};
use crate::cli::catalog::load;
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::output::OutputArgs;
use crate::render::{Block, Cell, Table, View};
use serde_json::{Map, Value};

/// Show records with the source and date of every figure.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  freehold db show nvidia-rtx-4090
  freehold db show anthropic/claude-opus-5-5 --json
  freehold db show de-household --toml > ~/.local/share/freehold/hardware-db/mine.toml")]
pub struct Args {
    /// Ids; for API models aliases too.
    #[arg(required = true, value_name = "ID")]
    ids: Vec<String>,
    /// As TOML, to be edited and kept as a record of your own (see `db path`).
    #[arg(long, conflicts_with_all = ["format", "json"])]
    toml: bool,
    #[command(flatten)]
    output: OutputArgs,
}

/// A record that was asked for.
struct Found {
    kind: Kind,
    record: Value,
    /// The alias it was asked for by.
    alias: Option<String>,
}

pub(super) fn run(args: &Args, context: &Context) -> Result<(), CliError> {
    let catalog = load(context)?;
    let mut found = Vec::new();
    for id in &args.ids {
        let records = find(&catalog, id)?;
        if records.is_empty() {
            return Err(unknown(&catalog, id));
        }
        found.extend(records);
    }
    if args.toml {
        return args.output.write_text(&toml(&found)?);
    }
    let json = || {
        let result: Vec<Value> = found
            .iter()
            .map(|f| serde_json::json!({"kind": f.kind.key(), "alias": f.alias, "record": f.record}))
            .collect();
        document("show", result, context)
    };
    args.output.write(context, json, || view(&found), None)
}

/// Ids are unique within a kind only; the same id of two kinds shows both.
fn find(catalog: &Catalog, id: &str) -> Result<Vec<Found>, CliError> {
    macro_rules! get {
        ($($kind:ident => $get:ident),*) => {
            [$((Kind::$kind, catalog.$get(id).map(serde_json::to_value))),*]
        };
    }
    let mut found: Vec<Found> = get!(
        Gpu => accelerator, Machine => machine, Host => host, Rental => rental, Subscription => subscription, Tariff => tariff,
        OpenModel => open_model, ApiModel => api_model, Currency => currency,
        Provider => provider, Range => range_by_id
    )
    .into_iter()
    .filter_map(|(kind, record)| Some(Found { kind, record: record?.ok()?, alias: None }))
    .collect();
    if found.is_empty() {
        match catalog.resolve_api_model(id) {
            Ok(resolution) => found.push(Found {
                kind: Kind::ApiModel,
                record: serde_json::to_value(resolution.model()).unwrap_or_default(),
                alias: (resolution.model().id != id).then(|| id.to_owned()),
            }),
            Err(error @ crate::catalog::NotResolved::Ambiguous { .. }) => {
                return Err(CliError::usage(error.to_string()).hint("give one of these ids"));
            }
            Err(_) => {}
        }
    }
    Ok(found)
}

fn unknown(catalog: &Catalog, id: &str) -> CliError {
    let near = nearest(id, Kind::ALL.into_iter().flat_map(|k| catalog.ids(k)), 5);
    let error = CliError::usage(format!("the catalogue has no record `{id}`"));
    error.hint(if near.is_empty() {
        "`freehold db search WORD` looks through all of them".to_owned()
    } else {
        format!("close: {}", near.join(", "))
    })
}

fn view(found: &[Found]) -> View {
    let mut view = View::new("");
    for f in found {
        let Value::Object(record) = &f.record else { continue };
        let id = record.get("id").and_then(Value::as_str).unwrap_or_default();
        view.heading(format!("{} {id}", f.kind.key().replace('_', " ")));
        if let Some(alias) = &f.alias {
            view.paragraph(format!("`{alias}` means this model today; a dated name does not move."));
        }
        let own = cite(record);
        view.paragraph(format!("Read {}: {}", own.1, own.0));
        let mut table = Table::new(&["Figure", "Value", "Source, where it is another"]);
        for (path, value) in figures(record) {
            table.row([path.as_str().into(), value, other_source(record, &path).into()]);
        }
        view.push(Block::Table(table));
    }
    view
}

fn cite(object: &Map<String, Value>) -> (&str, &str) {
    let text = |key: &str| object.get(key).and_then(Value::as_str).unwrap_or_default();
    (text("source"), text("as_of"))
}

/// The citation of a figure that does not rest on the record's own source.
fn other_source(record: &Map<String, Value>, path: &str) -> Option<String> {
    let plain: String = path.split('.').filter(|p| p.parse::<usize>().is_err()).collect::<Vec<_>>().join(".");
    let cites = record.get("cite")?.as_object()?;
    let cited = cites.get(&plain).or_else(|| cites.get(plain.split('.').next()?))?.as_object()?;
    let (source, as_of) = cite(cited);
    let derived = cited.get("derived").and_then(Value::as_str).map(|d| format!("; derived: {d}"));
    Some(format!("{as_of}: {source}{}", derived.unwrap_or_default()))
}

/// Every known figure with its dotted path. Unknown ones are shown too: they stop calculations.
fn figures(record: &Map<String, Value>) -> Vec<(String, Cell)> {
    let mut out = Vec::new();
    for (key, value) in record {
        if !matches!(key.as_str(), "id" | "source" | "as_of" | "cite") {
            flatten(key, value, &mut out);
        }
    }
    out
}

fn flatten(path: &str, value: &Value, out: &mut Vec<(String, Cell)>) {
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                flatten(&format!("{path}.{key}"), value, out);
            }
        }
        Value::Array(items) if items.iter().any(Value::is_object) => {
            for (n, value) in items.iter().enumerate() {
                flatten(&format!("{path}.{n}"), value, out);
            }
        }
        Value::Array(items) if items.is_empty() => {}
        Value::Array(items) => {
            let texts = items.iter().map(|v| v.as_str().map_or_else(|| v.to_string(), str::to_owned));
            out.push((path.to_owned(), texts.collect::<Vec<_>>().join(", ").into()));
        }
        // An unknown figure of the record stops calculations and is shown; one of a rate is not there.
        Value::Null if path.contains('.') => {}
        Value::Null => out.push((path.to_owned(), Cell::None)),
        Value::String(text) => out.push((path.to_owned(), text.as_str().into())),
        other => {
            let cell =
                other.as_f64().map_or_else(|| other.to_string().into(), |n| Cell::Number(n, n.to_string()));
            out.push((path.to_owned(), cell));
        }
    }
}

fn toml(found: &[Found]) -> Result<String, CliError> {
    let mut out = String::from("# A record here replaces the shipped one with the same id.\n");
    for f in found {
        let mut record = f.record.clone();
        without_nulls(&mut record);
        let table = serde_json::json!({ f.kind.key(): [record] });
        let text =
            toml::to_string(&table).map_err(|e| CliError::failed(format!("cannot write TOML: {e}")))?;
        out.push('\n');
        out.push_str(&text);
    }
    Ok(out)
}

/// TOML has no null: an unknown figure is one that is not there.
fn without_nulls(value: &mut Value) {
    match value {
        Value::Object(map) => {
            map.retain(|_, v| !v.is_null());
            map.values_mut().for_each(without_nulls);
        }
        Value::Array(items) => items.iter_mut().for_each(without_nulls),
        _ => {}
    }
}
