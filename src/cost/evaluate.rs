//! The whole answer for a case: every offer by itself, every pair side by side.

use super::case::{Api, Case, Machine, Notice, Pair, Payment, Role, Supply, Values};
use super::compare::{self, BreakEven, Month, Outcome, Scratch};
use super::hybrid::{self, Overflow, Routed};
use super::simulate::{Closing, Flow, Parts, Run};
use super::uncertainty::{self, Bar, Draws};
use crate::units::{Hours, Usd, UsdPerMtok};

/// One offer at the volume of its comparison.
#[derive(Debug, Clone, PartialEq)]
pub struct OfferSummary {
    /// Index into [`Case::offers`].
    pub offer: usize,
    pub requests_per_month: f64,
    pub tokens_per_month: f64,
    /// First month, running.
    pub parts: Parts,
    /// Price, installation and spares of the first month's units.
    pub capex: Usd,
    /// Capex less what the units fetch later, per month of life (of the horizon where no life is known).
    pub amortised: Usd,
    pub units: Option<u32>,
    pub units_at_horizon: Option<u32>,
    /// Tokens of whole requests the first month's units serve when never idle.
    pub capacity_tokens: Option<f64>,
    pub utilisation: Option<f64>,
    pub input_price: Option<UsdPerMtok>,
    pub output_price: Option<UsdPerMtok>,
    pub blended_price: Option<UsdPerMtok>,
    pub billed_hours: Option<Hours>,
    /// What is left at the horizon; in the total.
    pub closing: Closing,
    pub tco: Usd,
}

/// One comparison.
#[derive(Debug, Clone)]
pub struct Comparison {
    pub pair: Pair,
    pub outcome: Outcome,
    pub break_even: BreakEven,
    pub months: Vec<Month>,
    /// The cloud side is known to be the more capable model.
    pub weaker_local: bool,
}

#[derive(Debug, Clone)]
pub struct Evaluation {
    pub offers: Vec<OfferSummary>,
    pub comparisons: Vec<Comparison>,
    /// For the headline pair, where one was asked for.
    pub routed: Option<Routed>,
    pub overflow: Option<Overflow>,
    /// For the headline pair; `None`: no input is a range.
    pub draws: Option<Draws>,
    pub tornado: Vec<Bar>,
    /// What only the result shows.
    pub notices: Vec<Notice>,
}

/// How often ranges are drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Drawing {
    pub count: u32,
    pub seed: u64,
}

/// Compute everything at the likely values.
pub fn evaluate(case: &Case, drawing: Drawing) -> Evaluation {
    let likely = case.likely();
    let v = Values(&likely);
    let mut scratch = Scratch::default();
    let mut notices = Vec::new();
    let comparisons: Vec<Comparison> =
        case.pairs.iter().map(|&pair| comparison(case, pair, v, &mut scratch, &mut notices)).collect();
    let offers: Vec<OfferSummary> = (0..case.offers.len())
        .map(|offer| {
            let pair = case.pairs.iter().find(|p| p.cloud == offer || p.local == offer);
            let pair = pair.copied().unwrap_or(Pair { cloud: offer, local: offer });
            summary(case, offer, compare::flow(case, pair, v), v)
        })
        .collect();
    notices.extend(offers.iter().filter(|o| o.closing.owed.get() > 0.005).map(|o| Notice::OwedAtHorizon {
        offer: case.offers[o.offer].name.clone(),
        horizon: case.need.horizon,
        owed: o.closing.owed,
    }));
    let head = case.pairs.first().copied();
    let api_head = head.filter(|p| matches!(case.offers[p.cloud].supply, Supply::Api(_)));
    Evaluation {
        offers,
        comparisons,
        routed: api_head.and_then(|pair| hybrid::routed(case, pair, v)),
        overflow: api_head.and_then(|pair| hybrid::overflow(case, pair, v)),
        draws: head
            .filter(|_| case.uncertain)
            .map(|pair| uncertainty::draw(case, pair, drawing.count, drawing.seed)),
        tornado: head.map_or_else(Vec::new, |pair| uncertainty::tornado(case, pair)),
        notices,
    }
}

