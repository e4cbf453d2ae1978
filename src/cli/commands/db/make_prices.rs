//! `db make-prices` (hidden; `make prices` calls it): makes the shipped price file and the page about it.

use crate::app::db as app;
use crate::catalog::import::{self, Format, Imported, Origin};
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::files::read_capped;
use crate::cli::output::write_atomic;
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
    let sources = format!(
        "genai-prices {}, checked against litellm {}",
        args.genai_prices_version, args.litellm_version
    );
    let made = app::make_prices(first, &second, &sources, context.today)?;
    write_atomic(&args.out, made.records.as_bytes())?;
    write_atomic(&args.page, made.page.to_markdown().as_bytes())?;
    context.note(&made.summary);
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
