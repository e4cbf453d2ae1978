//! Two offers compared: payback, totals over the horizon, present value, break-even points.

use super::case::{Case, Offer, Pair, Payment, Supply, Values, Volume};
use super::simulate::{Bill, Flow, LAST_MONTH, Pace, Run, Step};
use crate::units::{Requests, Usd, UsdPerMtok};

/// Number of months beyond which growth is not extrapolated.
pub const GROWTH_LIMIT: u32 = 120;

/// Working memory of comparisons, so that ten thousand of them need no allocation.
#[derive(Debug, Default)]
pub struct Scratch {
    cloud: Vec<u32>,
    local: Vec<u32>,
    beside: Vec<u32>,
}

/// Why the local side does not pay back.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Never {
    /// Its running cost is as high as the cloud's, or higher.
    RunningCost { cloud: Usd, local: Usd },
    /// The monthly saving shrinks to nothing before the outlay is recovered: prices fall or change, or the
    /// volume falls.
    SavingEnds { best_month: u32, still_missing: Usd },
    /// Units must be replaced before they have paid for themselves.
    Replacements { life_months: u32 },
    /// Not within this many months: the calculation's limit, or [`GROWTH_LIMIT`] where the volume grows.
    TooFar { months: u32 },
}

/// The results that follow from the cash flow.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Outcome {
    pub tco_cloud: Usd,
    pub tco_local: Usd,
    /// Present value of the saving of the local side over the horizon.
    pub npv: Usd,
    /// Payback in months; 0 where local is cheaper from the first day, `None` where it never pays back.
    pub payback: Option<f64>,
    pub discounted_payback: Option<f64>,
    pub never: Option<Never>,
    /// The month in which the saving stops growing, and the cumulative saving then.
    pub best: Option<(f64, Usd)>,
    /// First month after payback, from 0, at whose end the cumulative saving is negative again.
    pub undone: Option<u32>,
    /// Values from which the figures above were computed, for their derivations.
    pub seen: Seen,
}

/// Values that the simulation had when it found each answer.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Seen {
    /// Where the cumulative saving becomes positive.
    pub turn: Option<Turn>,
    /// Where the discounted cumulative saving becomes positive.
    pub discounted_turn: Option<Turn>,
    /// Between which months the monthly saving ends.
    pub end: Option<SavingEnd>,
    /// Values at the horizon.
    pub horizon: AtHorizon,
}

/// Where a cumulative saving becomes positive: after `months + missing ÷ saving`.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Turn {
    /// Whole months before it.
    pub months: f64,
    /// What was still missing then, US dollars; 0 where a payment at the month's beginning closes the gap.
    pub missing: f64,
    /// Saving in the month in which it happens, US dollars.
    pub saving: f64,
}

impl Turn {
    fn at(self) -> f64 {
        if self.missing == 0.0 { self.months } else { self.months + self.missing / self.saving }
    }
}

/// How the monthly saving ends.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum SavingEnd {
    /// It falls to zero between the middles of two months: after `month − 0.5 + last ÷ (last − next)`
    /// months.
    Shrinks {
        /// The last month with a saving, counted from 1.
        month: f64,
        /// Saving in that month, US dollars.
        last: f64,
        /// Saving in the following month, US dollars; zero or negative.
        next: f64,
    },
    /// A price change on a date ends it.
    Changes,
}

/// Values at the horizon, US dollars.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct AtHorizon {
    /// Discounted cumulative saving.
    pub position: f64,
    /// Residual value of the baseline less what is owed for it.
    pub cloud_left: f64,
    /// Residual value of the local side less what is owed for it.
    pub local_left: f64,
    /// Present value of one dollar at the horizon.
    pub worth: f64,
}

/// One month of a comparison.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Month {
    pub month: u32,
    pub cloud: Step,
    pub local: Step,
    /// Cumulative saving of the local side at the end of the month.
    pub position: Usd,
    pub discounted_position: Usd,
}

/// The volume of requests that both sides of a pair serve.
pub fn flow(case: &Case, pair: Pair, v: Values<'_>) -> Flow {
    let machine = [pair.local, pair.cloud].into_iter().find_map(|i| match &case.offers[i].supply {
        Supply::Machine(m) => Some(m.as_ref()),
        Supply::Api(_) => None,
    });
    Flow { requests: case.need.requests(v, machine), scale: 1.0 }
}

