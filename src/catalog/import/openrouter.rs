//! The response of `OpenRouter`'s models endpoint: `{"data": [...]}`. Prices are in US dollars per token,
//! as text; some copies of it have numbers.

use super::entries::{List, Source};
use super::number::{Count, Price};
use super::taken::{Imported, Origin, Reason, one_period};
use crate::catalog::{ApiModel, CiteByField, Rates, ReasoningRule};
use jiff::civil::Date;
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

#[derive(Deserialize)]
struct Answer<'a> {
    #[serde(borrow)]
    data: List<'a>,
}

#[derive(Deserialize)]
struct Model {
    id: String,
    #[serde(default)]
    canonical_slug: Option<String>,
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    context_length: Count,
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
    max_completion_tokens: Count,
}

#[derive(Deserialize)]
struct Architecture {
    #[serde(default)]
    output_modalities: Vec<String>,
}

/// Prices of a model. The router itself is listed with the price -1, which means that it depends on the
/// request.
#[derive(Deserialize)]
struct Pricing {
    #[serde(default)]
    prompt: Option<Price>,
    #[serde(default)]
    completion: Option<Price>,
    #[serde(default)]
    input_cache_read: Option<Price>,
    #[serde(default)]
    input_cache_write: Option<Price>,
    #[serde(default)]
    internal_reasoning: Option<Price>,
    /// Charged once for each request, whatever its length.
    #[serde(default)]
    request: Option<Price>,
    /// Prices of other things are numbers. A list or an object could be a step.
    #[serde(flatten)]
    rest: BTreeMap<String, Value>,
}

pub(super) fn read(text: &str, origin: &Origin) -> Result<Imported, serde_json::Error> {
    let answer: Answer<'_> = serde_json::from_str(text)?;
    let mut source = Source::new(text);
    for raw in answer.data.0 {
        match source.one::<Model>(raw).and_then(|m| record(&m, origin)) {
            Ok(model) => source.imported.models.push(model),
            Err(reason) => source.skip(format!("openrouter/{}", source.called(raw)), reason),
        }
    }
    Ok(source.imported)
}

fn record(model: &Model, origin: &Origin) -> Result<ApiModel, Reason> {
    if model
        .architecture
        .as_ref()
        .is_some_and(|a| !a.output_modalities.is_empty() && !a.output_modalities.iter().any(|m| m == "text"))
    {
        return Err(Reason::NotText);
    }
    if let Some((key, _)) = model.pricing.rest.iter().find(|(_, v)| v.is_array() || v.is_object()) {
        return Err(Reason::UnknownStep(key.clone()));
    }
    let price = |price: Option<Price>| price.map(Price::per_mtok).transpose();
    // The endpoint fills every field, so that zero stands for "no such price".
    let other = |p: Option<Price>| price(p).map(|p| p.filter(|p| *p > 0.0));
    if other(model.pricing.request)?.is_some() {
        return Err(Reason::PerRequest);
    }
    let rates = Rates {
        input_per_mtok: price(model.pricing.prompt)?,
        output_per_mtok: price(model.pricing.completion)?,
        cache_read_per_mtok: other(model.pricing.input_cache_read)?,
        cache_write_per_mtok: other(model.pricing.input_cache_write)?,
        reasoning_per_mtok: other(model.pricing.internal_reasoning)?,
    };
    let rates = Rates {
        reasoning_per_mtok: rates.reasoning_per_mtok.filter(|r| Some(*r) != rates.output_per_mtok),
        ..rates
    };
    rates.input_per_mtok.zip(rates.output_per_mtok).ok_or(Reason::NoPrice)?;
    let own_rate = rates.reasoning_per_mtok.is_some();
    Ok(ApiModel {
        id: format!("openrouter/{}", model.id),
        provider: "openrouter".to_owned(),
        model: model.id.clone(),
        name: model.name.clone(),
        aliases: model.canonical_slug.iter().filter(|slug| **slug != model.id).cloned().collect(),
        open_model: None,
        tier: None,
        context_tokens: model.context_length.0,
        max_output_tokens: model.top_provider.as_ref().and_then(|t| t.max_completion_tokens.0),
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
