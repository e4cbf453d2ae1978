//! The format of BerriAI/litellm, `model_prices_and_context_window.json`: one flat object with prices in US
//! dollars per token. Variants of a price are suffixes of its key (`_batches`, `_above_200k_tokens`).

use super::entries::{Entries, Key, Source};
use super::number::{Count, Price};
use super::taken::{Imported, Origin, Reason, is_free, one_factor, one_period};
use crate::catalog::{ApiModel, CiteByField, ContextTier, PricePeriod, Rates, ReasoningRule, TimeWindow};
use jiff::civil::Date;
use serde::Deserialize;
use serde_json::{Map, Value};
use std::collections::BTreeSet;

/// The fields of an entry that are used. Prices stay in `rest`, because their names contain the thresholds
/// of steps.
#[derive(Deserialize)]
struct Entry {
    #[serde(default)]
    litellm_provider: Option<String>,
    #[serde(default)]
    mode: Option<String>,
    #[serde(default)]
    max_input_tokens: Count,
    #[serde(default)]
    max_output_tokens: Count,
    #[serde(default)]
    deprecation_date: Option<Value>,
    #[serde(default)]
    source: Option<Value>,
    #[serde(default)]
    tiered_pricing: Option<Vec<Map<String, Value>>>,
    #[serde(default)]
    off_peak_pricing: Option<Map<String, Value>>,
    #[serde(flatten)]
    rest: Map<String, Value>,
}

/// A key that describes the format instead of a model.
const SAMPLE: &str = "sample_spec";

const INPUT: &str = "input_cost_per_token";
const OUTPUT: &str = "output_cost_per_token";
const CACHE_READ: &str = "cache_read_input_token_cost";
const CACHE_WRITE: &str = "cache_creation_input_token_cost";
const REASONING: &str = "output_cost_per_reasoning_token";

pub(super) fn read(text: &str, origin: &Origin) -> Result<Imported, serde_json::Error> {
    let mut entries: Entries<'_> = serde_json::from_str(text)?;
    // A model can occur under a short and a long name. The long one sorts first and is kept.
    entries.0.sort_by(|a, b| a.0.0.cmp(&b.0.0));
    let mut source = Source::new(text);
    for (Key(key), raw) in entries.0.into_iter().filter(|(key, _)| key.0 != SAMPLE) {
        match source.one::<Entry>(raw).and_then(|entry| model(&key, &entry, origin)) {
            Ok(model) => source.imported.models.push(model),
            Err(reason) => source.skip(key, reason),
        }
    }
    Ok(source.imported)
}

fn model(key: &str, entry: &Entry, origin: &Origin) -> Result<ApiModel, Reason> {
    let provider = entry.litellm_provider.as_deref().ok_or(Reason::NoProvider)?;
    if !matches!(entry.mode.as_deref(), Some("chat" | "completion" | "responses")) {
        return Err(Reason::NotText);
    }
    let mut price = price(entry)?;
    let provider = canonical_provider(provider);
    let wire = wire_name(key, provider, entry.litellm_provider.as_deref().unwrap_or_default());
    let own_rate = price.rates.reasoning_per_mtok != price.rates.output_per_mtok
        && price.rates.reasoning_per_mtok.is_some();
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
        context_tokens: entry.max_input_tokens.0,
        max_output_tokens: entry.max_output_tokens.0,
        reasoning: if own_rate { ReasoningRule::OwnRate } else { ReasoningRule::AsOutput },
        retires: entry.deprecation_date.as_ref().and_then(Value::as_str).and_then(|d| d.parse::<Date>().ok()),
        price: vec![price],
        source: match entry.source.as_ref().and_then(Value::as_str) {
            Some(page) => format!("{} ({page})", origin.source),
            None => origin.source.clone(),
        },
        as_of: origin.as_of,
        cite: CiteByField::new(),
    })
}

