//! A scenario made complete: every number in a slot with its unit, range and source, and the
//! structure that says which slot means what. Everything downstream reads numbers by slot, so the
//! same simulation serves the point answer, the tornado and ten thousand draws.

use crate::money::Currency;
use crate::provenance::Source;
use crate::units::{
    Hours, Requests, RequestsPerSec, Tokens, TokensPerSec, Usd, UsdPerHour, UsdPerKwh, UsdPerMtok, Watts,
};
use crate::workload::{Range, Value};
use jiff::civil::Date;
use std::marker::PhantomData;

/// A quantity a slot can hold.
pub trait Quantity: Copy {
    fn of(value: f64) -> Self;
}
macro_rules! quantities {
    ($($name:ident),*) => { $(impl Quantity for $name {
        fn of(value: f64) -> Self { $name::new(value) }
    })* };
}
quantities!(
    Hours,
    Requests,
    RequestsPerSec,
    Tokens,
    TokensPerSec,
    Usd,
    UsdPerHour,
    UsdPerKwh,
    UsdPerMtok,
    Watts
);
impl Quantity for f64 {
    fn of(value: f64) -> Self {
        value
    }
}

/// Where a number of this quantity stands in the values of one draw.
#[derive(Debug)]
pub struct Slot<Q> {
    index: usize,
    quantity: PhantomData<fn() -> Q>,
}
impl<Q> Clone for Slot<Q> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<Q> Copy for Slot<Q> {}
impl<Q> Slot<Q> {
    pub(super) const fn at(index: usize) -> Self {
        Self { index, quantity: PhantomData }
    }
    pub const fn index(self) -> usize {
        self.index
    }
}

/// The numbers of one draw, by slot.
#[derive(Debug, Clone, Copy)]
pub struct Values<'a>(pub &'a [f64]);

impl Values<'_> {
    pub fn get<Q: Quantity>(self, slot: Slot<Q>) -> Q {
        Q::of(self.0[slot.index])
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
    pub shape: Shape,
    pub cached: Slot<f64>,
    pub cache_write: Slot<f64>,
    pub batch: Slot<f64>,
    pub peak: Peak,
    pub growth: Slot<f64>,
    pub horizon: u32,
    pub hours: Slot<Hours>,
    /// First day of the first month.
    pub start: Date,
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
    /// Its own slots; it reads those of the need besides.
    pub slots: std::ops::Range<usize>,
}

/// Why an offer stands in the report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// The user named it.
    Asked,
    /// The same open model rented per token: the second comparator.
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
    pub staff_hours: Slot<Hours>,
    pub staff_rate: Slot<UsdPerHour>,
    pub hosting: Slot<Usd>,
    pub licence: Slot<Usd>,
    pub other: Slot<Usd>,
    pub speed: Option<Speed>,
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

/// Something suspicious about the inputs, or about what came out.
#[derive(Debug, Clone, PartialEq)]
pub enum Notice {
    PrefillFree {
        offer: String,
    },
    InputAsOutput {
        offer: String,
    },
    AtCapacity,
    /// Parts of cost an offer described by hand says nothing about.
    LeftOut {
        offer: String,
        parts: Vec<&'static str>,
    },
    OldPrices {
        oldest: Date,
        days: i64,
        entry: String,
    },
    RentBelowMarket {
        offer: String,
        usd_per_gpu_hour: f64,
        lowest: f64,
        entry: String,
    },
    CurrencyWithoutRate {
        currency: String,
    },
    /// The rate given looks like the reciprocal of the one that is known.
    RateLooksInverted {
        currency: String,
        given: f64,
        known: f64,
    },
    /// The model was named by something whose meaning changes.
    AliasUsed {
        alias: String,
        model: String,
    },
    StandIn {
        target: String,
    },
    SpeedAtOne {
        offer: String,
    },
    /// A measurement that says nothing about this offer's speed and power.
    MeasuredElsewhere {
        offer: String,
        file: String,
        elsewhere: Elsewhere,
    },
    /// The model is rated below the tier the need names.
    BelowNeed {
        offer: String,
        has: u8,
        wanted: u32,
    },
    /// The price is of the GPU alone.
    HostNotIncluded {
        offer: String,
    },
    PredictedSpeed {
        offer: String,
    },
    AlwaysBusy {
        offer: String,
    },
    ModelRetires {
        offer: String,
        day: Date,
    },
    /// The comparison ends before the loan or the commitment does.
    OwedAtHorizon {
        offer: String,
        horizon: u32,
        owed: Usd,
    },
    NoSameModel {
        model: String,
    },
    UtilisationAboveCeiling {
        offer: String,
        utilisation: f64,
        ceiling: f64,
    },
    PeakAboveCapacity {
        offer: String,
        units: u32,
        needed: u32,
    },
    /// The last of the units chosen for the peak carries little of it: a bit more speed, or a bit
    /// less load, and the case has one less.
    UnitForTheTip {
        offer: String,
        units: u32,
        /// Of one unit less, at the peak.
        utilisation: f64,
        ceiling: f64,
    },
    WeakerModel {
        cloud: String,
        local: String,
    },
    PaybackUndone {
        cloud: String,
        local: String,
        month: u32,
    },
}

/// Why a measurement is not one of an offer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Elsewhere {
    /// On other hardware than the offer's.
    Hardware {
        measured: String,
        wanted: String,
    },
    /// Perhaps: the document does not tell.
    PerhapsHardware {
        measured: String,
        wanted: String,
    },
    /// Of another model, or in another format.
    Model {
        measured: String,
        wanted: String,
    },
    PerhapsModel {
        measured: String,
        wanted: String,
    },
}

impl Elsewhere {
    /// The measurement may be of this offer; only the user can say.
    pub const fn is_doubt(&self) -> bool {
        matches!(self, Self::PerhapsHardware { .. } | Self::PerhapsModel { .. })
    }
    /// The hardware is in the supply, not the model.
    pub const fn is_of_hardware(&self) -> bool {
        matches!(self, Self::Hardware { .. } | Self::PerhapsHardware { .. })
    }
    /// What was measured, and what the offer has instead.
    pub fn both(&self) -> (&str, &str) {
        match self {
            Self::Hardware { measured, wanted }
            | Self::PerhapsHardware { measured, wanted }
            | Self::Model { measured, wanted }
            | Self::PerhapsModel { measured, wanted } => (measured, wanted),
        }
    }
}
