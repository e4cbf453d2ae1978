//! BerriAI/litellm, `model_prices_and_context_window.json`: one flat object, prices in US dollars
//! per token, variants as suffixes of the key (`_batches`, `_above_200k_tokens`).

use super::number::Price;
use super::records::Records;
use super::{Origin, is_free, one_factor, one_period};
use crate::catalog::{ApiModel, CiteByField, ContextTier, PricePeriod, Rates, ReasoningRule, TimeWindow};
use jiff::civil::Date;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// The fields of an entry that are read. Prices are read from `rest` by their names.
#[derive(Deserialize)]
struct Entry {
    #[serde(default)]
    litellm_provider: Option<String>,
    #[serde(default)]
    mode: Option<String>,
    #[serde(default)]
    max_input_tokens: Option<Value>,
    #[serde(default)]
    max_output_tokens: Option<Value>,
    #[serde(default)]
    deprecation_date: Option<String>,
    #[serde(default)]
    source: Option<String>,
    #[serde(default)]
    tiered_pricing: Option<Vec<Map<String, Value>>>,
    #[serde(default)]
    off_peak_pricing: Option<Map<String, Value>>,
    #[serde(default)]
    input_cost_per_token: Option<Price>,
    #[serde(default)]
    output_cost_per_token: Option<Price>,
    #[serde(default)]
    cache_read_input_token_cost: Option<Price>,
    #[serde(default)]
    cache_creation_input_token_cost: Option<Price>,
    #[serde(default)]
    output_cost_per_reasoning_token: Option<Price>,
    #[serde(default)]
    input_cost_per_token_batches: Option<Price>,
    #[serde(default)]
    output_cost_per_token_batches: Option<Price>,
}

/// The key that documents the format instead of a model.
const SAMPLE: &str = "sample_spec";

pub(super) fn read(text: &str, origin: &Origin) -> Result<Records, serde_json::Error> {
    let entries = serde_json::from_str::<Entries<'_>>(text)?.0;
    let mut records = Records::default();
    for (key, raw) in &entries {
        // Twice: once for the fields with fixed names, once for the prices of context tiers, whose
        // names hold the threshold.
        let Some(entry) = records.read::<Entry>(text, raw, key) else { continue };
        let fields: Map<String, Value> = serde_json::from_str(raw.get()).unwrap_or_default();
        let made = model(key, &entry, &fields, origin);
        records.note(key, made.map(|model| vec![model]).map_err(str::to_owned));
    }
    Ok(records)
}

/// All entries but the sample, whose values are sentences.
struct Entries<'t>(BTreeMap<String, &'t RawValue>);

impl<'de> Deserialize<'de> for Entries<'de> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct EntriesVisitor;
        impl<'de> serde::de::Visitor<'de> for EntriesVisitor {
            type Value = Entries<'de>;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object of model entries")
            }
            fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Entries<'de>, A::Error> {
                let mut entries = BTreeMap::new();
                while let Some((key, raw)) = map.next_entry::<String, &'de RawValue>()? {
                    if key != SAMPLE {
                        entries.insert(key, raw);
                    }
                }
                Ok(Entries(entries))
            }
        }
        deserializer.deserialize_map(EntriesVisitor)
    }
}

fn model(
    key: &str,
    entry: &Entry,
    fields: &Map<String, Value>,
    origin: &Origin,
) -> Result<ApiModel, &'static str> {
    let provider = entry.litellm_provider.as_deref().ok_or("no provider")?;
    if !matches!(entry.mode.as_deref(), Some("chat" | "completion" | "responses")) {
        return Err("not a text model");
    }
    let price = price(entry, fields)?.ok_or("no price of input and output tokens")?;
    let provider = canonical_provider(provider);
    let wire = wire_name(key, provider, entry.litellm_provider.as_deref().unwrap_or_default());
    let own_rate = price.rates.reasoning_per_mtok != price.rates.output_per_mtok
        && price.rates.reasoning_per_mtok.is_some();
    let mut price = price;
    if !own_rate {
        price.rates.reasoning_per_mtok = None;
    }
    Ok(ApiModel {
        id: format!("{provider}/{}", id_part(wire)),
        provider: provider.to_owned(),
        model: wire.to_owned(),
        name: None,
        aliases: Vec::new(),
        open_model: None,
        tier: None,
        context_tokens: count(entry.max_input_tokens.as_ref()),
        max_output_tokens: count(entry.max_output_tokens.as_ref()),
        reasoning: if own_rate { ReasoningRule::OwnRate } else { ReasoningRule::AsOutput },
        retires: entry.deprecation_date.as_deref().and_then(|d| d.parse::<Date>().ok()),
        price: vec![price],
        source: match &entry.source {
            Some(page) => format!("{} ({page})", origin.source),
            None => origin.source.clone(),
        },
        as_of: origin.as_of,
        cite: CiteByField::new(),
    })
}