fn price(entry: &Entry) -> Result<PricePeriod, Reason> {
    let fields = &entry.rest;
    if other(fields, "input_cost_per_request")?.is_some() {
        return Err(Reason::PerRequest);
    }
    let thresholds = thresholds(fields)?;
    let flat = rates_of(fields)?;
    // Prices that do not depend on the request's length are written flat, and again in the first step.
    let stepped = entry.tiered_pricing.as_deref().map(tiered).transpose()?;
    let Some(flat) = flat.input_per_mtok.zip(flat.output_per_mtok).map(|_| flat) else {
        return stepped.ok_or(Reason::NoPrice);
    };
    let batch = Rates {
        input_per_mtok: per_mtok(fields, "input_cost_per_token_batches")?,
        output_per_mtok: per_mtok(fields, "output_cost_per_token_batches")?,
        ..Rates::default()
    };
    let suffixed = thresholds
        .into_iter()
        .map(|thousands| suffixed_tier(fields, thousands, &flat))
        .collect::<Result<Vec<_>, Reason>>()?;
    Ok(PricePeriod {
        batch_multiplier: one_factor(&batch, &flat),
        tiers: if suffixed.is_empty() { stepped.map(|s| s.tiers).unwrap_or_default() } else { suffixed },
        windows: entry.off_peak_pricing.as_ref().map(|o| windows(o, &flat)).transpose()?.unwrap_or_default(),
        free: is_free(&flat),
        ..one_period(flat)
    })
}

/// Reads `tiered_pricing`: `[{range: [from, to], input_cost_per_token, ...}]`; the first tier is the base.
fn tiered(tiers: &[Map<String, Value>]) -> Result<PricePeriod, Reason> {
    let unknown = |tier: &Map<String, Value>| {
        let names: Vec<&str> = tier.keys().filter(|k| !k.contains("cost")).map(String::as_str).collect();
        Reason::UnknownStep(if names.is_empty() { "without a range".to_owned() } else { names.join(", ") })
    };
    let mut steps = Vec::new();
    for tier in tiers {
        let from = tier.get("range").and_then(|r| r.get(0)).and_then(Value::as_f64);
        // Another condition beside the range could change when the step applies.
        if tier.keys().any(|k| k != "range" && !k.contains("cost")) {
            return Err(unknown(tier));
        }
        let from = from.filter(|f| (0.0..=1e12).contains(f)).ok_or_else(|| unknown(tier))?;
        let rates = rates_of(tier)?;
        rates.input_per_mtok.zip(rates.output_per_mtok).ok_or(Reason::NoPrice)?;
        steps.push((from, rates));
    }
    steps.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (_, base) = steps.first().ok_or(Reason::NoPrice)?;
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let tiers = steps[1..]
        .iter()
        .map(|(from, rates)| ContextTier { above_input_tokens: *from as u64, rates: *rates })
        .collect();
    Ok(PricePeriod { tiers, ..one_period(*base) })
}

fn rates_of(fields: &Map<String, Value>) -> Result<Rates, Reason> {
    Ok(Rates {
        input_per_mtok: per_mtok(fields, INPUT)?,
        output_per_mtok: per_mtok(fields, OUTPUT)?,
        cache_read_per_mtok: per_mtok(fields, CACHE_READ)?,
        // A zero stands for "not priced separately".
        cache_write_per_mtok: per_mtok(fields, CACHE_WRITE)?.filter(|p| *p > 0.0),
        reasoning_per_mtok: per_mtok(fields, REASONING)?,
    })
}

/// A price per token as a price per million tokens; `None` where there is none.
fn per_mtok(fields: &Map<String, Value>, key: &str) -> Result<Option<f64>, Reason> {
    let Some(value) = fields.get(key).filter(|v| !v.is_null()) else { return Ok(None) };
    let price = Price::deserialize(value).map_err(|_| Reason::NoNumber(format!("{key}: {value}")))?;
    price.per_mtok().map(Some)
}

/// A price of something other than tokens; `None` where it is absent or zero.
fn other(fields: &Map<String, Value>, key: &str) -> Result<Option<f64>, Reason> {
    Ok(per_mtok(fields, key)?.filter(|p| *p > 0.0))
}

