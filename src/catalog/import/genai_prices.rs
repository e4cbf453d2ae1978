//! The format of pydantic/genai-prices, `data.json`: providers with their models. Prices are per million
//! tokens; a list of prices has constraints (start date, time of day), and the last one whose constraint
//! holds applies.

use super::entries::{List, Source};
use super::names;
use super::number::{Count, Stepped};
use super::taken::{Imported, Origin, Reason, is_free, one_factor};
use crate::catalog::{ApiModel, CiteByField, ContextTier, PricePeriod, Rates, ReasoningRule, TimeWindow};
use jiff::civil::Date;
use serde::Deserialize;
use serde::de::{self, Deserializer, MapAccess, SeqAccess, Visitor};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

#[derive(Deserialize)]
struct Provider {
    id: String,
    #[serde(default)]
    pricing_urls: Option<Vec<String>>,
}

/// The models of a provider, which are read one by one.
#[derive(Deserialize)]
struct Models<'a> {
    #[serde(borrow)]
    models: List<'a>,
}

#[derive(Deserialize)]
struct Model {
    id: String,
    #[serde(rename = "match")]
    matches: Match,
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    context_window: Count,
    #[serde(default)]
    deprecated: Option<bool>,
    prices: Prices,
    #[serde(default)]
    price_variants: Option<Vec<Variant>>,
}

/// A pattern for the names of a model.
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

/// The condition of a set of prices. A condition that is not understood makes the record unreadable: its
/// prices would otherwise be taken for all requests.
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

/// Keys of prices for input or output other than text.
const NOT_TEXT: [&str; 7] = [
    "output_image_mtok",
    "output_audio_mtok",
    "output_video_mtok",
    "audio_hours",
    "input_audio_hours",
    "input_mchars",
    "input_document_kpages",
];

