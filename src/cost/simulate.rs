//! One offer, month by month. This is the truth of the cost model; closed forms exist only in
//! tests, as checks against it.
//!
//! Conventions: months count from 0. What is bought in a month is paid at its beginning, everything
//! else evenly over it. Requests grow from month to month; a drift of API prices acts continuously,
//! so a month pays the mean price over its days.

use super::case::{
    Api, Copies, Machine, Need, Offer, Payment, Peak, Period, Portion, Prefill, Rates, Serving, Shape, Slot,
    Staff, Supply, Values, Volume,
};
use crate::capacity::units as load;
use crate::plan::staffing;
use crate::price::{self, Batch, Charge};
use crate::terms::{Derivation, Record, Term};
use crate::units::{
    Hours, Requests, RequestsPerSec, Seconds, Tokens, TokensPerSec, Usd, UsdPerHour, UsdPerMtok,
};

pub use crate::workload::keys::LAST_MONTH;

/// Tokens of one request in one draw.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RequestTokens {
    pub input: Tokens,
    pub output: Tokens,
    pub reasoning: Tokens,
}

impl RequestTokens {
    pub fn total(self) -> Tokens {
        self.input + self.output + self.reasoning
    }
    pub fn written(self) -> Tokens {
        self.output + self.reasoning
    }
}

impl Need {
    pub fn tokens(&self, v: Values<'_>) -> RequestTokens {
        match self.shape {
            Shape::PerRequest { input, output, reasoning } => {
                RequestTokens { input: v.get(input), output: v.get(output), reasoning: v.get(reasoning) }
            }
            Shape::ShareOnly { input_share } => {
                let share = v.get(input_share);
                RequestTokens {
                    input: Tokens::new(1000.0 * share),
                    output: Tokens::new(1000.0 * (1.0 - share)),
                    reasoning: Tokens::ZERO,
                }
            }
        }
    }

    /// Requests of the first month, given the machine of the comparison.
    pub fn requests(&self, v: Values<'_>, machine: Option<&Machine>) -> Requests {
        match self.volume {
            Volume::Requests(slot) => v.get::<Requests>(slot) * v.get(self.volume_factor),
            Volume::Tokens(slot) => {
                let total: Tokens = v.get(slot);
                Requests::new(total.ratio(self.tokens(v).total()).unwrap_or(0.0) * v.get(self.volume_factor))
            }
            Volume::AtCapacity => machine.map_or(Requests::ZERO, |m| {
                m.capacity(self, v, m.units.unwrap_or(1))
                    .map_or(Requests::ZERO, |c| c * m.ceiling_of(m.units.unwrap_or(1), v))
            }),
        }
    }
}

impl Rates {
    /// The numbers of one draw.
    fn values(&self, v: Values<'_>) -> price::Rates {
        let usd = |slot: Slot<UsdPerMtok>| Some(v.get(slot).get());
        // A cache price nobody needed is that of the input.
        let or_input = |slot: Option<Slot<UsdPerMtok>>| usd(slot.unwrap_or(self.input));
        price::Rates {
            input: usd(self.input),
            output: usd(self.output),
            cache_read: or_input(self.cache_read),
            cache_write: or_input(self.cache_write),
            reasoning: self.reasoning.and_then(usd),
        }
    }
}

impl Period {
    /// Past a threshold every token of the request pays the tier's rates.
    fn rates_for(&self, input: Tokens) -> (&Rates, bool) {
        let tier = self.tiers.iter().rfind(|(above, _)| input.get() > *above as f64);
        tier.map_or((&self.rates, false), |(_, rates)| (rates, true))
    }
}

impl Portion {
    /// Its part of the mean request.
    fn of(&self, mean: &price::Usage) -> price::Usage {
        price::Usage {
            uncached: mean.uncached * self.uncached * self.share,
            cache_read: mean.cache_read * self.read * self.share,
            cache_write: mean.cache_write * self.written * self.share,
            output: mean.output * self.output * self.share,
            reasoning: mean.reasoning * self.reasoning * self.share,
        }
    }
}

impl Api {
    /// The prices in force in a month.
    fn period(&self, month: u32) -> Option<&Period> {
        self.periods.iter().rfind(|p| p.from_month <= month).or(self.periods.first())
    }

    /// What one request costs in a month, before drift and retries: tiers, windows and batch share
    /// included.
    pub fn request_charge(&self, month: u32, need: &Need, v: Values<'_>) -> Charge {
        let Some(period) = self.period(month) else { return Charge::default() };
        let tokens = need.tokens(v);
        let usage = price::Usage::of_shares(
            tokens.input.get(),
            v.get(need.cached),
            v.get(need.cache_write),
            tokens.output.get(),
            tokens.reasoning.get(),
        );
        let batch_share = v.get(need.batch);
        let batch = period
            .batch_multiplier
            .filter(|_| batch_share > 0.0)
            .map(|multiplier| Batch { share: batch_share, multiplier: v.get(multiplier) });
        let charge = |usage: &price::Usage, rates: &Rates, tier: bool| {
            let windows = period.windows.iter().filter(|_| !tier).map(|(share, r)| (*share, r.values(v)));
            // Every class that is used has a slot: resolving refuses a request without its prices.
            price::expected(usage, &rates.values(v), windows, batch).unwrap_or_default()
        };
        let (rates, tier) = period.rates_for(tokens.input);
        if period.tiers.is_empty() || need.mix.is_empty() {
            return charge(&usage, rates, tier);
        }
        // Requests that are not alike: those past a threshold pay its rates, whatever the mean is.
        let mut all = Charge::default();
        for portion in &need.mix {
            let (rates, tier) = period.rates_for(tokens.input * portion.input);
            all = all.plus(&charge(&portion.of(&usage), rates, tier));
        }
        all
    }