/// The thresholds of all steps, in thousands of tokens, from keys such as
/// `input_cost_per_token_above_200k_tokens`. Prices of other services (`_batches`, `_priority`) and of
/// longer caching (`_above_1hr`) are alternatives to the list price, not steps of it.
fn thresholds(fields: &Map<String, Value>) -> Result<BTreeSet<u64>, Reason> {
    let mut found = BTreeSet::new();
    for key in fields.keys() {
        let of = |stem: &str| key.strip_prefix(stem);
        let Some(suffix) = [INPUT, OUTPUT, CACHE_READ, CACHE_WRITE, REASONING].into_iter().find_map(of)
        else {
            continue;
        };
        for step in suffix.split("_above_").skip(1) {
            let (amount, rest) = step.split_at(step.bytes().take_while(u8::is_ascii_digit).count());
            let thousands = rest.strip_prefix("k_tokens").filter(|rest| is_service(rest));
            let hours =
                rest.strip_prefix("hr").filter(|rest| is_service(rest) && key.starts_with(CACHE_WRITE));
            match (amount.parse::<u64>(), thousands, hours) {
                (Ok(amount), Some(""), _) if !suffix.contains("hr") => found.insert(amount),
                (Ok(_), Some(_), _) | (Ok(_), _, Some(_)) => false,
                _ => return Err(Reason::UnknownStep(key.clone())),
            };
        }
    }
    Ok(found)
}

/// May this follow a threshold in a key? Either nothing, or the name of a service.
fn is_service(rest: &str) -> bool {
    rest.is_empty() || rest.strip_prefix('_').is_some_and(|s| s.bytes().all(|b| b.is_ascii_lowercase()))
}

/// The rates above this many thousand tokens; a rate without a step keeps its base value.
fn suffixed_tier(fields: &Map<String, Value>, thousands: u64, base: &Rates) -> Result<ContextTier, Reason> {
    let price = |key: &str, base: Option<f64>| {
        per_mtok(fields, &format!("{key}_above_{thousands}k_tokens")).map(|p| p.or(base))
    };
    Ok(ContextTier {
        above_input_tokens: thousands.saturating_mul(1_000),
        rates: Rates {
            input_per_mtok: price(INPUT, base.input_per_mtok)?,
            output_per_mtok: price(OUTPUT, base.output_per_mtok)?,
            cache_read_per_mtok: price(CACHE_READ, base.cache_read_per_mtok)?,
            cache_write_per_mtok: price(CACHE_WRITE, base.cache_write_per_mtok)?,
            reasoning_per_mtok: None,
        },
    })
}

/// Reads `off_peak_pricing`: time windows with lower rates; the list price applies at peak times.
fn windows(off_peak: &Map<String, Value>, peak: &Rates) -> Result<Vec<TimeWindow>, Reason> {
    let cheaper = rates_of(off_peak)?;
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
            _ => return Err(Reason::UnknownStep("off_peak_pricing without hours_utc".to_owned())),
        };
        for hours in hours {
            let (start, end) = hours
                .split_once('-')
                .ok_or_else(|| Reason::UnknownStep(format!("off_peak_pricing at {hours}")))?;
            // A window from midnight to midnight is the whole day. It is split in two halves, because a
            // window cannot have equal start and end.
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
    Ok(found)
}

/// The provider's name as in genai-prices and in this catalogue.
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

/// The name used in requests: the key without `provider/`, if it has that.
fn wire_name<'a>(key: &'a str, provider: &str, litellm_provider: &str) -> &'a str {
    [litellm_provider, provider]
        .into_iter()
        .find_map(|p| key.strip_prefix(p).and_then(|rest| rest.strip_prefix('/')))
        .unwrap_or(key)
}

fn id_part(wire: &str) -> &str {
    wire.strip_prefix("accounts/fireworks/models/").unwrap_or(wire)
}
