//! Checks that need the complete case: contradictions, loads above capacity, old prices.

use super::error::{ResolveError, impossible};
use crate::cost::case::{Case, InputRecord, Notice, Offer, Supply, Values};
use crate::cost::{compare, simulate};
use crate::provenance::Source;
use jiff::civil::Date;

/// Without an exchange rate every amount must be given in the currency of the report, because prices of the
/// catalogue and defaults are in US dollars.
pub(super) fn one_currency(case: &Case) -> Result<(), ResolveError> {
    let unrated = |n: &Notice| matches!(n, Notice::CurrencyWithoutRate { .. });
    if !case.notices.iter().any(unrated) {
        return Ok(());
    }
    let currency = case.finance.currency.code();
    let in_dollars = |i: &&InputRecord| {
        let ours = matches!(i.source, Source::Database { .. } | Source::Assumed { .. });
        i.unit.starts_with("USD") && ours && i.value.range().is_some_and(|r| r.high != 0.0)
    };
    match case.inputs.iter().find(in_dollars) {
        Some(input) => Err(impossible(
            "finance.usd_rate",
            format!(
                "no rate is known for {currency}, and {} is in US dollars; say how many {currency} one dollar buys",
                input.name
            ),
        )),
        None => Ok(()),
    }
}

/// Check a complete case; add notices, or refuse it.
pub(super) fn check(case: &mut Case) -> Result<(), ResolveError> {
    let likely = case.likely();
    let v = Values::of(&likely);
    let tokens = case.need.tokens(v);
    if tokens.total().get() <= 0.0 {
        return Err(impossible("need.output_tokens", "a request needs at least one token, in or out"));
    }
    if v.get(case.need.cached) + v.get(case.need.cache_write) > 1.0 + 1e-12 {
        return Err(impossible(
            "need.cache_write_input_share",
            "read and written shares add up to more than all input",
        ));
    }
    let mut notices = Vec::new();
    let mut seen = Vec::new();
    for pair in &case.pairs {
        let flow = compare::flow(case, *pair, v);
        if let crate::cost::case::Peak::Rate(slot) = case.need.peak {
            let hours: crate::units::Hours = v.get(case.need.hours);
            let mean = flow.requests.get() / (hours.get() * 3600.0);
            let peak: crate::units::RequestsPerSec = v.get(slot);
            if peak.get() < mean * (1.0 - 1e-9) {
                return Err(impossible(
                    "need.peak_requests_per_second",
                    format!("the peak of {} requests/s is below the mean of {mean:.4}", peak.get()),
                ));
            }
        }
        for index in [pair.local, pair.cloud] {
            let offer = &case.offers[index];
            let Supply::Machine(machine) = &offer.supply else { continue };
            if seen.contains(&index) {
                continue;
            }
            seen.push(index);
            match machine.units {
                Some(units) => notices.extend(load_notices(case, offer, machine, units, v, flow)?),
                None => notices.extend(tip_notice(case, offer, machine, v, flow)),
            }
        }
    }
    case.notices.extend(notices);
    Ok(())
}

fn load_notices(
    case: &Case,
    offer: &Offer,
    machine: &crate::cost::case::Machine,
    units: u32,
    v: Values<'_>,
    flow: simulate::Flow,
) -> Result<Option<Notice>, ResolveError> {
    let Some(utilisation) = compare::utilisation(case, machine, v, flow) else { return Ok(None) };
    let ceiling = v.get(machine.ceiling);
    if utilisation > 1.0 + 1e-9 {
        let needed = compare::needed_units(case, machine, v, flow).unwrap_or(units);
        return Err(impossible(
            "local.units",
            format!(
                "{units} unit(s) of {} would have to be busy {:.0} % of the time; the peak needs {needed}",
                offer.name,
                utilisation * 100.0
            ),
        ));
    }
    if utilisation > ceiling + 1e-9 {
        return Ok(Some(Notice::UtilisationAboveCeiling { offer: offer.name.clone(), utilisation, ceiling }));
    }
    let needed = compare::needed_units(case, machine, v, flow).unwrap_or(units);
    Ok((needed > units).then(|| Notice::PeakAboveCapacity { offer: offer.name.clone(), units, needed }))
}

/// Within this factor of a load that one unit less could carry, the case says so: speeds and peak are not
/// known that precisely.
const TIP: f64 = 1.15;

fn tip_notice(
    case: &Case,
    offer: &Offer,
    machine: &crate::cost::case::Machine,
    v: Values<'_>,
    flow: simulate::Flow,
) -> Option<Notice> {
    // Copies whose number follows from the load have no fixed ceiling to compare with.
    if matches!(&machine.serving, Some(crate::cost::case::Serving::Copies(c)) if c.ceiling.is_none()) {
        return None;
    }
    let units = compare::needed_units(case, machine, v, flow).filter(|units| *units > 1)?;
    let work = machine.work(&case.need, v)?;
    let peak = machine.peak(&case.need, v, flow.requests, 1.0, flow.scale);
    let utilisation = peak.get() * work.get() / f64::from(units - 1);
    let ceiling = v.get(machine.ceiling);
    (utilisation <= ceiling * TIP).then(|| Notice::UnitForTheTip {
        offer: offer.name.clone(),
        units,
        utilisation,
        ceiling,
    })
}

/// Warn where a price is older than 90 days.
pub(super) fn age(case: &mut Case, today: Date) {
    let money = |i: &&InputRecord| i.unit.starts_with("USD");
    let oldest = case
        .inputs
        .iter()
        .filter(money)
        .filter_map(|i| match &i.source {
            Source::Database { entry, as_of, .. } => Some((*as_of, entry.clone())),
            _ => None,
        })
        .min();
    if let Some((oldest, entry)) = oldest {
        let days = i64::from((today - oldest).get_days());
        if days > 90 {
            case.notices.push(Notice::OldPrices { oldest, days, entry });
        }
    }
}
