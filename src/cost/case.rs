//! A complete scenario. Every number has a slot, with its unit, range and source; the structures here say
//! which slot means what. The simulation reads all numbers through slots, so that the same code serves the
//! likely values, the tornado and ten thousand draws.

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
use std::collections::BTreeSet;
use std::sync::Arc;

/// The numbers of one draw, by slot. Together with their case they also know the names of their inputs.
#[derive(Debug, Clone, Copy)]
pub struct Values<'a> {
    numbers: &'a [f64],
    case: Option<&'a Case>,
}

impl<'a> Values<'a> {
    /// Only the numbers, without names: enough for a simulation.
    pub const fn of(numbers: &'a [f64]) -> Self {
        Self { numbers, case: None }
    }
    /// The number in a slot.
    pub fn get<Q: Quantity>(self, slot: Slot<Q>) -> Q {
        Q::of(self.numbers[slot.index])
    }
    /// The numbers of this draw with those in some slots multiplied by a factor.
    pub fn scaled(self, slots: &BTreeSet<usize>, factor: f64) -> Vec<f64> {
        let mut numbers = self.numbers.to_vec();
        for slot in slots {
            numbers[*slot] *= factor;
        }
        numbers
    }
    /// The dotted name of a slot's input; empty where the names are not known.
    pub fn name(self, slot: usize) -> &'a str {
        self.case.map_or("", |case| case.slot_name(slot))
    }
    /// The number in a slot as a term of a derivation, under this name.
    pub fn term<Q>(self, name: &str, slot: Slot<Q>) -> Term {
        let unit = self.case.map_or("", |case| case.inputs[case.slot_inputs[slot.index]].unit);
        Term::input(name, self.numbers[slot.index], unit, self.name(slot.index))
    }
}

/// One input as the document lists it.
#[derive(Debug, Clone, PartialEq)]
pub struct InputRecord {
    /// Dotted name: `need.requests_per_month`.
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
    /// Which offers are compared with each other; the first pair is the headline.
    pub pairs: Vec<Pair>,
    /// Indices of the offers that the scenario describes in `[[local]]`.
    pub local_offers: Vec<usize>,
    /// The range of each slot.
    pub ranges: Vec<Range>,
    /// For each slot, the index of its input in `inputs`.
    pub slot_inputs: Vec<usize>,
    pub inputs: Vec<InputRecord>,
    pub notices: Vec<Notice>,
    /// Some input is a range.
    pub uncertain: bool,
    /// Some range was given by the user, beyond those of predictions and the catalogue.
    pub user_ranges: bool,
}

impl Case {
    /// Numbers for this case, with the names of their inputs.
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
    /// The baseline: an API, or hardware that takes its place.
    pub cloud: usize,
    /// The offer that is compared with it.
    pub local: usize,
}

/// The workload.
#[derive(Debug, Clone)]
pub struct Need {
    pub volume: Volume,
    /// Actual ÷ forecast volume: carries the uncertainty of the forecast, likely 1.
    pub volume_factor: Slot<f64>,
    pub shape: Shape,
    /// Kinds of request, where requests differ, relative to the mean request; empty where they are alike.
    pub mix: Vec<Portion>,
    /// Share of the input that is read from the provider's prompt cache, 0 to 1.
    pub cached: Slot<f64>,
    /// Share of the input that is written to the provider's prompt cache, 0 to 1.
    pub cache_write: Slot<f64>,
    /// Share of the requests that can wait for the batch price, 0 to 1.
    pub batch: Slot<f64>,
    pub peak: Peak,
    /// Growth of requests, a share per month.
    pub growth: Slot<f64>,
    /// Months that are compared.
    pub horizon: u32,
    /// Hours that one month is counted as.
    pub hours: Slot<Hours>,
    /// First day of the first month.
    pub start: Date,
    /// What else a plan must keep.
    pub asks: Asks,
}

/// One kind of request. Token counts are factors of the mean request's, class by class; their means,
/// weighted by `share`, are 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Portion {
    /// Share of all requests that are of this kind, 0 to 1.
    pub share: f64,
    /// Input, whether cached or not.
    pub input: f64,
    /// Input that is neither read from nor written to a cache.
    pub uncached: f64,
    /// Input read from a cache.
    pub read: f64,
    /// Input written to a cache.
    pub written: f64,
    /// Output without reasoning.
    pub output: f64,
    /// Reasoning tokens.
    pub reasoning: f64,
}