    /// Price of one request in a month, before drift; answers that must be asked for again included.
    pub fn request_price(&self, month: u32, need: &Need, v: Values<'_>) -> Usd {
        Usd::new(self.request_charge(month, need, v).total()) * (1.0 + v.get(self.retry))
    }

    /// The rates of a request of this size in a month, outside windows.
    pub fn rates(&self, month: u32, tokens: RequestTokens) -> Option<&Rates> {
        Some(self.period(month)?.rates_for(tokens.input).0)
    }

    /// The month after which prices no longer change on a date.
    pub fn last_change(&self) -> u32 {
        self.periods.last().map_or(0, |p| p.from_month)
    }
}

/// Mean of `(1 + rate)^(t/12)` over month 0: what a continuous drift costs in the first month.
fn drift_within_month(per_year: f64) -> (f64, f64) {
    let q = (1.0 + per_year).powf(1.0 / 12.0);
    let mean = if (q - 1.0).abs() < 1e-12 { 1.0 } else { (q - 1.0) / q.ln() };
    (q, mean)
}

impl Machine {
    /// Local requests of one request of the need: answers that were unusable are asked for again.
    fn asked(&self, v: Values<'_>) -> f64 {
        1.0 + v.get(self.retry)
    }

    /// Seconds of a unit one request takes, reading and writing apart; `None` without speeds.
    pub fn work_parts(&self, need: &Need, v: Values<'_>) -> Option<(Seconds, Seconds)> {
        let tokens = need.tokens(v);
        let factor = v.get(self.tokeniser_ratio) * self.asked(v);
        // What its own cache still holds is not read again.
        let read = tokens.input * (1.0 - v.get(self.cached)) * factor;
        let written = tokens.written() * factor;
        match self.serving.as_ref()? {
            Serving::Speed(speed) => {
                let decode: TokensPerSec = v.get(speed.decode);
                let prefill = match speed.prefill {
                    Prefill::Speed(slot) => Some(v.get(slot)),
                    Prefill::Free => None,
                    Prefill::AsOutput => Some(decode),
                };
                let both = load::work(read, written, prefill, decode);
                let writing = written / decode;
                Some((both - writing, writing))
            }
            Serving::Copies(copies) => {
                let whole = self.asked(v) * copies.seconds(read, written, self.asked(v), v)
                    / f64::from(copies.per_unit);
                Some((Seconds::new(whole * copies.reading), Seconds::new(whole * (1.0 - copies.reading))))
            }
        }
    }

    /// How the seconds of a unit for one request come about: formula, terms, and a note.
    pub fn work_terms(&self, need: &Need, v: Values<'_>) -> (String, Vec<Term>, String) {
        let tokens = need.tokens(v);
        let mut terms = vec![
            Term::plain("input", tokens.input.get(), "tokens"),
            v.term("cached_share", self.cached),
            Term::plain("output", tokens.written().get(), "tokens"),
            v.term("tokeniser_ratio", self.tokeniser_ratio),
            v.term("retry_share", self.retry),
        ];
        let more = "tokeniser_ratio × (1 + retry_share)";
        let none = String::new;
        match &self.serving {
            Some(Serving::Speed(speed)) => {
                terms.push(v.term("decode_tokens_per_second", speed.decode));
                match speed.prefill {
                    Prefill::Speed(slot) => {
                        terms.push(v.term("prefill_tokens_per_second", slot));
                        (
                            format!(
                                "(input × (1 − cached_share) ÷ prefill_tokens_per_second + output ÷ decode_tokens_per_second) × {more}"
                            ),
                            terms,
                            none(),
                        )
                    }
                    Prefill::Free => (format!("output ÷ decode_tokens_per_second × {more}"), terms, none()),
                    Prefill::AsOutput => (
                        format!("(input × (1 − cached_share) + output) ÷ decode_tokens_per_second × {more}"),
                        terms,
                        none(),
                    ),
                }
            }
            Some(Serving::Copies(copies)) => {
                terms.extend([
                    v.term("requests_per_second", copies.rate),
                    Term::plain("copies", f64::from(copies.per_unit), "per unit"),
                    Term::plain("reading", copies.reading, "share"),
                    Term::plain("planned_input", copies.input, "tokens"),
                    Term::plain("planned_output", copies.output, "tokens"),
                ]);
                let part = |tokens: &str, then: f64, name: &str| {
                    if then > 0.0 { format!("{tokens} × tokeniser_ratio ÷ {name}") } else { "1".to_owned() }
                };
                let read = part("input × (1 − cached_share)", copies.input, "planned_input");
                let written = part("output", copies.output, "planned_output");
                (
                    format!(
                        "(reading × {read} + (1 − reading) × {written}) ÷ requests_per_second ÷ copies × (1 + retry_share)"
                    ),
                    terms,
                    "The plan's rate holds for its own tokens; others take their share of the time"
                        .to_owned(),
                )
            }
            None => (String::new(), terms, none()),
        }
    }