/// A cumulative saving. It jumps at the beginning of months and moves evenly within them. `turn` is where
/// it first becomes positive and stays so for the rest of the month.
#[derive(Debug, Clone, Copy, Default)]
struct Position {
    at: f64,
    turn: Option<Turn>,
}

impl Position {
    /// `works`: the local side is there, so that it can pay back.
    fn advance(&mut self, month: u32, jump: f64, run: f64, works: bool) {
        self.at += jump;
        if self.turn.is_none() && works {
            let tiny = 1e-9 * self.at.abs().max(run.abs()).max(1e-9);
            // Proceeds of selling a unit are no payback if the rest of the month uses them up.
            let lasts = self.at > tiny && self.at + run >= -tiny;
            let months = f64::from(month);
            if lasts || (self.at.abs() <= tiny && run > 0.0) {
                self.turn = Some(Turn { months, missing: 0.0, saving: run });
            } else if run > 0.0 && self.at + run >= -tiny {
                self.turn = Some(Turn { months, missing: (-self.at).min(run), saving: run });
            }
        }
        self.at += run;
    }
}

/// The volumes of the two sides, where they differ.
#[derive(Debug, Clone, Copy)]
pub struct Flows {
    pub cloud: Flow,
    pub local: Flow,
    /// Requests that the local side also sends to the cloud, at its own expense.
    pub beside: Option<Flow>,
}

/// Compare a pair over the horizon, and further until its paybacks are known. `each` is called with every
/// month up to the horizon.
pub fn compare(
    case: &Case,
    pair: Pair,
    v: Values<'_>,
    flow: Flow,
    scratch: &mut Scratch,
    each: impl FnMut(Month),
) -> Outcome {
    run(case, pair, v, Flows { cloud: flow, local: flow, beside: None }, scratch, true, each)
}

/// Like [`compare`], without the discounted payback and the best point: for draws.
pub fn payback_only(case: &Case, pair: Pair, v: Values<'_>, flow: Flow, scratch: &mut Scratch) -> Outcome {
    run(case, pair, v, Flows { cloud: flow, local: flow, beside: None }, scratch, false, |_| ())
}

/// The payments of both sides, month by month.
pub(super) trait Sides {
    /// What the baseline and the local side pay in the next month.
    fn next(&mut self) -> (Bill, Bill);
    /// Residual value less debt of each side; asked once, at the horizon.
    fn closing(&self) -> (f64, f64);
    /// Called with every month up to the horizon, with the plain and the discounted cumulative saving at
    /// its end.
    fn seen(&mut self, _month: u32, _position: f64, _discounted: f64) {}
}

/// Two offers that are simulated while they are compared.
struct Live<'a, F> {
    cloud: Run<'a>,
    local: Run<'a>,
    beside: Option<Run<'a>>,
    month: u32,
    /// Months from the start in which the local side also pays for the baseline.
    meanwhile: u32,
    last: (Step, Step),
    each: F,
}

impl<F: FnMut(Month)> Sides for Live<'_, F> {
    fn next(&mut self) -> (Bill, Bill) {
        self.last = (self.cloud.step(&mut ()), self.local.step(&mut ()));
        // Until the local side works, and while both run, it also pays for the whole baseline; after that
        // for its part of the load.
        let beside = self.beside.as_mut().map(|beside| beside.step(&mut ()));
        let paid = if self.month < self.meanwhile { Some(self.last.0) } else { beside };
        if let Some(paid) = paid {
            self.last.1.parts.api += paid.parts.total();
            self.last.1.upfront += paid.upfront;
        }
        self.month += 1;
        (Bill::from(&self.last.0), Bill::from(&self.last.1))
    }
    fn closing(&self) -> (f64, f64) {
        (self.cloud.closing(&mut ()).value().get(), self.local.closing(&mut ()).value().get())
    }
    fn seen(&mut self, month: u32, position: f64, discounted: f64) {
        let (cloud, local) = self.last;
        (self.each)(Month {
            month,
            cloud,
            local,
            position: usd(position),
            discounted_position: usd(discounted),
        });
    }
}

