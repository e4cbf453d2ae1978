//! The models endpoint of `OpenRouter`: `{"data": [...]}`, prices as text in US dollars per token.

use super::number::Price;
use super::{Imported, Origin, Skipped, one_period};
use crate::catalog::{ApiModel, CiteByField, Rates, ReasoningRule};
use jiff::civil::Date;
use serde::Deserialize;

#[derive(Deserialize)]
struct Answer {
    data: Vec<Model>,
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
    pricing: Pricing,
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

/// The router itself is listed with the price `-1` ("depends"), which is no price: text here, read
/// one by one below.
#[derive(Deserialize)]
struct Pricing {
    #[serde(default)]
    prompt: Option<String>,
    #[serde(default)]
    completion: Option<String>,
    #[serde(default)]
    input_cache_read: Option<String>,
    #[serde(default)]
    input_cache_write: Option<String>,
    #[serde(default)]
    internal_reasoning: Option<String>,
}

pub(super) fn read(text: &str, origin: &Origin) -> Result<Imported, serde_json::Error> {
    let answer: Answer = serde_json::from_str(text)?;
    let mut imported = Imported::default();
    for model in &answer.data {
        match record(model, origin) {
            Ok(model) => imported.models.push(model),
            Err(reason) => imported
                .skipped
                .push(Skipped { id: format!("openrouter/{}", model.id), reason: reason.to_owned() }),
        }
    }
    Ok(imported)
}

fn record(model: &Model, origin: &Origin) -> Result<ApiModel, &'static str> {
    if model
        .architecture
        .as_ref()
        .is_some_and(|a| !a.output_modalities.is_empty() && !a.output_modalities.iter().any(|m| m == "text"))
    {
        return Err("not a text model");
    }
    let rates = Rates {
        input_per_mtok: price(model.pricing.prompt.as_deref())?,
        output_per_mtok: price(model.pricing.completion.as_deref())?,
        // Here a zero means "no such price", as the endpoint fills every field.
        cache_read_per_mtok: price(model.pricing.input_cache_read.as_deref())?.filter(|p| *p > 0.0),
        cache_write_per_mtok: price(model.pricing.input_cache_write.as_deref())?.filter(|p| *p > 0.0),
        reasoning_per_mtok: price(model.pricing.internal_reasoning.as_deref())?.filter(|p| *p > 0.0),
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

/// Per million tokens; `Ok(None)` where the field is absent.
fn price(text: Option<&str>) -> Result<Option<f64>, &'static str> {
    let Some(text) = text else { return Ok(None) };
    let value: f64 = text.parse().map_err(|_| "a price that is no number")?;
    if !value.is_finite() || value < 0.0 {
        return Err("a price that depends on the request");
    }
    Ok(Some(Price(value).per_mtok()))
}
