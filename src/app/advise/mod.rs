//! `advise`: from answers, measurements and costs to one verdict.
//!
//! ```text
//! NeedDraft ─► matrix (explains) ─┐
//!     └─► candidates ─► cost ─► options ─► choice (decides) ─► AdviceDocument
//! ```
//!
//! Where the need has numbers, every way to serve it is priced by the cost engine and the choice is
//! computed; the matrix stands beside it. Without numbers the matrix decides alone, and says so.

mod fill;
mod given;
mod pricing;

pub use pricing::{OwnedHardware, owned};

use super::refusal::Refusal;
use crate::advise::matrix::CapabilityTier;
use crate::advise::options::{Terms, choose};
use crate::advise::verdict::ConfidenceStep;
use crate::advise::{Guide, Matrix, Verdict, decide};
use crate::catalog::Catalog;
use crate::cost::simulate::ASSUMED_REQUEST_TOKENS;
use crate::cost::{Drawing, ResolveError};
use crate::document::advice::{self, AdviceDocument, Setting};
use crate::document::breakeven::BreakevenDocument;
use crate::document::envelope::{Input, Warning};
use crate::document::joined::{self, Difference};
use crate::number;
use crate::provenance::Source;
use crate::workload::keys::{answers, need};
use crate::workload::need::Question;
use crate::workload::{Evidence, Need, NeedDraft};
use jiff::civil::Date;
use std::collections::BTreeMap;

/// What is asked: a need, and documents about it.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// The answers and the requests.
    pub draft: &'a NeedDraft,
    /// What was measured.
    pub evidence: Option<&'a Evidence>,
    /// A cost document, with prices of the user's own.
    pub cost: Option<CostFile<'a>>,
    /// Documents of another need may be used all the same.
    pub allow_mismatch: bool,
}

/// A cost document, and the name of its file.
#[derive(Debug, Clone, Copy)]
pub struct CostFile<'a> {
    /// Its name, as it was given.
    pub name: &'a str,
    /// Its content.
    pub document: &'a BreakevenDocument,
}

/// What a decision rests on beside the need: the catalogue and the day.
#[derive(Debug, Clone, Copy)]
pub struct AdviceBasis<'a> {
    /// Prices, models and hardware.
    pub catalog: &'a Catalog,
    /// The day it is decided on.
    pub today: Date,
    /// The time it is decided at (RFC 3339).
    pub now: &'a str,
}

