//! Runs of the local engine that ask for no answers: `--synthetic` without prompts, and `--embed`.

use super::asked::Asked;
use super::settings::{Begun, Settings, local_inputs};
use super::targets::distinct_ids;
use crate::app::Refusal;
use crate::document::bench::build::{self, Run, TargetFacts};
use crate::document::bench::{BenchDocument, Spending};
use crate::document::envelope::Input;
use crate::measure::run::Ended;
use crate::provenance::{Source, Sourced};
use std::collections::BTreeMap;

/// Default of the rounds of each test of the engine alone, as in llama-bench.
pub const ROUNDS: u32 = 5;

/// Refuses what `--synthetic` without prompts cannot measure.
pub fn check_synthetic(asked: &Asked) -> Result<(), Refusal> {
    Settings::of(asked)?;
    if !asked.apis.is_empty() {
        return Err(Refusal::input("--synthetic measures the local engine only; an API needs --prompts")
            .hint("Leave --api out, or add --prompts FILE."));
    }
    if !asked.load.shapes.is_empty() {
        return Err(Refusal::input("a load needs --prompts: its requests are made of them"));
    }
    Ok(())
}

/// Refuses what `--embed` cannot measure.
pub fn check_embed(asked: &Asked) -> Result<Settings, Refusal> {
    let settings = Settings::of(asked)?;
    if !asked.load.shapes.is_empty() {
        return Err(Refusal::input("--embed makes one vector after another: it knows no load")
            .hint("Leave --concurrency and --rate out."));
    }
    if asked.prompts.is_none() {
        return Err(Refusal::input("--embed needs --prompts: the texts to make vectors of"));
    }
    Ok(settings)
}

/// How a measurement ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HowEnded {
    Whole,
    Interrupted,
    Failed,
}

/// The texts that were embedded, as inputs of the document. `sha256`: of their file.
pub fn inputs_of_texts(asked: &Asked, texts: usize, sha256: String) -> BTreeMap<String, Input> {
    let plain = |value: serde_json::Value| Input::plain(&Sourced::new(value, Source::flag("--prompts")));
    BTreeMap::from([
        ("prompts_file".to_owned(), plain(serde_json::json!(asked.prompts))),
        ("prompts_sha256".to_owned(), plain(sha256.into())),
        ("prompts".to_owned(), plain(texts.into())),
    ])
}

/// The report. `inputs` are those beside the model and the local options, `created` is RFC 3339.
pub fn document(
    asked: &Asked,
    mut inputs: BTreeMap<String, Input>,
    mut targets: Vec<TargetFacts>,
    ended: HowEnded,
    created: &str,
) -> Result<BenchDocument, Refusal> {
    let settings = Settings::of(asked)?;
    distinct_ids(&mut targets);
    let ended = Ended {
        complete: ended == HowEnded::Whole,
        interrupted: ended == HowEnded::Interrupted,
        stopped: vec![None; targets.len()],
        skipped: vec![0; targets.len()],
    };
    let models = Sourced::new(serde_json::json!(asked.models), Source::flag("--model"));
    inputs.insert("models".to_owned(), Input::plain(&models));
    if !asked.models.is_empty() {
        local_inputs(&asked.local, &mut inputs);
    }
    let spending = Spending { consent: "not-needed".to_owned(), ..Spending::default() };
    let begun = Begun { targets, prompts: Vec::new(), spending, created: created.to_owned() };
    let basis = settings.basis(asked, begun, inputs);
    let cut = vec![0; basis.targets.len()];
    Ok(build::document(Run {
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
    }))
}
