//! A scenario made complete: every number in a slot with its unit, range and source, and the
//! structure that says which slot means what. Everything downstream reads numbers by slot, so the
//! same simulation serves the point answer, the tornado and ten thousand draws.

mod notice;
mod slot;

pub use notice::{Elsewhere, Notice};
pub use slot::{Quantity, Slot};

use crate::capacity::Served;
use crate::money::Currency;
use crate::plan;
use crate::provenance::Source;
use crate::terms::Term;
use crate::units::{
    Hours, Requests, RequestsPerSec, Tokens, TokensPerSec, Usd, UsdPerHour, UsdPerKwh, UsdPerMtok, Watts,
};
use crate::workload::{Range, Use, Value};
use jiff::civil::Date;
use std::sync::Arc;

/// The numbers of one draw, by slot; with the case they belong to they know their names.
#[derive(Debug, Clone, Copy)]
pub struct Values<'a> {
    numbers: &'a [f64],
    case: Option<&'a Case>,
}

impl<'a> Values<'a> {
    /// Numbers alone: all that a simulation needs.
    pub const fn of(numbers: &'a [f64]) -> Self {
        Self { numbers, case: None }
    }
    /// The number in a slot.
    pub fn get<Q: Quantity>(self, slot: Slot<Q>) -> Q {
        Q::of(self.numbers[slot.index])
    }
    /// The dotted name of a slot's input; empty where the names are not known.
    pub fn name(self, slot: usize) -> &'a str {
        self.case.map_or("", |case| case.slot_name(slot))
    }
    /// A slot as a term of a derivation.
    pub fn term<Q>(self, name: &str, slot: Slot<Q>) -> Term {
        let unit = self.case.map_or("", |case| case.inputs[case.slot_inputs[slot.index]].unit);
        Term::input(name, self.numbers[slot.index], unit, self.name(slot.index))
    }
}

/// One input as echoed: dotted name, value, unit, source.
#[derive(Debug, Clone, PartialEq)]
pub struct InputRecord {
    pub name: String,
    pub unit: &'static str,
    pub value: Value,
    pub source: Source,
}

/// Everything the simulation needs.
#[derive(Debug, Clone)]
pub struct Case {
    pub need: Need,
    pub finance: Finance,
    pub hybrid: Option<Hybrid>,
    pub offers: Vec<Offer>,
    /// What is compared with what; the first pair is the headline.
    pub pairs: Vec<Pair>,
    /// The offers that stood in `[[local]]`, as indices.
    pub local_offers: Vec<usize>,
    /// One per slot.
    pub ranges: Vec<Range>,
    /// One per slot: index into `inputs`.
    pub slot_inputs: Vec<usize>,
    pub inputs: Vec<InputRecord>,
    pub notices: Vec<Notice>,
    /// Some input is a range.
    pub uncertain: bool,
    /// The user gave one, not only a prediction.
    pub user_ranges: bool,
}

impl Case {
    /// Numbers that know their names.
    pub const fn values<'a>(&'a self, numbers: &'a [f64]) -> Values<'a> {
        Values { numbers, case: Some(self) }
    }
    /// The likely value of every slot.
    pub fn likely(&self) -> Vec<f64> {
        self.ranges.iter().map(|r| r.likely).collect()
    }
    /// The dotted name of a slot's input.
    pub fn slot_name(&self, index: usize) -> &str {
        &self.inputs[self.slot_inputs[index]].name
    }
    pub fn input(&self, name: &str) -> Option<&InputRecord> {
        self.inputs.iter().find(|i| i.name == name)
    }
}

/// Two offers to compare, as indices into [`Case::offers`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pair {
    /// The baseline: what is paid otherwise.
    pub cloud: usize,
    pub local: usize,
}

/// The workload.
#[derive(Debug, Clone)]
pub struct Need {
    pub volume: Volume,
    /// What comes of the forecast.
    pub volume_factor: Slot<f64>,
    pub shape: Shape,
    /// Kinds of request, where they are not alike; relative to the mean request, which the slots hold.
    pub mix: Vec<Portion>,
    pub cached: Slot<f64>,
    pub cache_write: Slot<f64>,
    pub batch: Slot<f64>,
    pub peak: Peak,
    pub growth: Slot<f64>,
    pub horizon: u32,
    pub hours: Slot<Hours>,
    /// First day of the first month.
    pub start: Date,
    /// What a plan must keep besides.
    pub asks: Asks,
}

