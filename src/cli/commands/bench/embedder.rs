//! `--embedder MODEL`: vectors of answers and references from a model on this machine, for `similar`.

use super::local;
use super::outside::Outside;
use crate::app::bench::journal::Line;
use crate::cli::error::CliError;
use crate::cli::progress::Progress;
use crate::document::bench::build;
use crate::measure::event::FaultKind;

/// Longest text whose vector is made, characters: what is behind it says little to such a model.
const LONGEST: usize = 8_000;

/// Make the vectors that are needed and not there yet.
pub async fn ask(outside: &mut Outside<'_, '_>) -> Result<(), CliError> {
    let Some(model) = outside.args.judging.embedder.clone() else { return Ok(()) };
    let texts = outside.asking().for_vectors();
    if texts.is_empty() {
        return Ok(());
    }
    let mut progress = Progress::new(outside.context);
    let longest = texts.iter().map(|t| t.len().min(LONGEST * 4)).max().unwrap_or(0) as u64 / 2;
    let context = outside.args.local.context;
    let context = context.unwrap_or_else(|| {
        u32::try_from((longest + 64).max(256).next_multiple_of(256)).unwrap_or(u32::MAX).min(8_192)
    });
    let prepared = local::Prepared { embed: true, ..local::Prepared::default() };
    let how = local::How { context, raw: true };
    let (mut backend, fact) =
        local::open(&model, outside.args, how, prepared, outside.context, &mut progress).await?;
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
        let shown: String = text.chars().take(LONGEST).collect();
        match backend.embed(&shown).await {
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
    if failed > 0 {
        let texts = if failed == 1 { "text has" } else { "texts have" };
        outside.context.note(&format!(
            "{failed} {texts} no vector: the model could not read them; their answers get no grade."
        ));
    }
    backend.shutdown().await;
    Ok(())
}