impl Need {
    /// Ratio of peak to mean of the load that the hardware must carry. Requests that can wait for the batch
    /// price wait for quiet hours and are not part of the peak; the ratio does not fall below 1, unless
    /// `peak_to_mean` does.
    pub fn peak_over_mean(&self, peak_to_mean: f64, v: Values<'_>) -> f64 {
        let waits: f64 = v.get(self.batch);
        (peak_to_mean * (1.0 - waits.clamp(0.0, 1.0))).max(peak_to_mean.min(1.0))
    }
}

/// What the need requires of a plan beside its load.
#[derive(Debug, Clone)]
pub struct Asks {
    pub purpose: Use,
    /// Limits at the 95th percentile, ms, where the user gave them; the others follow from the purpose.
    pub ttft_ms: Option<f64>,
    pub tpot_ms: Option<f64>,
    pub e2e_ms: Option<f64>,
    pub must_stay_up: bool,
    /// Context length of a long request, tokens.
    pub context: Option<f64>,
}

/// The plan behind an offer: the machine as it is ordered, and what runs on it.
#[derive(Debug, Clone, PartialEq)]
pub struct Blueprint {
    pub machine: plan::Machine,
    pub replica: plan::Replica,
    pub replicas: u32,
    pub replicas_per_host: u32,
    pub hosts: u32,
    pub spare_hosts: u32,
    pub accelerators: u32,
    /// Times of a request at the peak, seconds.
    pub typical: Served,
    /// Share of the input that the prefix cache supplies at the peak, 0 to 1.
    pub cached_share: f64,
    /// Requests a second that all replicas carry within the limits.
    pub carries: f64,
    /// Requests a second with every replica serving as many at once as it can.
    pub at_most: f64,
    /// Busy share of the machines in service at the peak, 0 to 1.
    pub busy_peak: f64,
    /// Busy share of the machines in service on average, 0 to 1.
    pub busy_mean: f64,
    pub binds: Vec<plan::Bind>,
    pub mean_watts: f64,
    pub full_watts: f64,
    pub rack_units: Option<f64>,
    pub people: plan::People,
    pub purchase_usd: f64,
    /// Its cost as the plan search estimated it.
    pub weighed: plan::Cost,
    /// Limits that it misses, where no plan keeps them all.
    pub missed: Vec<plan::Missed>,
    /// No computer for the accelerators is known: only the accelerators are counted.
    pub bare: bool,
    /// The need that it was planned for.
    pub need: Arc<plan::Need>,
    /// Share of the time that all hosts, spares included, are busy on average, 0 to 1.
    pub hosts_busy: f64,
}

impl Blueprint {
    /// The blueprint of a plan that the search found.
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

    /// Every figure on the way to the plan. Computed on demand, since hundreds of plans have thousands of
    /// them.
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

/// How many requests the first month has.
#[derive(Debug, Clone, Copy)]
pub enum Volume {
    Requests(Slot<Requests>),
    Tokens(Slot<Tokens>),
    /// As many as the local side can generate.
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
    /// Only the share of input among all tokens is known, 0 to 1: a "request" then stands for a thousand
    /// tokens.
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
    /// Discount rate, a share per year.
    pub discount: Slot<f64>,
    /// The currency that amounts are shown in; the calculation itself is in US dollars.
    pub currency: Currency,
}

#[derive(Debug, Clone)]
pub struct Hybrid {
    /// Share of the requests that go to the local side first, 0 to 1.
    pub local_share: Slot<f64>,
    /// Share of these that are sent on to the cloud, 0 to 1.
    pub escalation: Slot<f64>,
    /// Share of the load in each hour of the week, adding up to 1; `None` where overflow is not examined.
    pub profile: Option<Vec<f64>>,
    /// The split by routing was asked for.
    pub routed: bool,
}

/// One way to serve the need: an API or a kind of machine.
#[derive(Debug, Clone)]
pub struct Offer {
    pub name: String,
    /// Its id in the catalogue; `None` where it was described by hand.
    pub id: Option<String>,
    pub role: Role,
    /// Capability tier, 1 (highest) to 4.
    pub tier: Option<u8>,
    /// Id of the open model it serves; `None` where that is not known.
    pub open_model: Option<String>,
    pub supply: Supply,
    /// Share of its answers that passed on the user's prompts, 0 to 1, and where that was measured.
    pub pass_rate: Option<(f64, Source)>,
    /// The plan, where its speeds come from one.
    pub plan: Option<Box<Blueprint>>,
    /// The slots that only this offer reads; it also reads those of the need.
    pub slots: std::ops::Range<usize>,
}

impl Offer {
    /// Months until it works.
    pub fn delivery(&self) -> u32 {
        match &self.supply {
            Supply::Machine(machine) => machine.delivery,
            Supply::Api(_) => 0,
        }
    }

