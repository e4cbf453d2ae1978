//! Numbers in price files. Prices must be finite, not negative and in one unit. A count of tokens that
//! cannot be read is treated as unknown.

use super::taken::Reason;
use serde::de::{self, Deserializer, MapAccess, Visitor};
use std::fmt;

/// A price as a file has it: a finite number, possibly in a string. A negative one means that there is no
/// price.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Price(f64);

impl Price {
    /// The price as one per million tokens, without rounding noise.
    pub fn of_mtok(self) -> Result<f64, Reason> {
        match self.0 {
            price if price < 0.0 => Err(Reason::Depends),
            price if price.is_finite() => Ok(tidy(price)),
            price => Err(Reason::NoNumber(price.to_string())),
        }
    }
    /// The price of one token as a price per million tokens.
    pub fn per_mtok(self) -> Result<f64, Reason> {
        Self(self.0 * 1e6).of_mtok()
    }
}

/// Rounded to ten significant digits: 3e-7 × 1e6 becomes 0.3 instead of 0.30000000000000004.
pub(super) fn tidy(value: f64) -> f64 {
    format!("{value:.9e}").parse().unwrap_or(value)
}

impl<'de> serde::Deserialize<'de> for Price {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(PriceVisitor)
    }
}

struct PriceVisitor;

impl Visitor<'_> for PriceVisitor {
    type Value = Price;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a price: a number")
    }
    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Price, E> {
        if value.is_finite() {
            Ok(Price(value))
        } else {
            Err(E::invalid_value(de::Unexpected::Float(value), &self))
        }
    }
    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Price, E> {
        self.visit_f64(value as f64)
    }
    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Price, E> {
        self.visit_f64(value as f64)
    }
    fn visit_str<E: de::Error>(self, value: &str) -> Result<Price, E> {
        let number = value.trim().parse().map_err(|_| E::invalid_value(de::Unexpected::Str(value), &self))?;
        self.visit_f64(number)
    }
}

/// A number of tokens, sometimes written as text or as 256000.0. Anything else counts as unknown, because
/// an odd limit is no reason to leave out a price.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Count(pub Option<u64>);

impl<'de> serde::Deserialize<'de> for Count {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value: serde_json::Value = serde::Deserialize::deserialize(deserializer)?;
        let number = value.as_f64().or_else(|| value.as_str().and_then(|s| s.trim().parse().ok()));
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        Ok(Self(number.filter(|n| (1.0..=1e12).contains(n)).map(|n| n as u64)))
    }
}

/// A price that may depend on the length of the request.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Stepped {
    base: Price,
    /// Prices above a number of input tokens.
    steps: Vec<(u64, Price)>,
}

impl Stepped {
    /// The price for a request with more than this many input tokens.
    pub fn above(&self, tokens: u64) -> Result<f64, Reason> {
        let step = self.steps.iter().filter(|(start, _)| *start <= tokens).map(|(_, p)| *p).next_back();
        step.unwrap_or(self.base).of_mtok()
    }
    /// The numbers of tokens at which steps begin.
    pub fn starts(&self) -> impl Iterator<Item = u64> + '_ {
        self.steps.iter().map(|(start, _)| *start)
    }
}

impl<'de> serde::Deserialize<'de> for Stepped {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(SteppedVisitor)
    }
}

struct SteppedVisitor;

impl<'de> Visitor<'de> for SteppedVisitor {
    type Value = Stepped;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a price, or {base, tiers: [{start, price}]}")
    }
    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Stepped, E> {
        PriceVisitor.visit_f64(value).map(|base| Stepped { base, steps: Vec::new() })
    }
    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Stepped, E> {
        self.visit_f64(value as f64)
    }
    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Stepped, E> {
        self.visit_f64(value as f64)
    }
    fn visit_str<E: de::Error>(self, value: &str) -> Result<Stepped, E> {
        PriceVisitor.visit_str(value).map(|base| Stepped { base, steps: Vec::new() })
    }
    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Stepped, A::Error> {
        // A key that is not understood could change when a step applies.
        #[derive(serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Raw {
            base: Price,
            tiers: Vec<RawTier>,
        }
        #[derive(serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        struct RawTier {
            start: u64,
            price: Price,
        }
        let raw: Raw = serde::Deserialize::deserialize(de::value::MapAccessDeserializer::new(map))?;
        let mut steps: Vec<(u64, Price)> = raw.tiers.iter().map(|t| (t.start, t.price)).collect();
        steps.sort_by_key(|(start, _)| *start);
        Ok(Stepped { base: raw.base, steps })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::float_cmp)]
    use super::*;

    #[test]
    fn per_token_becomes_per_million_without_noise() {
        assert_eq!(Price(3e-7).per_mtok(), Ok(0.3));
        assert_eq!(Price(2.28e-7).per_mtok(), Ok(0.228));
        assert_eq!(Price(0.0).per_mtok(), Ok(0.0));
    }

    #[test]
    fn only_numbers_that_can_be_prices() {
        for bad in ["\"NaN\"", "\"inf\"", "true", "[1]", "\"\"", "\"much\""] {
            assert!(serde_json::from_str::<Price>(bad).is_err(), "{bad}");
        }
        for depends in ["-1", "-0.1", "\"-1\""] {
            let price = serde_json::from_str::<Price>(depends).expect("a number");
            assert_eq!(price.per_mtok(), Err(Reason::Depends), "{depends}");
        }
        assert_eq!(serde_json::from_str::<Price>("\"0.000003\"").expect("text").per_mtok(), Ok(3.0));
    }

    #[test]
    fn a_count_that_is_odd_is_not_known() {
        for (text, count) in [
            ("128000", Some(128_000)),
            ("256000.0", Some(256_000)),
            ("\"8192\"", Some(8_192)),
            ("null", None),
            ("0", None),
            ("-1", None),
            ("\"many\"", None),
            ("[1]", None),
        ] {
            assert_eq!(serde_json::from_str::<Count>(text).expect("any value"), Count(count), "{text}");
        }
    }

    #[test]
    fn a_step_holds_above_its_threshold() {
        let stepped: Stepped = serde_json::from_str(
            r#"{"base": 1, "tiers": [{"start": 200000, "price": 2}, {"start": 500000, "price": "3"}]}"#,
        )
        .expect("reads");
        assert_eq!(
            [0, 199_999, 200_000, 500_000].map(|t| stepped.above(t)),
            [Ok(1.0), Ok(1.0), Ok(2.0), Ok(3.0)]
        );
        for unknown in [
            r#"{"base": 1, "tiers": [{"start": 9, "price": 2, "weekday": 3}]}"#,
            r#"{"base": 1, "tiers": [{"from": 9, "price": 2}]}"#,
            r#"{"base": 1, "tiers": [], "steps": []}"#,
        ] {
            assert!(serde_json::from_str::<Stepped>(unknown).is_err(), "{unknown}");
        }
    }
}
