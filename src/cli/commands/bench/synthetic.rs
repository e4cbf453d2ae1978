//! `--synthetic`: measures the engine alone, as llama-bench does. With `--prompts` it comes after them;
//! without, it is the whole run.

use super::args::Args;
use super::engine_only::{self, Outcome};
use super::{device, local};
use crate::app::bench::engine_only::{ROUNDS, check_synthetic};
use crate::app::bench::local_models::context_for_tests;
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::models;
use crate::cli::progress::Progress;
use crate::document::bench::BenchDocument;
use crate::document::bench::build::TargetFacts;
use crate::document::bench::engine::Synthetic;
use crate::measure::backend::local::LocalBackend;
use crate::measure::event::Fault;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// The whole command, where there are no prompts.
pub fn run(args: &Args, context: &Context) -> Result<(), CliError> {
    check_synthetic(&args.asked())?;
    models::check(&args.model, context)?;
    if args.dry_run {
        context.note("Dry run: nothing was measured.");
        return Ok(());
    }
    let measured = engine_only::runtime()?.block_on(all(args, context))?;
    engine_only::conclude(args, context, BTreeMap::new(), measured, BenchDocument::synthetic_csv)
}

async fn all(args: &Args, context: &Context) -> Result<(Vec<TargetFacts>, Outcome), CliError> {
    let mut facts = Vec::new();
    let mut progress = Progress::new(context);
    let mut locks = device::Locks::new();
    for model in &args.model {
        let worker = local::Worker { context: context_for_tests(&args.local.options()), raw: true };
        let (mut backend, mut fact) =
            local::open(model, args, worker, local::Prepared::default(), context, &mut progress).await?;
        let throttling = device::attach(&mut backend, &mut fact, &mut locks, context).await;
        let measuring = measure(&mut backend, args, &mut progress, &mut fact.synthetic);
        let outcome = engine_only::unless_interrupted(measuring).await;
        device::finish(&throttling, &backend, &mut fact);
        if let Some(engine) = &mut fact.engine {
            engine.sampling = None;
        }
        facts.push(fact);
        if outcome.is_err() {
            return Ok((facts, outcome));
        }
        backend.shutdown().await;
    }
    Ok((facts, Ok(())))
}

/// After the prompts: each model in a worker of its own, with the context that these tests need. The first
/// targets are the local ones.
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
        let worker = local::Worker { context: context_for_tests(&args.local.options()), raw: true };
        let config = local::config(file.clone(), &args.local.options(), worker)?;
        let mut backend = LocalBackend::start(config, &mut |_| ()).await?;
        backend.set_meter(device::meter(backend.info()).ok());
        measure(&mut backend, args, &mut Progress::new(context), &mut target.synthetic).await?;
        backend.shutdown().await;
    }
    Ok(())
}

/// Runs the tests; what was measured before a fault stays in `rows`.
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
