//! `freehold worker`: the local engine's own process. Started by the parent side, never by people.

use crate::cli::context::Context;
use crate::cli::error::CliError;
use std::path::{Path, PathBuf};

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Where the engine's backends are, in a build that looks for them at run time.
    #[arg(long, value_name = "FOLDER", env = crate::cli::environment::BACKENDS.name)]
    backends: Option<PathBuf>,
}

#[allow(clippy::needless_pass_by_value)] // every command is called alike
pub fn run(args: Args, _context: &Context) -> Result<(), CliError> {
    let named = args.backends.filter(|folder| !folder.as_os_str().is_empty());
    serve(named.as_deref())
}

#[cfg(feature = "llama")]
fn serve(backends: Option<&Path>) -> Result<(), CliError> {
    use crate::measure::backend::{llama::LlamaEngine, worker};
    worker::run(|| LlamaEngine::new(backends))
        .map_err(|e| CliError::failed(format!("the worker cannot go on: {e}")))
}

#[cfg(not(feature = "llama"))]
fn serve(_: Option<&Path>) -> Result<(), CliError> {
    Err(CliError::failed("the worker cannot go on: this program was built without the local engine"))
}
