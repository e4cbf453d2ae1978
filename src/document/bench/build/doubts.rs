//! Warnings about counts and answers that are not what they seem.

use super::Run;
use crate::document::bench::{Sample, Target};
use crate::measure::counts::Doubt;
use crate::measure::model_name;
use std::collections::BTreeMap;

/// One warning for each kind of doubt about the answers of one target.
pub(super) fn warn(
    run: &Run<'_>,
    n: usize,
    target: &Target,
    rows: &[&Sample],
    warn: &mut dyn FnMut(&str, String),
) {
    let mut counts: BTreeMap<Doubt, u32> = BTreeMap::new();
    let under_load = run.sent.iter().filter(|s| s.step.target == n && !s.step.warmup);
    for doubt in rows.iter().flat_map(|s| &s.doubts).chain(under_load.flat_map(|s| &s.doubts)) {
        *counts.entry(*doubt).or_insert(0) += 1;
    }
    for (doubt, count) in counts {
        let (id, text) = words(doubt, &answers(count), run, rows);
        warn(id, text);
    }
    let other =
        |s: &&&Sample| s.answered_by.as_ref().is_some_and(|name| !model_name::is_same(&target.model, name));
    let mut others: Vec<&str> = rows.iter().filter(other).filter_map(|s| s.answered_by.as_deref()).collect();
    others.sort_unstable();
    others.dedup();
    if !others.is_empty() {
        warn(
            "other-model",
            format!(
                "{} was asked and {} answered: prices and figures may be another model's.",
                target.model,
                others.join(", ")
            ),
        );
    }
}

fn answers(count: u32) -> String {
    if count == 1 { "1 answer".to_owned() } else { format!("{count} answers") }
}

fn words(doubt: Doubt, answers: &str, run: &Run<'_>, rows: &[&Sample]) -> (&'static str, String) {
    match doubt {
        Doubt::NoInputCount => (
            "no-input-count",
            format!(
                "the server counted 0 input tokens for {answers}: how many there were, and what they cost, is not known."
            ),
        ),
        Doubt::NoOutputCount => (
            "no-output-count",
            format!(
                "the server counted 0 output tokens for {answers} that have text: how many there were, and what they cost, is not known."
            ),
        ),
        Doubt::OverLimit => ("over-limit", over_limit(answers, run, rows)),
        Doubt::ProbablyCut => (
            "probably-cut",
            format!(
                "{answers} have exactly as many tokens as the limit allowed, although the server says that the model stopped by itself: they were probably cut (finish reason \"length\")."
            ),
        ),
        Doubt::OneBurst => (
            "one-burst",
            format!(
                "{answers} came in one piece, or in a few at once: there is no time per token. A gateway may hold the stream back."
            ),
        ),
        Doubt::BeyondBelief => (
            "beyond-belief",
            format!(
                "{answers} came faster than any system generates: the text was held back and let go at once, so there is no time per token."
            ),
        ),
        Doubt::CutInThought => (
            "cut-in-thought",
            format!(
                "{answers} ended inside a thought, so there is no answer text; a larger --max-output-tokens may help."
            ),
        ),
        Doubt::Redacted => (
            "redacted",
            format!(
                "{answers} had the key in it: what is stored is not what came, and was not graded again."
            ),
        ),
    }
}

fn over_limit(answers: &str, run: &Run<'_>, rows: &[&Sample]) -> String {
    let limit = |s: &Sample| {
        let prompt = run.basis.prompts.iter().find(|p| p.id == s.prompt_id);
        prompt.and_then(|p| p.max_output_tokens).unwrap_or(run.basis.max_output_tokens)
    };
    let over = rows.iter().filter(|s| s.doubts.contains(&Doubt::OverLimit));
    let worst = over.max_by_key(|s| s.output_tokens).map_or(String::new(), |s| {
        format!(" (up to {} where {} were allowed)", s.output_tokens.unwrap_or(0), limit(s))
    });
    format!(
        "{answers} have more output tokens than the limit allowed{worst}: the server does not keep the limit. --max-cost counts later calls with what really came."
    )
}
