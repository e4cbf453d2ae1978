//! The documents of a memo.

use crate::document::Document;
use crate::document::advice::AdviceDocument;
use crate::document::bench::BenchDocument;
use crate::document::breakeven::BreakevenDocument;
use crate::document::plan::PlanDocument;
use crate::money::Currency;

/// A document and the file it was read from.
pub type Named = (String, Document);

/// The documents of a memo by kind, and what is common to all of them.
pub(super) struct Case<'a> {
    pub all: &'a [Named],
    pub advice: Vec<&'a AdviceDocument>,
    pub bench: Vec<(&'a str, &'a BenchDocument)>,
    pub cost: Vec<&'a BreakevenDocument>,
    pub plans: Vec<&'a PlanDocument>,
    /// The currency of the whole memo: that of the first cost document, or else of the first plan.
    pub money: Currency,
}

impl<'a> Case<'a> {
    pub fn of(all: &'a [Named]) -> Self {
        let mut case = Self {
            all,
            advice: Vec::new(),
            bench: Vec::new(),
            cost: Vec::new(),
            plans: Vec::new(),
            money: Currency::usd(),
        };
        for (file, document) in all {
            match document {
                Document::Advice(d) => case.advice.push(d),
                Document::Bench(d) => case.bench.push((file, d)),
                Document::Breakeven(d) => case.cost.push(d),
                Document::Plan(d) => case.plans.push(d),
                _ => {}
            }
        }
        if let Some(first) = case.cost.first() {
            case.money = first.result.money();
        } else if let Some(first) = case.plans.first() {
            case.money = first.result.money();
        }
        case
    }

    /// The calculation that is a ranking of every API model against every hardware, if there is one.
    pub fn ranking(&self) -> Option<&'a BreakevenDocument> {
        self.cost.iter().copied().find(|c| c.result.ranking)
    }
}