    /// Seconds of a unit one request takes; `None` without speeds.
    pub fn work(&self, need: &Need, v: Values<'_>) -> Option<Seconds> {
        let (input, output) = self.work_parts(need, v)?;
        Some(input + output)
    }

    /// Requests a number of units serve in a month when never idle.
    pub fn capacity(&self, need: &Need, v: Values<'_>, units: u32) -> Option<Requests> {
        let work = self.work(need, v).filter(|w| w.get() > 0.0)?;
        Some(load::requests_in(v.get(self.service_hours), units, work))
    }

    /// Units in service for a peak, given the seconds of a unit one request takes.
    pub fn units_for(&self, peak: RequestsPerSec, work: Seconds, v: Values<'_>) -> u32 {
        match &self.serving {
            Some(Serving::Copies(copies)) => {
                // One copy takes `per_unit` times as long as the whole unit.
                let seconds = work.get() * f64::from(copies.per_unit);
                let each = match copies.ceiling {
                    Some(ceiling) => staffing::whole(peak.get() * seconds / v.get(ceiling)),
                    None => staffing::copies(peak.get(), seconds * copies.at_once, copies.at_once),
                };
                each.div_ceil(copies.per_unit)
            }
            _ => load::units(peak, work, v.get(self.ceiling)),
        }
    }

    /// The most of its capacity that may be used at a peak, with this many units.
    pub fn ceiling_of(&self, units: u32, v: Values<'_>) -> f64 {
        match &self.serving {
            Some(Serving::Copies(Copies { ceiling: None, at_once, per_unit, .. })) => {
                let places = at_once * f64::from(*per_unit) * f64::from(units.max(1));
                staffing::carried(places) / places
            }
            _ => v.get(self.ceiling),
        }
    }

    /// Requests per second the machines must be able to carry, at `requests` in the month.
    pub fn peak(
        &self,
        need: &Need,
        v: Values<'_>,
        requests: Requests,
        growth: f64,
        scale: f64,
    ) -> RequestsPerSec {
        let hours: Hours = v.get(need.hours);
        let mean = |h: Hours| RequestsPerSec::new(requests.get() / Seconds::from(h).get().max(1e-9));
        let peak = match need.peak {
            Peak::Rate(slot) => v.get::<RequestsPerSec>(slot) * (growth * scale),
            Peak::ToMean(slot) => mean(hours) * need.peak_over_mean(v.get(slot), v),
        };
        // Switched on for part of the month only, the same requests come closer together.
        peak.max(mean(v.get(self.service_hours)))
    }
}

impl Copies {
    /// Seconds of one copy for a request of these tokens, `factor` times what was asked for: the rate
    /// holds for the tokens it was predicted with, and reading and writing take their shares of it.
    fn seconds(&self, read: Tokens, written: Tokens, factor: f64, v: Values<'_>) -> f64 {
        let rate: RequestsPerSec = v.get(self.rate);
        let ratio = |tokens: Tokens, then: f64| {
            if then > 0.0 { tokens.get() / factor / then } else { 1.0 }
        };
        let work =
            self.reading * ratio(read, self.input) + (1.0 - self.reading) * ratio(written, self.output);
        work / rate.get().max(f64::MIN_POSITIVE)
    }
}

/// What one month costs, by part.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Parts {
    pub api: Usd,
    pub rent: Usd,
    pub loan: Usd,
    pub power: Usd,
    pub staff: Usd,
    pub hosting: Usd,
    pub maintenance: Usd,
    pub licence: Usd,
    pub other: Usd,
    /// On top of all payments of the month.
    pub uplift: Usd,
}

impl Parts {
    pub fn total(&self) -> Usd {
        // Added bare and brought into range once: draws spend much of their time here.
        let sum = self.api.get()
            + self.rent.get()
            + self.loan.get()
            + self.power.get()
            + self.staff.get()
            + self.hosting.get()
            + self.maintenance.get()
            + self.licence.get()
            + self.other.get()
            + self.uplift.get();
        Usd::new(sum.clamp(f64::MIN, f64::MAX))
    }
    /// Part by part.
    #[must_use]
    pub fn plus(mut self, other: &Self) -> Self {
        self.api += other.api;
        self.rent += other.rent;
        self.loan += other.loan;
        self.power += other.power;
        self.staff += other.staff;
        self.hosting += other.hosting;
        self.maintenance += other.maintenance;
        self.licence += other.licence;
        self.other += other.other;
        self.uplift += other.uplift;
        self
    }
    /// Name and amount of each part, in the order reports show them.
    pub fn named(&self) -> [(&'static str, Usd); 10] {
        [
            ("api", self.api),
            ("rent", self.rent),
            ("loan", self.loan),
            ("power", self.power),
            ("staff", self.staff),
            ("hosting", self.hosting),
            ("maintenance", self.maintenance),
            ("licence", self.licence),
            ("other", self.other),
            ("uplift", self.uplift),
        ]
    }
}

/// One month of one offer.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Step {
    /// Paid at the beginning: purchases less what replaced units fetch.
    pub upfront: Usd,
    /// Paid over the month.
    pub parts: Parts,
    pub units: u32,
    /// Of them new, and bought again, this month.
    pub added: u32,
    pub replaced: u32,
    /// Of `upfront`, what is paid once at the start.
    pub one_off: Usd,
    pub requests: Requests,
}