    /// Months from the start in which the baseline is paid as well: until this offer works, and while both
    /// run.
    pub fn meanwhile(&self) -> u32 {
        match &self.supply {
            Supply::Machine(machine) => machine.delivery + machine.overlap,
            Supply::Api(_) => 0,
        }
    }
}

/// Why an offer is part of the report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// The user named it.
    Asked,
    /// The cheapest other API of the same tier or a better one that is sold to the end, where nobody sells the model by the token.
    AsCapable,
    /// The same open model, rented by the token.
    SameModel,
    /// The same GPU, rented by the hour.
    RentedGpu,
}

#[derive(Debug, Clone)]
pub enum Supply {
    Api(Api),
    Machine(Box<Machine>),
}

/// An API, paid by the token.
#[derive(Debug, Clone)]
pub struct Api {
    /// Prices over time, in order of `from_month`; the first period starts in month 0.
    pub periods: Vec<Period>,
    /// Drift of its prices, a share per year; negative where they fall.
    pub drift: Slot<f64>,
    /// A fixed fee, US dollars a month.
    pub fixed: Slot<Usd>,
    /// Share of the requests that must be sent again, 0 to 1.
    pub retry: Slot<f64>,
    pub staff: Staff,
    /// Paid once at the start, US dollars.
    pub one_off: Slot<Usd>,
    /// Surcharge on every payment, as a share: support, egress, VAT.
    pub uplift: Slot<f64>,
    /// Credits that are used up first, US dollars.
    pub credits: Slot<Usd>,
    /// Minimum spend, US dollars a month.
    pub minimum: Slot<Usd>,
    /// Requests a month that cost nothing.
    pub free_requests: Slot<Requests>,
    /// Discounts on large bills: above this amount of a month's usage (US dollars), this share of the rest
    /// is deducted; ascending by amount.
    pub discounts: Vec<(f64, f64)>,
}

impl Api {
    /// Slots of all its prices per token, of every period, tier and time window.
    pub fn price_slots(&self) -> BTreeSet<usize> {
        let of_tiers = |p: &Period| p.tiers.iter().map(|(_, rates)| *rates).collect::<Vec<_>>();
        let of_windows = |p: &Period| p.windows.iter().map(|(_, rates)| *rates).collect::<Vec<_>>();
        let all = self.periods.iter().flat_map(|p| [vec![p.rates], of_tiers(p), of_windows(p)].concat());
        all.flat_map(|r| [Some(r.input), Some(r.output), r.cache_read, r.cache_write, r.reasoning])
            .flatten()
            .map(|slot| slot.index)
            .collect()
    }
}

/// People who look after an offer.
#[derive(Debug, Clone, Copy)]
pub struct Staff {
    /// Hours a month for the first unit; for an API the whole of it.
    pub hours: Slot<Hours>,
    /// Hours a month for each further unit.
    pub further: Option<Slot<Hours>>,
    pub rate: Slot<UsdPerHour>,
}

/// Prices that apply from a month of the simulation on.
#[derive(Debug, Clone)]
pub struct Period {
    /// First month in which they apply, from 0.
    pub from_month: u32,
    pub rates: Rates,
    /// Batch price ÷ standard price.
    pub batch_multiplier: Option<Slot<f64>>,
    /// Prices by length of the input: above each threshold, in tokens, all tokens of a request pay these
    /// rates; ascending.
    pub tiers: Vec<(u64, Rates)>,
    /// Prices by time of day: the share of the requests that falls into each window, and its rates.
    pub windows: Vec<(f64, Rates)>,
}

/// Prices in US dollars per million tokens. `None` for a class of tokens that the need does not have.
#[derive(Debug, Clone, Copy)]
pub struct Rates {
    pub input: Slot<UsdPerMtok>,
    pub output: Slot<UsdPerMtok>,
    pub cache_read: Option<Slot<UsdPerMtok>>,
    pub cache_write: Option<Slot<UsdPerMtok>>,
    pub reasoning: Option<Slot<UsdPerMtok>>,
}

