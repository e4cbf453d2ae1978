//! `freehold db`: look at the catalogue, check it, bring it up to date.

mod age;
mod check;
mod diff;
mod import;
mod list;
mod make_prices;
mod rows;
mod show;

use crate::catalog::Kind;
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::document::Envelope;
use serde::Serialize;

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

/// The kinds of record as the command line names them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum KindArg {
    Gpus,
    Machines,
    Hosts,
    Rentals,
    Subscriptions,
    Electricity,
    OpenModels,
    ApiModels,
    Currencies,
    Providers,
    Ranges,
}

impl KindArg {
    const fn kind(self) -> Kind {
        match self {
            Self::Gpus => Kind::Gpu,
            Self::Machines => Kind::Machine,
            Self::Hosts => Kind::Host,
            Self::Rentals => Kind::Rental,
            Self::Subscriptions => Kind::Subscription,
            Self::Electricity => Kind::Tariff,
            Self::OpenModels => Kind::OpenModel,
            Self::ApiModels => Kind::ApiModel,
            Self::Currencies => Kind::Currency,
            Self::Providers => Kind::Provider,
            Self::Ranges => Kind::Range,
        }
    }
}

/// The document of a db command: `freehold.db-list/1` and so on.
fn document<R: Serialize>(name: &str, result: R, context: &Context) -> Result<String, serde_json::Error> {
    serde_json::to_string_pretty(&Envelope {
        schema: format!("freehold.db-{name}/1"),
        tool_version: env!("CARGO_PKG_VERSION").to_owned(),
        created: context.now.clone(),
        inputs: std::collections::BTreeMap::new(),
        result,
        warnings: Vec::new(),
    })
}