/// What a month costs, in USD.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Bill {
    /// At its beginning.
    pub upfront: f64,
    /// Over the month.
    pub running: f64,
}

impl Bill {
    pub fn total(self) -> f64 {
        self.upfront + self.running
    }
}

impl From<&Step> for Bill {
    fn from(step: &Step) -> Self {
        Self { upfront: step.upfront.get(), running: step.parts.total().get() }
    }
}

/// What is left of a deployment at the end of a month.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Closing {
    /// What the units in service would fetch.
    pub residual: Usd,
    /// What is still owed: the balance of loans, the rent of commitments that go on.
    pub owed: Usd,
}

impl Closing {
    pub fn value(self) -> Usd {
        self.residual - self.owed
    }
}

/// How the months of an offer go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// The first of the months that all cost the same, purchases apart; `None`: growth or drift never
    /// end.
    pub settled: Option<u32>,
    /// Months between replacements.
    pub life: Option<usize>,
}

/// How much comes in: the same for both sides of a comparison.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Flow {
    pub requests: Requests,
    /// Requests ÷ those of the scenario: scales a peak that was given as a rate.
    pub scale: f64,
}

/// An offer as it runs through the months.
#[derive(Debug)]
pub struct Run<'a> {
    need: &'a Need,
    supply: &'a Supply,
    v: Values<'a>,
    flow: Flow,
    month: u32,
    grown: f64,
    growth: f64,
    // API
    drift: f64,
    drift_step: f64,
    request_price: Usd,
    next_change: u32,
    credits: f64,
    // Machine
    work: Option<Seconds>,
    /// In service, and standing by.
    units: u32,
    /// Units bought, or rented with a commitment, by month.
    bought: &'a mut Vec<u32>,
    /// Units a loan is being paid for, or that a commitment still holds.
    bound: u32,
    life: Option<usize>,
    instalment: Usd,
    /// Months in which a unit's loan is paid, or that a commitment to rent holds; 0: neither. A loan
    /// ends with the unit, if that is earlier: what is sold is paid off.
    term: usize,
    /// Months of the loan as it was agreed.
    agreed: usize,
}

impl<'a> Run<'a> {
    /// `bought` is working memory, reused from run to run.
    pub fn new(
        offer: &'a Offer,
        need: &'a Need,
        v: Values<'a>,
        flow: Flow,
        bought: &'a mut Vec<u32>,
    ) -> Self {
        bought.clear();
        let mut run = Self {
            need,
            supply: &offer.supply,
            v,
            flow,
            month: 0,
            grown: 1.0,
            growth: 1.0 + v.get(need.growth),
            drift: 1.0,
            drift_step: 1.0,
            request_price: Usd::ZERO,
            next_change: 0,
            credits: 0.0,
            work: None,
            units: 0,
            bought,
            bound: 0,
            life: None,
            instalment: Usd::ZERO,
            term: 0,
            agreed: 0,
        };
        match run.supply {
            Supply::Api(api) => {
                (run.drift_step, run.drift) = drift_within_month(v.get(api.drift));
                run.credits = v.get::<Usd>(api.credits).get();
            }
            Supply::Machine(machine) => run.prepare(machine),
        }
        run
    }

    fn prepare(&mut self, machine: &Machine) {
        self.work = machine.work(self.need, self.v);
        match &machine.payment {
            Payment::Bought { price, spares, life, loan, .. } => {
                self.life = life.map(|slot| months(self.v.get(slot)));
                if let Some(loan) = loan {
                    let principal: Usd = self.v.get::<Usd>(*price) * (1.0 + self.v.get(*spares));
                    self.agreed = months(self.v.get(loan.term));
                    self.term = self.life.map_or(self.agreed, |life| life.min(self.agreed));
                    self.instalment = annuity(principal, self.v.get(loan.rate), self.agreed);
                }
            }
            Payment::Rented { term, .. } => self.term = term.map_or(0, |slot| months(self.v.get(slot))),
        }
    }

    /// At the prices as they are today, on and on.
    #[must_use]
    pub const fn without_drift(mut self) -> Self {
        (self.drift, self.drift_step) = (1.0, 1.0);
        self
    }

    /// The next month, as a bill.
    pub fn bill(&mut self) -> Bill {
        Bill::from(&self.step(&mut ()))
    }

    /// Everything paid in so many months, less what is left then; and, of its first `meanwhile` months,
    /// what was paid over them: what another offer pays while it is waited for.
    pub fn total(mut self, months: u32, meanwhile: u32) -> (f64, f64) {
        let (mut sum, mut early) = (0.0, 0.0);
        for month in 0..months {
            let bill = self.bill();
            sum += bill.total();
            if month < meanwhile {
                early += bill.running;
            }
        }
        (sum - self.closing(&mut ()).value().get(), early)
    }

    /// Set the requests of the coming month, growth included.
    pub fn set_requests(&mut self, requests: Requests) {
        self.flow.requests = requests / self.grown;
    }