/// The decision. Refused where an answer is missing, or where the need cannot be computed.
pub fn advise(asked: &Asked<'_>, known: &AdviceBasis<'_>) -> Result<AdviceDocument, Refusal> {
    let (matrix, guide) = (Matrix::shipped(), Guide::shipped());
    let need = asked.draft.complete().map_err(|missing| missing_answers(&missing))?;
    let mismatch = mismatch(asked);
    if !mismatch.is_empty() && !asked.allow_mismatch {
        let all: Vec<&str> = mismatch.iter().map(|d| d.text.as_str()).collect();
        return Err(Refusal::input(all.join("\n"))
            .hint("make the document for this need, or use it all the same with --allow-mismatch"));
    }
    let computed = asked.cost.map(|c| c.document.evidence(c.name));
    let has_numbers = pricing::has_numbers(asked.draft);
    let mut verdict = decide(&matrix, &need, asked.evidence, computed.as_ref());
    verdict.tiers = verdict.tiers.map(|t| reachable(raised(t, asked.draft), asked.draft, known.catalog));
    let setting = Setting {
        matrix: &matrix,
        guide: &guide,
        catalog: known.catalog,
        draft: asked.draft,
        need: &need,
        today: known.today,
        now: known.now,
        evidence: asked.evidence,
        cost_file: asked.cost.map(|c| c.name),
    };
    let effective = Need { answers: verdict.answers, ..need.clone() };
    let routed = has_numbers && asked.cost.is_none() && pricing::is_routed(&effective);
    let notes = notes(asked.draft, routed);
    let doubts = |mut document: AdviceDocument| {
        document.warnings.extend(notes.iter().cloned());
        if !mismatch.is_empty() {
            let step = ConfidenceStep::OfAnotherNeed;
            let result = &mut document.result;
            result.confidence = step.apply(result.confidence);
            result.confidence_because.push(advice::text::confidence(step).to_owned());
        }
        let warnings = mismatch
            .iter()
            .map(|d| Warning::new("document-of-another-need", d.text.clone()).about(d.about.clone()));
        document.warnings.extend(warnings);
        if !mismatch.is_empty() {
            let source = Source::flag("--allow-mismatch");
            document
                .inputs
                .insert("allow_mismatch".to_owned(), Input { value: true.into(), unit: None, source });
        }
        document
    };
    if let Some(cost) = asked.cost {
        let plain = Verdict { tiers: verdict.tiers, ..decide(&matrix, &need, asked.evidence, None) };
        let terms = terms(asked, &matrix, &need, &plain);
        return Ok(doubts(match given::options(cost.document, &terms, asked.draft.has(need::TIER)) {
            Some(given) => fill::from_document(&setting, &plain, &verdict, &given, &terms),
            None => fill::unpriced(&setting, &verdict, false),
        }));
    }
    if !has_numbers {
        verdict.nothing_priced();
        return Ok(doubts(fill::unpriced(&setting, &verdict, true)));
    }
    let rules = Rules { matrix: &matrix, guide: &guide };
    if let Some(decided) = priced(asked, known, rules, &effective, &verdict, pricing::DRAWING)? {
        let again = |draft: &NeedDraft, drawing: Drawing| {
            let need = draft.complete().ok()?;
            let verdict = decide(&matrix, &need, asked.evidence, None);
            let effective = Need { answers: verdict.answers, ..need };
            let asked = Asked { draft, ..*asked };
            let decided = priced(&asked, known, rules, &effective, &verdict, drawing).ok()??;
            Some(fill::Again::of(&decided))
        };
        return Ok(doubts(fill::document(&setting, &verdict, &decided, &again)));
    }
    verdict.nothing_priced();
    Ok(doubts(fill::unpriced(&setting, &verdict, false)))
}

/// The rules and lists that ship with the program.
#[derive(Debug, Clone, Copy)]
struct Rules<'a> {
    matrix: &'a Matrix,
    guide: &'a Guide,
}

/// The choice between priced options; `None` where nothing can be priced or chosen. `need` has the answers as
/// evidence and mandates leave them.
fn priced<'a>(
    asked: &Asked<'a>,
    known: &AdviceBasis<'a>,
    rules: Rules<'a>,
    need: &'a Need,
    verdict: &Verdict,
    drawing: Drawing,
) -> Result<Option<fill::Decided<'a>>, Refusal> {
    let terms = terms(asked, rules.matrix, need, verdict);
    let Some(tiers) = terms.tiers.map(|tiers| reachable(tiers, asked.draft, known.catalog)) else {
        return Ok(None);
    };
    let pricing = pricing::price(&pricing::Asked {
        catalog: known.catalog,
        makers: &rules.guide.makers,
        draft: asked.draft,
        need,
        tiers,
        today: known.today,
        evidence: asked.evidence,
        drawing,
    })
    .map_err(|e| not_computed(&e))?;
    let Some(pricing) = pricing else { return Ok(None) };
    let choice = choose(&pricing.options, Some(&pricing.totals), &terms);
    Ok(choice.map(|choice| fill::Decided::new(pricing, choice, terms)))
}

/// What the answers allow, after evidence and mandates have changed them.
fn terms(asked: &Asked<'_>, matrix: &Matrix, need: &Need, verdict: &Verdict) -> Terms {
    Terms {
        answers: verdict.answers,
        modifiers: need.modifiers,
        tiers: matrix.tiers_for(verdict.answers.capability).map(|t| raised(t, asked.draft)),
        up_front: asked.draft.number(answers::UP_FRONT),
        quality: verdict.quality.as_ref().map(|q| q.standing),
    }
}