/// Token counts are numbers, in places written as text or as 256000.0.
fn count(value: Option<&Value>) -> Option<u64> {
    let value = value?;
    let number = value.as_f64().or_else(|| value.as_str().and_then(|s| s.parse().ok()))?;
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    (1.0..=1e12).contains(&number).then_some(number as u64)
}

/// Why a record is left out rather than kept with its base price alone.
const UNKNOWN: &str = "a price tier of a kind that is not known";

/// `None`: nothing is priced by the token.
fn price(entry: &Entry, fields: &Map<String, Value>) -> Result<Option<PricePeriod>, &'static str> {
    let per_mtok = |p: Option<Price>| p.map(Price::per_mtok);
    let flat = Rates {
        input_per_mtok: per_mtok(entry.input_cost_per_token),
        output_per_mtok: per_mtok(entry.output_cost_per_token),
        cache_read_per_mtok: per_mtok(entry.cache_read_input_token_cost),
        // A zero here stands for "not priced apart".
        cache_write_per_mtok: per_mtok(entry.cache_creation_input_token_cost).filter(|p| *p > 0.0),
        reasoning_per_mtok: per_mtok(entry.output_cost_per_reasoning_token),
    };
    if let Some(tiers) = &entry.tiered_pricing {
        return tiered(tiers).map(Some).ok_or(UNKNOWN);
    }
    if flat.input_per_mtok.is_none() || flat.output_per_mtok.is_none() {
        return Ok(None);
    }
    let batch = Rates {
        input_per_mtok: per_mtok(entry.input_cost_per_token_batches),
        output_per_mtok: per_mtok(entry.output_cost_per_token_batches),
        ..Rates::default()
    };
    let windows = match &entry.off_peak_pricing {
        None => Vec::new(),
        Some(off_peak) => {
            let windows = windows(off_peak, &flat);
            if windows.is_empty() {
                return Err("a price by the hour of a kind that is not known");
            }
            windows
        }
    };
    Ok(Some(PricePeriod {
        batch_multiplier: one_factor(&batch, &flat),
        tiers: suffixed_tiers(fields, &flat)?,
        windows,
        free: is_free(&flat),
        ..one_period(flat)
    }))
}

/// `tiered_pricing`: `[{range: [from, to], input_cost_per_token, ...}]`; the first is the base.
fn tiered(tiers: &[Map<String, Value>]) -> Option<PricePeriod> {
    let mut steps = Vec::new();
    for tier in tiers {
        let from = tier.get("range")?.get(0)?.as_f64()?;
        let rates = rates_of(tier);
        rates.input_per_mtok.zip(rates.output_per_mtok)?;
        steps.push((from, rates));
    }
    steps.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (_, base) = steps.first()?;
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let tiers = steps[1..]
        .iter()
        .map(|(from, rates)| ContextTier { above_input_tokens: *from as u64, rates: *rates })
        .collect();
    Some(PricePeriod { tiers, ..one_period(*base) })
}

fn rates_of(map: &Map<String, Value>) -> Rates {
    let price =
        |key: &str| map.get(key).and_then(Value::as_f64).filter(|p| *p >= 0.0).map(|p| Price(p).per_mtok());
    Rates {
        input_per_mtok: price("input_cost_per_token"),
        output_per_mtok: price("output_cost_per_token"),
        cache_read_per_mtok: price("cache_read_input_token_cost"),
        cache_write_per_mtok: price("cache_creation_input_token_cost"),
        reasoning_per_mtok: price("output_cost_per_reasoning_token"),
    }
}

/// Endings of prices that are another service's: batches, faster and slower tiers.
const OTHER_SERVICES: &[&str] = &["_batches", "_priority", "_flex", "_fast"];

/// `200k_tokens` → 200,000.
fn threshold(text: &str) -> Option<u64> {
    let number = text.strip_suffix("_tokens")?;
    let (digits, scale) = match number.strip_suffix('k') {
        Some(thousands) => (thousands, 1_000),
        None => number.strip_suffix('m').map_or((number, 1), |millions| (millions, 1_000_000)),
    };
    digits.parse::<u64>().ok()?.checked_mul(scale)
}