    /// The next month.
    pub fn step(&mut self, record: &mut impl Record) -> Step {
        let requests = self.flow.requests * self.grown;
        let mut step = match self.supply {
            Supply::Api(api) => self.api(api, requests, record),
            Supply::Machine(machine) => self.machine(machine, requests, record),
        };
        self.lift(&mut step, record);
        self.month += 1;
        self.grown *= self.growth;
        self.drift *= self.drift_step;
        step
    }

    /// What is paid once, and what comes on top of everything.
    fn lift(&self, step: &mut Step, record: &mut impl Record) {
        let v = self.v;
        let (one_off, uplift) = match self.supply {
            Supply::Api(api) => (api.one_off, api.uplift),
            Supply::Machine(machine) => (machine.one_off, machine.uplift),
        };
        let share: f64 = v.get(uplift);
        if self.month == 0 {
            step.one_off = v.get(one_off);
            step.upfront += step.one_off;
        }
        if share > 0.0 {
            let payments = step.parts.total();
            step.parts.uplift = payments * share;
            step.upfront += step.upfront.max(Usd::ZERO) * share;
            record.add(|| {
                let terms = vec![
                    Term::plain("payments", payments.get(), "USD/month"),
                    v.term("uplift_share", uplift),
                ];
                let formula = "payments × uplift_share";
                Derivation::new(
                    "monthly_parts_usd.uplift",
                    step.parts.uplift.get(),
                    "USD/month",
                    formula,
                    terms,
                )
            });
        }
    }

    fn api(&mut self, api: &Api, requests: Requests, record: &mut impl Record) -> Step {
        let v = self.v;
        if self.month >= self.next_change {
            self.request_price = api.request_price(self.month, self.need, v);
            let next = api.periods.iter().find(|p| p.from_month > self.month);
            self.next_change = next.map_or(u32::MAX, |p| p.from_month);
        }
        let price = self.request_price * self.drift;
        let free: Requests = v.get(api.free_requests);
        let billed = (requests.get() - free.get()).max(0.0);
        let list = price * billed;
        let mut off = Usd::ZERO;
        for (n, (above, share)) in api.discounts.iter().enumerate() {
            let end = api.discounts.get(n + 1).map_or(f64::INFINITY, |next| next.0);
            off += Usd::new((list.get().min(end) - above).max(0.0) * share);
        }
        let least: Usd = v.get(api.minimum);
        let usage = (list - off).max(least);
        let paid_by_credits = usage.get().min(self.credits);
        self.credits -= paid_by_credits;
        let fixed: Usd = v.get(api.fixed);
        let parts = Parts {
            api: usage - Usd::new(paid_by_credits) + fixed,
            staff: v.get::<UsdPerHour>(api.staff.rate) * v.get::<Hours>(api.staff.hours),
            ..Parts::default()
        };
        record.add(|| {
            let mut terms = vec![
                Term::figure("requests", requests.get(), "requests/month", "result.requests_per_month"),
                Term::figure("usd_per_request", price.get(), "USD", "usd_per_request_charged"),
            ];
            let mut formula = "requests × usd_per_request".to_owned();
            if free.get() > 0.0 {
                "max(requests − free_requests, 0) × usd_per_request".clone_into(&mut formula);
                terms.push(v.term("free_requests", api.free_requests));
            }
            if off.get() > 0.0 {
                formula = format!("{formula} − discount");
                terms.push(Term::plain("discount", off.get(), "USD/month"));
            }
            if least.get() > 0.0 {
                formula = format!("max({formula}, minimum)");
                terms.push(v.term("minimum", api.minimum));
            }
            if paid_by_credits > 0.0 {
                formula = format!("{formula} − credits");
                terms.push(Term::plain("credits", paid_by_credits, "USD/month"));
            }
            if fixed.get() > 0.0 {
                formula = format!("{formula} + fixed");
                terms.push(v.term("fixed", api.fixed));
            }
            Derivation::new("monthly_parts_usd.api", parts.api.get(), "USD/month", &formula, terms)
        });
        self.record_staff(&api.staff, 1.0, parts.staff, record);
        Step { parts, requests, ..Step::default() }
    }

    fn record_staff(&self, staff: &Staff, units: f64, usd: Usd, record: &mut impl Record) {
        let v = self.v;
        record.add(|| {
            let mut terms =
                vec![v.term("staff_hours", staff.hours), v.term("staff_usd_per_hour", staff.rate)];
            let mut formula = "staff_hours × staff_usd_per_hour";
            if let Some(further) = staff.further.filter(|_| units > 1.0) {
                formula = "(staff_hours + further_units × staff_hours_per_further_unit) × staff_usd_per_hour";
                terms.push(Term::plain("further_units", units - 1.0, "units"));
                terms.push(v.term("staff_hours_per_further_unit", further));
            }
            Derivation::new("monthly_parts_usd.staff", usd.get(), "USD/month", formula, terms)
        });
    }