/// The comparison itself. `full` also asks for the discounted payback and the best point.
pub fn run(
    case: &Case,
    pair: Pair,
    v: Values<'_>,
    flows: Flows,
    scratch: &mut Scratch,
    full: bool,
    each: impl FnMut(Month),
) -> Outcome {
    let need = &case.need;
    let cloud = Run::new(&case.offers[pair.cloud], need, v, flows.cloud, &mut scratch.cloud);
    let local = Run::new(&case.offers[pair.local], need, v, flows.local, &mut scratch.local);
    let beside =
        flows.beside.map(|flow| Run::new(&case.offers[pair.cloud], need, v, flow, &mut scratch.beside));
    let terms = Terms::new(case, pair, v, [cloud.pace(), local.pace()], full);
    let meanwhile = case.offers[pair.local].meanwhile();
    walk(
        &terms,
        Live { cloud, local, beside, month: 0, meanwhile, last: (Step::default(), Step::default()), each },
    )
}

/// What a comparison needs to know beside the bills.
#[derive(Debug, Clone, Copy)]
pub(super) struct Terms {
    horizon: u32,
    /// Number of months after which the search ends.
    limit: u32,
    /// Discount factor of one month.
    discount: f64,
    /// Once the monthly saving begins to shrink, it never grows again.
    falling: bool,
    /// The month of the last price change on a date; 0 where there is none.
    last_change: u32,
    settled: Option<u32>,
    /// Months between replacements on either side.
    cycle: Option<u32>,
    full: bool,
    /// Months until the local side works.
    delivery: u32,
    /// Months in which the local side also pays for the baseline.
    meanwhile: u32,
    life: Option<u32>,
    /// The baseline is hardware that must be replaced, a cost that the local side saves.
    baseline_renews: bool,
}

impl Terms {
    pub(super) fn new(case: &Case, pair: Pair, v: Values<'_>, pace: [Pace; 2], full: bool) -> Self {
        let [cloud, local] = pace;
        let growth: f64 = v.get(case.need.growth);
        let settled = cloud.settled.zip(local.settled).map(|(a, b)| a.max(b));
        Self {
            horizon: case.need.horizon,
            limit: limit(case, v),
            discount: (1.0 + v.get(case.finance.discount)).powf(-1.0 / 12.0),
            falling: growth <= 0.0 && falls(case, pair, v),
            last_change: [pair.cloud, pair.local]
                .map(|o| last_change(&case.offers[o]))
                .into_iter()
                .max()
                .unwrap_or(0),
            settled,
            cycle: cloud.life.or(local.life).and_then(|l| u32::try_from(l).ok()),
            full,
            delivery: case.offers[pair.local].delivery(),
            meanwhile: case.offers[pair.local].meanwhile(),
            life: life_of(&case.offers[pair.local], v),
            baseline_renews: cloud.life.is_some(),
        }
    }
}

/// Number of months to look at. Growth that compounds over decades is not believable, so there are fewer
/// with growth.
pub(super) fn limit(case: &Case, v: Values<'_>) -> u32 {
    let growth: f64 = v.get(case.need.growth);
    if growth > 0.0 { case.need.horizon.max(GROWTH_LIMIT) } else { LAST_MONTH }
}

