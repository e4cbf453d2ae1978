//! Cloud and local used together: routing with escalations, and a local base load with overflow to the
//! cloud.
//!
//! Routing: a share of the requests goes to the local side first; some of those are sent on, and so are
//! paid twice. Overflow: in every hour of the week the owned units serve as much as they can (up to their
//! ceiling), and the cloud the rest. The cheapest number of units is searched. Units that are switched on
//! for part of the month only are on in its busiest hours.

use super::case::{Case, Machine, Offer, Pair, Supply, Values};
use super::compare::{self, Month, Outcome, Scratch};
use super::simulate::{Flow, Run};
use crate::units::{Requests, Usd};
use crate::workload::Value;

/// Hours in a week.
const WEEK: usize = 168;
/// More numbers of units than this are tried in strides, then one by one around the best.
const MOST_TRIED: u32 = 100;

#[derive(Debug, Clone)]
pub struct Routed {
    pub local_share: f64,
    pub escalation: f64,
    pub units: u32,
    pub capex: Usd,
    /// Running cost of both sides in the first month.
    pub monthly: Usd,
    /// The split compared with cloud only: `tco_local` is the total of the split.
    pub outcome: Outcome,
    pub tco_cloud_only: Usd,
    pub tco_local_only: Usd,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Overflow {
    pub best: UnitsTried,
    pub options: Vec<UnitsTried>,
}

/// A split with this many owned units, and what it costs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct UnitsTried {
    pub units: u32,
    /// Share of the first month's requests that is served locally, 0 to 1.
    pub local_share: f64,
    /// Running cost of both sides in the first month.
    pub monthly: Usd,
    /// Paid at the start for the units.
    pub capex: Usd,
    /// Paid to the cloud over the horizon.
    pub cloud: Usd,
    /// Paid for the units over the horizon.
    pub local: Usd,
    /// Residual value of the units at the horizon, less what is owed.
    pub left: Usd,
    /// Total over the horizon: `cloud + local − left`.
    pub tco: Usd,
}

/// Share of the load in each of the 168 hours of a week (Monday 00:00 UTC first); they add up to 1.
pub fn hours_of_week(value: &Value) -> Vec<f64> {
    let raw: Vec<f64> = match value {
        Value::Hours(hours) => hours.clone(),
        Value::Text(name) if name == "office-hours" => (0..WEEK).map(office_hour).collect(),
        _ => vec![1.0; WEEK],
    };
    let sum: f64 = raw.iter().sum();
    raw.into_iter().map(|h| h / sum).collect()
}

/// Relative load in office hours: full from Monday to Friday, 08:00 to 18:00; a tenth of that at other
/// hours of those days, a twentieth at weekends.
fn office_hour(hour: usize) -> f64 {
    let (day, hour) = (hour / 24, hour % 24);
    match (day < 5, (8..18).contains(&hour)) {
        (true, true) => 1.0,
        (true, false) => 0.1,
        (false, _) => 0.05,
    }
}

/// The routed split, where one was asked for.
pub fn routed(case: &Case, pair: Pair, v: Values<'_>) -> Option<Routed> {
    let hybrid = case.hybrid.as_ref().filter(|h| h.routed)?;
    routed_at(case, pair, v, v.get(hybrid.local_share), v.get(hybrid.escalation))
}

/// A routed split: `share` of the requests goes to the local side, and `escalation` of those on to the
/// cloud.
pub fn routed_at(case: &Case, pair: Pair, v: Values<'_>, share: f64, escalation: f64) -> Option<Routed> {
    let mut scratch = Scratch::default();
    let flow = compare::flow(case, pair, v);
    let part = |share: f64| Flow { requests: flow.requests * share, scale: flow.scale * share };
    let (cloud_only, local_only) = compare::compare_to_horizon(case, pair, v, flow, &mut scratch);
    let flows = compare::Flows {
        cloud: flow,
        local: part(share),
        beside: Some(part(1.0 - share + share * escalation)),
    };
    let mut first: Option<Month> = None;
    let outcome = compare::run(case, pair, v, flows, &mut scratch, true, |m| {
        first.get_or_insert(m);
    });
    let first = first?;
    Some(Routed {
        local_share: share,
        escalation,
        units: first.local.units,
        // What the API charges once buys no hardware.
        capex: first.local.upfront - first.cloud.upfront,
        monthly: first.local.parts.total(),
        outcome,
        tco_cloud_only: cloud_only,
        tco_local_only: local_only,
    })
}

