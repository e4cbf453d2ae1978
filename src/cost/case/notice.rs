//! What a person must know about a case, as values: the words are those of documents.

use crate::units::Usd;
use jiff::civil::Date;

/// Something suspicious about the inputs, or about what came out.
#[derive(Debug, Clone, PartialEq)]
pub enum Notice {
    /// A provider does not publish how much a seat may use: it is taken to cover as much as it costs, else
    /// everything.
    SeatLimitsUnknown {
        offer: String,
        covers_its_price: bool,
    },
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
    /// No plan keeps this limit; the nearest one misses it by so much, at the 95th percentile.
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
    /// The comparison ends before the loan or the commitment does.
    OwedAtHorizon {
        offer: String,
        horizon: u32,
        owed: Usd,
    },
    /// Nobody is known to sell the model by the token; the API that stands in its place, where one does.
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
