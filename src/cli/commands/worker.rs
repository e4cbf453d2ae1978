//! `freehold worker`: the local engine's own process. Started by the parent side, never by people.

use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::measure::backend::worker;

#[derive(Debug, clap::Args)]
pub struct Args {}

pub fn run(_args: Args, _context: &Context) -> Result<(), CliError> {
    worker::run().map_err(|e| CliError::failed(format!("the worker cannot go on: {e}")))
}