/// Hardware that is bought, financed or rented by the hour.
#[derive(Debug, Clone)]
pub struct Machine {
    pub payment: Payment,
    /// A fixed number of units; `None` where there are as many as the peak needs.
    pub units: Option<u32>,
    pub power: Option<Power>,
    pub staff: Staff,
    /// Paid once at the start, US dollars.
    pub one_off: Slot<Usd>,
    /// Surcharge on every payment, as a share.
    pub uplift: Slot<f64>,
    /// Units that stand by in case another one fails.
    pub spare: u32,
    /// Months until it works; the baseline is paid meanwhile.
    pub delivery: u32,
    /// Months after delivery in which the baseline is still paid as well.
    pub overlap: u32,
    /// Hosting of one unit, US dollars a month.
    pub hosting: Slot<Usd>,
    pub licence: Slot<Usd>,
    pub other: Slot<Usd>,
    pub serving: Option<Serving>,
    /// Share of the input that its own prefix cache supplies, 0 to 1.
    pub cached: Slot<f64>,
    /// Busy share up to which a unit is loaded at the peak, 0 to 1.
    pub ceiling: Slot<f64>,
    /// Hours of a month in which it can serve.
    pub service_hours: Slot<Hours>,
    /// Tokens of its model ÷ tokens of the API's model for the same text.
    pub tokeniser_ratio: Slot<f64>,
    /// Share of the requests that must be answered again, 0 to 1.
    pub retry: Slot<f64>,
}

#[derive(Debug, Clone)]
pub enum Payment {
    Bought {
        /// Of one unit.
        price: Slot<Usd>,
        /// Units that are there already: they cost nothing and bring nothing when they are sold; what
        /// replaces them has the price.
        owned: u32,
        /// Installation, US dollars once for each unit.
        install: Slot<Usd>,
        /// Spare parts, as a share of the price.
        spares: Slot<f64>,
        /// Maintenance a year, as a share of the price.
        maintenance: Slot<f64>,
        /// Months until a unit is replaced; `None` where that lies beyond the calculation.
        life: Option<Slot<f64>>,
        /// What a unit fetches at the end of its life, as a share of its price.
        residual: Slot<f64>,
        /// The loan that pays for it; `None` where it is paid at once.
        loan: Option<Loan>,
    },
    Rented {
        rent: Slot<UsdPerHour>,
        /// Hours of rent that are billed in a month.
        billed: Slot<Hours>,
        /// Least number of months for which a unit is rented; `None` where it is given back when it is no
        /// longer needed.
        term: Option<Slot<f64>>,
    },
}

#[derive(Debug, Clone, Copy)]
pub struct Loan {
    /// Duration in months.
    pub term: Slot<f64>,
    /// Interest, a share per year.
    pub rate: Slot<f64>,
}

#[derive(Debug, Clone, Copy)]
pub struct Power {
    pub idle: Slot<Watts>,
    pub load: Slot<Watts>,
    pub tariff: Slot<UsdPerKwh>,
    pub pue: Slot<f64>,
}

/// How the capacity of one unit is known.
#[derive(Debug, Clone, Copy)]
pub enum Serving {
    /// From speeds that were given or measured; a unit is loaded up to a ceiling.
    Speed(Speed),
    /// From a plan: copies of the model on each unit.
    Copies(Copies),
}

/// Copies of a model, as a plan has them.
#[derive(Debug, Clone, Copy)]
pub struct Copies {
    /// Requests that one copy serves at the same time.
    pub at_once: f64,
    /// Copies on one unit.
    pub per_unit: u32,
    /// Requests a second of one copy when it serves `at_once` requests.
    pub rate: Slot<RequestsPerSec>,
    /// Share of its time that a copy spends on prefill, 0 to 1.
    pub reading: f64,
    /// Mean tokens of the request for which `rate` was predicted: uncached input.
    pub input: f64,
    /// Mean output tokens of that request.
    pub output: f64,
    /// Share of the capacity that may be used. `None`: it follows from the load
    /// ([`crate::plan::staffing`]).
    pub ceiling: Option<Slot<f64>>,
}

/// Speeds of one unit, all of its requests together.
#[derive(Debug, Clone, Copy)]
pub struct Speed {
    pub prefill: Prefill,
    pub decode: Slot<TokensPerSec>,
}

#[derive(Debug, Clone, Copy)]
pub enum Prefill {
    Speed(Slot<TokensPerSec>),
    /// Prefill takes no time: only to reproduce published calculations.
    Free,
    /// Input is processed as slowly as output: only to reproduce published calculations.
    AsOutput,
}
