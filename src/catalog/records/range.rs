//! How far inputs that nobody stated may lie from their likely value.

use super::CiteByField;
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The range of an input where the user gave none: a calculation that takes the likely value draws from
/// this one for its odds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Range {
    /// `staff-rack`.
    pub id: String,
    /// What it is a range of.
    pub input: RangeInput,
    /// Where it holds.
    #[serde(default)]
    pub case: RangeCase,
    /// The lowest it can be, as far as one knows.
    pub low: f64,
    /// The likeliest: what is taken where nothing is drawn.
    pub likely: f64,
    /// The highest it can be, as far as one knows.
    pub high: f64,
    /// Of all three: `hours per month`, `share`, `of the quoted price`.
    pub unit: String,
    /// Why it is this wide, in one sentence for a reader of a report.
    pub reason: String,
    /// The page the figures were read on; [`cite`](Self::cite) may name another for single ones.
    pub source: String,
    /// The day they were read.
    #[schemars(with = "String")]
    pub as_of: Date,
    /// Other sources, by field.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub cite: CiteByField,
}
cited!(Range);

/// What a range is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RangeInput {
    /// Change of an API price within a year, as a share of it.
    ApiPriceChange,
    /// Volume, as a share of the forecast.
    Volume,
    /// What hardware costs, as a share of the price read.
    Purchase,
    /// Rent by the hour, as a share of the price read.
    Rent,
    /// Share of the requests that go to a better model where two tiers serve one need.
    Escalation,
    /// Power of the whole room for each watt of the machine.
    Pue,
    /// Hours of staff in a month for the first machine, or for the API.
    StaffHours,
    /// Hours of staff in a month for each further one.
    StaffHoursFurther,
    /// Maintenance in a year, as a share of the purchase price.
    Maintenance,
    /// Place, network and insurance of one server, US dollars in a month.
    FacilityPerServer,
    /// The same once for all servers.
    FacilityShared,
    /// A rented place in a data centre, US dollars for a kilowatt and month.
    Colocation,
    /// Worth at the end of the horizon, as a share of the purchase price.
    Residual,
    /// The busiest hour over the mean hour.
    PeakToMean,
    /// Most of a machine's capacity that is planned with.
    Ceiling,
    /// Work until it runs, US dollars, once.
    Implementation,
    /// Weeks from order to delivery.
    LeadTime,
    /// Accelerators that fail in a year, as a share.
    Faults,
}

/// When a range holds.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum RangeCase {
    /// Where no narrower case has one.
    #[default]
    Any,
    /// A machine on or under a desk.
    Office,
    /// A machine in a rack.
    Rack,
    /// Other people's machines, by the token.
    Api,
    /// Other people's machines, by the hour.
    Rented,
    /// The same with cards that, bought, would stand in an office.
    RentedOffice,
    /// A machine that is bought.
    Owned,
    /// Accelerators by the piece.
    Card,
    /// Servers and complete machines.
    Server,
    /// The same model for the whole time.
    SameModel,
    /// Whatever model is as able at the time.
    Successors,
}
