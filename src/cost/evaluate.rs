//! The complete evaluation of a case: every offer by itself, and every pair compared.

use super::case::{Api, Case, Machine, Notice, Pair, Payment, Role, Supply, Values};
use super::compare::{self, BreakEven, Month, Outcome, Scratch};
use super::hybrid::{self, Overflow, Routed};
use super::series::{self, ByVolume, Cumulative};
use super::simulate::{Closing, Flow, Parts, Run, Step};
use super::turning::{self, Turn};
use super::uncertainty::{self, Bar, Draws};
use crate::terms::{Derivation, Record, Term};
use crate::units::{Hours, Usd, UsdPerMtok};
use crate::workload::Range;

/// One offer, at the volume of the comparison it is part of.
#[derive(Debug, Clone, PartialEq)]
pub struct OfferSummary {
    /// Index into [`Case::offers`].
    pub offer: usize,
    pub requests_per_month: f64,
    pub tokens_per_month: f64,
    /// Running cost by part in the first month in which it works.
    pub parts: Parts,
    /// Paid once at the start; part of `total`.
    pub one_off: Usd,
    /// Payments over the horizon.
    pub total: Totals,
    /// Paid at the beginning of months until it works, what is paid once included.
    pub upfront: Usd,
    /// What is bought after that, or rented in addition.
    pub later: Vec<Later>,
    pub events: Vec<Event>,
    /// Price, installation and spares of the first month's units.
    pub capex: Usd,
    /// `capex` less what the units fetch later, per month of their life (of the horizon where no life is
    /// known).
    pub amortised: Usd,
    pub units: Option<u32>,
    /// How many of them only stand in for one that fails.
    pub spare_units: u32,
    pub units_at_horizon: Option<u32>,
    /// Tokens a month that the first month's units can serve when never idle, in whole requests.
    pub capacity_tokens: Option<f64>,
    pub utilisation: Option<f64>,
    pub input_price: Option<UsdPerMtok>,
    pub output_price: Option<UsdPerMtok>,
    pub blended_price: Option<UsdPerMtok>,
    pub billed_hours: Option<Hours>,
    /// Hours a month that people spend, for the first machine and for each further one; `None` for an API.
    pub staff_hours: Option<[Range; 2]>,
    /// Power of one machine, W, idle and at full load; `None` where the power is not the user's to pay.
    pub unit_watts: Option<[f64; 2]>,
    /// Residual value and debt at the horizon; included in `tco`.
    pub closing: Closing,
    pub tco: Usd,
    /// Derivations of its figures, relative to the offer; empty in a ranking.
    pub derived: Vec<Derivation>,
}

/// Everything that is paid up to the horizon.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Totals {
    /// Paid at the beginning of months: purchases, less what replaced units fetch.
    pub upfront: Usd,
    pub parts: Parts,
}

/// Units that are bought, or rented in addition, after the first month in which an offer works.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Later {
    /// Month, from 0.
    pub month: u32,
    /// Units that are new, and units that take the place of old ones.
    pub added: u32,
    pub replaced: u32,
    /// Paid for both at the beginning of the month, less what the replaced units fetch.
    pub upfront: Usd,
}

/// One comparison.
#[derive(Debug, Clone)]
pub struct Comparison {
    pub pair: Pair,
    pub outcome: Outcome,
    pub break_even: BreakEven,
    pub months: Vec<Month>,
    /// The cloud side is known to have the more capable model.
    pub weaker_local: bool,
}

#[derive(Debug, Clone)]
pub struct Evaluation {
    pub offers: Vec<OfferSummary>,
    pub comparisons: Vec<Comparison>,
    /// The routed split of the headline pair, where one was asked for.
    pub routed: Option<Routed>,
    pub overflow: Option<Overflow>,
    /// Draws for the headline pair; `None` where no input is a range.
    pub draws: Option<Draws>,
    pub tornado: Vec<Bar>,
    /// Inputs of the headline pair that turn the answer by themselves.
    pub turns: Vec<Turn>,
    /// Cumulative cost of each offer that is compared.
    pub cumulative: Vec<Cumulative>,
    /// Costs at other volumes; `None` where the volume is whatever the hardware can generate.
    pub by_volume: Option<ByVolume>,
    /// Notices that depend on the results.
    pub notices: Vec<Notice>,
}