    fn machine(&mut self, machine: &Machine, requests: Requests, record: &mut impl Record) -> Step {
        let v = self.v;
        if self.month < machine.delivery {
            self.bought.push(0);
            return Step { requests, ..Step::default() };
        }
        let needed = machine.units.unwrap_or_else(|| {
            let peak = machine.peak(self.need, v, requests, self.grown, self.flow.scale);
            self.work.map_or(1, |work| {
                let units = machine.units_for(peak, work, v);
                record_units(machine, self.need, v, peak, work, units, record);
                units
            })
        }) + machine.spare;
        let mut step = Step { requests, ..Step::default() };
        match &machine.payment {
            Payment::Rented { rent, billed, .. } => {
                // Rent follows the need down as well as up, but never below what a commitment
                // holds; what is idle costs the same.
                if self.term > 0 {
                    self.bound -= self.run_out();
                    let added = needed.saturating_sub(self.units.max(self.bound));
                    self.bought.push(added);
                    self.bound += added;
                }
                self.units = needed.max(self.bound);
                let hours: Hours = v.get(*billed);
                let units = f64::from(self.units);
                step.parts.rent = v.get(*rent) * hours * units;
                record.add(|| {
                    let terms = vec![
                        Term::figure("units", units, "units", "units"),
                        v.term("usd_per_hour", *rent),
                        v.term("billed_hours", *billed),
                    ];
                    let usd = step.parts.rent.get();
                    let formula = "units × usd_per_hour × billed_hours";
                    Derivation::new("monthly_parts_usd.rent", usd, "USD/month", formula, terms)
                });
            }
            Payment::Bought { price, install, spares, maintenance, residual, loan, .. } => {
                let each: Usd = v.get(*price);
                let added = needed.saturating_sub(self.units);
                let at = self.month as usize;
                let replaced = self.life.and_then(|life| at.checked_sub(life)).map_or(0, |m| self.bought[m]);
                self.units += added;
                self.bought.push(added + replaced);
                let new = f64::from(added + replaced);
                step.added = added;
                step.replaced = replaced;
                step.upfront = v.get(*install) * f64::from(added);
                step.upfront -= each * v.get(*residual) * f64::from(replaced);
                if let Some(loan) = loan {
                    // What is still owed for a unit that is sold is paid off first.
                    let rest = self.agreed - self.term;
                    if replaced > 0 && rest > 0 {
                        let owed = self.instalment * annuity_factor(v.get(loan.rate), rest);
                        step.upfront += owed * f64::from(replaced);
                    }
                    self.bound = self.bound + added + replaced - self.run_out();
                    step.parts.loan = self.instalment * f64::from(self.bound);
                    record.add(|| {
                        let terms = vec![
                            Term::plain("units_on_loan", f64::from(self.bound), "units"),
                            v.term("purchase_usd", *price),
                            v.term("spare_share", *spares),
                            v.term("rate_per_year", loan.rate),
                            Term::input("term_months", self.agreed as f64, "months", v.name(loan.term.index())),
                        ];
                        let formula = if v.get(loan.rate) > 0.0 {
                            "units_on_loan × purchase_usd × (1 + spare_share) × rate_per_year ÷ 12 ÷ (1 − (1 + rate_per_year ÷ 12) ^ (0 − term_months))"
                        } else {
                            "units_on_loan × purchase_usd × (1 + spare_share) ÷ term_months"
                        };
                        let usd = step.parts.loan.get();
                        Derivation::new("monthly_parts_usd.loan", usd, "USD/month", formula, terms)
                    });
                } else {
                    step.upfront += each * (1.0 + v.get(*spares)) * new;
                }
                step.parts.maintenance = each * (f64::from(self.units) * v.get(*maintenance) / 12.0);
                let units = f64::from(self.units);
                record.add(|| {
                    let terms = vec![
                        Term::figure("units", units, "units", "units"),
                        v.term("purchase_usd", *price),
                        v.term("maintenance_share", *maintenance),
                    ];
                    let usd = step.parts.maintenance.get();
                    let formula = "units × purchase_usd × maintenance_share ÷ 12";
                    Derivation::new("monthly_parts_usd.maintenance", usd, "USD/month", formula, terms)
                });
            }
        }
        let units = f64::from(self.units);
        step.units = self.units;
        step.parts.power = self.power(machine, requests, record);
        let further = machine.staff.further.map_or(Hours::ZERO, |slot| v.get(slot));
        let hours = v.get::<Hours>(machine.staff.hours) + further * (units - 1.0).max(0.0);
        step.parts.staff = v.get::<UsdPerHour>(machine.staff.rate) * hours;
        self.record_staff(&machine.staff, units, step.parts.staff, record);
        for (part, slot, name) in [
            (&mut step.parts.hosting, machine.hosting, "hosting"),
            (&mut step.parts.licence, machine.licence, "licence"),
        ] {
            *part = v.get(slot) * units;
            let usd = part.get();
            record.add(|| {
                let terms = vec![Term::figure("units", units, "units", "units"), v.term(name, slot)];
                let formula = format!("units × {name}");
                Derivation::new(&format!("monthly_parts_usd.{name}"), usd, "USD/month", &formula, terms)
            });
        }
        step.parts.other = v.get(machine.other);
        record.add(|| {
            let terms = vec![v.term("other", machine.other)];
            Derivation::new("monthly_parts_usd.other", step.parts.other.get(), "USD/month", "other", terms)
        });
        step
    }

