//! What was priced and chosen, and the values at which the choice would change.

use crate::advise::Placement;
use crate::advise::options::{Choice, Terms};
use crate::app::advise::pricing::{Pricing, Turns};
use crate::cost::keys::hybrid;
use crate::money::Currency;
use crate::provenance::Source;

/// The priced options, the chosen one, and what would change the choice.
#[derive(Debug)]
pub(crate) struct Decided<'a> {
    pub pricing: Pricing<'a>,
    pub choice: Choice,
    pub terms: Terms,
    /// The cloud option and the own one, by index, between which the turning points lie.
    pub rivals: Option<(usize, usize)>,
    pub turns: Turns,
    /// The share of simple requests is an assumption.
    pub split_assumed: bool,
}

impl<'a> Decided<'a> {
    /// Adds the values at which the choice would change.
    pub fn new(pricing: Pricing<'a>, choice: Choice, terms: Terms) -> Self {
        let best = |placement: Placement| {
            if pricing.options[choice.chosen].kind.placement() == placement {
                return Some(choice.chosen);
            }
            let of_it = |n: &usize| pricing.options[*n].kind.placement() == placement;
            let priced =
                (0..pricing.options.len()).filter(of_it).filter(|n| pricing.options[*n].cost.is_some());
            priced.min_by(|a, b| {
                let key =
                    |n: usize| (choice.excluded[n].is_some(), pricing.options[n].cost.map_or(0.0, |c| c.tco));
                key(*a).0.cmp(&key(*b).0).then(key(*a).1.total_cmp(&key(*b).1))
            })
        };
        let rivals = best(Placement::Cloud).zip(best(Placement::Local));
        let turns = rivals.map_or_else(Turns::default, |(cloud, own)| pricing.turns(cloud, own));
        let share = pricing.scenario.hybrid.get(hybrid::LOCAL_SHARE.name);
        let split_assumed = share.is_none_or(|s| matches!(s.source, Source::Assumed { .. }));
        Self { pricing, choice, terms, rivals, turns, split_assumed }
    }
}

pub(super) fn usd(amount: f64) -> String {
    Currency::usd().show(amount)
}

pub(super) fn requests_now(pricing: &Pricing<'_>) -> Option<f64> {
    pricing.offers.first().map(|o| o.requests_per_month)
}