/// A kind of request: its tokens in times those of the mean request, class by class. Weighed by their
/// shares they make up the mean.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Portion {
    /// Of all requests, 0 to 1.
    pub share: f64,
    /// Input, cached ones included.
    pub input: f64,
    /// Input that is neither read from nor written to a cache.
    pub uncached: f64,
    /// Input read from a cache.
    pub read: f64,
    /// Input written to a cache.
    pub written: f64,
    /// Output without reasoning.
    pub output: f64,
    /// Reasoning.
    pub reasoning: f64,
}

impl Need {
    /// Peak over mean of the load that must be carried: what can wait for the batch price waits for the
    /// quiet hours, so it has no part in the peak; all of it together is still the mean.
    pub fn peak_over_mean(&self, peak_to_mean: f64, v: Values<'_>) -> f64 {
        let waits: f64 = v.get(self.batch);
        (peak_to_mean * (1.0 - waits.clamp(0.0, 1.0))).max(peak_to_mean.min(1.0))
    }
}

/// What the need asks of a plan beside its load.
#[derive(Debug, Clone)]
pub struct Asks {
    pub purpose: Use,
    /// Limits at the 95th percentile that were given; the others are those of the use.
    pub ttft_ms: Option<f64>,
    pub tpot_ms: Option<f64>,
    pub e2e_ms: Option<f64>,
    pub must_stay_up: bool,
    /// Tokens of a long request.
    pub context: Option<f64>,
}

/// What an offer was built from: one machine as it is ordered, and what runs on it.
#[derive(Debug, Clone, PartialEq)]
pub struct Blueprint {
    pub machine: plan::Machine,
    pub replica: plan::Replica,
    pub replicas: u32,
    pub replicas_per_host: u32,
    pub hosts: u32,
    pub spare_hosts: u32,
    pub accelerators: u32,
    /// Of each request at the peak, seconds.
    pub typical: Served,
    /// Share of the input that the prefix cache holds at the peak.
    pub cached_share: f64,
    /// Requests a second within the limits, and with every place taken.
    pub carries: f64,
    pub at_most: f64,
    pub busy_peak: f64,
    pub busy_mean: f64,
    pub binds: Vec<plan::Bind>,
    pub mean_watts: f64,
    pub full_watts: f64,
    pub rack_units: Option<f64>,
    pub people: plan::People,
    pub purchase_usd: f64,
    /// As the search weighed it.
    pub weighed: plan::Cost,
    /// Limits it misses, where no plan keeps them.
    pub missed: Vec<plan::Missed>,
    /// No computer for the accelerators is known: they stand there without one.
    pub bare: bool,
    /// What it was planned for.
    pub need: Arc<plan::Need>,
    /// Share of the time that all hosts are busy on average.
    pub hosts_busy: f64,
}

impl Blueprint {
    /// Of a plan that was found.
    pub fn of(found: &plan::Plan<'_>, need: &Arc<plan::Need>, missed: Vec<plan::Missed>, bare: bool) -> Self {
        Self {
            machine: found.machine.clone(),
            replica: found.replica.clone(),
            replicas: found.replicas,
            replicas_per_host: found.replicas_per_host,
            hosts: found.hosts,
            spare_hosts: found.spare_hosts,
            accelerators: found.bill.accelerators,
            typical: found.typical,
            cached_share: found.cached_share,
            carries: found.carries,
            at_most: found.at_most,
            busy_peak: found.busy_peak,
            busy_mean: found.busy_mean,
            binds: found.binds.clone(),
            mean_watts: found.bill.mean_watts,
            full_watts: found.bill.full_watts,
            rack_units: found.bill.rack_units,
            people: found.bill.people,
            purchase_usd: found.bill.purchase_usd,
            weighed: found.cost,
            missed,
            bare,
            need: Arc::clone(need),
            hosts_busy: found.bill.busy_mean,
        }
    }