/// `input_cost_per_token_above_200k_tokens` and its like; a rate without one keeps its base.
fn suffixed_tiers(fields: &Map<String, Value>, base: &Rates) -> Result<Vec<ContextTier>, &'static str> {
    let mut thresholds: BTreeMap<u64, &str> = BTreeMap::new();
    for (key, value) in fields {
        let above = ["input", "output"]
            .iter()
            .find_map(|kind| key.strip_prefix(&format!("{kind}_cost_per_token_above_")));
        let Some(at) = above.filter(|_| !value.is_null()) else { continue };
        if OTHER_SERVICES.iter().any(|service| at.ends_with(service)) {
            continue;
        }
        thresholds.insert(threshold(at).ok_or(UNKNOWN)?, at);
    }
    Ok(thresholds
        .into_iter()
        .map(|(above, suffix)| {
            let price = |key: &str, base: Option<f64>| {
                fields
                    .get(&format!("{key}_above_{suffix}"))
                    .and_then(Value::as_f64)
                    .filter(|p| *p >= 0.0)
                    .map(|p| Price(p).per_mtok())
                    .or(base)
            };
            ContextTier {
                above_input_tokens: above,
                rates: Rates {
                    input_per_mtok: price("input_cost_per_token", base.input_per_mtok),
                    output_per_mtok: price("output_cost_per_token", base.output_per_mtok),
                    cache_read_per_mtok: price("cache_read_input_token_cost", base.cache_read_per_mtok),
                    cache_write_per_mtok: price("cache_creation_input_token_cost", base.cache_write_per_mtok),
                    reasoning_per_mtok: None,
                },
            }
        })
        .collect())
}

/// `off_peak_pricing`: the list price is the peak's; windows with the cheaper rates.
fn windows(off_peak: &Map<String, Value>, peak: &Rates) -> Vec<TimeWindow> {
    let cheaper = rates_of(off_peak);
    let rates = Rates {
        input_per_mtok: cheaper.input_per_mtok.or(peak.input_per_mtok),
        output_per_mtok: cheaper.output_per_mtok.or(peak.output_per_mtok),
        cache_read_per_mtok: cheaper.cache_read_per_mtok.or(peak.cache_read_per_mtok),
        cache_write_per_mtok: cheaper.cache_write_per_mtok.or(peak.cache_write_per_mtok),
        reasoning_per_mtok: None,
    };
    let mut found = Vec::new();
    for window in off_peak.get("windows").and_then(Value::as_array).into_iter().flatten() {
        let weekdays: Vec<u8> = window
            .get("weekdays")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(|d| d.as_u64().and_then(|d| u8::try_from(d).ok()))
            .collect();
        let hours = match window.get("hours_utc") {
            Some(Value::String(one)) => vec![one.as_str()],
            Some(Value::Array(many)) => many.iter().filter_map(Value::as_str).collect(),
            _ => continue,
        };
        for (start, end) in hours.into_iter().filter_map(|h| h.split_once('-')) {
            // A window from midnight to midnight is the whole day; half days say the same without
            // a window of no length.
            let parts =
                if start == end { vec![(start, "12:00"), ("12:00", end)] } else { vec![(start, end)] };
            for (start, end) in parts {
                found.push(TimeWindow {
                    start_utc: start.to_owned(),
                    end_utc: end.to_owned(),
                    weekdays: weekdays.clone(),
                    rates,
                });
            }
        }
    }
    found
}

/// The provider's name as genai-prices (and this catalogue) writes it.
fn canonical_provider(name: &str) -> &str {
    match name {
        "gemini" => "google",
        "xai" => "x-ai",
        "together_ai" => "together",
        "fireworks_ai" => "fireworks",
        "cohere_chat" => "cohere",
        "moonshot" => "moonshotai",
        "text-completion-openai" => "openai",
        "bedrock" | "bedrock_converse" => "aws",
        other => other,
    }
}

/// Keys are `provider/name` or the bare name.
fn wire_name<'a>(key: &'a str, provider: &str, litellm_provider: &str) -> &'a str {
    [litellm_provider, provider]
        .into_iter()
        .find_map(|p| key.strip_prefix(p).and_then(|rest| rest.strip_prefix('/')))
        .unwrap_or(key)
}

fn id_part(wire: &str) -> &str {
    wire.strip_prefix("accounts/fireworks/models/").unwrap_or(wire)
}
