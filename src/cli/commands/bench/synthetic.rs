//! `--synthetic`: the engine alone, in llama-bench's terms. With `--prompts` it comes after them;
//! without, it is the whole run.

use super::measure::interrupted;
use super::{Args, Settings, local};
use crate::cli::context::Context;
use crate::cli::error::{CliError, Exit};
use crate::cli::progress::Progress;
use crate::measure::backend::local::LocalBackend;
use crate::measure::event::Fault;
use crate::measure::run::Ended;
use crate::measure::synthetic::Test;
use crate::provenance::{Source, Sourced};
use crate::report::bench::Spending;
use crate::report::bench::build::{self, Basis, Run, TargetFacts};
use crate::report::bench::engine::Synthetic;
use crate::report::envelope::Input;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// llama-bench's own number of rounds.
const ROUNDS: u32 = 5;

/// The whole command where there are no prompts.
pub fn alone(args: &Args, context: &Context) -> Result<(), CliError> {
    let settings = Settings::of(args)?;
    if !args.api.is_empty() {
        return Err(CliError::usage("--synthetic measures the local engine only; an API needs --prompts")
            .hint("Leave --api out, or add --prompts FILE."));
    }
    if !args.load.shapes().is_empty() {
        return Err(CliError::usage("a load needs --prompts: its requests are made of them"));
    }
    if args.dry_run {
        context.note("Dry run: nothing was measured.");
        return Ok(());
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|e| CliError::failed(format!("the asynchronous runtime cannot start: {e}")))?;
    let (facts, outcome) = runtime.block_on(all(args, context))?;
    let complete = outcome.is_ok();
    let ended = Ended {
        complete,
        interrupted: matches!(outcome, Err(None)),
        stopped: vec![None; facts.len()],
        skipped: vec![0; facts.len()],
    };
    let mut inputs = BTreeMap::new();
    let models = Sourced::new(serde_json::json!(args.model), Source::User { via: "--model".to_owned() });
    inputs.insert("models".to_owned(), Input::plain(&models));
    local::inputs(args, &mut inputs);
    let basis = Basis {
        load: args.load.plan(facts.len(), &settings),
        targets: facts,
        prompts: Vec::new(),
        max_output_tokens: settings.max_output_tokens,
        seed: settings.seed,
        margin: settings.margin,
        cache_bust: settings.bust,
        spending: Spending { consent: "not-needed".to_owned(), ..Spending::default() },
        inputs,
        created: context.now.clone(),
    };
    let cut = vec![0; basis.targets.len()];
    let document = build::document(Run {
        basis: &basis,
        samples: Vec::new(),
        sent: &[],
        cut: &cut,
        ended: &ended,
        spent_usd: None,
        unsettled_usd: None,
        asked_again: 0,
    });
    args.output.write(
        context,
        || serde_json::to_string_pretty(&document),
        || document.view(),
        Some(&|| document.synthetic_csv()),
    )?;
    match outcome {
        Ok(()) => Ok(()),
        Err(None) => Err(CliError::new(Exit::Interrupted, "interrupted: the rest of the tests is missing")),
        Err(Some(fault)) => Err(local::refused(fault)),
    }
}

/// How a measurement ended: `Err(None)` is an interruption.
type Outcome = Result<(), Option<Fault>>;

async fn all(args: &Args, context: &Context) -> Result<(Vec<TargetFacts>, Outcome), CliError> {
    let mut facts = Vec::new();
    let mut progress = Progress::new(context);
    for model in &args.model {
        let how = local::How { context: room(&args.local.synthetic, args), raw: true };
        let (mut backend, mut fact) =
            local::open(model, args, how, local::Prepared::default(), context, &mut progress).await?;
        let measuring = measure(&mut backend, args, &mut progress, &mut fact.synthetic);
        let outcome = tokio::select! {
            outcome = measuring => outcome.map_err(Some),
            () = interrupted() => Err(None),
        };
        if let Some(engine) = &mut fact.engine {
            engine.sampling = None;
        }
        facts.push(fact);
        if outcome.is_err() {
            return Ok((facts, outcome));
        }
        backend.shutdown().await;
    }
    super::targets::distinct_ids(&mut facts);
    Ok((facts, Ok(())))
}

/// After the prompts: each model on a worker of its own, with the context these tests need. The
/// first targets are the local ones.
pub async fn after(
    files: &[PathBuf],
    args: &Args,
    context: &Context,
    targets: &mut [TargetFacts],
) -> Result<(), Fault> {
    if args.local.synthetic.is_empty() {
        return Ok(());
    }
    for (file, target) in files.iter().zip(targets) {
        let how = local::How { context: room(&args.local.synthetic, args), raw: true };
        let config = local::config(file.clone(), &args.local, how)?;
        let mut backend = LocalBackend::start(config, &mut |_| ()).await?;
        measure(&mut backend, args, &mut Progress::new(context), &mut target.synthetic).await?;
        backend.shutdown().await;
    }
    Ok(())
}

/// What was measured before a fault stays in `rows`.
async fn measure(
    backend: &mut LocalBackend,
    args: &Args,
    progress: &mut Progress<'_>,
    rows: &mut Vec<Synthetic>,
) -> Result<(), Fault> {
    let rounds = args.repeats.unwrap_or(ROUNDS);
    progress.phase("Measuring the engine alone", args.local.synthetic.len() as u64);
    for test in &args.local.synthetic {
        progress.doing(&test.label());
        let times = backend.synthetic(test.prompt, test.generate, test.depth, rounds).await?;
        rows.push(Synthetic::new(*test, &times));
        progress.step();
    }
    progress.done();
    Ok(())
}

/// The context the largest test needs, unless one is given.
fn room(tests: &[Test], args: &Args) -> u32 {
    let most = tests.iter().map(|t| t.context()).max().unwrap_or(0);
    args.local.context.unwrap_or(most.next_multiple_of(256))
}
