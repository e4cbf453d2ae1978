//! What a person must know about a case, as values; documents put them into words.

use crate::units::Usd;
use jiff::civil::Date;

/// Something about the inputs or the results that a reader must know.
#[derive(Debug, Clone, PartialEq)]
pub enum Notice {
    /// A provider does not publish how much a seat may use. It is taken to cover use worth its price, or
    /// all use where `covers_its_price` is false.
    SeatLimitsUnknown {
        offer: String,
        covers_its_price: bool,
    },
    /// The plan is for an accelerator whose arithmetic rate is not known.
    RateGuessed {
        offer: String,
        accelerator: String,
    },
    PrefillFree {
        offer: String,
    },
    InputAsOutput {
        offer: String,
    },
    AtCapacity,
    /// Parts of cost about which an offer described by hand says nothing.
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
    /// The exchange rate looks like the reciprocal of the known one.
    RateLooksInverted {
        currency: String,
        given: f64,
        known: f64,
    },
    /// The exchange rate is far from the known one.
    RateFarOff {
        currency: String,
        given: f64,
        known: f64,
    },
    /// The model was named by an alias, which can come to mean another model.
    AliasUsed {
        alias: String,
        model: String,
    },
    /// A price that was given stands for several of the catalogue: of later days, of long requests or of
    /// times of the day.
    ListPricesReplaced {
        model: String,
        keys: Vec<String>,
    },
    /// No price is known for what replaces hardware that is there already.
    NoReplacementPrice {
        offer: String,
    },
    StandIn {
        target: String,
    },
    SpeedAtOne {
        offer: String,
    },
    /// A measurement that does not apply to this offer's speed and power.
    MeasuredElsewhere {
        offer: String,
        file: String,
        elsewhere: Elsewhere,
    },
    /// The model's tier is below the one that the need requires.
    BelowNeed {
        offer: String,
        has: u8,
        wanted: u32,
    },
    /// The price is that of the GPU alone, without a computer.
    HostNotIncluded {
        offer: String,
    },
    PredictedSpeed {
        offer: String,
    },
    /// No plan keeps this limit. The nearest plan reaches `ms` at the 95th percentile.
    MissesLimit {
        offer: String,
        limit: &'static str,
        limit_ms: f64,
        ms: f64,
    },
    AlwaysBusy {
        offer: String,
    },
    ModelRetires {
        offer: String,
        day: Date,
    },
    /// The comparison ends before the loan or the rental commitment does.
    OwedAtHorizon {
        offer: String,
        horizon: u32,
        owed: Usd,
    },
    /// Nobody is known to sell the model by the token. `instead` is the API that is shown in its place.
    NoSameModel {
        model: String,
        instead: Option<String>,
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
    /// The last unit carries only the tip of the peak: with slightly higher speeds or less load, one unit
    /// less would do.
    UnitForTheTip {
        offer: String,
        units: u32,
        /// Busy share at the peak with one unit less.
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

/// Why a measurement does not apply to an offer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Elsewhere {
    /// It ran on other hardware than the offer's.
    Hardware {
        measured: String,
        wanted: String,
    },
    /// It may have run on other hardware: the document does not say.
    PerhapsHardware {
        measured: String,
        wanted: String,
    },
    /// It ran another model, or another weight format.
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
    /// Is it unclear whether the measurement applies? Only the user can say.
    pub const fn is_doubt(&self) -> bool {
        matches!(self, Self::PerhapsHardware { .. } | Self::PerhapsModel { .. })
    }
    /// Is the hardware what differs, rather than the model?
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