pub(super) fn read(text: &str, origin: &Origin) -> Result<Imported, serde_json::Error> {
    let providers: List<'_> = serde_json::from_str(text)?;
    let mut source = Source::new(text);
    for raw in providers.0 {
        let read = source.one::<Provider>(raw).and_then(|p| Ok((p, source.one::<Models<'_>>(raw)?)));
        let (provider, models) = match read {
            Ok(read) => read,
            Err(reason) => {
                source.skip(source.called(raw), reason);
                continue;
            }
        };
        for raw in models.models.0 {
            match source.one::<Model>(raw).and_then(|model| records(&provider, &model, origin)) {
                Ok(models) => source.imported.models.extend(models),
                Err(reason) => source.skip(format!("{}/{}", provider.id, source.called(raw)), reason),
            }
        }
        source.check_size()?;
    }
    Ok(source.imported)
}

fn records(provider: &Provider, model: &Model, origin: &Origin) -> Result<Vec<ApiModel>, Reason> {
    if model.deprecated == Some(true) {
        return Err(Reason::Deprecated);
    }
    if model.prices.0.iter().any(|c| NOT_TEXT.iter().any(|key| c.prices.contains_key(*key))) {
        return Err(Reason::NotText);
    }
    if model.prices.0.iter().any(|c| c.prices.contains_key("requests_kcount")) {
        return Err(Reason::PerRequest);
    }
    let price = periods(model, origin.as_of)?;
    if price.is_empty() {
        return Err(Reason::NoPrice);
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
            context_tokens: model.context_window.0,
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

/// The last part of a long path on the wire (`accounts/fireworks/models/x`), if the id in the file is
/// short.
fn id_part<'a>(id: &str, wire: &'a str) -> &'a str {
    if id.contains('/') { wire } else { wire.rsplit('/').next().unwrap_or(wire) }
}

/// The names of one model.
struct Named {
    /// Names used in requests, oldest first: all dated ones, or else the one that the provider uses.
    wire: Vec<String>,
    /// All other names; they become aliases of the newest.
    aliases: Vec<String>,
}

impl Named {
    fn of(provider: &Provider, model: &Model) -> Self {
        let mut equal = BTreeSet::new();
        let mut starts = BTreeSet::new();
        model.matches.collect(&mut equal, &mut starts);
        // Spellings of other tools with the provider in front are not the provider's own.
        let own = |name: &String| {
            let prefixed = name.strip_prefix(&provider.id).is_some_and(|rest| rest.starts_with(['/', ':']));
            !prefixed && !name.contains(' ')
        };
        let equal: Vec<String> = equal.into_iter().filter(own).collect();
        let mut wire: Vec<String> = equal.iter().filter(|n| names::date_of(n).is_some()).cloned().collect();
        // A dated preview is older than the released model.
        let preview = |n: &str| n.contains("-preview") || n.contains("-exp-");
        if equal.contains(&model.id) && !preview(&model.id) {
            wire.retain(|n| !preview(n));
        }
        // `gpt-5-4-...` is another spelling of `gpt-5.4-...`, not another model.
        let spelled = |n: &String| n.contains('.') || !equal.contains(&dotted(n, &equal));
        wire.retain(spelled);
        // Names that differ only in case are the same model; the file's own spelling is kept.
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

/// The name in `among` that has dots where this one has hyphens; the name itself if there is none.
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

/// Price periods by date. Prices by time of day belong to the period that precedes them in the list.
fn periods(model: &Model, today: Date) -> Result<Vec<PricePeriod>, Reason> {
    let mut periods: Vec<PricePeriod> = Vec::new();
    for conditional in &model.prices.0 {
        let rates = rates_above(&conditional.prices, 0)?;
        if rates.input_per_mtok.is_none() || rates.output_per_mtok.is_none() {
            continue;
        }
        let (from, time) = match &conditional.constraint {
            None => (None, None),
            Some(c) => (c.start_date, c.start_time.as_deref().zip(c.end_time.as_deref())),
        };
        let tiers = tiers(&conditional.prices)?;
        if let Some((start, end)) = time {
            // Prices by time of day belong to the period before them, and must be single prices.
            let last = periods.last_mut().filter(|_| tiers.is_empty());
            let last = last.ok_or_else(|| Reason::UnknownStep(format!("{start} to {end}")))?;
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
            batch_multiplier: batch(model, from.map_or(today, |f| f.max(today)), &rates)?,
            tiers,
            windows: Vec::new(),
            cite: None,
        });
    }
    periods.sort_by_key(|p| p.from);
    Ok(periods)
}

/// `16:30:00Z` → `16:30`.
fn hours_minutes(time: &str) -> String {
    time.chars().take(5).collect()
}

/// The rates for a request with more than this many input tokens.
fn rates_above(prices: &PriceSet, tokens: u64) -> Result<Rates, Reason> {
    let price = |key: &str| prices.get(key).and_then(Option::as_ref).map(|p| p.above(tokens)).transpose();
    Ok(Rates {
        input_per_mtok: price("input_mtok")?,
        output_per_mtok: price("output_mtok")?,
        cache_read_per_mtok: price("cache_read_mtok")?,
        cache_write_per_mtok: price("cache_write_mtok")?,
        reasoning_per_mtok: price("output_reasoning_mtok")?,
    })
}

fn tiers(prices: &PriceSet) -> Result<Vec<ContextTier>, Reason> {
    let starts: BTreeSet<u64> = prices.values().flatten().flat_map(Stepped::starts).collect();
    starts
        .into_iter()
        .map(|start| Ok(ContextTier { above_input_tokens: start, rates: rates_above(prices, start)? }))
        .collect()
}

/// Batch price ÷ standard price, by the variant in force on a day.
fn batch(model: &Model, day: Date, rates: &Rates) -> Result<Option<f64>, Reason> {
    let Some(variant) = model.price_variants.iter().flatten().find(|v| {
        let from = v.constraint.as_ref().and_then(|c| c.start_date);
        v.when.len() == 1
            && v.when.get("processing").is_some_and(|w| w == "batch")
            && from.is_none_or(|from| from <= day)
    }) else {
        return Ok(None);
    };
    Ok(one_factor(&rates_above(&variant.prices, 0)?, rates))
}
