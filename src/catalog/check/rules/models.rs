//! Rules for open models, and for API models with their prices.

use super::common::{Report, currency_code, not_empty, reference, within};
use super::medians::Medians;
use crate::catalog::{ApiModel, Attention, Catalog, OpenModel, PricePeriod, Rates};

/// The highest believable price of a million tokens, US dollars. (The dearest known list price is 600.)
pub const MAX_USD_PER_MTOK: f64 = 10_000.0;

pub(in crate::catalog::check) fn open_model(r: &OpenModel, _: &Catalog, _: &Medians, report: Report<'_>) {
    not_empty("name", &r.name, report);
    tier(r.tier, report);
    let number = |n: Option<u64>| n.map(|n| n as f64);
    within("parameters", number(r.parameters), 1e6, 1e14, "parameters (not billions)", report);
    within("active_parameters", number(r.active_parameters), 1e6, 1e13, "parameters (not billions)", report);
    if let (Some(active), Some(all)) = (r.active_parameters, r.parameters)
        && active > all
    {
        report("active_parameters", format!("{active} active of {all}"), "at most all parameters");
    }
    within("layers", r.layers.map(f64::from), 1.0, 1_000.0, "layers", report);
    within("heads", r.heads.map(f64::from), 1.0, 1_024.0, "heads", report);
    within("kv_heads", r.kv_heads.map(f64::from), 1.0, 1_024.0, "heads", report);
    within("head_size", r.head_size.map(f64::from), 8.0, 2_048.0, "values", report);
    within("hidden_size", r.hidden_size.map(f64::from), 64.0, 131_072.0, "values", report);
    within("vocabulary", r.vocabulary.map(f64::from), 100.0, 5e6, "tokens", report);
    within("context_tokens", number(r.context_tokens), 128.0, 1e8, "tokens", report);
    if let (Some(kv), Some(heads)) = (r.kv_heads, r.heads)
        && kv > heads
    {
        report("kv_heads", format!("{kv} KV heads of {heads} heads"), "at most as many as heads");
    }
    if let (Some(lookup), Some(all)) = (r.lookup_parameters, r.parameters)
        && lookup >= all
    {
        report("lookup_parameters", format!("{lookup} of {all} parameters"), "fewer than parameters");
    }
    if let (Some(used), Some(experts)) = (r.experts_per_token, r.experts)
        && used > experts
    {
        report("experts_per_token", format!("{used} of {experts} experts"), "at most as many as experts");
    }
    let some_layers = match r.attention {
        Attention::SlidingWindow { full_layers, sliding_layers, .. } => {
            Some(("attention.full_layers", full_layers.saturating_add(sliding_layers.unwrap_or(0))))
        }
        Attention::Hybrid { attention_layers, state_layers } => {
            Some(("attention.attention_layers", attention_layers.saturating_add(state_layers.unwrap_or(0))))
        }
        Attention::Latent { attention_layers, .. } => {
            attention_layers.map(|layers| ("attention.attention_layers", layers))
        }
        Attention::Full | Attention::Pooled { .. } => None,
    };
    if let (Some((path, some)), Some(all)) = (some_layers, r.layers)
        && some > all
    {
        report(path, format!("{some} of {all} layers"), "at most as many as layers");
    }
}

fn tier(tier: Option<u8>, report: Report<'_>) {
    if let Some(tier) = tier
        && !(1..=4).contains(&tier)
    {
        report("tier", format!("tier {tier}"), "1 (highest capability) to 4");
    }
}

pub(in crate::catalog::check) fn api_model(r: &ApiModel, c: &Catalog, medians: &Medians, report: Report<'_>) {
    not_empty("provider", &r.provider, report);
    not_empty("model", &r.model, report);
    if !r.id.starts_with(&format!("{}/", r.provider)) {
        report("id", format!("the id does not begin with the provider {}", r.provider), "provider/model");
    }
    tier(r.tier, report);
    if let Some(id) = &r.open_model {
        let known = c.open_models.iter().map(|m| m.id.as_str());
        reference("open_model", id, "open model", c.open_model(id).is_some(), known, report);
    }
    for (n, alias) in r.aliases.iter().enumerate() {
        let owner = |o: &&ApiModel| o.provider == r.provider && o.id != r.id;
        let path = format!("aliases.{n}");
        if *alias == r.model {
            report(&path, format!("alias `{alias}` is the model's own name"), "another name");
        }
        // An alias belongs to exactly one record, and is not another record's name.
        for other in c.api_models.iter().filter(owner) {
            if other.model == *alias {
                let circle =
                    if other.aliases.contains(&r.model) { ", and that one back to this" } else { "" };
                report(
                    &path,
                    format!("alias `{alias}` is the record {}{circle}", other.id),
                    "a name of its own",
                );
            } else if other.id > r.id && other.aliases.contains(alias) {
                report(&path, format!("alias `{alias}` also belongs to {}", other.id), "one owner");
            }
        }
    }
    if r.price.is_empty() {
        report("", "no price".to_owned(), "at least one [[api_model.price]]");
    }
    let mut last = None;
    for (n, period) in r.price.iter().enumerate() {
        if n > 0 && period.from <= last {
            report(
                &format!("price.{n}.from"),
                "price periods out of order".to_owned(),
                "a later `from` than the period before",
            );
        }
        last = period.from;
        price_period(n, period, c, medians, report);
    }
}