    /// Every figure on the way, made when somebody asks: hundreds of plans have thousands of them.
    pub fn terms(&self) -> Vec<plan::Term> {
        let bill = plan::Bill {
            machine: &self.machine,
            hosts: self.hosts,
            spare_hosts: self.spare_hosts,
            accelerators: self.accelerators,
            busy_mean: self.hosts_busy,
            mean_watts: self.mean_watts,
            full_watts: self.full_watts,
            rack_units: self.rack_units,
            people: self.people,
            purchase_usd: self.purchase_usd,
        };
        let found = plan::Plan {
            machine: &self.machine,
            replica: self.replica.clone(),
            replicas: self.replicas,
            replicas_per_host: self.replicas_per_host,
            hosts: self.hosts,
            spare_hosts: self.spare_hosts,
            typical: self.typical,
            cached_share: self.cached_share,
            carries: self.carries,
            at_most: self.at_most,
            busy_peak: self.busy_peak,
            busy_mean: self.busy_mean,
            binds: self.binds.clone(),
            bill,
            cost: self.weighed,
        };
        plan::terms(&found, &self.need)
    }
}

/// Requests in the first month.
#[derive(Debug, Clone, Copy)]
pub enum Volume {
    Requests(Slot<Requests>),
    Tokens(Slot<Tokens>),
    /// Whatever the local side can generate.
    AtCapacity,
}

/// Tokens of one request.
#[derive(Debug, Clone, Copy)]
pub enum Shape {
    PerRequest {
        input: Slot<Tokens>,
        output: Slot<Tokens>,
        reasoning: Slot<Tokens>,
    },
    /// Only the share of input is known: a "request" is a thousand tokens.
    ShareOnly {
        input_share: Slot<f64>,
    },
}

#[derive(Debug, Clone, Copy)]
pub enum Peak {
    Rate(Slot<RequestsPerSec>),
    ToMean(Slot<f64>),
}

#[derive(Debug, Clone)]
pub struct Finance {
    pub discount: Slot<f64>,
    /// In which amounts are shown; the calculation is in US dollars.
    pub currency: Currency,
}

#[derive(Debug, Clone)]
pub struct Hybrid {
    pub local_share: Slot<f64>,
    pub escalation: Slot<f64>,
    /// Load by hour of the week, adding up to 1; `None`: no overflow question was asked.
    pub profile: Option<Vec<f64>>,
    /// The routed split was asked for.
    pub routed: bool,
}

/// A supply to serve the need.
#[derive(Debug, Clone)]
pub struct Offer {
    pub name: String,
    /// Id in the catalogue, where it has one.
    pub id: Option<String>,
    pub role: Role,
    /// Capability tier of the brief, 1 (highest) to 4.
    pub tier: Option<u8>,
    /// Open model it serves, where known.
    pub open_model: Option<String>,
    pub supply: Supply,
    /// Share of its answers that passed on the user's prompts, and where that was measured.
    pub pass_rate: Option<(f64, Source)>,
    /// What it was built from, where it was planned.
    pub plan: Option<Box<Blueprint>>,
    /// Its own slots; it reads those of the need besides.
    pub slots: std::ops::Range<usize>,
}

impl Offer {
    /// Months from the start in which the other side of a comparison is paid as well: until this one
    /// works, and while both run.
    pub fn meanwhile(&self) -> u32 {
        match &self.supply {
            Supply::Machine(machine) => machine.delivery + machine.overlap,
            Supply::Api(_) => 0,
        }
    }
}

/// Why an offer stands in the report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// The user named it.
    Asked,
    /// The cheapest API of the same tier or a better one, where nobody sells the model by the token.
    AsCapable,
    /// The same open model, rented by the token.
    SameModel,
    /// The same GPU rented by the hour.
    RentedGpu,
}

#[derive(Debug, Clone)]
pub enum Supply {
    Api(Api),
    Machine(Box<Machine>),
}

/// Paid by the token.
#[derive(Debug, Clone)]
pub struct Api {
    /// In order of `from_month`; the first starts at 0.
    pub periods: Vec<Period>,
    pub drift: Slot<f64>,
    pub fixed: Slot<Usd>,
    pub retry: Slot<f64>,
    pub staff: Staff,
    /// Once, at the start.
    pub one_off: Slot<Usd>,
    /// On top of every payment.
    pub uplift: Slot<f64>,
    pub credits: Slot<Usd>,
    pub minimum: Slot<Usd>,
    pub free_requests: Slot<Requests>,
    /// Above an amount of a month's usage, a share of the rest off; ascending.
    pub discounts: Vec<(f64, f64)>,
}

/// People who look after an offer.
#[derive(Debug, Clone, Copy)]
pub struct Staff {
    /// A month, for the first unit; for an API all.
    pub hours: Slot<Hours>,
    /// A month, for each further unit.
    pub further: Option<Slot<Hours>>,
    pub rate: Slot<UsdPerHour>,
}

