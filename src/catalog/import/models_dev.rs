//! models.dev, `api.json`: providers with models; US dollars per million tokens.

use super::number::{Price, tidy};
use super::records::Records;
use super::{Origin, one_period};
use crate::catalog::{ApiModel, CiteByField, ContextTier, PricePeriod, Rates, ReasoningRule};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

#[derive(Deserialize)]
struct Provider<'t> {
    #[serde(default, borrow)]
    models: BTreeMap<String, &'t RawValue>,
}

#[derive(Deserialize)]
struct Model {
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    cost: Option<Cost>,
    #[serde(default)]
    limit: Option<Limit>,
    #[serde(default)]
    modalities: Option<Modalities>,
    #[serde(default)]
    status: Option<String>,
}

#[derive(Deserialize)]
struct Cost {
    #[serde(default)]
    input: Option<Price>,
    #[serde(default)]
    output: Option<Price>,
    #[serde(default)]
    reasoning: Option<Price>,
    #[serde(default)]
    cache_read: Option<Price>,
    #[serde(default)]
    cache_write: Option<Price>,
    /// The older way to write one tier.
    #[serde(default)]
    context_over_200k: Option<TierCost>,
    #[serde(default)]
    tiers: Option<Vec<Tier>>,
    #[serde(flatten)]
    others: Map<String, Value>,
}

#[derive(Deserialize)]
struct TierCost {
    #[serde(default)]
    input: Option<Price>,
    #[serde(default)]
    output: Option<Price>,
    #[serde(default)]
    cache_read: Option<Price>,
    #[serde(default)]
    cache_write: Option<Price>,
}

#[derive(Deserialize)]
struct Tier {
    #[serde(default, rename = "tier")]
    above: Option<TierSize>,
    #[serde(default)]
    input: Option<Price>,
    #[serde(default)]
    output: Option<Price>,
    #[serde(default)]
    cache_read: Option<Price>,
    #[serde(default)]
    cache_write: Option<Price>,
}

#[derive(Deserialize)]
struct TierSize {
    #[serde(default, rename = "type")]
    kind: Option<String>,
    #[serde(default)]
    size: Option<u64>,
}

/// Words in the name of a price that holds under some condition only.
const CONDITIONS: &[&str] = &["over", "above", "tier", "peak", "threshold"];

#[derive(Deserialize)]
struct Limit {
    #[serde(default)]
    context: Option<u64>,
    #[serde(default)]
    output: Option<u64>,
}

#[derive(Deserialize)]
struct Modalities {
    #[serde(default)]
    output: Vec<String>,
}

pub(super) fn read(text: &str, origin: &Origin) -> Result<Records, serde_json::Error> {
    let providers: BTreeMap<String, &RawValue> = serde_json::from_str(text)?;
    let mut records = Records::default();
    for (id, raw) in &providers {
        let Some(provider) = records.read::<Provider<'_>>(text, raw, id) else { continue };
        for (wire, raw) in &provider.models {
            let name = format!("{id}/{wire}");
            if let Some(model) = records.read::<Model>(text, raw, &name) {
                let made = record(canonical_provider(id), wire, &model, origin);
                records.note(&name, made.map(|model| vec![model]).map_err(str::to_owned));
            }
        }
    }
    Ok(records)
}

fn record(provider: &str, wire: &str, model: &Model, origin: &Origin) -> Result<ApiModel, &'static str> {
    if matches!(model.status.as_deref(), Some("deprecated")) {
        return Err("deprecated by its provider");
    }
    if model
        .modalities
        .as_ref()
        .is_some_and(|m| !m.output.is_empty() && !m.output.iter().any(|o| o == "text"))
    {
        return Err("not a text model");
    }
    let price = model.cost.as_ref().map(price).transpose()?.flatten();
    let price = price.ok_or("no price of input and output tokens")?;
    let own_rate = price.rates.reasoning_per_mtok.is_some();
    Ok(ApiModel {
        id: format!("{provider}/{wire}"),
        provider: provider.to_owned(),
        model: wire.to_owned(),
        name: model.name.clone(),
        aliases: Vec::new(),
        open_model: None,
        tier: None,
        context_tokens: model.limit.as_ref().and_then(|l| l.context).filter(|n| *n > 0),
        max_output_tokens: model.limit.as_ref().and_then(|l| l.output).filter(|n| *n > 0),
        reasoning: if own_rate { ReasoningRule::OwnRate } else { ReasoningRule::AsOutput },
        retires: None,
        price: vec![price],
        source: origin.source.clone(),
        as_of: origin.as_of,
        cite: CiteByField::new(),
    })
}

/// `None`: nothing is priced by the token. A tier of another kind than the request's length is no
/// reason to keep the base price.
fn price(cost: &Cost) -> Result<Option<PricePeriod>, &'static str> {
    const UNKNOWN: &str = "a price tier of a kind that is not known";
    let conditional = |name: &String| CONDITIONS.iter().any(|word| name.contains(word));
    if cost.others.iter().any(|(name, value)| conditional(name) && !value.is_null()) {
        return Err(UNKNOWN);
    }
    let value = |p: Option<Price>| p.map(|p| tidy(p.0));
    let base = Rates {
        input_per_mtok: value(cost.input),
        output_per_mtok: value(cost.output),
        cache_read_per_mtok: value(cost.cache_read),
        cache_write_per_mtok: value(cost.cache_write),
        reasoning_per_mtok: value(cost.reasoning.filter(|r| Some(*r) != cost.output)),
    };
    if base.input_per_mtok.is_none() || base.output_per_mtok.is_none() {
        return Ok(None);
    }
    let step = |input, output, read, write| Rates {
        input_per_mtok: value(input).or(base.input_per_mtok),
        output_per_mtok: value(output).or(base.output_per_mtok),
        cache_read_per_mtok: value(read).or(base.cache_read_per_mtok),
        cache_write_per_mtok: value(write).or(base.cache_write_per_mtok),
        reasoning_per_mtok: None,
    };
    let mut tiers: Vec<ContextTier> = cost
        .tiers
        .iter()
        .flatten()
        .map(|t| {
            let by_length = |s: &&TierSize| s.kind.as_deref().is_none_or(|kind| kind == "context");
            let size = t.above.as_ref().filter(by_length).and_then(|s| s.size).ok_or(UNKNOWN)?;
            let rates = step(t.input, t.output, t.cache_read, t.cache_write);
            Ok(ContextTier { above_input_tokens: size, rates })
        })
        .collect::<Result<_, &'static str>>()?;
    if tiers.is_empty()
        && let Some(t) = &cost.context_over_200k
    {
        tiers.push(ContextTier {
            above_input_tokens: 200_000,
            rates: step(t.input, t.output, t.cache_read, t.cache_write),
        });
    }
    tiers.sort_by_key(|t| t.above_input_tokens);
    tiers.dedup_by_key(|t| t.above_input_tokens);
    Ok(Some(PricePeriod { tiers, ..one_period(base) }))
}

/// The provider's name as this catalogue writes it.
fn canonical_provider(name: &str) -> &str {
    match name {
        "xai" => "x-ai",
        "togetherai" => "together",
        "fireworks-ai" => "fireworks",
        "amazon-bedrock" => "aws",
        other => other,
    }
}
