//! Metadata by key and type; a key of the wrong type is an error that names it.

use super::error::{GgufError, Problem};
use super::value::{List, ListKind, Value};
use std::collections::BTreeMap;

/// Typed access under a prefix; errors name the key and where it stands.
pub(super) struct Lookup<'a> {
    pub(super) metadata: &'a BTreeMap<String, Value>,
    pub(super) places: &'a BTreeMap<String, u64>,
    pub(super) prefix: String,
}

impl Lookup<'_> {
    pub(super) fn key(&self, name: &str) -> String {
        if self.prefix.is_empty() { name.to_owned() } else { format!("{}.{name}", self.prefix) }
    }
    pub(super) fn at(&self, key: &str) -> u64 {
        self.places.get(key).copied().unwrap_or(0)
    }
    pub(super) fn wrong(&self, name: &str, expected: &'static str) -> GgufError {
        let key = self.key(name);
        GgufError::new(self.at(&key), Problem::WrongType { key, expected })
    }
    pub(super) fn range(&self, name: &str, value: u64, allowed: &'static str) -> GgufError {
        let key = self.key(name);
        GgufError::new(self.at(&key), Problem::OutOfRange { key, value, allowed })
    }
    pub(super) fn length(&self, name: &str, length: u64, expected: u64) -> GgufError {
        let key = self.key(name);
        GgufError::new(self.at(&key), Problem::ListLength { key, length, expected })
    }
    pub(super) fn get(&self, name: &str) -> Option<&Value> {
        self.metadata.get(&self.key(name))
    }

    pub(super) fn text(&self, name: &str) -> Result<Option<String>, GgufError> {
        match self.get(name) {
            None => Ok(None),
            Some(Value::Text(text)) => Ok(Some(text.clone())),
            Some(_) => Err(self.wrong(name, "a text")),
        }
    }
    pub(super) fn whole(&self, name: &str) -> Result<Option<u64>, GgufError> {
        match self.get(name) {
            None => Ok(None),
            Some(Value::Unsigned(n)) => Ok(Some(*n)),
            Some(Value::Signed(n)) if *n >= 0 => Ok(Some(n.unsigned_abs())),
            Some(_) => Err(self.wrong(name, "a whole number, not negative")),
        }
    }
    pub(super) fn small(&self, name: &str) -> Result<Option<u32>, GgufError> {
        let Some(n) = self.whole(name)? else { return Ok(None) };
        u32::try_from(n).map(Some).map_err(|_| self.range(name, n, "it must fit in 32 bits"))
    }
    pub(super) fn list(&self, name: &str, kinds: &[ListKind]) -> Result<Option<&List>, GgufError> {
        match self.get(name) {
            None => Ok(None),
            Some(Value::List(list)) if kinds.contains(&list.kind) => Ok(Some(list)),
            Some(_) => Err(self.wrong(
                name,
                match kinds {
                    [ListKind::Text] => "a list of texts",
                    [ListKind::Float] => "a list of fractions",
                    _ => "a list of whole numbers",
                },
            )),
        }
    }

    /// One number for all layers, or a list with one for each.
    pub(super) fn per_layer(&self, name: &str, layers: Option<u32>) -> Result<Vec<u32>, GgufError> {
        let Some(layers) = layers else { return Ok(Vec::new()) };
        let Some(Value::List(_)) = self.get(name) else {
            return Ok(self.small(name)?.map_or_else(Vec::new, |n| vec![n; layers as usize]));
        };
        let list = self.list(name, &[ListKind::Whole32])?.map_or(&[][..], |l| &l.numbers);
        if list.len() as u64 != u64::from(layers) {
            return Err(self.length(name, list.len() as u64, layers.into()));
        }
        list.iter()
            .map(|n| u32::try_from(*n).map_err(|_| self.wrong(name, "a list of numbers, not negative")))
            .collect()
    }

    /// A list of truth values, one for each layer; it may be longer, not shorter.
    pub(super) fn flags(&self, name: &str, layers: u32) -> Result<Option<Vec<bool>>, GgufError> {
        let Some(Value::List(_)) = self.get(name) else { return Ok(None) };
        let list = self.list(name, &[ListKind::Bool, ListKind::Whole32])?.map_or(&[][..], |l| &l.numbers);
        if list.len() < layers as usize {
            return Err(self.length(name, list.len() as u64, layers.into()));
        }
        Ok(Some(list.iter().map(|n| *n != 0).collect()))
    }

    /// A list of whole numbers, negative ones as 0.
    pub(super) fn numbers(&self, name: &str) -> Result<Option<Vec<u64>>, GgufError> {
        let list = self.list(name, &[ListKind::Whole32])?;
        Ok(list.map(|l| l.numbers.iter().map(|n| u64::try_from(*n).unwrap_or(0)).collect()))
    }
}
