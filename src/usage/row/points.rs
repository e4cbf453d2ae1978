//! Reads a list of times and values: `[[time, value], ...]`, or a single such pair.

use serde::de::{DeserializeSeed, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::fmt;

/// The most points of one series.
const MOST_POINTS: usize = 2_000_000;

/// One element of the list: a pair, or one half of a single pair.
pub(super) struct Point<'p> {
    pub points: &'p mut Vec<(f64, f64)>,
    /// Numbers that are directly in the list, at most three.
    pub plain: &'p mut Vec<f64>,
}

impl Point<'_> {
    fn take(self, value: f64) {
        if self.plain.len() < 3 {
            self.plain.push(value);
        }
    }
}

impl<'de> DeserializeSeed<'de> for Point<'_> {
    type Value = ();
    fn deserialize<D: serde::Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Point<'_> {
    type Value = ();
    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a time and a value")
    }
    fn visit_u64<E>(self, value: u64) -> Result<(), E> {
        self.take(value as f64);
        Ok(())
    }
    fn visit_i64<E>(self, value: i64) -> Result<(), E> {
        self.take(value as f64);
        Ok(())
    }
    fn visit_f64<E>(self, value: f64) -> Result<(), E> {
        self.take(value);
        Ok(())
    }
    fn visit_str<E>(self, text: &str) -> Result<(), E> {
        self.take(text.trim().parse().unwrap_or(f64::NAN));
        Ok(())
    }
    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }
    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let mut pair = Vec::new();
        let mut none = Vec::new();
        while list.next_element_seed(Point { points: &mut none, plain: &mut pair })?.is_some() {}
        if let ([time, value], true) = (&pair[..], self.points.len() < MOST_POINTS) {
            self.points.push((*time, *value));
        }
        Ok(())
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(())
    }
}
