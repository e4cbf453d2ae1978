//! pydantic/genai-prices, `data.json`: providers with models; prices per million tokens, or a list
//! of prices with constraints (start date, time of day) of which the last that holds wins.

use super::number::{Stepped, tidy};
use super::records::{Records, name_of};
use super::{Origin, is_free, names, one_factor};
use crate::catalog::{ApiModel, CiteByField, ContextTier, PricePeriod, Rates, ReasoningRule, TimeWindow};
use jiff::civil::Date;
use serde::Deserialize;
use serde::de::{self, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

#[derive(Deserialize)]
struct Provider<'t> {
    id: String,
    #[serde(default)]
    pricing_urls: Option<Vec<String>>,
    #[serde(borrow)]
    models: Vec<&'t RawValue>,
}

#[derive(Deserialize)]
struct Model {
    id: String,
    #[serde(rename = "match")]
    matches: Match,
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    context_window: Option<u64>,
    #[serde(default)]
    deprecated: Option<bool>,
    prices: Prices,
    #[serde(default)]
    price_variants: Option<Vec<Variant>>,
}

/// Which names mean this model.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Match {
    Equals(String),
    StartsWith(String),
    EndsWith(de::IgnoredAny),
    Contains(de::IgnoredAny),
    Regex(de::IgnoredAny),
    Or(Vec<Match>),
    And(Vec<Match>),
}

type PriceSet = BTreeMap<String, Option<Stepped>>;

/// One set of prices, or several with constraints.
struct Prices(Vec<Conditional>);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Conditional {
    #[serde(default)]
    constraint: Option<Constraint>,
    prices: PriceSet,
}

/// A condition of another kind makes the record one that cannot be read: what holds under it is not
/// known.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Constraint {
    #[serde(default)]
    start_date: Option<Date>,
    #[serde(default)]
    start_time: Option<String>,
    #[serde(default)]
    end_time: Option<String>,
}

#[derive(Deserialize)]
struct Variant {
    when: BTreeMap<String, String>,
    prices: PriceSet,
    #[serde(default)]
    constraint: Option<Constraint>,
}

impl<'de> Deserialize<'de> for Prices {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct PricesVisitor;
        impl<'de> Visitor<'de> for PricesVisitor {
            type Value = Prices;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of prices, or a list of {constraint, prices}")
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Prices, A::Error> {
                let prices = Deserialize::deserialize(de::value::MapAccessDeserializer::new(map))?;
                Ok(Prices(vec![Conditional { constraint: None, prices }]))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Prices, A::Error> {
                Deserialize::deserialize(de::value::SeqAccessDeserializer::new(seq)).map(Prices)
            }
        }
        deserializer.deserialize_any(PricesVisitor)
    }
}

/// Price keys that say the model makes or takes something that is not text.
const NOT_TEXT: [&str; 7] = [
    "output_image_mtok",
    "output_audio_mtok",
    "output_video_mtok",
    "audio_hours",
    "input_audio_hours",
    "input_mchars",
    "input_document_kpages",
];

pub(super) fn read(text: &str, origin: &Origin) -> Result<Records, serde_json::Error> {
    let providers: Vec<&RawValue> = serde_json::from_str(text)?;
    let mut records = Records::default();
    for (n, raw) in providers.iter().enumerate() {
        let Some(provider) = records.read::<Provider<'_>>(text, raw, &name_of(raw, None, n)) else {
            continue;
        };
        for (n, raw) in provider.models.iter().enumerate() {
            let name = name_of(raw, Some(&provider.id), n);
            if let Some(model) = records.read::<Model>(text, raw, &name) {
                records.note(&name, models(&provider, &model, origin).map_err(str::to_owned));
            }
        }
    }
    Ok(records)
}

fn models(provider: &Provider<'_>, model: &Model, origin: &Origin) -> Result<Vec<ApiModel>, &'static str> {
    if model.deprecated == Some(true) {
        return Err("deprecated by its provider");
    }
    if model.prices.0.iter().any(|c| NOT_TEXT.iter().any(|key| c.prices.contains_key(*key))) {
        return Err("not a text model");
    }
    if model.prices.0.iter().any(|c| c.prices.contains_key("requests_kcount")) {
        return Err("charges per request besides tokens");
    }
    let price = periods(model, origin.as_of);
    if price.is_empty() {
        return Err("no price of input and output tokens");
    }
    let named = Named::of(provider, model);
    let own_rate = price.iter().any(|p| p.rates.reasoning_per_mtok.is_some());
    let source = match provider.pricing_urls.as_deref() {
        Some([first, ..]) => format!("{} ({first})", origin.source),
        _ => origin.source.clone(),
    };
    let newest = named.wire.len() - 1;
    Ok(named
        .wire
        .iter()
        .enumerate()
        .map(|(n, wire)| ApiModel {
            id: format!("{}/{}", provider.id, id_part(&model.id, wire)),
            provider: provider.id.clone(),
            model: wire.clone(),
            name: model.name.clone(),
            aliases: if n == newest { named.aliases.clone() } else { Vec::new() },
            open_model: None,
            tier: None,
            context_tokens: model.context_window,
            max_output_tokens: None,
            reasoning: if own_rate { ReasoningRule::OwnRate } else { ReasoningRule::AsOutput },
            retires: None,
            price: price.clone(),
            source: source.clone(),
            as_of: origin.as_of,
            cite: CiteByField::new(),
        })
        .collect())
}

/// Wire names may be long paths (`accounts/fireworks/models/x`) where the file's id is short.
fn id_part<'a>(id: &str, wire: &'a str) -> &'a str {
    if id.contains('/') { wire } else { wire.rsplit('/').next().unwrap_or(wire) }
}