    /// units × (idle + busy share × (load − idle)) × hours × PUE × tariff.
    fn power(&self, machine: &Machine, requests: Requests, record: &mut impl Record) -> Usd {
        let Some(power) = &machine.power else { return Usd::ZERO };
        let v = self.v;
        let hours: Hours = v.get(machine.service_hours);
        let on = hours * f64::from(self.units);
        let busy =
            self.work.map_or(on, |work| Hours::new((requests.get() * work.get() / 3600.0).min(on.get())));
        let idle = v.get(power.idle);
        let energy = idle * on + (v.get(power.load) - idle) * busy;
        let usd = energy * v.get(power.pue) * v.get(power.tariff);
        record.add(|| {
            let mut terms = vec![
                Term::figure("units", f64::from(self.units), "units", "units"),
                v.term("idle_watts", power.idle),
                v.term("hours", machine.service_hours),
                v.term("load_watts", power.load),
                v.term("pue", power.pue),
                v.term("usd_per_kwh", power.tariff),
            ];
            let formula = match self.work {
                Some(work) => {
                    terms.push(Term::figure("requests", requests.get(), "requests/month", "result.requests_per_month"));
                    terms.push(Term::figure("seconds_per_request", work.get(), "s", "seconds_per_request"));
                    "(units × idle_watts × hours + (load_watts − idle_watts) × min(requests × seconds_per_request ÷ 3600, units × hours)) ÷ 1000 × pue × usd_per_kwh"
                }
                None => "(units × idle_watts × hours + (load_watts − idle_watts) × units × hours) ÷ 1000 × pue × usd_per_kwh",
            };
            Derivation::new("monthly_parts_usd.power", usd.get(), "USD/month", formula, terms)
        });
        usd
    }

    /// Units whose loan or commitment ended with the month before.
    fn run_out(&self) -> u32 {
        (self.month as usize).checked_sub(self.term).and_then(|m| self.bought.get(m)).copied().unwrap_or(0)
    }

    /// What is left after the months so far.
    pub fn closing(&self, record: &mut impl Record) -> Closing {
        let Supply::Machine(machine) = self.supply else { return Closing::default() };
        let v = self.v;
        match &machine.payment {
            Payment::Bought { price, residual, loan, .. } => {
                let share: f64 = v.get(*residual);
                let worth = self.worth(share);
                let residual_usd = v.get::<Usd>(*price) * worth;
                record.add(|| {
                    let terms = vec![
                        v.term("purchase_usd", *price),
                        Term::plain("units_worth", worth, "units"),
                    ];
                    Derivation::new("residual_usd", residual_usd.get(), "USD", "purchase_usd × units_worth", terms).note(
                        format!(
                            "Of each unit in service, residual_share ({share}) to the power of its age over its life:                              new it is worth its price, at the end of its life that share of it"
                        ),
                    )
                });
                let rate = loan.map_or(0.0, |loan| v.get(loan.rate));
                let unpaid = self.agreed - self.term;
                Closing {
                    residual: residual_usd,
                    owed: self.owed(self.instalment, |months| annuity_factor(rate, months + unpaid)),
                }
            }
            Payment::Rented { rent, billed, .. } => {
                let month = v.get::<_>(*rent) * v.get::<Hours>(*billed);
                Closing { residual: Usd::ZERO, owed: self.owed(month, |months| months as f64) }
            }
        }
    }

    /// What the units in service are worth together, in units: each the residual share to the power of
    /// its age over its life. A unit without a life has the months so far as one.
    fn worth(&self, residual: f64) -> f64 {
        let now = self.month as usize;
        let life = self.life.unwrap_or(now).max(1);
        let first = now.saturating_sub(life);
        let in_service = self.bought.iter().enumerate().take(now).skip(first);
        in_service.map(|(at, units)| f64::from(*units) * residual.powf((now - at) as f64 / life as f64)).sum()
    }

    /// What the units that are still bound cost from here on: `monthly` times the factor of the
    /// months that are left to each.
    fn owed(&self, monthly: Usd, factor: impl Fn(usize) -> f64) -> Usd {
        let now = self.month as usize;
        let first = now.saturating_sub(self.term);
        let bound = self.bought.iter().enumerate().take(now).skip(first).filter(|(_, units)| **units > 0);
        bound.map(|(at, units)| monthly * (f64::from(*units) * factor(at + self.term - now))).sum()
    }

    fn settled_at(&self) -> Option<u32> {
        if (self.growth - 1.0).abs() > 1e-12 {
            return None;
        }
        match self.supply {
            Supply::Api(api) => {
                ((self.drift_step - 1.0).abs() < 1e-12).then(|| api.last_change().max(self.credits_last(api)))
            }
            Supply::Machine(machine) => {
                let term = u32::try_from(self.term).unwrap_or(LAST_MONTH);
                Some(term.saturating_add(machine.delivery + machine.overlap))
            }
        }
    }

    /// A month by which the credits are used up.
    fn credits_last(&self, api: &Api) -> u32 {
        if self.credits <= 0.0 {
            return 0;
        }
        let price = |p: &Period| api.request_price(p.from_month, self.need, self.v).get();
        let least = api.periods.iter().map(price).fold(f64::INFINITY, f64::min) * self.flow.requests.get();
        let months = (self.credits / least).ceil() + 1.0;
        // In range by the clamp.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let months = months.clamp(0.0, f64::from(LAST_MONTH)) as u32;
        months
    }

