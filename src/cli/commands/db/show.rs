//! `db show`: a record, figure by figure, each with its source and date.

use crate::app::db as app;
use crate::cli::catalog::load;
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::output::OutputArgs;
use crate::document::db::document;

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

pub(super) fn run(args: &Args, context: &Context) -> Result<(), CliError> {
    let found = app::show(&load(context)?, &args.ids)?;
    if args.toml {
        return args.output.write_text(&app::toml(&found)?);
    }
    args.output.show(context, &document("show", found, &context.now))
}
