use crate::cli::context::Context;
use crate::cli::error::CliError;

mod make_prices;

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
    MakePrices(make_prices::Args),
}

pub fn run(args: Args, context: &Context) -> Result<(), CliError> {
    match args.action {
        Action::MakePrices(args) => make_prices::run(&args, context),
    }
}