/// Go through the months until every answer is known.
pub(super) fn walk(terms: &Terms, mut sides: impl Sides) -> Outcome {
    let Terms { horizon, limit, discount, full, last_change, .. } = *terms;
    let (mut worth, mut tco_cloud, mut tco_local, mut npv) = (1.0, 0.0, 0.0, 0.0);
    let (mut plain, mut discounted) = (Position::default(), Position::default());
    let mut best: Option<(f64, f64)> = None;
    let (mut last_run, mut undone) = (0.0, None);
    let mut earned = false;
    let (mut first, mut outlay) = ((0.0, 0.0), 0.0);
    let mut peak = (0, f64::MIN);
    let mut at_last_cycle = f64::MIN;
    let mut seen = Seen::default();

    for month in 0..limit {
        let (c, l) = sides.next();
        let jump = c.upfront - l.upfront;
        let run = c.running - l.running;
        if month == 0 || month == terms.meanwhile {
            first = (c.running, l.running);
        }
        let works = month >= terms.delivery;
        if month <= terms.delivery {
            outlay -= jump;
        }
        plain.advance(month, jump, run, works);
        discounted.advance(month, jump * worth, run * worth * discount, works);
        let falling = terms.falling && month >= last_change;
        if falling && best.is_none() && last_run > 0.0 && run <= 0.0 {
            // The saving per month crosses zero between the middles of two months.
            let at = f64::from(month) - 0.5 + last_run / (last_run - run).max(f64::MIN_POSITIVE);
            best = Some((at, plain.at - run));
            seen.end = Some(SavingEnd::Shrinks { month: f64::from(month), last: last_run, next: run });
        }
        last_run = run;
        earned |= month < horizon && run > 0.0;
        if plain.at > peak.1 {
            peak = (month, plain.at);
        }
        if plain.turn.is_some() && undone.is_none() && plain.at < 0.0 && month < horizon {
            undone = Some(month);
        }
        worth *= discount;
        if month < horizon {
            tco_cloud += c.total();
            tco_local += l.total();
            if month + 1 == horizon {
                let (cloud, local) = sides.closing();
                tco_cloud -= cloud;
                tco_local -= local;
                npv = discounted.at + (local - cloud) * worth;
                seen.horizon =
                    AtHorizon { position: discounted.at, cloud_left: cloud, local_left: local, worth };
            }
            sides.seen(month, plain.at, discounted.at);
        }
        if month + 1 < horizon || month < terms.meanwhile {
            continue;
        }
        let steady = terms.settled.is_some_and(|s| month >= s);
        let best_known = month >= last_change && (best.is_some() || !falling);
        if plain.turn.is_some() && (!full || (discounted.turn.is_some() && best_known)) {
            break;
        }
        if run <= 0.0 && (falling || steady) {
            break;
        }
        if steady {
            // The discounted saving of all later months cannot recover what is missing.
            let hopeless = discount < 1.0 && discounted.at + run * worth * discount / (1.0 - discount) <= 0.0;
            if plain.turn.is_some() && hopeless && !terms.baseline_renews {
                break;
            }
            match terms.cycle {
                // Without replacements every later month is the same, so the rest is a straight line; with
                // a discount rate it is not.
                None if discount >= 1.0 || !full => {
                    let line =
                        |p: Position| Turn { months: f64::from(month + 1), missing: -p.at, saving: run };
                    plain.turn = plain.turn.or(Some(line(plain)));
                    discounted.turn = discounted.turn.or(Some(line(discounted)));
                    break;
                }
                // A life of the units that does not earn its replacement is followed by more of the same.
                Some(life) if plain.turn.is_none() && (month + 1) % life == 0 => {
                    if plain.at <= at_last_cycle {
                        break;
                    }
                    at_last_cycle = plain.at;
                }
                _ => {}
            }
        }
    }
    if last_change > 0 && best.is_none() && last_run <= 0.0 && peak.1 > 0.0 {
        // The saving ended with a price change on a date.
        best = Some((f64::from(peak.0 + 1), peak.1));
        seen.end = Some(SavingEnd::Changes);
    }
    let never = plain.turn.is_none().then(|| {
        // A saving that only growth after the horizon would bring does not count.
        if !earned || (last_run <= 0.0 && peak.0 == 0) {
            Never::RunningCost { cloud: usd(first.0), local: usd(first.1) }
        } else if last_run <= 0.0 {
            Never::SavingEnds { best_month: peak.0, still_missing: usd(-peak.1) }
        } else if let Some(life_months) = terms.life.filter(|_| outlay / last_run <= f64::from(limit)) {
            // Without replacements it would pay back, so they are the reason.
            Never::Replacements { life_months }
        } else {
            Never::TooFar { months: limit }
        }
    });
    Outcome {
        tco_cloud: usd(tco_cloud),
        tco_local: usd(tco_local),
        npv: usd(npv),
        payback: plain.turn.map(Turn::at),
        discounted_payback: discounted.turn.map(Turn::at),
        never,
        best: best.map(|(month, at)| (month, usd(at))),
        undone,
        seen: Seen { turn: plain.turn, discounted_turn: discounted.turn, ..seen },
    }
}

/// Do the prices of the baseline fall over time?
fn falls(case: &Case, pair: Pair, v: Values<'_>) -> bool {
    match &case.offers[pair.cloud].supply {
        Supply::Api(api) => v.get(api.drift) < 0.0,
        Supply::Machine(_) => false,
    }
}

fn last_change(offer: &Offer) -> u32 {
    match &offer.supply {
        Supply::Api(api) => api.last_change(),
        Supply::Machine(_) => 0,
    }
}

/// An amount that may have left the range of finite numbers.
fn usd(value: f64) -> Usd {
    Usd::new(if value.is_nan() { 0.0 } else { value.clamp(f64::MIN, f64::MAX) })
}