fn price_period(n: usize, period: &PricePeriod, c: &Catalog, medians: &Medians, report: Report<'_>) {
    let at = |path: &str| format!("price.{n}.{path}");
    currency_code(&at("currency"), &period.currency, c, report);
    within_share(&at("batch_multiplier"), period.batch_multiplier, report);
    rates(&at("rates"), &period.rates, period.free, report);
    if period.rates.input_per_mtok.is_none() && period.rates.output_per_mtok.is_none() {
        report(&at("rates"), "neither input nor output price".to_owned(), "the prices of a million tokens");
    }
    if period.currency == "USD"
        && let Some((field, message)) = medians.slip(&period.rates)
    {
        report(&at(&format!("rates.{field}")), message, "USD per million tokens");
    }
    let mut above = 0;
    for (t, tier) in period.tiers.iter().enumerate() {
        let path = at(&format!("tiers.{t}"));
        if tier.above_input_tokens <= above {
            report(
                &format!("{path}.above_input_tokens"),
                format!("tier above {} tokens is out of order", tier.above_input_tokens),
                "a higher threshold than the tier before",
            );
        }
        above = tier.above_input_tokens;
        rates(&format!("{path}.rates"), &tier.rates, period.free, report);
    }
    for (w, window) in period.windows.iter().enumerate() {
        let path = at(&format!("windows.{w}"));
        let parsed = [("start_utc", &window.start_utc), ("end_utc", &window.end_utc)].map(|(field, time)| {
            let time = minutes(time);
            if time.is_none() {
                report(&format!("{path}.{field}"), format!("{field} is no time of day"), "\"HH:MM\", UTC");
            }
            time
        });
        if let [Some(start), Some(end)] = parsed
            && start == end
        {
            report(&format!("{path}.end_utc"), "a window of no length".to_owned(), "another time");
        }
        if window.weekdays.iter().any(|d| !(1..=7).contains(d)) {
            report(&format!("{path}.weekdays"), "no day of the week".to_owned(), "1 (Monday) to 7");
        }
        rates(&format!("{path}.rates"), &window.rates, period.free, report);
    }
}

fn rates(path: &str, rates: &Rates, free: bool, report: Report<'_>) {
    for (field, price) in [
        ("input_per_mtok", rates.input_per_mtok),
        ("output_per_mtok", rates.output_per_mtok),
        ("cache_read_per_mtok", rates.cache_read_per_mtok),
        ("cache_write_per_mtok", rates.cache_write_per_mtok),
        ("reasoning_per_mtok", rates.reasoning_per_mtok),
    ] {
        let Some(price) = price else { continue };
        // Some providers do not charge extra for writing to the cache, or for reading from it.
        let may_be_zero = free || field.starts_with("cache_");
        if !price.is_finite() || !(0.0..=MAX_USD_PER_MTOK).contains(&price) {
            report(
                &format!("{path}.{field}"),
                format!("{field} is {price}"),
                &format!("0 to {MAX_USD_PER_MTOK} per million tokens"),
            );
        } else if price == 0.0 && !may_be_zero {
            report(
                &format!("{path}.{field}"),
                format!("{field} is 0"),
                "a price above 0, nothing where unknown, or `free = true` beside the rates",
            );
        }
    }
    if let (Some(read), Some(input)) = (rates.cache_read_per_mtok, rates.input_per_mtok)
        && read > input
    {
        report(
            &format!("{path}.cache_read_per_mtok"),
            format!("reading from the cache costs {read}, sending the tokens {input}"),
            "at most the input price",
        );
    }
}

fn within_share(path: &str, value: Option<f64>, report: Report<'_>) {
    if let Some(value) = value
        && !(value > 0.0 && value <= 1.0)
    {
        report(path, format!("batch_multiplier is {value}"), "a factor above 0, at most 1");
    }
}

/// `HH:MM` as minutes since midnight.
fn minutes(time: &str) -> Option<u32> {
    let (hours, minutes) = time.split_once(':')?;
    let two = |s: &str| (s.len() == 2).then(|| s.parse::<u32>().ok()).flatten();
    let (hours, minutes) = (two(hours)?, two(minutes)?);
    (hours < 24 && minutes < 60).then_some(hours * 60 + minutes)
}
