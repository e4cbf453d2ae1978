//! Shows single records.

use crate::app::refusal::Refusal;
use crate::catalog::{Catalog, Kind};
use crate::document::db::Shown;
use crate::spelling::nearest;
use serde_json::Value;

/// The records of these ids; of API models aliases too.
pub fn show(catalog: &Catalog, ids: &[String]) -> Result<Vec<Shown>, Refusal> {
    let mut found = Vec::new();
    for id in ids {
        let records = find(catalog, id)?;
        if records.is_empty() {
            return Err(unknown(catalog, id));
        }
        found.extend(records);
    }
    Ok(found)
}

/// Ids are unique within a kind only; the same id of two kinds shows both.
fn find(catalog: &Catalog, id: &str) -> Result<Vec<Shown>, Refusal> {
    macro_rules! get {
        ($($kind:ident => $get:ident),*) => {
            [$((Kind::$kind, catalog.$get(id).map(serde_json::to_value))),*]
        };
    }
    let mut found: Vec<Shown> = get!(
        Gpu => accelerator, Machine => machine, Host => host, Rental => rental, Subscription => subscription, Tariff => tariff,
        OpenModel => open_model, ApiModel => api_model, Currency => currency,
        Provider => provider, Range => range_by_id
    )
    .into_iter()
    .filter_map(|(kind, record)| Some(Shown { kind: kind.key(), record: record?.ok()?, alias: None }))
    .collect();
    if found.is_empty() {
        match catalog.resolve_api_model(id) {
            Ok(resolution) => found.push(Shown {
                kind: Kind::ApiModel.key(),
                record: serde_json::to_value(resolution.model()).unwrap_or_default(),
                alias: (resolution.model().id != id).then(|| id.to_owned()),
            }),
            Err(error @ crate::catalog::NotResolved::Ambiguous { .. }) => {
                return Err(Refusal::input(error.to_string()).hint("give one of these ids"));
            }
            Err(_) => {}
        }
    }
    Ok(found)
}

fn unknown(catalog: &Catalog, id: &str) -> Refusal {
    let near = nearest(id, Kind::ALL.into_iter().flat_map(|k| catalog.ids(k)), 5);
    let error = Refusal::input(format!("the catalogue has no record `{id}`"));
    error.hint(if near.is_empty() {
        "`freehold db search WORD` looks through all of them".to_owned()
    } else {
        format!("close: {}", near.join(", "))
    })
}

/// The records as TOML, to be edited and kept as records of one's own.
pub fn toml(found: &[Shown]) -> Result<String, Refusal> {
    let mut out = String::from("# A record here replaces the shipped one with the same id.\n");
    for f in found {
        let mut record = f.record.clone();
        without_nulls(&mut record);
        let table = serde_json::json!({ f.kind: [record] });
        let text = toml::to_string(&table).map_err(|e| Refusal::failed(format!("cannot write TOML: {e}")))?;
        out.push('\n');
        out.push_str(&text);
    }
    Ok(out)
}

/// Removes nulls, since TOML has none: an unknown figure is left out.
fn without_nulls(value: &mut Value) {
    match value {
        Value::Object(map) => {
            map.retain(|_, v| !v.is_null());
            map.values_mut().for_each(without_nulls);
        }
        Value::Array(items) => items.iter_mut().for_each(without_nulls),
        _ => {}
    }
}
