use crate::catalog::import::{self, Format, Origin};
use crate::catalog::{Catalog, ship, write};
use crate::cli::catalog::read_capped;
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::output::{OutputArgs, write_atomic};
use std::path::PathBuf;

/// The catalogue: hardware, prices and models, with their sources and dates.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    pub action: Action,
}

#[derive(Debug, clap::Subcommand)]
pub enum Action {
    /// Make the shipped prices from two price files.
    #[command(hide = true)]
    MakePrices(MakePrices),
}

#[derive(Debug, clap::Args)]
pub struct MakePrices {
    #[arg(long)]
    genai_prices: PathBuf,
    #[arg(long)]
    genai_version: String,
    #[arg(long)]
    litellm: PathBuf,
    #[arg(long)]
    litellm_version: String,
    #[command(flatten)]
    pub output: OutputArgs,
}

pub fn run(args: Args, context: &Context) -> Result<(), CliError> {
    match args.action {
        Action::MakePrices(args) => make_prices(&args, context),
    }
}

fn make_prices(args: &MakePrices, context: &Context) -> Result<(), CliError> {
    let read = |format: Format, path: &PathBuf, version: &str| {
        let text = read_capped(path, import::MAX_FILE_BYTES)?;
        let origin = Origin {
            file: path.display().to_string(),
            source: format!("{} {version}", format.name()),
            as_of: context.today,
        };
        import::read(format, &text, &origin).map_err(|p| CliError::usage(p.to_string()))
    };
    let first = read(Format::GenaiPrices, &args.genai_prices, &args.genai_version)?;
    let second = read(Format::Litellm, &args.litellm, &args.litellm_version)?;
    let rules = ship::Rules::shipped().map_err(|e| CliError::failed(e.to_string()))?;
    let shipped = ship::ship(first, &second, &rules, &Catalog::embedded(), context.today);
    let head = "Prices of models rented by the token. Made by `make prices`; do not edit: see README.md.";
    let text = write::api_models(head, &shipped.models);
    match &args.output.output {
        Some(path) => write_atomic(path, text.as_bytes())?,
        None => args.output.write_text(&text)?,
    }
    for (provider, count) in &shipped.counts {
        context.note(&format!(
            "{provider}: {} models, {} also in litellm, {} agree",
            count.models, count.checked, count.agree
        ));
    }
    Ok(())
}
