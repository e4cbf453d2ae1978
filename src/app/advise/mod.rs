//! `advise`: answers, what was measured and what things cost → one verdict.
//!
//! ```text
//! NeedDraft ─► matrix (explains) ─┐
//!     └─► candidates ─► cost ─► options ─► choice (decides) ─► AdviceDocument
//! ```
//!
//! Where the need has numbers, every way to serve it is priced by the cost engine and the choice is
//! computed; the matrix stands beside it. Without numbers the matrix decides alone, and says so.

mod fill;
mod pricing;

use super::refusal::Refusal;
use crate::advise::options::{Terms, choose};
use crate::advise::{CostEvidence, Guide, Matrix, decide};
use crate::catalog::Catalog;
use crate::cost::ResolveError;
use crate::document::advice::{self, AdviceDocument, Setting};
use crate::workload::keys::answers;
use crate::workload::need::Question;
use crate::workload::{Evidence, Need, NeedDraft};
use jiff::civil::Date;

/// What is decided about, and what is known of it.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// The answers and the requests.
    pub draft: &'a NeedDraft,
    /// What was measured.
    pub evidence: Option<&'a Evidence>,
    /// What was computed before, with prices of the user's own.
    pub cost: Option<&'a CostEvidence>,
}

/// What it is decided with.
#[derive(Debug, Clone, Copy)]
pub struct Known<'a> {
    /// Prices, models and hardware.
    pub catalog: &'a Catalog,
    /// The day it is decided on.
    pub today: Date,
    /// The same as RFC 3339 with its time.
    pub now: &'a str,
}

/// Decide. Refused where an answer is missing, or where the need cannot be computed.
pub fn advise(asked: &Asked<'_>, known: &Known<'_>) -> Result<AdviceDocument, Refusal> {
    let (matrix, guide) = (Matrix::shipped(), Guide::shipped());
    let need = asked.draft.complete().map_err(|missing| missing_answers(&missing))?;
    let priced = asked.cost.is_none() && pricing::has_numbers(asked.draft);
    let mut verdict = decide(&matrix, &need, asked.evidence, asked.cost);
    let setting = Setting {
        matrix: &matrix,
        guide: &guide,
        catalog: known.catalog,
        draft: asked.draft,
        need: &need,
        today: known.today,
        now: known.now,
        evidence: asked.evidence,
        cost_file: asked.cost.map(|c| c.file.as_str()),
    };
    if !priced {
        if asked.cost.is_none() {
            verdict.nothing_priced();
        }
        return Ok(advice::build(&setting, &verdict));
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
        })
        .map_err(|e| not_computed(&e))?,
        None => None,
    };
    let terms = Terms {
        answers: verdict.answers,
        modifiers: need.modifiers,
        tiers,
        up_front: asked.draft.number(answers::UP_FRONT),
        quality: verdict.quality.as_ref().map(|q| q.standing),
    };
    let choice = pricing.as_ref().and_then(|p| choose(&p.options, Some(&p.totals), &terms));
    if let (Some(pricing), Some(choice)) = (pricing, choice) {
        return Ok(fill::document(&setting, &verdict, &fill::Decided::new(pricing, choice, terms)));
    }
    verdict.nothing_priced();
    Ok(advice::build(&setting, &verdict))
}

fn missing_answers(missing: &[Question]) -> Refusal {
    let names: Vec<&str> = missing.iter().map(|q| q.key()).collect();
    Refusal::input(format!("these answers are missing: {}", names.join(", ")))
}

fn not_computed(error: &ResolveError) -> Refusal {
    Refusal::input(error.to_string()).hint("the need decides what everything costs: mend it, or leave the number out to be told what the matrix says")
}