    /// When it comes to rest, for whoever looks past the horizon.
    pub fn pace(&self) -> Pace {
        Pace { settled: self.settled_at(), life: self.life }
    }
}

fn record_units(
    machine: &Machine,
    need: &Need,
    v: Values<'_>,
    peak: RequestsPerSec,
    work: Seconds,
    units: u32,
    record: &mut impl Record,
) {
    record.add(|| {
        let mut terms = vec![
            Term::figure("peak", peak.get(), "requests/s", "peak_requests_per_second"),
            Term::figure("seconds_per_request", work.get(), "s", "seconds_per_request"),
        ];
        let spare = f64::from(machine.spare);
        let (formula, note) = match &machine.serving {
            Some(Serving::Copies(copies)) if copies.ceiling.is_none() => {
                terms.extend([
                    Term::plain("copies", f64::from(copies.per_unit), "per unit"),
                    Term::plain("at_once", copies.at_once, "requests"),
                    Term::plain("z", staffing::Z95, ""),
                ]);
                (
                    "ceil(ceil((peak × seconds_per_request × copies × at_once + z × (peak × seconds_per_request × copies × at_once) ^ 0.5) ÷ at_once) ÷ copies)",
                    "Places for 95 of 100 moments at the peak: what is in the system on average, and z times its root",
                )
            }
            Some(Serving::Copies(copies)) => {
                terms.push(Term::plain("copies", f64::from(copies.per_unit), "per unit"));
                terms.extend(copies.ceiling.map(|slot| v.term("ceiling", slot)));
                ("ceil(ceil(peak × seconds_per_request × copies ÷ ceiling) ÷ copies)", "")
            }
            _ => {
                terms.push(v.term("ceiling", machine.ceiling));
                ("max(ceil(peak × seconds_per_request ÷ ceiling), 1)", "")
            }
        };
        let (formula, terms) = if spare > 0.0 {
            terms.push(Term::plain("spare_units", spare, "units"));
            (format!("{formula} + spare_units"), terms)
        } else {
            (formula.to_owned(), terms)
        };
        Derivation::new("units", f64::from(units) + spare, "units", &formula, terms).note(note)
    });
    record.add(|| {
        let hours: Hours = v.get(need.hours);
        let (formula, terms) = match need.peak {
            Peak::Rate(slot) => ("peak_requests_per_second", vec![v.term("peak_requests_per_second", slot)]),
            Peak::ToMean(slot) => {
                let times = need.peak_over_mean(v.get(slot), v);
                let mean = peak.get() / times * hours.get() * 3600.0;
                let mut terms = vec![
                    Term::figure("requests", mean, "requests/month", "result.requests_per_month"),
                    v.term("hours_per_month", need.hours),
                    v.term("peak_to_mean", slot),
                ];
                if v.get::<f64>(need.batch) > 0.0 {
                    terms.push(v.term("batch_share", need.batch));
                    ("requests ÷ (hours_per_month × 3600) × max(peak_to_mean × (1 − batch_share), 1)", terms)
                } else {
                    ("requests ÷ (hours_per_month × 3600) × peak_to_mean", terms)
                }
            }
        };
        Derivation::new("peak_requests_per_second", peak.get(), "requests/s", formula, terms)
    });
}

/// A number of months given as a number; at least one.
fn months(value: f64) -> usize {
    // Bounded by the clamp.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let whole = value.round().clamp(1.0, f64::from(u32::MAX)) as usize;
    whole
}

/// Constant instalment at the end of each month: `P·r ÷ (1 − (1 + r)^−n)`, r the yearly rate ÷ 12.
pub fn annuity(principal: Usd, rate_per_year: f64, months: usize) -> Usd {
    principal / annuity_factor(rate_per_year, months)
}

/// What so many instalments of 1 are worth now: `(1 − (1 + r)^−n) ÷ r`.
fn annuity_factor(rate_per_year: f64, months: usize) -> f64 {
    let r = rate_per_year / 12.0;
    let n = months as f64;
    if r == 0.0 { n } else { (1.0 - (1.0 + r).powf(-n)) / r }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 10,000 over 36 months at 6 %: r = 0.005; 10,000 × 0.005 ÷ (1 − 1.005^−36) = 304.22.
    #[test]
    fn instalments() {
        assert!((annuity(Usd::new(10_000.0), 0.06, 36).get() - 304.22).abs() < 0.005);
        assert!((annuity(Usd::new(3600.0), 0.0, 36).get() - 100.0).abs() < 1e-9);
        // After 12 of the 36: 24 instalments are worth 304.22 × (1 − 1.005^−24) ÷ 0.005 = 6,864.06.
        assert!((304.219_374 * annuity_factor(0.06, 24) - 6864.06).abs() < 0.01);
    }

    /// Twelve monthly means of a price falling by 40 % a year add up to the integral
    /// 12 × (1 − 0.6) ÷ −ln 0.6 = 9.397 monthly prices.
    #[test]
    fn drift_adds_up_to_the_integral() {
        let (q, mean) = drift_within_month(-0.4);
        let year: f64 = (0..12).map(|m| mean * q.powi(m)).sum();
        assert!((year - 12.0 * 0.4 / -(0.6f64.ln())).abs() < 1e-9);
    }
}
