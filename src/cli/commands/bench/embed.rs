//! `--embed`: embeddings of the prompts from the local engine instead of answers, and how fast they are
//! computed.

use super::args::Args;
use super::engine_only::{self, Outcome};
use super::{device, local};
use crate::app::bench::engine_only::{check_embed, inputs_of_texts};
use crate::app::bench::local_models::context_for_texts;
use crate::app::bench::settings::Settings;
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::models;
use crate::cli::progress::Progress;
use crate::cli::prompt_files;
use crate::document::bench::BenchDocument;
use crate::document::bench::build::TargetFacts;
use crate::document::bench::embedding::{Embedding, Made};
use crate::measure::backend::local::LocalBackend;
use crate::measure::energy::Meter;
use crate::measure::event::{Fault, FaultKind};
use crate::prompts::Prompt;
use std::path::Path;

/// The whole command.
pub fn run(args: &Args, context: &Context) -> Result<(), CliError> {
    let asked = args.asked();
    let settings = check_embed(&asked)?;
    let file = asked.prompts.as_deref().unwrap_or(Path::new(""));
    let (set, sha256) = prompt_files::read(file)?;
    let prompts = set.prompts;
    models::check(&args.model, context)?;
    if args.dry_run {
        context.note("Dry run: nothing was measured.");
        return Ok(());
    }
    let inputs = inputs_of_texts(&asked, prompts.len(), sha256);
    let measured = engine_only::runtime()?.block_on(all(args, &settings, &prompts, context))?;
    engine_only::conclude(args, context, inputs, measured, BenchDocument::embedding_csv)
}

async fn all(
    args: &Args,
    settings: &Settings,
    prompts: &[Prompt],
    context: &Context,
) -> Result<(Vec<TargetFacts>, Outcome), CliError> {
    let mut facts = Vec::new();
    let mut progress = Progress::new(context);
    let mut locks = device::Locks::new();
    for model in &args.model {
        let worker = local::Worker { context: context_for_texts(&args.local.options(), prompts), raw: true };
        let prepared = local::Prepared { embed: true, ..local::Prepared::default() };
        let (mut backend, mut fact) =
            local::open(model, args, worker, prepared, context, &mut progress).await?;
        let throttling = device::attach(&mut backend, &mut fact, &mut locks, context).await;
        let kind = backend.info().loaded.embedding.clone();
        let mut found = kind.map(|kind| Embedding::new(&kind, args.local.vectors));
        let outcome = match &mut found {
            Some(found) => {
                let work = measure(&mut backend, settings, prompts, &mut progress, found);
                engine_only::unless_interrupted(work).await
            }
            None => Err(Some(Fault {
                kind: FaultKind::Engine,
                message: "the engine does not say what its vectors are".to_owned(),
            })),
        };
        device::finish(&throttling, &backend, &mut fact);
        if let Some(engine) = &mut fact.engine {
            engine.sampling = None;
        }
        fact.embedding = found.map(Embedding::finished);
        facts.push(fact);
        if outcome.is_err() {
            return Ok((facts, outcome));
        }
        backend.shutdown().await;
    }
    Ok((facts, Ok(())))
}

/// Embeds all texts one after another, round after round. A text that cannot be embedded is a failure of
/// its own; a worker that has died ends the run.
async fn measure(
    backend: &mut LocalBackend,
    settings: &Settings,
    prompts: &[Prompt],
    progress: &mut Progress<'_>,
    found: &mut Embedding,
) -> Result<(), Fault> {
    let rounds = settings.repeats.max(1);
    for prompt in prompts.iter().cycle().take(settings.warmup as usize) {
        let _ = backend.embed(&prompt.prompt).await;
    }
    progress.phase("Making vectors", u64::from(rounds) * prompts.len() as u64);
    for _ in 0..rounds {
        let begun = backend.meter().map(Meter::mark);
        for prompt in prompts {
            let made = match backend.embed(&prompt.prompt).await {
                Ok(made) => Ok(Made::of(made)),
                Err(fault)
                    if matches!(
                        fault.kind,
                        FaultKind::Context | FaultKind::Request | FaultKind::TooLarge
                    ) =>
                {
                    Err(fault)
                }
                Err(fault) => return Err(fault),
            };
            found.add(&prompt.id, made);
            progress.step();
        }
        let used = begun.and_then(|mark| backend.meter()?.since(mark));
        found.end_round(used);
    }
    progress.done();
    Ok(())
}
