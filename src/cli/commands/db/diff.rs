//! `db diff`: where two sources of prices disagree.

use crate::app::db::{self as app, Source};
use crate::catalog::Catalog;
use crate::catalog::import::{self, Format, Origin};
use crate::cli::catalog::load;
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::files::read_capped;
use crate::cli::output::OutputArgs;
use crate::document::db::document;
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
    let (old, new) = (source(&args.old, context)?, source(&args.new, context)?);
    let differences = app::diff(old, new, &args.providers, args.changed, context.today)?;
    args.output.show(context, &document("diff", differences, &context.now))
}

/// Reads a source: `shipped`, `mine`, or FORMAT:FILE.
fn source(name: &str, context: &Context) -> Result<Source, CliError> {
    let of = |models, format| Source { name: name.to_owned(), format, models };
    match name {
        "shipped" => return Ok(of(Catalog::embedded().api_models, None)),
        "mine" => return Ok(of(load(context)?.api_models, None)),
        _ => {}
    }
    let expected = || {
        let formats = Format::ALL.map(Format::name).join(", ");
        CliError::usage(format!("`{name}` is not a source of prices"))
            .hint(format!("give `shipped`, `mine`, or FORMAT:FILE with a format of {formats}"))
    };
    let (format, file) = name.split_once(':').ok_or_else(expected)?;
    let format = Format::named(format).ok_or_else(expected)?;
    let text = read_capped(Path::new(file), import::MAX_FILE_BYTES)?;
    let origin = Origin { file: file.to_owned(), source: format.name().to_owned(), as_of: context.today };
    let imported = import::read(format, &text, &origin).map_err(|p| CliError::usage(p.to_string()))?;
    Ok(of(imported.models, Some(format)))
}
