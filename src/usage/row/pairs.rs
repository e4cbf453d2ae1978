//! A list of objects, each a key and a value: `[{"key": "model", "value": {"stringValue": "..."}}]`.

use super::layout::{Layout, Place};
use super::{Cell, LONGEST_TEXT, Row};
use serde::de::{DeserializeSeed, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::fmt;

/// Reads such a list into the row that it belongs to. Key and value may come in any order.
pub(super) struct Pairs<'a> {
    pub layout: &'a Layout,
    pub row: &'a mut Row,
    /// The node of the list, with a child for each key that is looked for.
    pub place: Place,
    /// Name of the member with the key; `name.value` if it is one object deeper.
    pub key: &'a str,
    /// Name of the member with the value.
    pub value: &'a str,
}

impl Pairs<'_> {
    pub(super) fn read<'de, A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let Self { layout, row, place, key, value } = self;
        loop {
            let mut found = (None, Cell::Absent, String::new());
            let element = Pair { layout, place, key, value, found: &mut found };
            if list.next_element_seed(element)?.is_none() {
                return Ok(());
            }
            let (Some(node), cell, text) = found else { continue };
            let Some(slot) = layout.node(node).slots.first().copied() else { continue };
            match cell {
                Cell::Text { .. } => row.set_text(slot, &text),
                cell => row.set(&[slot], cell),
            }
        }
    }
}

/// One pair: the node of its key (if a format names it), its value, and the text of that value.
type KeyAndValue = (Option<Place>, Cell, String);

/// Reads one pair.
struct Pair<'f> {
    layout: &'f Layout,
    place: Place,
    key: &'f str,
    value: &'f str,
    found: &'f mut KeyAndValue,
}

impl<'de> DeserializeSeed<'de> for Pair<'_> {
    type Value = ();
    fn deserialize<D: serde::Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Pair<'_> {
    type Value = ();
    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("an object")
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        // `name.value`: the key is one object deeper.
        let (outer, inner) = self.key.split_once('.').unwrap_or((self.key, ""));
        while let Some(which) = map.next_key_seed(OneOf([outer, self.value]))? {
            match which {
                Some(0) => {
                    let mut name = (Cell::Absent, String::new());
                    map.next_value_seed(Scalar { found: &mut name, of: inner })?;
                    self.found.0 = self.layout.find(self.place, &name.1);
                }
                Some(_) => {
                    let mut value = (Cell::Absent, std::mem::take(&mut self.found.2));
                    map.next_value_seed(Scalar { found: &mut value, of: "" })?;
                    (self.found.1, self.found.2) = value;
                }
                None => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }
    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }
    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }
    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }
    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }
    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }
    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(())
    }
}

/// Tells which of two names a key is.
struct OneOf<'n>([&'n str; 2]);

impl<'de> DeserializeSeed<'de> for OneOf<'_> {
    type Value = Option<usize>;
    fn deserialize<D: serde::Deserializer<'de>>(self, from: D) -> Result<Self::Value, D::Error> {
        from.deserialize_str(self)
    }
}

impl Visitor<'_> for OneOf<'_> {
    type Value = Option<usize>;
    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a key")
    }
    fn visit_str<E>(self, key: &str) -> Result<Self::Value, E> {
        Ok(self.0.iter().position(|name| *name == key))
    }
}

/// Reads the first scalar of a value: `5`, `{"intValue": "5"}`, `{"value": 5}`. Long texts are skipped.
struct Scalar<'f> {
    found: &'f mut (Cell, String),
    /// The key that the scalar is under; empty for any.
    of: &'f str,
}

impl Scalar<'_> {
    fn set(self, cell: Cell) {
        if self.found.0 == Cell::Absent {
            self.found.0 = cell;
        }
    }
}

impl<'de> DeserializeSeed<'de> for Scalar<'_> {
    type Value = ();
    fn deserialize<D: serde::Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Scalar<'_> {
    type Value = ();
    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a value")
    }
    fn visit_bool<E>(self, value: bool) -> Result<(), E> {
        self.set(Cell::Bool(value));
        Ok(())
    }
    fn visit_u64<E>(self, value: u64) -> Result<(), E> {
        self.set(Cell::Whole(value));
        Ok(())
    }
    fn visit_i64<E>(self, value: i64) -> Result<(), E> {
        self.set(Cell::Negative(value));
        Ok(())
    }
    fn visit_f64<E>(self, value: f64) -> Result<(), E> {
        self.set(Cell::Float(value));
        Ok(())
    }
    fn visit_str<E>(self, text: &str) -> Result<(), E> {
        if text.len() <= LONGEST_TEXT && self.found.0 == Cell::Absent {
            self.found.1.clear();
            self.found.1.push_str(text);
            self.set(Cell::Text { at: 0, len: 1 });
        }
        Ok(())
    }
    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Self { found, of } = self;
        while let Some(which) = map.next_key_seed(OneOf([of, of]))? {
            if of.is_empty() || which.is_some() {
                map.next_value_seed(Scalar { found, of: "" })?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(())
    }
}
