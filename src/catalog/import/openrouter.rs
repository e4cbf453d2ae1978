//! The models endpoint of `OpenRouter`: `{"data": [...]}`, prices as text or numbers in US dollars per
//! token.

use super::number::Price;
use super::records::{Records, name_of};
use super::{Origin, one_period};
use crate::catalog::{ApiModel, CiteByField, Rates, ReasoningRule};
use jiff::civil::Date;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

#[derive(Deserialize)]
struct Answer<'t> {
    #[serde(borrow)]
    data: Vec<&'t RawValue>,
}

#[derive(Deserialize)]
struct Model {
    id: String,
    #[serde(default)]
    canonical_slug: Option<String>,
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    context_length: Option<u64>,
    #[serde(default)]
    expiration_date: Option<String>,
    #[serde(default)]
    top_provider: Option<TopProvider>,
    #[serde(default)]
    architecture: Option<Architecture>,
    /// By the names of what is priced.
    pricing: Map<String, Value>,
}

#[derive(Deserialize)]
struct TopProvider {
    #[serde(default)]
    max_completion_tokens: Option<u64>,
}

#[derive(Deserialize)]
struct Architecture {
    #[serde(default)]
    output_modalities: Vec<String>,
}

pub(super) fn read(text: &str, origin: &Origin) -> Result<Records, serde_json::Error> {
    let answer: Answer<'_> = serde_json::from_str(text)?;
    let mut records = Records::default();
    for (n, raw) in answer.data.iter().enumerate() {
        let name = name_of(raw, Some("openrouter"), n);
        if let Some(model) = records.read::<Model>(text, raw, &name) {
            records.note(&name, record(&model, origin).map(|model| vec![model]).map_err(str::to_owned));
        }
    }
    Ok(records)
}

fn record(model: &Model, origin: &Origin) -> Result<ApiModel, &'static str> {
    if model
        .architecture
        .as_ref()
        .is_some_and(|a| !a.output_modalities.is_empty() && !a.output_modalities.iter().any(|m| m == "text"))
    {
        return Err("not a text model");
    }
    // A price that is more than a number: by length, by hour, or by something else yet.
    if model.pricing.values().any(|value| value.is_object() || value.is_array()) {
        return Err("a price of a kind that is not known");
    }
    if price(&model.pricing, "request")?.is_some_and(|p| p > 0.0) {
        return Err("charges per request besides tokens");
    }
    let rates = Rates {
        input_per_mtok: price(&model.pricing, "prompt")?,
        output_per_mtok: price(&model.pricing, "completion")?,
        // Here a zero means "no such price", as the endpoint fills every field.
        cache_read_per_mtok: price(&model.pricing, "input_cache_read")?.filter(|p| *p > 0.0),
        cache_write_per_mtok: price(&model.pricing, "input_cache_write")?.filter(|p| *p > 0.0),
        reasoning_per_mtok: price(&model.pricing, "internal_reasoning")?.filter(|p| *p > 0.0),
    };
    let rates = Rates {
        reasoning_per_mtok: rates.reasoning_per_mtok.filter(|r| Some(*r) != rates.output_per_mtok),
        ..rates
    };
    rates.input_per_mtok.zip(rates.output_per_mtok).ok_or("no price of input and output tokens")?;
    let own_rate = rates.reasoning_per_mtok.is_some();
    Ok(ApiModel {
        id: format!("openrouter/{}", model.id),
        provider: "openrouter".to_owned(),
        model: model.id.clone(),
        name: model.name.clone(),
        aliases: model.canonical_slug.iter().filter(|slug| **slug != model.id).cloned().collect(),
        open_model: None,
        tier: None,
        context_tokens: model.context_length.filter(|n| *n > 0),
        max_output_tokens: model.top_provider.as_ref().and_then(|t| t.max_completion_tokens),
        reasoning: if own_rate { ReasoningRule::OwnRate } else { ReasoningRule::AsOutput },
        retires: model
            .expiration_date
            .as_deref()
            .and_then(|d| d.get(..10))
            .and_then(|d| d.parse::<Date>().ok()),
        price: vec![one_period(rates)],
        source: origin.source.clone(),
        as_of: origin.as_of,
        cite: CiteByField::new(),
    })
}

/// Per million tokens; `Ok(None)` where the field is absent. The router itself is listed with the price
/// `-1` ("depends"), which is no price.
fn price(pricing: &Map<String, Value>, name: &str) -> Result<Option<f64>, &'static str> {
    let value = match pricing.get(name) {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::String(text)) => text.trim().parse().ok(),
        Some(number) => number.as_f64(),
    };
    let value: f64 = value.ok_or("a price that is no number")?;
    if !value.is_finite() || value < 0.0 {
        return Err("a price that depends on the request");
    }
    Ok(Some(Price(value).per_mtok()))
}
