//! The declared defaults (`hardware-db/defaults.toml`). Nothing is assumed anywhere else.

use crate::provenance::Source;
use serde::Deserialize;
use std::sync::LazyLock;

/// One declared default.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Default {
    pub id: String,
    /// The key it is the default of. A last part such as `at_capacity` names the condition under which it
    /// applies.
    pub key: String,
    pub value: toml::Value,
    pub unit: String,
    pub reason: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    default: Vec<Default>,
}

impl Default {
    /// The value as a number; `NaN` for a default that is text.
    pub fn number(&self) -> f64 {
        match &self.value {
            toml::Value::Integer(i) => *i as f64,
            toml::Value::Float(f) => *f,
            _ => f64::NAN,
        }
    }
    pub fn source(&self) -> Source {
        Source::Assumed { rule: self.id.clone(), reason: self.reason.clone() }
    }
}

static DEFAULTS: LazyLock<Vec<Default>> = LazyLock::new(|| {
    let file: Result<File, _> = toml::from_str(include_str!("../../hardware-db/defaults.toml"));
    // The file is part of the program; a test checks that it can be read.
    file.map(|f| f.default).unwrap_or_default()
});

/// All declared defaults, in the file's order.
pub fn all() -> &'static [Default] {
    &DEFAULTS
}

/// The default for a key, if one is declared.
pub fn of(key: &str) -> Option<&'static Default> {
    DEFAULTS.iter().find(|d| d.key == key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cost::keys;
    use crate::workload::keys::Section;

    #[test]
    fn the_file_is_whole() {
        assert!(all().len() > 30);
        for d in all() {
            assert!(!d.reason.is_empty() && !d.id.is_empty(), "{d:?}");
            let mut parts = d.key.split('.');
            let section = parts.next().and_then(Section::named).expect("a section");
            let name = parts.next().expect("a key");
            let known = keys::find(section, name).is_some()
                || ["busy_share", "not_described", "flat_fee"].contains(&name);
            assert!(known, "{} is no key", d.key);
            assert_eq!(all().iter().filter(|o| o.id == d.id || o.key == d.key).count(), 1, "{} twice", d.id);
        }
    }
}
