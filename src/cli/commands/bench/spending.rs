//! Shows what a run may cost, and asks for consent.

use super::args::Args;
use crate::app::bench::spending::{AGREED, Consent, Plan};
use crate::cli::context::Context;
use crate::cli::error::{CliError, Exit};

/// Asks whether the run may start; returns what the consent was given by.
pub fn consent(plan: &Plan, context: &Context, args: &Args) -> Result<&'static str, CliError> {
    let question = match plan.consent(&args.asked(), args.yes, context.can_ask())? {
        Consent::By(what) => return Ok(what),
        Consent::Ask(question) => question,
    };
    let agreed = dialoguer::Confirm::new()
        .with_prompt(question)
        .default(false)
        .interact_opt()
        .map_err(|e| CliError::failed(format!("the question could not be asked: {e}")))?;
    match agreed {
        Some(true) => Ok(AGREED),
        _ => Err(CliError::new(Exit::Interrupted, "not started: nothing was sent")),
    }
}
