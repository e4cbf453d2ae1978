//! Paths of the keys in the first values of a JSON text.

use super::marks::ROWS;
use serde::de::{DeserializeSeed, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::collections::BTreeMap;
use std::fmt;

/// The most paths of one row.
pub(super) const PATHS: usize = 4000;

const DEPTH: usize = 8;

/// Type of a field's values, as far as a mapping needs it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Number,
    Other,
}

/// The paths of a JSON text, as far as it can be read.
pub(super) fn paths(json: &[u8]) -> BTreeMap<String, Kind> {
    let mut found = BTreeMap::new();
    let mut values = serde_json::Deserializer::from_slice(json);
    for _ in 0..ROWS {
        let seed = Walk { found: &mut found, path: String::new(), depth: 0 };
        if seed.deserialize(&mut values).is_err() {
            break;
        }
    }
    found
}

struct Walk<'f> {
    found: &'f mut BTreeMap<String, Kind>,
    path: String,
    depth: usize,
}

impl Walk<'_> {
    fn note(self, kind: Kind) {
        if !self.path.is_empty() && self.found.len() < PATHS {
            let known = self.found.entry(self.path).or_insert(kind);
            if kind == Kind::Number {
                *known = kind;
            }
        }
    }
    fn inside(&mut self, step: &str) -> Walk<'_> {
        let path = match (self.path.is_empty(), step) {
            (_, "[]") => format!("{}[]", self.path),
            (true, step) => step.to_owned(),
            (false, step) => format!("{}/{step}", self.path),
        };
        Walk { found: self.found, path, depth: self.depth + 1 }
    }
}

impl<'de> DeserializeSeed<'de> for Walk<'_> {
    type Value = ();
    fn deserialize<D: serde::Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        if self.depth > DEPTH {
            return from.deserialize_ignored_any(IgnoredAny).map(|_| ());
        }
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Walk<'_> {
    type Value = ();
    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("JSON")
    }
    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        self.note(Kind::Other);
        Ok(())
    }
    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        self.note(Kind::Number);
        Ok(())
    }
    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        self.note(Kind::Number);
        Ok(())
    }
    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        self.note(Kind::Number);
        Ok(())
    }
    fn visit_unit<E>(self) -> Result<(), E> {
        self.note(Kind::Other);
        Ok(())
    }
    fn visit_str<E>(self, text: &str) -> Result<(), E> {
        if text.starts_with(['{', '[']) && self.depth < DEPTH {
            let path = self.path.clone();
            let inner = Walk { found: &mut *self.found, path, depth: self.depth + 1 };
            let mut json = serde_json::Deserializer::from_str(text);
            // A string that only looks like JSON is a string.
            let _ = inner.deserialize(&mut json);
        }
        let number = text.len() < 24 && text.trim().parse::<f64>().is_ok();
        self.note(if number { Kind::Number } else { Kind::Other });
        Ok(())
    }
    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<std::borrow::Cow<str>>()? {
            map.next_value_seed(self.inside(&key))?;
        }
        self.note(Kind::Other);
        Ok(())
    }
    fn visit_seq<A: SeqAccess<'de>>(mut self, mut list: A) -> Result<(), A::Error> {
        self.found.entry(self.path.clone()).or_insert(Kind::Other);
        let mut n = 0;
        while n < ROWS && list.next_element_seed(self.inside("[]"))?.is_some() {
            n += 1;
        }
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(())
    }
}