fn life_of(offer: &Offer, v: Values<'_>) -> Option<u32> {
    match &offer.supply {
        Supply::Machine(m) => match &m.payment {
            // The clamp keeps it in range.
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
            Payment::Bought { life: Some(slot), .. } => Some(v.get(*slot).clamp(1.0, 1e6) as u32),
            _ => None,
        },
        Supply::Api(_) => None,
    }
}

/// The price of the API at which both sides cost the same over the horizon.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BreakEvenPrice {
    /// Per token of the first month, input and output together.
    pub blended: UsdPerMtok,
    /// Totals of both sides, (cloud, local), with all prices of the API at zero; `None` where its bill is no
    /// straight line of its prices.
    pub free: Option<(Usd, Usd)>,
}

/// Points at which both sides cost the same over the horizon.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct BreakEven {
    /// Break-even volume, requests in the first month.
    pub requests: Option<Requests>,
    pub tokens_per_month: Option<f64>,
    pub utilisation: Option<f64>,
    /// Break-even API price, everything else unchanged.
    pub price: Option<BreakEvenPrice>,
    /// Ranges of volume, in requests in the first month, in which the local side costs no more; searched up
    /// to thirty times the larger of the need's volume and the first break-even. `None` where a range does
    /// not end within that. There are several where a further unit takes the saving away again.
    pub windows: Vec<(Requests, Option<Requests>)>,
}

/// Search the break-even volume (with the same request shape and growth, and units bought as needed) and
/// the break-even price.
pub fn break_even(case: &Case, pair: Pair, v: Values<'_>, scratch: &mut Scratch) -> BreakEven {
    let base = flow(case, pair, v);
    let tokens = case.need.tokens(v).total();
    let mut found =
        BreakEven { price: break_even_price(case, pair, v, base, scratch), ..BreakEven::default() };
    let machine = match &case.offers[pair.local].supply {
        Supply::Machine(m) => Some(m),
        Supply::Api(_) => None,
    };
    // A fixed number of units has a largest volume.
    let most = machine.and_then(|m| {
        let units = m.units.or(matches!(case.need.volume, Volume::AtCapacity).then_some(1))?;
        m.capacity(&case.need, v, units)
    });
    let mut gain = |requests: f64| {
        let scale = requests / base.requests.get().max(f64::MIN_POSITIVE);
        let flow = Flow { requests: Requests::new(requests), scale };
        let outcome = compare_to_horizon(case, pair, v, flow, scratch);
        (outcome.0 - outcome.1).get()
    };
    let start = if base.requests.get() > 0.0 { base.requests.get() } else { 1000.0 };
    let (mut low, mut high) = (0.0, None);
    for k in -180..=180 {
        let mut requests = start * 10f64.powf(f64::from(k) / 30.0);
        let end = most.is_some_and(|m| requests >= m.get());
        if let Some(m) = most.filter(|_| end) {
            requests = m.get();
        }
        if gain(requests) >= 0.0 {
            high = Some(requests);
            break;
        }
        if end {
            break;
        }
        low = requests;
    }
    let Some(mut high) = high else { return found };
    if low == 0.0 {
        high = 0.0;
    }
    // The volume at which the answer changes, by bisection between one volume of each kind.
    let turn = |mut without: f64, mut with: f64, gain: &mut dyn FnMut(f64) -> f64| {
        for _ in 0..60 {
            let middle = f64::midpoint(without, with);
            if middle <= without.min(with) || middle >= without.max(with) {
                break;
            }
            if gain(middle) >= 0.0 { with = middle } else { without = middle }
        }
        with
    };
    high = turn(low, high, &mut gain);
    let end = start.max(high) * 30.0;
    let end = most.map_or(end, |m| end.min(m.get()));
    let (mut open, mut at) = (Some(high), high.max(start * 1e-6));
    while at < end && found.windows.len() < MOST_WINDOWS {
        let next = (at * 10f64.powf(1.0 / 40.0)).min(end);
        match (open, gain(next) >= 0.0) {
            (Some(from), false) => {
                let to = turn(next, at, &mut gain);
                found.windows.push((Requests::new(from), Some(Requests::new(to))));
                open = None;
            }
            (None, true) => open = Some(turn(at, next, &mut gain)),
            _ => {}
        }
        at = next;
    }
    if let Some(from) = open {
        found.windows.push((Requests::new(from), None));
    }
    found.requests = Some(Requests::new(high));
    found.tokens_per_month = Some(high * tokens.get());
    found.utilisation = machine.and_then(|m| {
        let scale = high / base.requests.get().max(f64::MIN_POSITIVE);
        utilisation(case, m, v, Flow { requests: Requests::new(high), scale })
    });
    found
}

