//! Numbers the names of models.

use crate::usage::record::ModelId;
use foldhash::fast::FixedState;
use std::collections::HashMap;

/// The most different model names.
const MOST_MODELS: usize = 5000;

/// Names of models, in order of appearance.
#[derive(Debug, Default)]
pub(super) struct Models {
    names: Vec<String>,
    ids: HashMap<String, ModelId, FixedState>,
    /// The name that was asked for last, which is likely to come again.
    last: ModelId,
}

impl Models {
    /// The id of a name; `None` where there are too many names.
    pub(super) fn id(&mut self, name: &str) -> Option<ModelId> {
        if self.names.get(usize::from(self.last)).is_some_and(|last| last == name) {
            return Some(self.last);
        }
        if let Some(id) = self.ids.get(name) {
            self.last = *id;
            return Some(*id);
        }
        if self.names.len() >= MOST_MODELS {
            return None;
        }
        let id = ModelId::try_from(self.names.len()).ok()?;
        self.names.push(name.to_owned());
        self.ids.insert(name.to_owned(), id);
        self.last = id;
        Some(id)
    }
    pub(super) fn name(&self, id: ModelId) -> &str {
        self.names.get(usize::from(id)).map_or("", String::as_str)
    }
    pub(super) fn into_names(self) -> Vec<String> {
        self.names
    }
}
