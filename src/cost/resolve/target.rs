//! A measured API target as an offer.

use crate::catalog::Catalog;
use crate::cost::keys::cloud;
use crate::provenance::Source;
use crate::workload::{Fields, Given, MeasuredTarget, Value};

/// The fields of `[[cloud]]` for a measured API target.
pub(super) fn fields_of_target(file: &str, target: &MeasuredTarget, catalog: &Catalog) -> Fields {
    let text = |text: &str, field: &str| Given {
        value: Value::Text(text.to_owned()),
        source: Source::measured(file, format!("{}.{field}", target.path)),
    };
    match catalog.resolve_api_model(&target.model) {
        Ok(found) => Fields::from([(cloud::MODEL.name, text(&found.model().id, "model"))]),
        Err(_) => Fields::from([(cloud::NAME.name, text(&target.model, "model"))]),
    }
}
