//! Every scenario key, once: its section, name, unit and what values make sense. The TOML reader,
//! the flags, the checks and the echo of inputs all read this table.

use super::simulate::LAST_MONTH;

/// The tables of a scenario file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Section {
    Need,
    /// `[[cloud]]`: what is paid today, usually an API model.
    Cloud,
    /// `[[local]]`: hardware bought, financed or rented.
    Local,
    Hybrid,
    Finance,
}

impl Section {
    pub const ALL: [Self; 5] = [Self::Need, Self::Cloud, Self::Local, Self::Hybrid, Self::Finance];

    /// As written in a scenario file.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Need => "need",
            Self::Cloud => "cloud",
            Self::Local => "local",
            Self::Hybrid => "hybrid",
            Self::Finance => "finance",
        }
    }
    /// May it stand in a file more than once?
    pub const fn repeats(self) -> bool {
        matches!(self, Self::Cloud | Self::Local)
    }
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.name() == name)
    }
}

/// What a key holds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Kind {
    /// A number within bounds, both included; may be a range of low, likely, high.
    Number {
        min: f64,
        max: f64,
    },
    /// A number above zero, up to [`LARGEST`]; may be a range.
    Positive,
    /// A whole number within bounds, both included; it shapes the calculation and so is never a
    /// range.
    Whole {
        min: u32,
        max: u32,
    },
    /// A whole number of months that takes part in the calculation; may be a range.
    Months,
    Flag,
    Text,
    /// `YYYY-MM`.
    Month,
    Choice(&'static [&'static str]),
    /// `office-hours`, `flat`, or 168 numbers, one per hour of the week from Monday 00:00 UTC.
    Profile,
    /// `[[cloud.change]]`: prices from a day on.
    Changes,
}

/// One key.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Key {
    pub section: Section,
    pub name: &'static str,
    pub kind: Kind,
    pub unit: &'static str,
    pub help: &'static str,
}

/// Far above any amount, price or count there is; below it no product leaves the range of numbers.
pub const LARGEST: f64 = 1e15;
const AMOUNT: Kind = Kind::Number { min: 0.0, max: LARGEST };
const SHARE: Kind = Kind::Number { min: 0.0, max: 1.0 };
const WHOLE: Kind = Kind::Whole { min: 1, max: 1_000_000_000 };
const FACTOR: Kind = Kind::Number { min: 1.0, max: LARGEST };
/// A rate of change: it cannot take away more than everything, and a percentage written as `20`
/// instead of `0.2` must not pass for one.
const CHANGE: Kind = Kind::Number { min: -0.999_999, max: 5.0 };
const GROWTH: Kind = Kind::Number { min: -0.999_999, max: 1.0 };

macro_rules! keys {
    ($($section:ident { $($name:literal $kind:expr, $unit:literal, $help:literal;)* })*) => {
        &[$($(Key {
            section: Section::$section, name: $name, kind: $kind, unit: $unit, help: $help,
        },)*)*]
    };
}

