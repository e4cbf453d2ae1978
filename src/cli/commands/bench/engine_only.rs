//! Runs of the local engine that ask for no answers: `--synthetic` without prompts, and `--embed`.

use super::args::Args;
use super::signals::{self, interrupted};
use crate::app::bench::engine_only::{self, HowEnded};
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::document::bench::BenchDocument;
use crate::document::bench::build::TargetFacts;
use crate::document::envelope::Input;
use crate::measure::event::Fault;
use std::collections::BTreeMap;
use std::future::Future;

/// How a measurement ended: `Err(None)` is an interruption.
pub type Outcome = Result<(), Option<Fault>>;

/// Runs `work` until it is over or interrupted.
pub async fn unless_interrupted(work: impl Future<Output = Result<(), Fault>>) -> Outcome {
    tokio::select! {
        outcome = work => outcome.map_err(Some),
        () = interrupted() => Err(None),
    }
}

pub fn runtime() -> Result<tokio::runtime::Runtime, CliError> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|e| CliError::failed(format!("the asynchronous runtime cannot start: {e}")))
}

/// Writes what was measured, and ends as the measurement did. `inputs` are those beside the model and the
/// local options.
pub fn conclude(
    args: &Args,
    context: &Context,
    inputs: BTreeMap<String, Input>,
    (targets, outcome): (Vec<TargetFacts>, Outcome),
    csv: fn(&BenchDocument) -> String,
) -> Result<(), CliError> {
    let ended = match &outcome {
        Ok(()) => HowEnded::Whole,
        Err(None) => HowEnded::Interrupted,
        Err(Some(_)) => HowEnded::Failed,
    };
    let document = engine_only::document(&args.asked(), inputs, targets, ended, &context.now)?;
    args.output.write_measured(
        context,
        || crate::document::json::pretty(&document),
        || document.view(),
        Some(&|| csv(&document)),
    )?;
    match outcome {
        Ok(()) => Ok(()),
        Err(None) => Err(CliError::new(signals::exit(), "interrupted: the rest of the tests is missing")),
        Err(Some(fault)) => Err(CliError::of_fault(fault)),
    }
}