/// The overflow split with the number of units that costs least.
pub fn overflow(case: &Case, pair: Pair, v: Values<'_>) -> Option<Overflow> {
    let week = Week::of(case, pair, v)?;
    let per_hour = week.per_unit;
    let grown = (1.0 + v.get(case.need.growth)).powi(i32::try_from(case.need.horizon).unwrap_or(0));
    let peak = week.loads.first().copied().unwrap_or(0.0) * grown.max(1.0) / per_hour;
    // The clamp keeps it in range.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let most = (peak - 1e-9).ceil().clamp(1.0, 100_000.0) as u32;
    let stride = most.div_ceil(MOST_TRIED);
    let option = |units: u32| split(case, pair, v, &week, units, &mut |_, _, _| ());
    let mut options: Vec<UnitsTried> =
        (0..=most).step_by(stride as usize).chain([most]).map(option).collect();
    let cheapest =
        |options: &[UnitsTried]| options.iter().copied().min_by(|a, b| a.tco.get().total_cmp(&b.tco.get()));
    if stride > 1 {
        let around = cheapest(&options)?.units;
        options.extend((around.saturating_sub(stride)..=(around + stride).min(most)).map(option));
    }
    options.sort_by_key(|o| o.units);
    options.dedup_by_key(|o| o.units);
    Some(Overflow { best: cheapest(&options)?, options })
}

/// Total cost over the horizon of this many units, with the cloud for the load that exceeds them.
pub fn overflow_total(case: &Case, pair: Pair, v: Values<'_>, units: u32) -> Option<Usd> {
    Week::of(case, pair, v).map(|week| split(case, pair, v, &week, units, &mut |_, _, _| ()).tco)
}

/// The payments of an overflow split: for each month what is paid at its beginning and what it costs to
/// run, US dollars.
pub fn overflow_bills(
    case: &Case,
    pair: Pair,
    v: Values<'_>,
    units: u32,
    each: &mut impl FnMut(usize, f64, f64),
) {
    if let Some(week) = Week::of(case, pair, v) {
        split(case, pair, v, &week, units, each);
    }
}

/// Requests that a unit serves in an hour at its ceiling.
fn requests_per_unit_hour(case: &Case, machine: &Machine, v: Values<'_>) -> Option<f64> {
    let work = machine.work(&case.need, v).filter(|w| w.get() > 0.0)?;
    Some(3600.0 / work.get() * machine.ceiling_of(machine.units.unwrap_or(1), v))
}

fn split(
    case: &Case,
    pair: Pair,
    v: Values<'_>,
    week: &Week,
    units: u32,
    each: &mut impl FnMut(usize, f64, f64),
) -> UnitsTried {
    let (cloud, local) = (&case.offers[pair.cloud], fixed(&case.offers[pair.local], units));
    let mut memory = (Vec::new(), Vec::new());
    let none = Flow { requests: Requests::ZERO, scale: 1.0 };
    let mut cloud = Run::new(cloud, &case.need, v, none, &mut memory.0);
    let mut own = Run::new(&local, &case.need, v, none, &mut memory.1);
    let requests = compare::flow(case, pair, v).requests;
    let growth = 1.0 + v.get(case.need.growth);
    let (mut to_cloud, mut to_local, mut left) = (Usd::ZERO, Usd::ZERO, Usd::ZERO);
    let (mut grown, mut first_share) = (1.0, 0.0);
    let (mut monthly, mut capex) = (Usd::ZERO, Usd::ZERO);
    for month in 0..case.need.horizon {
        let share = week.served(grown, units);
        if month == 0 {
            first_share = share;
        }
        // Growth applies to all requests of the month, not only to those that overflow.
        let coming = requests * grown;
        cloud.set_requests(coming * (1.0 - share));
        let step = cloud.step(&mut ());
        to_cloud += step.upfront + step.parts.total();
        each(month as usize, step.upfront.get(), step.parts.total().get());
        if month == 0 {
            monthly += step.parts.total();
        }
        if units > 0 {
            own.set_requests(coming * share);
            let step = own.step(&mut ());
            to_local += step.upfront + step.parts.total();
            each(month as usize, step.upfront.get(), step.parts.total().get());
            if month == 0 {
                monthly += step.parts.total();
                capex = step.upfront;
            }
        }
        grown *= growth;
    }
    if units > 0 {
        left = own.closing(&mut ()).value();
    }
    let tco = to_cloud + to_local - left;
    UnitsTried {
        units,
        local_share: first_share,
        monthly,
        capex,
        cloud: to_cloud,
        local: to_local,
        left,
        tco,
    }
}

