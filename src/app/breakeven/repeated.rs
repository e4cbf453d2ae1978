//! Repeats a cost document: its inputs are read back as a scenario.

use crate::app::Refusal;
use crate::cost::Scenario;
use crate::cost::keys;
use crate::document::breakeven::BreakevenDocument;
use crate::document::repeat::inline_toml;
use crate::provenance::Source;
use crate::provenance::{FileRole, UserInput};
use crate::workload::given::value_from_text;
use crate::workload::keys::{Key, Kind};
use serde_json::Value;

/// Ids of warnings that still hold when the numbers are read back as given.
const LASTING: [&str; 5] =
    ["predicted-speed", "host-not-included", "speed-at-concurrency-1", "stand-in", "measured-elsewhere"];

/// A document to compute again.
#[derive(Debug)]
pub struct Repeated {
    name: String,
    document: BreakevenDocument,
}

impl Repeated {
    /// The document in a file of this name.
    pub fn parse(text: &str, name: &str) -> Result<Self, Refusal> {
        let document = serde_json::from_str(text)
            .map_err(|e| Refusal::input(format!("{name} is neither a scenario nor a cost document: {e}")))?;
        Ok(Self { name: name.to_owned(), document })
    }

    /// Was it a ranking of the catalogue?
    pub const fn ranking(&self) -> bool {
        self.document.result.ranking
    }

    /// Every input of the document, whatever its source was, except what is looked up again: tiers, windows
    /// and dated changes belong to the prices of an API model, a plan to its machine.
    pub fn scenario(&self) -> Result<Scenario, Refusal> {
        let mut scenario = Scenario::default();
        for (path, input) in &self.document.inputs {
            let Some((key, offer)) = keys::of_path(path) else { continue };
            if self.looked_up(path) {
                continue;
            }
            let how = UserInput::File {
                role: FileRole::Document,
                file: self.name.clone(),
                line: None,
                key: format!("inputs.{path}"),
            };
            let given = value_from_text(key, how, &flag(key, &input.value))
                .map_err(|e| Refusal::input(e.to_string()))?;
            scenario.set(key, Some(offer), &given);
        }
        Ok(scenario)
    }

    /// Is this input looked up or planned again? Prices of an API model are, and so is everything that was
    /// not the user's own in an offer that was planned: machine, price and speed belong together.
    fn looked_up(&self, path: &str) -> bool {
        let Some((prefix, _)) = path.rsplit_once('.') else { return false };
        let Some(input) = self.document.inputs.get(path) else { return false };
        let sourced = |key: &str| self.document.inputs.get(&format!("{prefix}.{key}")).map(|i| &i.source);
        if prefix.starts_with("cloud") {
            return sourced("model").is_some() && matches!(input.source, Source::Database { .. });
        }
        let planned = ["hardware", "backend", "quantisation", "concurrency"]
            .iter()
            .any(|key| matches!(sourced(key), Some(Source::Assumed { rule, .. }) if rule == "plan"));
        planned && matches!(input.source, Source::Database { .. } | Source::Assumed { .. })
    }

    /// Notes on prices that have changed, one sentence each. Adds to `again` the warnings that still hold.
    /// `unchanged`: no other input was given.
    pub fn compare(&self, again: &mut BreakevenDocument, unchanged: bool) -> Vec<String> {
        let mut notes = Vec::new();
        let prices = |(path, then): &(&String, &crate::document::envelope::Input)| {
            self.looked_up(path) && matches!(then.source, Source::Database { .. })
        };
        for (path, then) in self.document.inputs.iter().filter(prices) {
            let now = again.inputs.get(path).map(|i| &i.value);
            if now != Some(&then.value) {
                let now = now.map_or_else(|| "is no longer in it".to_owned(), |v| format!("now says {v}"));
                notes.push(format!(
                    "{} was computed with {path} = {}; the catalogue {now}",
                    self.name, then.value
                ));
            }
        }
        if unchanged {
            let lasting = self.document.warnings.iter().filter(|w| LASTING.contains(&w.id.as_str()));
            let missing: Vec<_> = lasting.filter(|w| !again.warnings.contains(w)).cloned().collect();
            again.warnings.extend(missing);
        }
        notes
    }
}

/// A value as text, as its flag takes it.
fn flag(key: &Key, value: &Value) -> String {
    match (key.kind, value) {
        (Kind::Changes(_) | Kind::Sizes | Kind::Discounts, value) => inline_toml(value),
        (_, Value::String(text)) => text.clone(),
        (Kind::Texts, Value::Array(texts)) => {
            texts.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", ")
        }
        (_, Value::Object(range)) => {
            let part = |k: &str| range.get(k).map(ToString::to_string).unwrap_or_default();
            format!("{}:{}:{}", part("low"), part("likely"), part("high"))
        }
        (_, other) => other.to_string(),
    }
}