/// Prices from a month of the simulation on.
#[derive(Debug, Clone)]
pub struct Period {
    pub from_month: u32,
    pub rates: Rates,
    pub batch_multiplier: Option<Slot<f64>>,
    /// Ascending thresholds.
    pub tiers: Vec<(u64, Rates)>,
    /// Share of the requests that fall into each window, and its rates.
    pub windows: Vec<(f64, Rates)>,
}

/// Prices per million tokens. What is `None` was not needed.
#[derive(Debug, Clone, Copy)]
pub struct Rates {
    pub input: Slot<UsdPerMtok>,
    pub output: Slot<UsdPerMtok>,
    pub cache_read: Option<Slot<UsdPerMtok>>,
    pub cache_write: Option<Slot<UsdPerMtok>>,
    pub reasoning: Option<Slot<UsdPerMtok>>,
}

/// Runs on hardware: bought, financed or rented by the hour.
#[derive(Debug, Clone)]
pub struct Machine {
    pub payment: Payment,
    /// A fixed number of units; `None`: as many as the peak needs.
    pub units: Option<u32>,
    pub power: Option<Power>,
    pub staff: Staff,
    /// Once, at the start.
    pub one_off: Slot<Usd>,
    /// On top of every payment.
    pub uplift: Slot<f64>,
    /// Units that stand by.
    pub spare: u32,
    /// Months until it works; the other side is paid meanwhile.
    pub delivery: u32,
    /// Months from delivery on in which the other side is paid as well.
    pub overlap: u32,
    pub hosting: Slot<Usd>,
    pub licence: Slot<Usd>,
    pub other: Slot<Usd>,
    pub serving: Option<Serving>,
    /// Share of the input that its own prefix cache holds.
    pub cached: Slot<f64>,
    pub ceiling: Slot<f64>,
    /// Hours in a month in which it can serve.
    pub service_hours: Slot<Hours>,
    pub tokeniser_ratio: Slot<f64>,
    pub retry: Slot<f64>,
}

#[derive(Debug, Clone)]
pub enum Payment {
    Bought {
        price: Slot<Usd>,
        /// Once, of each unit.
        install: Slot<Usd>,
        spares: Slot<f64>,
        /// Years' maintenance as a share of the price.
        maintenance: Slot<f64>,
        /// Months until replaced; `None`: not within the calculation.
        life: Option<Slot<f64>>,
        residual: Slot<f64>,
        /// Paid by a loan.
        loan: Option<Loan>,
    },
    Rented {
        rent: Slot<UsdPerHour>,
        billed: Slot<Hours>,
        /// Months each unit is rented for at least; `None`: given back when no longer needed.
        term: Option<Slot<f64>>,
    },
}

#[derive(Debug, Clone, Copy)]
pub struct Loan {
    pub term: Slot<f64>,
    pub rate: Slot<f64>,
}

#[derive(Debug, Clone, Copy)]
pub struct Power {
    pub idle: Slot<Watts>,
    pub load: Slot<Watts>,
    pub tariff: Slot<UsdPerKwh>,
    pub pue: Slot<f64>,
}

/// How much one unit serves.
#[derive(Debug, Clone, Copy)]
pub enum Serving {
    /// By speeds that were given or measured, loaded up to a ceiling.
    Speed(Speed),
    /// By copies of the model as the plan has them.
    Copies(Copies),
}

/// Copies of a model that take so many requests at once each.
#[derive(Debug, Clone, Copy)]
pub struct Copies {
    pub at_once: f64,
    pub per_unit: u32,
    /// Requests a second of one copy with all its places taken.
    pub rate: Slot<RequestsPerSec>,
    /// Of the time, what reading prompts takes.
    pub reading: f64,
    /// Tokens of the request the rate holds for: uncached input, and output.
    pub input: f64,
    pub output: f64,
    /// A part of the capacity may be used and no more; without it the load decides
    /// ([`crate::plan::staffing`]).
    pub ceiling: Option<Slot<f64>>,
}

/// Speeds of one unit, all requests together.
#[derive(Debug, Clone, Copy)]
pub struct Speed {
    pub prefill: Prefill,
    pub decode: Slot<TokensPerSec>,
}

#[derive(Debug, Clone, Copy)]
pub enum Prefill {
    Speed(Slot<TokensPerSec>),
    /// Only to reproduce published models.
    Free,
    /// Only to reproduce published models.
    AsOutput,
}
