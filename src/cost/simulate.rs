//! One offer, month by month. This is the truth of the cost model; closed forms exist only in
//! tests, as checks against it.
//!
//! Conventions: months count from 0. What is bought in a month is paid at its beginning, everything
//! else evenly over it. Requests grow from month to month; a drift of API prices acts continuously,
//! so a month pays the mean price over its days.

use super::case::{
    Api, Machine, Need, Offer, Payment, Peak, Period, Prefill, Rates, Shape, Slot, Supply, Values, Volume,
};
use crate::capacity::units as load;
use crate::price::{self, Batch, Charge};
use crate::units::{Hours, Requests, RequestsPerSec, Seconds, Tokens, TokensPerSec, Usd, UsdPerMtok};

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
            Volume::Requests(slot) => v.get(slot),
            Volume::Tokens(slot) => {
                let total: Tokens = v.get(slot);
                Requests::new(total.ratio(self.tokens(v).total()).unwrap_or(0.0))
            }
            Volume::AtCapacity => machine.map_or(Requests::ZERO, |m| {
                m.capacity(self, v, m.units.unwrap_or(1)).map_or(Requests::ZERO, |c| c * v.get(m.ceiling))
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
    fn rates_for(&self, tokens: RequestTokens) -> (&Rates, bool) {
        let tier = self.tiers.iter().rfind(|(above, _)| tokens.input.get() > *above as f64);
        tier.map_or((&self.rates, false), |(_, rates)| (rates, true))
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
        let (rates, tier) = period.rates_for(tokens);
        let windows = period.windows.iter().filter(|_| !tier).map(|(share, r)| (*share, r.values(v)));
        let batch_share = v.get(need.batch);
        let batch = period
            .batch_multiplier
            .filter(|_| batch_share > 0.0)
            .map(|multiplier| Batch { share: batch_share, multiplier: v.get(multiplier) });
        // Every class that is used has a slot: resolving refuses a request without its prices.
        price::expected(&usage, &rates.values(v), windows, batch).unwrap_or_default()
    }

    /// Price of one request in a month, before drift; answers that must be asked for again included.
    pub fn request_price(&self, month: u32, need: &Need, v: Values<'_>) -> Usd {
        Usd::new(self.request_charge(month, need, v).total()) * (1.0 + v.get(self.retry))
    }

    /// The rates of a request of this size in a month, outside windows.
    pub fn rates(&self, month: u32, tokens: RequestTokens) -> Option<&Rates> {
        Some(self.period(month)?.rates_for(tokens).0)
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
    /// Seconds of a unit one request takes; `None` without speeds.
    pub fn work(&self, need: &Need, v: Values<'_>) -> Option<Seconds> {
        let (input, output) = self.work_parts(need, v)?;
        Some(input + output)
    }

    /// The same, reading and writing apart.
    pub fn work_parts(&self, need: &Need, v: Values<'_>) -> Option<(Seconds, Seconds)> {
        let speed = self.speed.as_ref()?;
        let decode: TokensPerSec = v.get(speed.decode);
        let prefill = match speed.prefill {
            Prefill::Speed(slot) => Some(v.get(slot)),
            Prefill::Free => None,
            Prefill::AsOutput => Some(decode),
        };
        let tokens = need.tokens(v);
        let factor = v.get(self.tokeniser_ratio) * (1.0 + v.get(self.retry));
        let both = load::work(tokens.input * factor, tokens.written() * factor, prefill, decode);
        let writing = tokens.written() * factor / decode;
        Some((both - writing, writing))
    }

    /// Requests a number of units serve in a month when never idle.
    pub fn capacity(&self, need: &Need, v: Values<'_>, units: u32) -> Option<Requests> {
        let work = self.work(need, v).filter(|w| w.get() > 0.0)?;
        Some(load::requests_in(v.get(self.service_hours), units, work))
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
            Peak::ToMean(slot) => mean(hours) * v.get(slot),
        };
        // Switched on for part of the month only, the same requests come closer together.
        peak.max(mean(v.get(self.service_hours)))
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
            + self.other.get();
        Usd::new(sum.clamp(f64::MIN, f64::MAX))
    }
    /// Name and amount of each part, in the order reports show them.
    pub fn named(&self) -> [(&'static str, Usd); 9] {
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
    // Machine
    work: Option<Seconds>,
    units: u32,
    /// Units bought, or rented with a commitment, by month.
    bought: &'a mut Vec<u32>,
    /// Units a loan is being paid for, or that a commitment still holds.
    bound: u32,
    life: Option<usize>,
    instalment: Usd,
    /// Months of the loan or of the commitment to rent; 0: neither.
    term: usize,
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
            work: None,
            units: 0,
            bought,
            bound: 0,
            life: None,
            instalment: Usd::ZERO,
            term: 0,
        };
        match run.supply {
            Supply::Api(api) => (run.drift_step, run.drift) = drift_within_month(v.get(api.drift)),
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
                    self.term = months(self.v.get(loan.term));
                    self.instalment = annuity(principal, self.v.get(loan.rate), self.term);
                }
            }
            Payment::Rented { term, .. } => self.term = term.map_or(0, |slot| months(self.v.get(slot))),
        }
    }

    /// The next month, as a bill.
    pub fn bill(&mut self) -> Bill {
        Bill::from(&self.step())
    }

    /// Everything paid in so many months, less what is left then.
    pub fn total(mut self, months: u32) -> f64 {
        let mut sum = 0.0;
        for _ in 0..months {
            sum += self.bill().total();
        }
        sum - self.closing().value().get()
    }

    /// Set the requests of the coming month, growth included.
    pub fn set_requests(&mut self, requests: Requests) {
        self.flow.requests = requests / self.grown;
    }

    /// The next month.
    pub fn step(&mut self) -> Step {
        let requests = self.flow.requests * self.grown;
        let step = match self.supply {
            Supply::Api(api) => self.api(api, requests),
            Supply::Machine(machine) => self.machine(machine, requests),
        };
        self.month += 1;
        self.grown *= self.growth;
        self.drift *= self.drift_step;
        step
    }

    fn api(&mut self, api: &Api, requests: Requests) -> Step {
        if self.month >= self.next_change {
            self.request_price = api.request_price(self.month, self.need, self.v);
            let next = api.periods.iter().find(|p| p.from_month > self.month);
            self.next_change = next.map_or(u32::MAX, |p| p.from_month);
        }
        let usage = self.request_price * (requests.get() * self.drift);
        let parts = Parts { api: usage + self.v.get(api.fixed), ..Parts::default() };
        Step { upfront: Usd::ZERO, parts, units: 0, requests }
    }

    fn machine(&mut self, machine: &Machine, requests: Requests) -> Step {
        let v = self.v;
        let needed = machine.units.unwrap_or_else(|| {
            let peak = machine.peak(self.need, v, requests, self.grown, self.flow.scale);
            self.work.map_or(1, |work| load::units(peak, work, v.get(machine.ceiling)))
        });
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
                step.parts.rent = v.get(*rent) * hours * f64::from(self.units);
            }
            Payment::Bought { price, install, spares, maintenance, residual, loan, .. } => {
                let price: Usd = v.get(*price);
                let added = needed.saturating_sub(self.units);
                let at = self.month as usize;
                let replaced = self.life.and_then(|life| at.checked_sub(life)).map_or(0, |m| self.bought[m]);
                self.units += added;
                self.bought.push(added + replaced);
                let new = f64::from(added + replaced);
                step.upfront = v.get(*install) * f64::from(added);
                step.upfront -= price * v.get(*residual) * f64::from(replaced);
                if loan.is_some() {
                    self.bound = self.bound + added + replaced - self.run_out();
                    step.parts.loan = self.instalment * f64::from(self.bound);
                } else {
                    step.upfront += price * (1.0 + v.get(*spares)) * new;
                }
                step.parts.maintenance = price * (f64::from(self.units) * v.get(*maintenance) / 12.0);
            }
        }
        let units = f64::from(self.units);
        step.units = self.units;
        step.parts.power = self.power(machine, requests);
        step.parts.staff = v.get(machine.staff_rate) * v.get(machine.staff_hours);
        step.parts.hosting = v.get(machine.hosting) * units;
        step.parts.licence = v.get(machine.licence) * units;
        step.parts.other = v.get(machine.other);
        step
    }

    /// units × (idle + busy share × (load − idle)) × hours × PUE × tariff.
    fn power(&self, machine: &Machine, requests: Requests) -> Usd {
        let Some(power) = &machine.power else { return Usd::ZERO };
        let v = self.v;
        let hours: Hours = v.get(machine.service_hours);
        let on = hours * f64::from(self.units);
        let busy =
            self.work.map_or(on, |work| Hours::new((requests.get() * work.get() / 3600.0).min(on.get())));
        let idle = v.get(power.idle);
        let energy = idle * on + (v.get(power.load) - idle) * busy;
        energy * v.get(power.pue) * v.get(power.tariff)
    }

    /// Units whose loan or commitment ended with the month before.
    fn run_out(&self) -> u32 {
        (self.month as usize).checked_sub(self.term).and_then(|m| self.bought.get(m)).copied().unwrap_or(0)
    }

    /// What is left after the months so far.
    pub fn closing(&self) -> Closing {
        let Supply::Machine(machine) = self.supply else { return Closing::default() };
        let v = self.v;
        match &machine.payment {
            Payment::Bought { price, residual, loan, .. } => {
                let residual = v.get::<Usd>(*price) * (v.get(*residual) * f64::from(self.units));
                let rate = loan.map_or(0.0, |loan| v.get(loan.rate));
                Closing { residual, owed: self.owed(self.instalment, |months| annuity_factor(rate, months)) }
            }
            Payment::Rented { rent, billed, .. } => {
                let month = v.get::<_>(*rent) * v.get::<Hours>(*billed);
                Closing { residual: Usd::ZERO, owed: self.owed(month, |months| months as f64) }
            }
        }
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
            Supply::Api(api) => ((self.drift_step - 1.0).abs() < 1e-12).then(|| api.last_change()),
            Supply::Machine(_) => Some(u32::try_from(self.term).unwrap_or(LAST_MONTH)),
        }
    }

    /// When it comes to rest, for whoever looks past the horizon.
    pub fn pace(&self) -> Pace {
        Pace { settled: self.settled_at(), life: self.life }
    }
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
