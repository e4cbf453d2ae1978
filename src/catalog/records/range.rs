//! Ranges of inputs that the user did not give.

use super::CiteByField;
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The range of an input that the user did not give. The calculation uses the likely value, and draws from
/// the range for its odds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Range {
    /// Its id: `staff-rack`.
    pub id: String,
    /// The input.
    pub input: RangeInput,
    /// The case in which it applies.
    #[serde(default)]
    pub case: RangeCase,
    /// Lowest value, as far as known.
    pub low: f64,
    /// Likely value.
    pub likely: f64,
    /// Highest value, as far as known.
    pub high: f64,
    /// Unit of the three values: `hours per month`, `share`, `of the quoted price`.
    pub unit: String,
    /// Why it is this wide, in one sentence for readers of a report.
    pub reason: String,
    /// The page the figures were read on; [`cite`](Self::cite) may name another for single ones.
    pub source: String,
    /// The day on which they were read.
    #[schemars(with = "String")]
    pub as_of: Date,
    /// Other sources of single fields.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub cite: CiteByField,
}
cited!(Range);

/// Inputs that have ranges.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RangeInput {
    /// Change of an API price within a year, as a share of the price.
    ApiPriceChange,
    /// Volume, relative to the forecast.
    Volume,
    /// Price of hardware, relative to the price that was read.
    Purchase,
    /// Rent per hour, relative to the price that was read.
    Rent,
    /// Share of the requests that are sent on to a better model where two tiers serve one need.
    Escalation,
    /// Power usage effectiveness: power of the whole room ÷ power of the machines.
    Pue,
    /// Staff hours a month for the first machine, or for the API.
    StaffHours,
    /// Staff hours a month for each further machine.
    StaffHoursFurther,
    /// Maintenance a year, as a share of the purchase price.
    Maintenance,
    /// Place, network and insurance of one server, US dollars a month.
    FacilityPerServer,
    /// The same costs shared by all servers, US dollars a month.
    FacilityShared,
    /// Colocation in a data centre, US dollars per kilowatt and month.
    Colocation,
    /// Value at the horizon, as a share of the purchase price.
    Residual,
    /// Load of the busiest hour ÷ load of the mean hour.
    PeakToMean,
    /// Highest share of a machine's capacity that plans use.
    Ceiling,
    /// Work until the service runs, US dollars, once.
    Implementation,
    /// Weeks from order to delivery.
    LeadTime,
    /// Share of accelerators that fail in a year.
    Faults,
}

/// When a range holds.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum RangeCase {
    /// All cases for which there is no narrower one.
    #[default]
    Any,
    /// A machine on or under a desk.
    Office,
    /// A machine in a rack.
    Rack,
    /// A model of an API.
    Api,
    /// A machine that is rented by the hour.
    Rented,
    /// A rented machine with cards that, if bought, would stand in an office.
    RentedOffice,
    /// A machine that is bought.
    Owned,
    /// Accelerators sold as single cards.
    Card,
    /// Servers and complete machines.
    Server,
    /// The same model over the whole time.
    SameModel,
    /// Whichever model of the same capability is sold at the time.
    Successors,
}