/// The offer with exactly this many units, whatever the load.
fn fixed(offer: &Offer, units: u32) -> Offer {
    let mut offer = offer.clone();
    if let Supply::Machine(machine) = &mut offer.supply {
        machine.units = Some(units.max(1));
    }
    offer
}

/// The load in each hour of a week, and what a unit can serve.
struct Week {
    /// Requests in each hour, the busiest hour first.
    loads: Vec<f64>,
    /// Requests that a unit serves in an hour.
    per_unit: f64,
    /// Hours of the week in which the units are switched on: the busiest ones.
    on: f64,
}

impl Week {
    /// The load of a pair by the hour; `None` without a profile, or without speeds.
    fn of(case: &Case, pair: Pair, v: Values<'_>) -> Option<Self> {
        let weights = case.hybrid.as_ref()?.profile.as_ref()?;
        let Supply::Machine(machine) = &case.offers[pair.local].supply else { return None };
        let per_unit = requests_per_unit_hour(case, machine, v)?;
        let flow = compare::flow(case, pair, v);
        let hours: crate::units::Hours = v.get(case.need.hours);
        let week = flow.requests.get() / hours.get() * WEEK as f64;
        let mut loads: Vec<f64> = weights.iter().map(|w| w * week).collect();
        loads.sort_unstable_by(|a, b| b.total_cmp(a));
        let on = v.get(machine.service_hours).get() / hours.get() * WEEK as f64;
        Some(Self { loads, per_unit, on })
    }
    /// Share of the load that the units serve, after the load has grown by this factor.
    fn served(&self, grown: f64, units: u32) -> f64 {
        let total: f64 = self.loads.iter().sum::<f64>() * grown;
        if total <= 0.0 {
            return 0.0;
        }
        let capacity = self.per_unit * f64::from(units);
        let hour = |(n, load): (usize, &f64)| {
            let part = (self.on - n as f64).clamp(0.0, 1.0);
            (load * grown).min(capacity) * part
        };
        self.loads.iter().enumerate().map(hour).sum::<f64>() / total
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two busy hours of 10 and two of 2: a capacity of 4 serves 4 + 4 + 2 + 2 = 12 of 24.
    #[test]
    fn what_exceeds_the_capacity_overflows() {
        let week = Week { loads: vec![10.0, 10.0, 2.0, 2.0], per_unit: 2.0, on: 4.0 };
        assert!((week.served(1.0, 2) - 0.5).abs() < 1e-12);
        assert!((week.served(2.0, 100) - 1.0).abs() < 1e-12);
        // Switched on in the two and a half busiest hours only: 4 + 4 + 1 of 24.
        let part_time = Week { on: 2.5, ..week };
        assert!((part_time.served(1.0, 2) - 9.0 / 24.0).abs() < 1e-12);
    }

    #[test]
    fn profiles_add_up_to_one() {
        for value in
            [Value::Text("office-hours".into()), Value::Text("flat".into()), Value::Hours(vec![3.0; WEEK])]
        {
            assert!((hours_of_week(&value).iter().sum::<f64>() - 1.0).abs() < 1e-9);
        }
    }
}
