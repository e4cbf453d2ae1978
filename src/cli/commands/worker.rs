//! `freehold worker`: the local engine's own process. Started by the parent side, never by people.

use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::measure::backend::worker;
use std::path::PathBuf;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Where the engine's backends are, in a build that looks for them at run time.
    #[arg(long, value_name = "FOLDER", env = crate::cli::environment::BACKENDS.name)]
    backends: Option<PathBuf>,
}

#[allow(clippy::needless_pass_by_value)] // every command is called alike
pub fn run(args: Args, _context: &Context) -> Result<(), CliError> {
    let named = args.backends.filter(|folder| !folder.as_os_str().is_empty());
    worker::run(named.as_deref()).map_err(|e| CliError::failed(format!("the worker cannot go on: {e}")))
}
