//! `db list` and `db search`.

use super::kind::KindArg;
use crate::app::db::{self as app, Filter};
use crate::cli::catalog::load;
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::output::OutputArgs;

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
    let filter =
        Filter { kind: args.kind.map(KindArg::kind), provider: args.provider.clone(), tier: args.tier };
    args.output.show(context, &app::list(&catalog, &filter, context.today, &context.now)?)
}

pub(super) fn search(args: &SearchArgs, context: &Context) -> Result<(), CliError> {
    let catalog = load(context)?;
    let kind = args.kind.map(KindArg::kind);
    args.output.show(context, &app::search(&catalog, &args.words, kind, context.today, &context.now)?)
}