fn comparison(
    case: &Case,
    pair: Pair,
    v: Values<'_>,
    scratch: &mut Scratch,
    notices: &mut Vec<Notice>,
) -> Comparison {
    let flow = compare::flow(case, pair, v);
    let mut months = Vec::with_capacity(case.need.horizon as usize);
    let outcome = compare::compare(case, pair, v, flow, scratch, |m| months.push(m));
    let (cloud, local) = (&case.offers[pair.cloud], &case.offers[pair.local]);
    let weaker_local = cloud.tier.zip(local.tier).is_some_and(|(c, l)| c < l);
    if weaker_local && outcome.payback.is_some() && local.role == Role::Asked {
        notices.push(Notice::WeakerModel { cloud: cloud.name.clone(), local: local.name.clone() });
    }
    if let Some(month) = outcome.undone {
        notices.push(Notice::PaybackUndone { cloud: cloud.name.clone(), local: local.name.clone(), month });
    }
    let break_even = compare::break_even(case, pair, v, scratch);
    Comparison { pair, outcome, break_even, months, weaker_local }
}

pub(super) fn summary(case: &Case, offer: usize, flow: Flow, v: Values<'_>) -> OfferSummary {
    let tokens = case.need.tokens(v);
    let mut memory = Vec::new();
    let mut run = Run::new(&case.offers[offer], &case.need, v, flow, &mut memory);
    let first = run.step();
    let mut last = first;
    let mut tco = first.upfront + first.parts.total();
    for _ in 1..case.need.horizon {
        last = run.step();
        tco += last.upfront + last.parts.total();
    }
    let closing = run.closing();
    tco -= closing.value();
    let mut s = OfferSummary {
        offer,
        requests_per_month: flow.requests.get(),
        tokens_per_month: (tokens.total() * flow.requests.get()).get(),
        parts: first.parts,
        capex: Usd::ZERO,
        amortised: Usd::ZERO,
        units: None,
        units_at_horizon: None,
        capacity_tokens: None,
        utilisation: None,
        input_price: None,
        output_price: None,
        blended_price: None,
        billed_hours: None,
        closing,
        tco,
    };
    match &case.offers[offer].supply {
        Supply::Api(api) => api_prices(&mut s, case, api, v),
        Supply::Machine(machine) => {
            s.units = Some(first.units);
            s.units_at_horizon = Some(last.units);
            machine_prices(&mut s, case, machine, flow, v);
        }
    }
    s
}

fn api_prices(s: &mut OfferSummary, case: &Case, api: &Api, v: Values<'_>) {
    let tokens = case.need.tokens(v);
    let Some(rates) = api.rates(0, tokens) else { return };
    s.input_price = (tokens.input.get() > 0.0).then(|| v.get(rates.input));
    s.output_price = (tokens.written().get() > 0.0).then(|| v.get(rates.output));
    let per_request = api.request_price(0, &case.need, v);
    s.blended_price = (tokens.total().get() > 0.0).then(|| per_request / tokens.total());
    // Today's price, so that it can be checked by hand; the drift begins with the first month.
    s.parts.api = per_request * s.requests_per_month + v.get(api.fixed);
}

fn machine_prices(s: &mut OfferSummary, case: &Case, machine: &Machine, flow: Flow, v: Values<'_>) {
    let units = f64::from(s.units.unwrap_or(1));
    match &machine.payment {
        Payment::Bought { price, install, spares, life, residual, .. } => {
            let price: Usd = v.get(*price);
            s.capex = (price * (1.0 + v.get(*spares)) + v.get(*install)) * units;
            let life = life.map_or(f64::from(case.need.horizon), |slot| v.get(slot)).max(1.0);
            s.amortised = (s.capex - price * (v.get(*residual) * units)) / life;
        }
        Payment::Rented { billed, .. } => s.billed_hours = Some(v.get(*billed)),
    }
    let tokens = case.need.tokens(v);
    s.capacity_tokens = machine
        .capacity(&case.need, v, s.units.unwrap_or(1))
        .map(|requests| (tokens.total() * requests.get()).get());
    s.utilisation = compare::utilisation(case, machine, v, flow);
    let running = s.parts.total();
    // A loan pays for the purchase, so that both would count it twice.
    let monthly = if s.parts.loan.get() > 0.0 { running } else { running + s.amortised };
    let total = tokens.total() * flow.requests.get();
    s.blended_price = (total.get() > 0.0).then(|| monthly / total);
    // The time a unit spends reading and writing decides who bears the cost.
    if let Some((reading, writing)) = machine.work_parts(&case.need, v) {
        let share = |part: f64| part / (reading + writing).get().max(f64::MIN_POSITIVE);
        let price = |part: f64, count: crate::units::Tokens| {
            (count.get() > 0.0 && flow.requests.get() > 0.0)
                .then(|| monthly * share(part) / (count * flow.requests.get()))
        };
        s.input_price = price(reading.get(), tokens.input);
        s.output_price = price(writing.get(), tokens.written());
    }
}