/// The whole list, in the order help shows it.
pub const KEYS: &[Key] = keys! {
    Need {
        "requests_per_month" Kind::Positive, "requests/month", "Requests in the first month";
        "input_tokens" AMOUNT, "tokens", "Input tokens of one request (mean), cached ones included";
        "output_tokens" AMOUNT, "tokens", "Output tokens of one request (mean), without reasoning";
        "reasoning_tokens" AMOUNT, "tokens", "Reasoning tokens of one request (mean)";
        "cached_input_share" SHARE, "share", "Share of the input tokens read from the provider's cache";
        "cache_write_input_share" SHARE, "share", "Share of the input tokens written to the provider's cache";
        "batch_share" SHARE, "share", "Share of the requests that can wait for the batch price";
        "tokens_per_month" Kind::Positive, "tokens/month", "Input and output tokens of a month, where only the total is known";
        "input_share" SHARE, "share", "Share of the tokens that is input, where only the total is known";
        "at_capacity" Kind::Flag, "", "Volume is everything the local side can generate";
        "peak_requests_per_second" Kind::Positive, "requests/s", "Requests per second at the peak";
        "peak_to_mean" FACTOR, "x", "Peak load over mean load";
        "growth_per_month" GROWTH, "per month", "Growth of the requests from month to month (0.02 is 2 %)";
        "horizon_months" Kind::Whole { min: 1, max: LAST_MONTH }, "months", "Months over which costs are compared";
        "hours_per_month" Kind::Positive, "h/month", "Hours in a month";
        "start" Kind::Month, "", "First month, YYYY-MM";
        "tier" Kind::Whole { min: 1, max: 4 }, "", "Capability tier an API model needs, or a better one (1 is the most capable)";
    }
    Cloud {
        "model" Kind::Text, "", "Id of an API model in the catalogue";
        "name" Kind::Text, "", "Name of the offer";
        "input_usd_per_mtok" AMOUNT, "USD/Mtok", "Price of a million input tokens";
        "output_usd_per_mtok" AMOUNT, "USD/Mtok", "Price of a million output tokens";
        "cache_read_usd_per_mtok" AMOUNT, "USD/Mtok", "Price of a million cached input tokens";
        "cache_write_usd_per_mtok" AMOUNT, "USD/Mtok", "Price of a million input tokens written to the cache";
        "reasoning_usd_per_mtok" AMOUNT, "USD/Mtok", "Price of a million reasoning tokens, where not billed as output";
        "batch_multiplier" SHARE, "x", "Factor on every price for batch requests";
        "price_change_per_year" CHANGE, "per year", "Change of the prices per year; signed (-0.2 falls by 20 %)";
        "fixed_usd_per_month" AMOUNT, "USD/month", "Paid every month whatever the volume";
        "retry_share" AMOUNT, "share", "Requests paid again because the first answer was unusable";
        "change" Kind::Changes, "", "Prices from a day on: {from = \"YYYY-MM-DD\", input_usd_per_mtok = ...}";
        "kind" Kind::Choice(&["api", "rented"]), "", "rented: the baseline is a GPU rented by the hour";
        "usd_per_hour" AMOUNT, "USD/h", "Rent of one unit, all its GPUs (rented baseline)";
        "billed_hours_per_month" AMOUNT, "h/month", "Hours billed in a month (rented baseline)";
        "units" WHOLE, "units", "Units rented (rented baseline)";
    }
    Local {
        "kind" Kind::Choice(&["owned", "financed", "rented"]), "", "How it is paid for";
        "hardware" Kind::Text, "", "Id of a GPU, machine or rental in the catalogue";
        "model" Kind::Text, "", "Id of an open model in the catalogue";
        "quantisation" Kind::Text, "", "Quantisation of the weights, e.g. q4_k_m";
        "name" Kind::Text, "", "Name of the offer";
        "purchase_usd" AMOUNT, "USD", "Purchase price of one unit";
        "install_usd" AMOUNT, "USD", "Installation of one unit, once";
        "units" WHOLE, "units", "Units; without it, as many as the peak needs";
        "gpus_per_unit" WHOLE, "GPUs", "GPUs in one unit, where the hardware is a GPU";
        "life_months" Kind::Months, "months", "Months until a unit is replaced";
        "residual_share" SHARE, "share", "Share of the purchase price a unit still fetches when it leaves service";
        "spare_share" AMOUNT, "share", "Spare parts, as a share of the purchase price";
        "idle_watts" AMOUNT, "W", "Power of one unit without load, at the wall";
        "load_watts" AMOUNT, "W", "Power of one unit under load, at the wall";
        "usd_per_kwh" AMOUNT, "USD/kWh", "Electricity price";
        "tariff" Kind::Text, "", "Id of an electricity tariff in the catalogue";
        "pue" FACTOR, "x", "Power usage effectiveness: cooling and losses";
        "powered_hours_per_month" Kind::Positive, "h/month", "Hours in a month a unit is switched on";
        "staff_hours_per_month" AMOUNT, "h/month", "Staff hours for the whole deployment";
        "staff_usd_per_hour" AMOUNT, "USD/h", "Cost of one staff hour";
        "hosting_usd_per_month" AMOUNT, "USD/month", "Rack, room, network: of one unit";
        "maintenance_share_per_year" SHARE, "per year", "Maintenance, as a share of the purchase price";
        "licence_usd_per_month" AMOUNT, "USD/month", "Software licences of one unit";
        "other_usd_per_month" AMOUNT, "USD/month", "Anything else, for the whole deployment";
        "usd_per_hour" AMOUNT, "USD/h", "Rent of one unit, all its GPUs";
        "billed_hours_per_month" Kind::Positive, "h/month", "Hours of rent billed in a month";
        "term_months" Kind::Months, "months", "Months of the loan, or of the commitment to rent";
        "rate_per_year" SHARE, "per year", "Interest of the loan";
        "prefill_tokens_per_second" Kind::Positive, "tokens/s", "Input tokens one unit reads in a second, all requests together";
        "decode_tokens_per_second" Kind::Positive, "tokens/s", "Output tokens one unit writes in a second, all requests together";
        "concurrency" WHOLE, "requests", "Requests served at once, at which the speeds hold";
        "utilisation_ceiling" Kind::Number { min: 0.01, max: 1.0 }, "share", "Share of its capacity a unit is loaded with at the peak";
        "same_as_measured" Kind::Flag, "", "This is the machine and the model of the bench document, where it does not say so";
        "tokeniser_ratio" Kind::Positive, "x", "Local tokens per cloud token of the same text";
        "retry_share" AMOUNT, "share", "Requests run again because the first answer was unusable";
        "prefill_free" Kind::Flag, "", "Reading the input takes no time (only to reproduce published models)";
        "charge_input_as_output" Kind::Flag, "", "Input is read at the speed of output (only to reproduce published models)";
    }
    Hybrid {
        "local_share" SHARE, "share", "Share of the requests sent to the local side first";
        "escalation_share" SHARE, "share", "Share of those that are sent on to the cloud, and so paid twice";
        "profile" Kind::Profile, "", "Load by hour of the week: office-hours, flat, or 168 numbers";
    }
    Finance {
        "discount_rate_per_year" SHARE, "per year", "Discount rate";
        "currency" Kind::Text, "", "Currency of the report, ISO 4217";
        "usd_rate" Kind::Positive, "per USD", "Units of that currency for one USD";
    }
};

/// The prices a `[[cloud.change]]` may set besides `from`.
pub const CHANGE_RATES: [&str; 5] = [
    "input_usd_per_mtok",
    "output_usd_per_mtok",
    "cache_read_usd_per_mtok",
    "cache_write_usd_per_mtok",
    "reasoning_usd_per_mtok",
];

/// The key of this section and name.
pub fn find(section: Section, name: &str) -> Option<&'static Key> {
    KEYS.iter().find(|k| k.section == section && k.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_key_stands_twice() {
        for (n, key) in KEYS.iter().enumerate() {
            assert!(
                !KEYS[..n].iter().any(|k| k.section == key.section && k.name == key.name),
                "{}.{}",
                key.section.name(),
                key.name
            );
        }
    }
}
