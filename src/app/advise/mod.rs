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
use crate::advise::options::{Terms, choose};
use crate::advise::{Guide, Matrix, Verdict, decide};
use crate::catalog::Catalog;
use crate::cost::ResolveError;
use crate::document::advice::{self, AdviceDocument, Setting};
use crate::document::breakeven::BreakevenDocument;
use crate::document::envelope::{Input, Warning};
use crate::document::joined::{self, Difference};
use crate::provenance::Source;
use crate::workload::keys::answers;
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
    let doubts = |mut document: AdviceDocument| {
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
        let plain = decide(&matrix, &need, asked.evidence, None);
        let terms = terms(asked, &matrix, &need, &plain);
        return Ok(doubts(match given::options(cost.document, &terms) {
            Some(given) => fill::from_document(&setting, &plain, &verdict, &given),
            None => advice::build(&setting, &verdict),
        }));
    }
    if !has_numbers {
        verdict.nothing_priced();
        return Ok(doubts(advice::build(&setting, &verdict)));
    }
    let effective = Need { answers: verdict.answers, ..need.clone() };
    let tiers = matrix.tiers_for(verdict.answers.capability);
    let pricing = match tiers {
        Some(tiers) => pricing::price(&pricing::Asked {
            catalog: known.catalog,
            makers: &guide.makers,
            draft: asked.draft,
            need: &effective,
            tiers,
            today: known.today,
            evidence: asked.evidence,
        })
        .map_err(|e| not_computed(&e))?,
        None => None,
    };
    let terms = terms(asked, &matrix, &need, &verdict);
    let choice = pricing.as_ref().and_then(|p| choose(&p.options, Some(&p.totals), &terms));
    if let (Some(pricing), Some(choice)) = (pricing, choice) {
        return Ok(doubts(fill::document(&setting, &verdict, &fill::Decided::new(pricing, choice, terms))));
    }
    verdict.nothing_priced();
    Ok(doubts(advice::build(&setting, &verdict)))
}

/// What the answers allow, after evidence and mandates have changed them.
fn terms(asked: &Asked<'_>, matrix: &Matrix, need: &Need, verdict: &Verdict) -> Terms {
    Terms {
        answers: verdict.answers,
        modifiers: need.modifiers,
        tiers: matrix.tiers_for(verdict.answers.capability),
        up_front: asked.draft.number(answers::UP_FRONT),
        quality: verdict.quality.as_ref().map(|q| q.standing),
    }
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
