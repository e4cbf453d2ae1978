//! Writes the report, and then ends with the exit code of a run that is not complete.

use super::args::Args;
use super::signals;
use crate::app::bench::outcome::{Cause, NotWhole};
use crate::cli::context::Context;
use crate::cli::error::{CliError, Exit};
use crate::document::bench::BenchDocument;

/// Writes the document in the format that was asked for.
pub fn write(document: &BenchDocument, args: &Args, context: &Context) -> Result<(), CliError> {
    args.output.write_measured(
        context,
        || crate::document::json::pretty(document),
        || document.view(),
        Some(&|| document.samples_csv()),
    )
}

/// How the command ends where something is missing.
pub fn end(missing: Option<NotWhole>) -> Result<(), CliError> {
    let Some(NotWhole { cause, message, hint }) = missing else { return Ok(()) };
    let exit = match cause {
        Cause::Interrupted => signals::exit(),
        Cause::Credential => Exit::Credential,
        Cause::Failed => Exit::Failed,
    };
    Err(CliError::new(exit, message).hint(hint))
}
