//! Units of metrics, and how values in them are shown.

use crate::money::Currency;
use crate::number;

/// The unit of a metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// A word or a truth value, not a number.
    Word,
    Milliseconds,
    TokensPerSecond,
    CharactersPerSecond,
    RequestsPerSecond,
    RequestsPerMonth,
    TokensPerMonth,
    Tokens,
    Requests,
    Prompts,
    /// A number of whole things: devices, hosts, pairs.
    Count,
    Usd,
    UsdPerMonth,
    UsdPerMtok,
    Months,
    HoursPerMonth,
    Watts,
    Joules,
    Bytes,
    /// A share from 0 to 1.
    Share,
    /// The quotient of two figures of the same kind.
    Ratio,
}

impl Unit {
    /// The symbol beside a number; empty where there is none.
    pub const fn symbol(self) -> &'static str {
        match self {
            Self::Word | Self::Count | Self::Share | Self::Ratio => "",
            Self::Milliseconds => "ms",
            Self::TokensPerSecond => "tok/s",
            Self::CharactersPerSecond => "characters/s",
            Self::RequestsPerSecond => "requests/s",
            Self::RequestsPerMonth => "requests/month",
            Self::TokensPerMonth => "tokens/month",
            Self::Tokens => "tokens",
            Self::Requests => "requests",
            Self::Prompts => "prompts",
            Self::Usd => "USD",
            Self::UsdPerMonth => "USD/month",
            Self::UsdPerMtok => "USD/Mtok",
            Self::Months => "months",
            Self::HoursPerMonth => "hours/month",
            Self::Watts => "W",
            Self::Joules => "J",
            Self::Bytes => "bytes",
        }
    }

    /// A value in this unit, without the symbol where the heading has it.
    pub fn shown(self, value: f64) -> String {
        match self {
            Self::Share => number::percent(value),
            Self::Usd | Self::UsdPerMonth | Self::UsdPerMtok => Currency::usd().show(value),
            Self::Milliseconds
            | Self::TokensPerSecond
            | Self::CharactersPerSecond
            | Self::Watts
            | Self::Joules
            | Self::Ratio => number::measured(value),
            Self::Months => format!("{value:.1}"),
            _ => number::short(value),
        }
    }
}
