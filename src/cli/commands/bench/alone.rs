//! Runs of the local engine that ask for no answers: `--synthetic` without prompts, and `--embed`.

use super::args::Args;
use super::signals::{self, interrupted};
use crate::app::bench::settings::{self, Begun, Settings};
use crate::app::bench::targets::distinct_ids;
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::document::bench::build::{self, Run, TargetFacts};
use crate::document::bench::{BenchDocument, Spending};
use crate::document::envelope::Input;
use crate::measure::event::Fault;
use crate::measure::run::Ended;
use crate::provenance::{Source, Sourced};
use std::collections::BTreeMap;
use std::future::Future;

/// How a measurement ended: `Err(None)` is an interruption.
pub type Outcome = Result<(), Option<Fault>>;

/// Until it is over or interrupted.
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

/// Write what was measured, and end as the measurement did. `inputs` are those beside the model
/// and the local options.
pub fn conclude(
    args: &Args,
    context: &Context,
    mut inputs: BTreeMap<String, Input>,
    (mut targets, outcome): (Vec<TargetFacts>, Outcome),
    csv: fn(&BenchDocument) -> String,
) -> Result<(), CliError> {
    let asked = args.asked();
    let settings = Settings::of(&asked)?;
    distinct_ids(&mut targets);
    let ended = Ended {
        complete: outcome.is_ok(),
        interrupted: matches!(outcome, Err(None)),
        stopped: vec![None; targets.len()],
        skipped: vec![0; targets.len()],
    };
    let models = Sourced::new(serde_json::json!(args.model), Source::flag("--model"));
    inputs.insert("models".to_owned(), Input::plain(&models));
    if !args.model.is_empty() {
        settings::local_inputs(&asked.local, &mut inputs);
    }
    let spending = Spending { consent: "not-needed".to_owned(), ..Spending::default() };
    let created = context.now.clone();
    let basis = settings.basis(&asked, Begun { targets, prompts: Vec::new(), spending, created }, inputs);
    let cut = vec![0; basis.targets.len()];
    let document = build::document(Run {
        basis: &basis,
        samples: Vec::new(),
        sent: &[],
        cut: &cut,
        calls_fit: &[],
        judged: &[],
        judges: &[],
        ended: &ended,
        spent_usd: None,
        unsettled_usd: None,
        asked_again: 0,
    });
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
