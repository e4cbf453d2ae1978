//! The format of models.dev, `api.json`: providers with their models, US dollars per million tokens.

use super::entries::{Entries, Key, Source};
use super::number::{Count, Price};
use super::taken::{Imported, Origin, Reason, one_period};
use crate::catalog::{ApiModel, CiteByField, ContextTier, PricePeriod, Rates, ReasoningRule};
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use std::collections::BTreeMap;

#[derive(Deserialize)]
struct Provider<'a> {
    #[serde(borrow)]
    models: Option<&'a RawValue>,
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
    #[serde(flatten)]
    base: Prices,
    /// An older way to write a single tier.
    #[serde(default)]
    context_over_200k: Option<Prices>,
    #[serde(default)]
    tiers: Option<Vec<Tier>>,
    /// Prices of other things are numbers. A list or an object could be a step.
    #[serde(flatten)]
    rest: BTreeMap<String, Value>,
}

#[derive(Deserialize)]
struct Prices {
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
}

#[derive(Deserialize)]
struct Tier {
    #[serde(default)]
    tier: Value,
    #[serde(flatten)]
    prices: Prices,
}

/// The size condition of a tier. Only "above this many input tokens" is understood.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TierSize {
    #[serde(default, rename = "type")]
    kind: Option<String>,
    size: u64,
}

#[derive(Deserialize)]
struct Limit {
    #[serde(default)]
    context: Count,
    #[serde(default)]
    output: Count,
}

#[derive(Deserialize)]
struct Modalities {
    #[serde(default)]
    output: Vec<String>,
}

pub(super) fn read(text: &str, origin: &Origin) -> Result<Imported, serde_json::Error> {
    let providers: Entries<'_> = serde_json::from_str(text)?;
    let mut source = Source::new(text);
    for (Key(id), raw) in providers.0 {
        let models = source
            .one::<Provider<'_>>(raw)
            .and_then(|provider| provider.models.map_or(Ok(None), |models| source.one(models).map(Some)));
        let models: Option<Entries<'_>> = match models {
            Ok(models) => models,
            Err(reason) => {
                source.skip(id, reason);
                continue;
            }
        };
        for (Key(wire), raw) in models.into_iter().flat_map(|m| m.0) {
            match source.one::<Model>(raw).and_then(|m| record(canonical_provider(&id), &wire, &m, origin)) {
                Ok(model) => source.imported.models.push(model),
                Err(reason) => source.skip(format!("{id}/{wire}"), reason),
            }
        }
        source.check_size()?;
    }
    Ok(source.imported)
}

fn record(provider: &str, wire: &str, model: &Model, origin: &Origin) -> Result<ApiModel, Reason> {
    if matches!(model.status.as_deref(), Some("deprecated")) {
        return Err(Reason::Deprecated);
    }
    if model
        .modalities
        .as_ref()
        .is_some_and(|m| !m.output.is_empty() && !m.output.iter().any(|o| o == "text"))
    {
        return Err(Reason::NotText);
    }
    let price = price(model.cost.as_ref().ok_or(Reason::NoPrice)?)?;
    let own_rate = price.rates.reasoning_per_mtok.is_some();
    Ok(ApiModel {
        id: format!("{provider}/{wire}"),
        provider: provider.to_owned(),
        model: wire.to_owned(),
        name: model.name.clone(),
        aliases: Vec::new(),
        open_model: None,
        tier: None,
        context_tokens: model.limit.as_ref().and_then(|l| l.context.0),
        max_output_tokens: model.limit.as_ref().and_then(|l| l.output.0),
        reasoning: if own_rate { ReasoningRule::OwnRate } else { ReasoningRule::AsOutput },
        retires: None,
        price: vec![price],
        source: origin.source.clone(),
        as_of: origin.as_of,
        cite: CiteByField::new(),
    })
}

fn price(cost: &Cost) -> Result<PricePeriod, Reason> {
    if let Some((key, _)) = cost.rest.iter().find(|(_, v)| v.is_array() || v.is_object()) {
        return Err(Reason::UnknownStep(key.clone()));
    }
    let base = cost.base.rates()?;
    base.input_per_mtok.zip(base.output_per_mtok).ok_or(Reason::NoPrice)?;
    let mut tiers = Vec::new();
    for tier in cost.tiers.iter().flatten() {
        let above = TierSize::deserialize(&tier.tier)
            .ok()
            .filter(|t| t.kind.as_deref().is_none_or(|kind| kind == "context"))
            .ok_or_else(|| Reason::UnknownStep(tier.tier.to_string()))?;
        tiers.push(tier.prices.step(above.size, &base)?);
    }
    if tiers.is_empty()
        && let Some(prices) = &cost.context_over_200k
    {
        tiers.push(prices.step(200_000, &base)?);
    }
    tiers.sort_by_key(|t| t.above_input_tokens);
    tiers.dedup_by_key(|t| t.above_input_tokens);
    let reasoning_per_mtok = base.reasoning_per_mtok.filter(|r| Some(*r) != base.output_per_mtok);
    Ok(PricePeriod { tiers, ..one_period(Rates { reasoning_per_mtok, ..base }) })
}

impl Prices {
    fn rates(&self) -> Result<Rates, Reason> {
        let price = |price: Option<Price>| price.map(Price::of_mtok).transpose();
        Ok(Rates {
            input_per_mtok: price(self.input)?,
            output_per_mtok: price(self.output)?,
            cache_read_per_mtok: price(self.cache_read)?,
            cache_write_per_mtok: price(self.cache_write)?,
            reasoning_per_mtok: price(self.reasoning)?,
        })
    }

    /// A tier; a rate that it does not name keeps its base value.
    fn step(&self, above_input_tokens: u64, base: &Rates) -> Result<ContextTier, Reason> {
        let own = self.rates()?;
        let rates = Rates {
            input_per_mtok: own.input_per_mtok.or(base.input_per_mtok),
            output_per_mtok: own.output_per_mtok.or(base.output_per_mtok),
            cache_read_per_mtok: own.cache_read_per_mtok.or(base.cache_read_per_mtok),
            cache_write_per_mtok: own.cache_write_per_mtok.or(base.cache_write_per_mtok),
            reasoning_per_mtok: None,
        };
        Ok(ContextTier { above_input_tokens, rates })
    }
}

/// The provider's name as in this catalogue.
fn canonical_provider(name: &str) -> &str {
    match name {
        "xai" => "x-ai",
        "togetherai" => "together",
        "fireworks-ai" => "fireworks",
        "amazon-bedrock" => "aws",
        other => other,
    }
}