/// More ranges than this come from one sawtooth curve, in which each further unit is a tooth.
const MOST_WINDOWS: usize = 6;

/// Mean busy share in the first month, 0 to 1.
pub fn utilisation(case: &Case, machine: &super::case::Machine, v: Values<'_>, flow: Flow) -> Option<f64> {
    let work = machine.work(&case.need, v)?;
    let units = first_units(case, machine, v, flow);
    Some(crate::capacity::units::utilisation(flow.requests, work, units, v.get(machine.service_hours)))
}

/// Units in the first month.
pub fn first_units(case: &Case, machine: &super::case::Machine, v: Values<'_>, flow: Flow) -> u32 {
    machine.units.unwrap_or_else(|| needed_units(case, machine, v, flow).unwrap_or(1))
}

/// Units that the peak of the first month needs; `None` where no speed is known.
pub fn needed_units(case: &Case, machine: &super::case::Machine, v: Values<'_>, flow: Flow) -> Option<u32> {
    let work = machine.work(&case.need, v)?;
    let peak = machine.peak(&case.need, v, flow.requests, 1.0, flow.scale);
    Some(machine.units_for(peak, work, v))
}

/// Totals over the horizon only: (cloud, local).
pub fn compare_to_horizon(
    case: &Case,
    pair: Pair,
    v: Values<'_>,
    flow: Flow,
    scratch: &mut Scratch,
) -> (Usd, Usd) {
    let meanwhile = case.offers[pair.local].meanwhile();
    let total = |offer: usize, memory: &mut Vec<u32>| {
        Run::new(&case.offers[offer], &case.need, v, flow, memory).total(case.need.horizon, meanwhile)
    };
    let (cloud, early) = total(pair.cloud, &mut scratch.cloud);
    let (local, _) = total(pair.local, &mut scratch.local);
    (usd(cloud), usd(local + early))
}

/// What the local side of a pair pays for its baseline over the horizon: until it works, and while both
/// run.
pub fn paid_meanwhile(case: &Case, pair: Pair, v: Values<'_>) -> Usd {
    let mut memory = Vec::new();
    let run = Run::new(&case.offers[pair.cloud], &case.need, v, flow(case, pair, v), &mut memory);
    usd(run.total(case.need.horizon, case.offers[pair.local].meanwhile()).1)
}

/// The blended price per token, of the first month, at which both sides cost the same if all prices of the
/// API are scaled alike. Credits, minimum spend and discounts bend the bill; then it is found by halving.
fn break_even_price(
    case: &Case,
    pair: Pair,
    v: Values<'_>,
    flow: Flow,
    scratch: &mut Scratch,
) -> Option<BreakEvenPrice> {
    let Supply::Api(api) = &case.offers[pair.cloud].supply else { return None };
    let slots = api.price_slots();
    let mut at = |factor: f64| {
        let numbers = v.scaled(&slots, factor);
        compare_to_horizon(case, pair, Values::of(&numbers), flow, scratch)
    };
    let gain = |(cloud, local): (Usd, Usd)| (cloud - local).get();
    let (free, now) = (at(0.0), at(1.0));
    let (lowest, slope) = (gain(free), gain(now) - gain(free));
    // Where dearer tokens do not make the API dearer, or it is dearer for nothing, no price is the one.
    if slope <= 0.0 || lowest > 0.0 {
        return None;
    }
    let straight = -lowest / slope;
    let is_straight = gain(at(straight)).abs() <= 1e-9 * (now.0.get().abs() + now.1.get().abs());
    let factor = if is_straight {
        straight
    } else {
        let (mut low, mut high) = (0.0, 1.0);
        while gain(at(high)) < 0.0 {
            (low, high) = (high, high * 2.0);
            if high > MOST_TIMES {
                return None;
            }
        }
        for _ in 0..60 {
            let middle = f64::midpoint(low, high);
            if gain(at(middle)) < 0.0 { low = middle } else { high = middle }
        }
        high
    };
    let per_token = api.request_price(0, &case.need, v) / case.need.tokens(v).total();
    Some(BreakEvenPrice { blended: per_token * factor, free: is_straight.then_some(free) })
}

/// A price is searched up to so many times today's.
const MOST_TIMES: f64 = 1e6;
