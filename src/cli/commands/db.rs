//! `freehold db`: look at the catalogue, check it, bring it up to date.

mod age;
mod check;
mod diff;
mod import;
mod kind;
mod list;
mod make_prices;
mod show;

use crate::cli::context::Context;
use crate::cli::error::CliError;

/// The catalogue: hardware, prices and models, each figure with its source and date.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  freehold db list api-models --tier 2             models by the token, with their prices
  freehold db search llama 70b                     what the catalogue knows about it, of every kind
  freehold db show nvidia-rtx-4090                 one record, each figure with source and date
  freehold db import prices.json --from litellm    take over newer prices, after a look
  freehold db check                                are the shipped records and your own well-formed?")]
pub struct Args {
    #[command(subcommand)]
    pub action: Action,
}

#[derive(Debug, clap::Subcommand)]
pub enum Action {
    List(list::ListArgs),
    Show(show::Args),
    Search(list::SearchArgs),
    Check(check::Args),
    Age(age::Args),
    Path(age::PathArgs),
    Import(import::Args),
    Diff(diff::Args),
    /// Make the shipped prices from two price files.
    #[command(hide = true)]
    MakePrices(make_prices::Args),
}

pub fn run(args: Args, context: &Context) -> Result<(), CliError> {
    match args.action {
        Action::List(args) => list::list(&args, context),
        Action::Show(args) => show::run(&args, context),
        Action::Search(args) => list::search(&args, context),
        Action::Check(args) => check::run(&args, context),
        Action::Age(args) => age::run(&args, context),
        Action::Path(args) => age::path(&args, context),
        Action::Import(args) => import::run(&args, context),
        Action::Diff(args) => diff::run(&args, context),
        Action::MakePrices(args) => make_prices::run(&args, context),
    }
}
