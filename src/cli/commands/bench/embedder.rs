//! `--embedder MODEL`: embeddings of answers and references from a model on this machine, for the grader
//! `similar`.

use super::local;
use super::outside::Outside;
use crate::app::bench::journal::Line;
use crate::app::bench::questions;
use crate::cli::error::CliError;
use crate::cli::progress::Progress;
use crate::document::bench::build;
use crate::measure::event::FaultKind;

/// Computes the embeddings that are needed and not there yet.
pub async fn ask(outside: &mut Outside<'_, '_>) -> Result<(), CliError> {
    let Some(model) = outside.args.judging.embedder.clone() else { return Ok(()) };
    let texts = outside.asking().for_vectors();
    if texts.is_empty() {
        return Ok(());
    }
    let mut progress = Progress::new(outside.context);
    let context = questions::context_for_vectors(&outside.args.local.options(), &texts);
    let prepared = local::Prepared { embed: true, ..local::Prepared::default() };
    let worker = local::Worker { context, raw: true };
    let (mut backend, fact) =
        local::open(&model, outside.args, worker, prepared, outside.context, &mut progress).await?;
    let sha256 = fact.engine.as_ref().and_then(|e| e.model_sha256.clone()).unwrap_or(fact.id);
    outside.journal.outside(&Line::Embedder { model: sha256.clone() })?;
    outside.tally.told.embedder = Some(sha256.clone());
    progress.phase("Making vectors", texts.len() as u64);
    let mut failed = 0;
    for text in &texts {
        let about = build::vector_about(&sha256, text);
        progress.step();
        if outside.tally.told.vectors.contains_key(&about) {
            continue;
        }
        match backend.embed(&questions::for_vector(text)).await {
            Ok(made) => {
                let line = Line::Vector { about: about.clone(), vector: made.vector.clone() };
                outside.journal.outside(&line)?;
                outside.tally.told.vectors.insert(about, made.vector);
            }
            Err(fault) if fault.kind == FaultKind::Worker => return Err(CliError::of_fault(fault)),
            Err(_) => failed += 1,
        }
    }
    progress.done();
    if let Some(text) = questions::without_vector(failed) {
        outside.context.note(&text);
    }
    backend.shutdown().await;
    Ok(())
}