/// How many draws are made from the ranges, and their seed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Drawing {
    pub count: u32,
    pub seed: u64,
}

/// Evaluate the case at its likely values, and over its ranges.
pub fn evaluate(case: &Case, drawing: Drawing) -> Evaluation {
    let likely = case.likely();
    let v = case.values(&likely);
    let mut scratch = Scratch::default();
    let mut notices = Vec::new();
    let comparisons: Vec<Comparison> =
        case.pairs.iter().map(|&pair| comparison(case, pair, v, &mut scratch, &mut notices)).collect();
    let offers: Vec<OfferSummary> = (0..case.offers.len())
        .map(|offer| {
            let pair = case.pairs.iter().find(|p| p.cloud == offer || p.local == offer);
            let pair = pair.copied().unwrap_or(Pair { cloud: offer, local: offer });
            let mut derived = Vec::new();
            let mut s = summary(case, offer, compare::flow(case, pair, v), v, &mut derived);
            s.derived = of_the_offer(derived, s.requests_per_month);
            s
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
        routed: api_head.and_then(|pair| hybrid::routed(case, pair, v)),
        overflow: api_head.and_then(|pair| hybrid::overflow(case, pair, v)),
        draws: head
            .filter(|_| case.uncertain)
            .map(|pair| uncertainty::draw(case, pair, drawing.count, drawing.seed)),
        tornado: head.map_or_else(Vec::new, |pair| uncertainty::tornado(case, pair)),
        turns: head.map_or_else(Vec::new, |pair| turning::turns(case, pair)),
        cumulative: series::cumulative(case, v, drawing.count, drawing.seed),
        by_volume: comparisons.first().and_then(|c| series::by_volume(case, v, &c.break_even)),
        comparisons,
        notices,
    }
}

/// Payments at the beginning of months are explained with the cash flow, not with the offer. Requests of the
/// month in which hardware begins to work are no figure of the document, where that is not the first.
fn of_the_offer(mut derived: Vec<Derivation>, requests: f64) -> Vec<Derivation> {
    derived.retain(|d| d.figure != "upfront_usd");
    for term in derived.iter_mut().flat_map(|d| &mut d.terms) {
        let of_first = term.figure.as_deref() == Some("result.requests_per_month");
        if of_first && (term.value - requests).abs() > 1e-9 * requests.abs() {
            term.figure = None;
        }
    }
    derived
}

/// Every offer by itself, at its own volume: for a case without pairs.
pub fn alone(case: &Case) -> Vec<OfferSummary> {
    let likely = case.likely();
    let v = case.values(&likely);
    let of = |offer: usize| {
        let flow = compare::flow(case, Pair { cloud: offer, local: offer }, v);
        let mut derived = Vec::new();
        let mut s = summary(case, offer, flow, v, &mut derived);
        s.derived = of_the_offer(derived, s.requests_per_month);
        s
    };
    (0..case.offers.len()).map(of).collect()
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

/// A change to an offer before the horizon.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Event {
    /// A price changes on a date: one request costs `before`, then `after`.
    PriceChange { month: u32, before: Usd, after: Usd },
    /// Units are bought or rented in addition; `units` is their new number.
    Units { month: u32, added: u32, units: u32 },
    /// Units have reached the end of their life and are bought again.
    Replacement { month: u32, units: u32 },
    /// It works from this month on.
    Delivery { month: u32 },
}

/// The summary of one offer over the horizon. `record` receives the derivations of its figures.
pub(super) fn summary(
    case: &Case,
    offer: usize,
    flow: Flow,
    v: Values<'_>,
    record: &mut impl Record,
) -> OfferSummary {
    let tokens = case.need.tokens(v);
    let mut memory = Vec::new();
    let it = &case.offers[offer];
    let mut run = Run::new(it, &case.need, v, flow, &mut memory);
    let delivery = match &it.supply {
        Supply::Machine(machine) => machine.delivery.min(case.need.horizon.saturating_sub(1)),
        Supply::Api(_) => 0,
    };
    let mut events = Vec::new();
    let mut later = Vec::new();
    let mut upfront = Usd::ZERO;
    let mut total = Totals::default();
    let (mut first, mut last) = (Step::default(), Step::default());
    for month in 0..case.need.horizon {
        // The month that is shown and explained is the first in which the offer works. An API's month is
        // priced as on its first day, so that it can be checked by hand; price drift is not applied within
        // it.
        let step = match &it.supply {
            Supply::Machine(_) if month == delivery => run.step(record),
            _ => run.step(&mut ()),
        };
        if month == delivery {
            first = match &it.supply {
                Supply::Machine(_) => step,
                Supply::Api(_) => {
                    let mut memory = Vec::new();
                    Run::new(it, &case.need, v, flow, &mut memory).without_drift().step(record)
                }
            };
            events.extend((month > 0).then_some(Event::Delivery { month }));
        } else if step.added > 0 || step.units > last.units {
            let added = step.units.saturating_sub(last.units);
            events.extend((added > 0).then_some(Event::Units { month, added, units: step.units }));
        }
        let more = step.units.saturating_sub(last.units);
        if month <= delivery {
            upfront += step.upfront;
        } else if step.upfront.get() != 0.0 || more > 0 || step.replaced > 0 {
            later.push(Later { month, added: more, replaced: step.replaced, upfront: step.upfront });
        }
        if step.replaced > 0 {
            events.push(Event::Replacement { month, units: step.replaced });
        }
        total.upfront += step.upfront;
        total.parts = total.parts.plus(&step.parts);
        last = step;
    }
    if let Supply::Api(api) = &it.supply {
        let price = |month: u32| api.request_price(month, &case.need, v);
        let changes = api.periods.iter().map(|p| p.from_month).filter(|m| (1..case.need.horizon).contains(m));
        events.extend(changes.map(|month| Event::PriceChange {
            month,
            before: price(month - 1),
            after: price(month),
        }));
    }
    let closing = run.closing(record);
    let running = total.parts.total();
    let tco = total.upfront + running - closing.value();
    record.add(|| {
        let mut terms = vec![Term::plain("upfront", total.upfront.get(), "USD")];
        let mut formula = "upfront".to_owned();
        for (name, usd) in total.parts.named().into_iter().filter(|(_, usd)| usd.get() != 0.0) {
            formula = format!("{formula} + {name}");
            terms.push(Term::plain(name, usd.get(), "USD"));
        }
        if closing.residual.get() != 0.0 {
            formula.push_str(" − residual");
            terms.push(Term::figure("residual", closing.residual.get(), "USD", "residual_usd"));
        }
        if closing.owed.get() != 0.0 {
            formula.push_str(" + still_owed");
            terms.push(Term::figure("still_owed", closing.owed.get(), "USD", "still_owed_usd"));
        }
        Derivation::new("tco_usd", tco.get(), "USD", &formula, terms)
            .note(format!("Each summed over {} months", case.need.horizon))
    });
    let mut s = OfferSummary {
        offer,
        requests_per_month: flow.requests.get(),
        tokens_per_month: (tokens.total() * flow.requests.get()).get(),
        parts: first.parts,
        one_off: first.one_off,
        total,
        upfront,
        later,
        events,
        capex: Usd::ZERO,
        amortised: Usd::ZERO,
        units: None,
        spare_units: 0,
        units_at_horizon: None,
        capacity_tokens: None,
        utilisation: None,
        input_price: None,
        output_price: None,
        blended_price: None,
        billed_hours: None,
        staff_hours: None,
        unit_watts: None,
        closing,
        tco,
        derived: Vec::new(),
    };
    match &it.supply {
        Supply::Api(api) => api_prices(&mut s, case, api, v, record),
        Supply::Machine(machine) => {
            s.units = Some(first.units);
            s.spare_units = machine.spare.min(first.units);
            let range = |slot: usize| case.ranges[slot];
            let further = machine.staff.further.map_or(Range::exactly(0.0), |slot| range(slot.index()));
            s.staff_hours = Some([range(machine.staff.hours.index()), further]);
            s.unit_watts = machine.power.as_ref().map(|p| [p.idle, p.load].map(|w| range(w.index()).likely));
            s.units_at_horizon = Some(last.units);
            machine_prices(&mut s, case, machine, flow, v, record);
        }
    }
    let monthly = s.parts.total();
    record.add(|| {
        let parts = s.parts.named().into_iter().filter(|(_, usd)| usd.get() != 0.0);
        let (mut terms, mut names) = (Vec::new(), Vec::new());
        for (name, usd) in parts {
            names.push(name);
            terms.push(Term::figure(name, usd.get(), "USD/month", &format!("monthly_parts_usd.{name}")));
        }
        Derivation::new("monthly_usd", monthly.get(), "USD/month", &names.join(" + "), terms)
    });
    s
}

fn api_prices(s: &mut OfferSummary, case: &Case, api: &Api, v: Values<'_>, record: &mut impl Record) {
    let tokens = case.need.tokens(v);
    let Some(rates) = api.rates(0, tokens) else { return };
    s.input_price = (tokens.input.get() > 0.0).then(|| v.get(rates.input));
    s.output_price = (tokens.written().get() > 0.0).then(|| v.get(rates.output));
    for (figure, slot) in [("usd_per_mtok_input", rates.input), ("usd_per_mtok_output", rates.output)] {
        record.add(|| {
            let price: UsdPerMtok = v.get(slot);
            let terms = vec![v.term("price", slot)];
            Derivation::new(figure, price.get(), "USD/Mtok", "price", terms)
        });
    }
    let charge = api.request_charge(0, &case.need, v);
    let per_request = api.request_price(0, &case.need, v);
    s.blended_price = (tokens.total().get() > 0.0).then(|| per_request / tokens.total());
    record.add(|| {
        use crate::price::Class;
        let (mut terms, mut names) = (Vec::new(), Vec::new());
        for (class, name) in
            Class::ALL.into_iter().zip(["input", "cache_read", "cache_write", "output", "reasoning"])
        {
            if charge.part(class) > 0.0 {
                terms.push(Term::plain(name, charge.part(class), "USD"));
                names.push(name);
            }
        }
        terms.push(v.term("retry_share", api.retry));
        let formula = format!(
            "({}) × (1 + retry_share)",
            if names.is_empty() { "0".to_owned() } else { names.join(" + ") }
        );
        Derivation::new("usd_per_request_charged", per_request.get(), "USD", &formula, terms)
            .note("Each class of tokens at its price, windows of the day and batches weighted")
    });
    if let Some(blended) = s.blended_price {
        record.add(|| {
            let terms = vec![
                Term::figure("usd_per_request", per_request.get(), "USD", "usd_per_request_charged"),
                Term::plain("tokens", tokens.total().get(), "tokens"),
            ];
            let formula = "usd_per_request ÷ tokens × 1000000";
            Derivation::new("usd_per_mtok_blended", blended.get(), "USD/Mtok", formula, terms)
        });
    }
}

fn machine_prices(
    s: &mut OfferSummary,
    case: &Case,
    machine: &Machine,
    flow: Flow,
    v: Values<'_>,
    record: &mut impl Record,
) {
    let units = f64::from(s.units.unwrap_or(1));
    match &machine.payment {
        Payment::Bought { price, owned, install, spares, life, residual, .. } => {
            let each: Usd = v.get(*price);
            // What is there already is not bought.
            let all = units;
            let units = (units - f64::from(*owned)).max(0.0);
            let name = if units < all { "units_to_buy" } else { "units" };
            s.capex = (each * (1.0 + v.get(*spares)) + v.get(*install)) * units;
            let months = life.map_or(f64::from(case.need.horizon), |slot| v.get(slot)).max(1.0);
            s.amortised = (s.capex - each * (v.get(*residual) * units)) / months;
            let unit_term = || match name {
                "units" => Term::figure("units", units, "units", "units"),
                name => Term::plain(name, units, "units"),
            };
            record.add(|| {
                let terms = vec![
                    unit_term(),
                    v.term("purchase_usd", *price),
                    v.term("spare_share", *spares),
                    v.term("install_usd", *install),
                ];
                let formula = format!("{name} × (purchase_usd × (1 + spare_share) + install_usd)");
                Derivation::new("capex_usd", s.capex.get(), "USD", &formula, terms)
            });
            record.add(|| {
                let terms = vec![
                    Term::figure("capex", s.capex.get(), "USD", "capex_usd"),
                    unit_term(),
                    v.term("purchase_usd", *price),
                    v.term("residual_share", *residual),
                    Term::plain("life_months", months, "months"),
                ];
                let formula = format!("(capex − {name} × purchase_usd × residual_share) ÷ life_months");
                Derivation::new("amortised_usd_per_month", s.amortised.get(), "USD/month", &formula, terms)
            });
        }
        Payment::Rented { billed, .. } => s.billed_hours = Some(v.get(*billed)),
    }
    let tokens = case.need.tokens(v);
    s.capacity_tokens = machine
        .capacity(&case.need, v, s.units.unwrap_or(1))
        .map(|requests| (tokens.total() * requests.get()).get());
    s.utilisation = compare::utilisation(case, machine, v, flow);
    record_speed(s, case, machine, v, record);
    let running = s.parts.total();
    // A loan pays for the purchase, so that adding both would count it twice.
    // What is rented has none.
    let on_loan = s.parts.loan.get() > 0.0 || matches!(machine.payment, Payment::Rented { .. });
    let monthly = if on_loan { running } else { running + s.amortised };
    let total = tokens.total() * flow.requests.get();
    s.blended_price = (total.get() > 0.0).then(|| monthly / total);
    let cost_terms = || {
        let mut terms = vec![Term::figure("monthly", running.get(), "USD/month", "monthly_usd")];
        if !on_loan {
            terms.push(Term::figure("amortised", s.amortised.get(), "USD/month", "amortised_usd_per_month"));
        }
        terms
    };
    let sum = if on_loan { "monthly" } else { "(monthly + amortised)" };
    if let Some(blended) = s.blended_price {
        record.add(|| {
            let mut terms = cost_terms();
            terms.push(Term::figure("tokens", total.get(), "tokens/month", "result.tokens_per_month"));
            let formula = format!("{sum} ÷ tokens × 1000000");
            Derivation::new("usd_per_mtok_blended", blended.get(), "USD/Mtok", &formula, terms)
        });
    }
    // The cost is divided between input and output by the time that a unit spends on each.
    if let Some((reading, writing)) = machine.work_parts(&case.need, v) {
        let share = |part: f64| part / (reading + writing).get().max(f64::MIN_POSITIVE);
        let mut price = |figure: &str, part: f64, count: crate::units::Tokens| {
            if count.get() <= 0.0 || flow.requests.get() <= 0.0 {
                return None;
            }
            let price = monthly * share(part) / (count * flow.requests.get());
            record.add(|| {
                let mut terms = cost_terms();
                terms.push(Term::plain("share_of_time", share(part), "share"));
                terms.push(Term::plain("tokens", (count * flow.requests.get()).get(), "tokens/month"));
                let formula = format!("{sum} × share_of_time ÷ tokens × 1000000");
                Derivation::new(figure, price.get(), "USD/Mtok", &formula, terms)
            });
            Some(price)
        };
        s.input_price = price("usd_per_mtok_input", reading.get(), tokens.input);
        s.output_price = price("usd_per_mtok_output", writing.get(), tokens.written());
    }
}

/// Derivations of what follows from the speeds: seconds per request, capacity, busy share.
fn record_speed(s: &OfferSummary, case: &Case, machine: &Machine, v: Values<'_>, record: &mut impl Record) {
    let Some((reading, writing)) = machine.work_parts(&case.need, v) else { return };
    let tokens = case.need.tokens(v);
    let work = reading + writing;
    record.add(|| {
        let (formula, terms, note) = machine.work_terms(&case.need, v);
        Derivation::new("seconds_per_request", work.get(), "s", &formula, terms).note(note)
    });
    let seconds = || Term::figure("seconds_per_request", work.get(), "s", "seconds_per_request");
    let units = f64::from(s.units.unwrap_or(1));
    if let Some(capacity) = s.capacity_tokens {
        record.add(|| {
            let terms = vec![
                Term::figure("units", units, "units", "units"),
                v.term("hours", machine.service_hours),
                seconds(),
                Term::plain("tokens", tokens.total().get(), "tokens"),
            ];
            // Only whole requests count: an answer that is not finished is worth nothing.
            let formula = "units × hours × 3600 ÷ seconds_per_request × tokens";
            Derivation::new("capacity_tokens_per_month", capacity, "tokens/month", formula, terms)
        });
    }
    if let Some(utilisation) = s.utilisation {
        record.add(|| {
            let in_service = units - f64::from(machine.spare.min(s.units.unwrap_or(0)));
            let terms = vec![
                Term::figure("requests", s.requests_per_month, "requests/month", "result.requests_per_month"),
                seconds(),
                Term::plain("units_in_service", in_service, "units"),
                v.term("hours", machine.service_hours),
            ];
            let formula = "requests × seconds_per_request ÷ (units_in_service × hours × 3600)";
            Derivation::new("utilisation", utilisation, "share", formula, terms)
        });
    }
}
