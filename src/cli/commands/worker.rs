use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::output::OutputArgs;

#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    pub output: OutputArgs,
}

pub fn run(_args: Args, _context: &Context) -> Result<(), CliError> {
    Err(CliError::failed("worker is not built yet"))
}