/// The names of one model.
struct Named {
    /// Names on the wire, oldest first: every dated one, or the one the provider uses.
    wire: Vec<String>,
    /// The others: they go to the newest.
    aliases: Vec<String>,
}

impl Named {
    fn of(provider: &Provider<'_>, model: &Model) -> Self {
        let mut equal = BTreeSet::new();
        let mut starts = BTreeSet::new();
        model.matches.collect(&mut equal, &mut starts);
        // Other tools' spellings with the provider in front are not the provider's names.
        let own = |name: &String| {
            let prefixed = name.strip_prefix(&provider.id).is_some_and(|rest| rest.starts_with(['/', ':']));
            !prefixed && !name.contains(' ')
        };
        let equal: Vec<String> = equal.into_iter().filter(own).collect();
        let mut wire: Vec<String> = equal.iter().filter(|n| names::date_of(n).is_some()).cloned().collect();
        // A dated preview beside the released name is the older of the two.
        let preview = |n: &str| n.contains("-preview") || n.contains("-exp-");
        if equal.contains(&model.id) && !preview(&model.id) {
            wire.retain(|n| !preview(n));
        }
        // `gpt-5-4-...` beside `gpt-5.4-...` is another spelling, not another model.
        let spelled = |n: &String| n.contains('.') || !equal.contains(&dotted(n, &equal));
        wire.retain(spelled);
        // Nor is another case; the file's own spelling stays.
        wire.sort_by_key(|n| (n.to_lowercase(), *n != model.id));
        wire.dedup_by_key(|n| n.to_lowercase());
        wire.sort_by_key(|n| names::date_of(n));
        if wire.is_empty() {
            let id_is_a_name = equal.contains(&model.id) || starts.contains(&model.id) || equal.is_empty();
            wire.push(if id_is_a_name { model.id.clone() } else { equal[0].clone() });
        }
        let mut aliases: Vec<String> = equal.into_iter().filter(|n| !wire.contains(n)).collect();
        if names::date_of(&wire[0]).is_some() && starts.contains(&model.id) && !aliases.contains(&model.id) {
            aliases.push(model.id.clone());
        }
        Self { wire, aliases }
    }
}

/// The name in a list that differs only by dots in place of hyphens; itself where there is none.
fn dotted(name: &str, among: &[String]) -> String {
    among
        .iter()
        .find(|other| other.contains('.') && other.replace('.', "-") == name)
        .map_or_else(String::new, Clone::clone)
}

impl Match {
    fn collect(&self, equal: &mut BTreeSet<String>, starts: &mut BTreeSet<String>) {
        match self {
            Self::Equals(name) => {
                equal.insert(name.clone());
            }
            Self::StartsWith(name) => {
                starts.insert(name.clone());
            }
            Self::Or(any) | Self::And(any) => any.iter().for_each(|m| m.collect(equal, starts)),
            Self::EndsWith(_) | Self::Contains(_) | Self::Regex(_) => {}
        }
    }
}

/// Price periods by date; times of day go to the period before them in the list.
fn periods(model: &Model, today: Date) -> Vec<PricePeriod> {
    let mut periods: Vec<PricePeriod> = Vec::new();
    for conditional in &model.prices.0 {
        let rates = rates_above(&conditional.prices, 0);
        if rates.input_per_mtok.is_none() || rates.output_per_mtok.is_none() {
            continue;
        }
        let (from, time) = match &conditional.constraint {
            None => (None, None),
            Some(c) => (c.start_date, c.start_time.as_deref().zip(c.end_time.as_deref())),
        };
        if let (Some((start, end)), Some(last)) = (time, periods.last_mut()) {
            last.windows.push(TimeWindow {
                start_utc: hours_minutes(start),
                end_utc: hours_minutes(end),
                weekdays: Vec::new(),
                rates,
            });
            continue;
        }
        periods.push(PricePeriod {
            from,
            currency: "USD".to_owned(),
            free: is_free(&rates),
            rates,
            batch_multiplier: batch(model, from.map_or(today, |f| f.max(today)), &rates),
            tiers: tiers(&conditional.prices),
            windows: Vec::new(),
            cite: None,
        });
    }
    periods.sort_by_key(|p| p.from);
    periods
}

/// `16:30:00Z` → `16:30`.
fn hours_minutes(time: &str) -> String {
    time.chars().take(5).collect()
}

/// The rates of a request with more than this many input tokens.
fn rates_above(prices: &PriceSet, tokens: u64) -> Rates {
    let price = |key: &str| prices.get(key).and_then(Option::as_ref).map(|p| tidy(p.above(tokens)));
    Rates {
        input_per_mtok: price("input_mtok"),
        output_per_mtok: price("output_mtok"),
        cache_read_per_mtok: price("cache_read_mtok"),
        cache_write_per_mtok: price("cache_write_mtok"),
        reasoning_per_mtok: price("output_reasoning_mtok"),
    }
}

fn tiers(prices: &PriceSet) -> Vec<ContextTier> {
    let starts: BTreeSet<u64> =
        prices.values().flatten().flat_map(|p| p.steps.iter().map(|(start, _)| *start)).collect();
    starts
        .into_iter()
        .map(|start| ContextTier { above_input_tokens: start, rates: rates_above(prices, start) })
        .collect()
}

/// The batch factor of the variant in force on a day.
fn batch(model: &Model, day: Date, rates: &Rates) -> Option<f64> {
    let variant = model.price_variants.iter().flatten().find(|v| {
        let from = v.constraint.as_ref().and_then(|c| c.start_date);
        v.when.len() == 1
            && v.when.get("processing").is_some_and(|w| w == "batch")
            && from.is_none_or(|from| from <= day)
    })?;
    one_factor(&rates_above(&variant.prices, 0), rates)
}
