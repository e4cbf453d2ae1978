//! Prices in files from outside: finite, not negative, in one unit.

use serde::de::{self, Deserializer, MapAccess, Visitor};
use std::fmt;

/// A price as it stands in a file: a number, or a number in a string; finite and not negative.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Price(pub f64);

impl Price {
    /// A price per token as one per million tokens, without the noise of binary fractions.
    pub fn per_mtok(self) -> f64 {
        tidy(self.0 * 1e6)
    }
}

/// Ten significant digits: 3e-7 × 1e6 is 0.3, not 0.30000000000000004.
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
        f.write_str("a price: a number that is not negative")
    }
    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Price, E> {
        if value.is_finite() && value >= 0.0 {
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
        let number = value.parse().map_err(|_| E::invalid_value(de::Unexpected::Str(value), &self))?;
        self.visit_f64(number)
    }
}

/// A price that may step up with the length of the request.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Stepped {
    pub base: f64,
    /// Above this many input tokens, this price.
    pub steps: Vec<(u64, f64)>,
}

impl Stepped {
    /// The price of a request with more than this many input tokens.
    pub fn above(&self, tokens: u64) -> f64 {
        self.steps
            .iter()
            .filter(|(start, _)| *start <= tokens)
            .map(|(_, p)| *p)
            .next_back()
            .unwrap_or(self.base)
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
        f.write_str("a price, or {base, tiers}")
    }
    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Stepped, E> {
        PriceVisitor.visit_f64(value).map(|p| Stepped { base: p.0, steps: Vec::new() })
    }
    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Stepped, E> {
        self.visit_f64(value as f64)
    }
    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Stepped, E> {
        self.visit_f64(value as f64)
    }
    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Stepped, A::Error> {
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
        let mut steps: Vec<(u64, f64)> = raw.tiers.iter().map(|t| (t.start, t.price.0)).collect();
        steps.sort_by_key(|(start, _)| *start);
        Ok(Stepped { base: raw.base.0, steps })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::float_cmp)]
    use super::*;

    #[test]
    fn per_token_becomes_per_million_without_noise() {
        assert_eq!(Price(3e-7).per_mtok(), 0.3);
        assert_eq!(Price(2.28e-7).per_mtok(), 0.228);
        assert_eq!(Price(0.0).per_mtok(), 0.0);
    }

    #[test]
    fn only_numbers_that_can_be_prices() {
        for bad in ["-0.1", "\"-1\"", "\"NaN\"", "\"inf\"", "true", "[1]", "\"\""] {
            assert!(serde_json::from_str::<Price>(bad).is_err(), "{bad}");
        }
        assert_eq!(serde_json::from_str::<Price>("\"0.000003\"").expect("text").per_mtok(), 3.0);
    }

    #[test]
    fn a_step_holds_above_its_threshold() {
        let stepped: Stepped = serde_json::from_str(
            r#"{"base": 1, "tiers": [{"start": 200000, "price": 2}, {"start": 500000, "price": 3}]}"#,
        )
        .expect("reads");
        assert_eq!([0, 199_999, 200_000, 500_000].map(|t| stepped.above(t)), [1.0, 1.0, 2.0, 3.0]);
    }
}