/// The tiers that the capability answer asks for, or the tier that was asked for by its number where that is
/// the better one.
fn raised(tiers: CapabilityTier, draft: &NeedDraft) -> CapabilityTier {
    // A whole number from 1 to 4, checked when it was read.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let asked = draft.number(need::TIER).map_or(u8::MAX, |tier| tier as u8);
    CapabilityTier { cloud: tiers.cloud.min(asked), local: tiers.local.min(asked), ..tiers }
}

/// The same for examples and candidates: where a tier was asked for by its number, the local one is the best that
/// the catalogue has open models of, since the strongest models are rented only.
fn reachable(tiers: CapabilityTier, draft: &NeedDraft, catalog: &Catalog) -> CapabilityTier {
    if !draft.has(need::TIER) {
        return tiers;
    }
    let best = catalog.open_models.iter().filter_map(|m| m.tier).min().unwrap_or(tiers.local);
    CapabilityTier { local: tiers.local.max(best), ..tiers }
}

/// What was given and does not count, and what is assumed in the place of what was not given. `routed`: options
/// were priced, and among them a split into simple and complex requests.
fn notes(draft: &NeedDraft, routed: bool) -> Vec<Warning> {
    let mut found = Vec::new();
    if draft.has(answers::SIMPLE_SHARE) && !routed {
        found.push(
            Warning::new(
                "simple-share-not-used",
                "The share of simple requests changes nothing here: it counts where the need has numbers and simple and complex requests are told apart (`--with mixed-complexity` or `cost-optimization`, or `--capability maximum`).",
            )
            .about(answers::SIMPLE_SHARE.path()),
        );
    }
    if let (None, Some(_), Some(input)) =
        (draft.shape(), draft.number(need::TOKENS_PER_MONTH), draft.number(need::INPUT_SHARE))
    {
        let input = ASSUMED_REQUEST_TOKENS * input;
        found.push(
            Warning::new(
                "request-size-assumed",
                format!(
                    "The size of a request was not given: {} tokens are assumed, {} of them input and {} output. Machines are planned for that; give `--input-tokens` and `--output-tokens`.",
                    number::plain(ASSUMED_REQUEST_TOKENS),
                    number::plain(input.round()),
                    number::plain((ASSUMED_REQUEST_TOKENS - input).round()),
                ),
            )
            .about(need::INPUT_TOKENS.path()),
        );
    }
    found
}

/// Where a document that was given with the need is of another need.
fn mismatch(asked: &Asked<'_>) -> Vec<Difference> {
    let inputs = advice::inputs_of(asked.draft);
    let mut found = Vec::new();
    if let Some(cost) = asked.cost {
        // What the document only assumed does not contradict the user.
        let said = |i: &Input| !matches!(i.source, Source::Assumed { .. });
        let theirs: BTreeMap<String, Input> = cost
            .document
            .inputs
            .iter()
            .filter(|(_, i)| said(i))
            .map(|(n, i)| (n.clone(), i.clone()))
            .collect();
        found.extend(joined::needs([("the answers", &inputs), (cost.name, &theirs)]));
    }
    if let Some(evidence) = asked.evidence {
        found.extend(joined::of_measurement(evidence, &inputs, &[]));
    }
    found
}

fn missing_answers(missing: &[Question]) -> Refusal {
    let names: Vec<&str> = missing.iter().map(|q| q.key()).collect();
    Refusal::input(format!("these answers are missing: {}", names.join(", ")))
}

fn not_computed(error: &ResolveError) -> Refusal {
    Refusal::input(error.to_string()).hint("the need decides what everything costs: mend it, or leave the number out to be told what the matrix says")
}
