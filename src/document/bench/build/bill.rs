//! What a request cost, or can have cost where that is not known.

use super::basis::TargetFacts;
use crate::measure::event::FaultKind;
use crate::measure::run::Record;

/// What one request cost, US dollars: by the price record, or else as the provider states it.
pub fn cost(record: &Record, facts: &TargetFacts) -> Option<f64> {
    let usage = &record.figures.usage;
    match &facts.price {
        Some(price) => price.cost(usage, record.trace.unix),
        None => usage.provider_cost_usd.filter(|_| !facts.stand_in),
    }
}

/// What is known of the cost of one request.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Bill {
    /// The cost, US dollars.
    Known(f64),
    /// Nothing: the server turned every attempt away, or none reached it.
    Nothing,
    /// Not known: this many attempts may have been billed.
    Open(u32),
}

/// The bill of a request. Attempts that were turned away with an error status cost nothing.
pub fn bill(record: &Record, facts: &TargetFacts) -> Bill {
    let f = &record.figures;
    let turned_away = |status: &&u16| **status >= 300;
    let refused = u32::try_from(record.statuses.iter().filter(turned_away).count()).unwrap_or(u32::MAX);
    let unreached = f.error.as_ref().is_some_and(|e| {
        matches!(
            e.kind,
            FaultKind::ConnectDns
                | FaultKind::ConnectRefused
                | FaultKind::ConnectTimeout
                | FaultKind::Tls
                | FaultKind::Proxy
        )
    });
    if unreached {
        return Bill::Nothing;
    }
    match (cost(record, facts), record.attempts.saturating_sub(refused)) {
        (_, 0) => Bill::Nothing,
        (Some(usd), 1) => Bill::Known(usd),
        (_, open) => Bill::Open(open),
    }
}
