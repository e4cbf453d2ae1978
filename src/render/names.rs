//! Names and values of inputs for people: no keys, no units from names of fields, a single currency.

use crate::cost::keys as cost_keys;
use crate::document::Input;
use crate::money::Currency;
use crate::number;
use crate::workload::keys::{Key, answers};
use serde_json::Value;

/// The text with a capital first letter.
pub(super) fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |c| c.to_uppercase().chain(letters).collect())
}

/// Names of inputs that no table of keys has, and shorter names for some that it describes at length.
const OWN: &[(&str, &str)] = &[
    ("privacy", "Privacy"),
    ("privacy_reason", "Who requires it"),
    ("volume", "Volume"),
    ("capability", "Capability"),
    ("operations", "People to run servers"),
    ("budget", "Budget"),
    ("today", "Day of the prices"),
    ("catalog_files", "Catalogue files added"),
    ("need.input_tokens", "Input tokens of a request"),
    ("need.output_tokens", "Output tokens of a request"),
    ("need.reasoning_tokens", "Reasoning tokens of a request"),
    ("need.requests_per_month", "Requests a month"),
    ("need.cached_input_share", "Input read from a cache"),
    ("need.cache_write_input_share", "Input written to a cache"),
    ("need.batch_share", "Requests that can wait for the batch price"),
    ("need.volume_factor", "Share of the forecast that comes"),
    ("need.horizon_months", "Horizon"),
    ("need.hours_per_month", "Hours in a month"),
    ("need.start", "First month"),
    ("need.growth_per_month", "Growth of the requests"),
    ("need.peak_to_mean", "Peak load over mean load"),
    ("need.tokens_per_month", "Tokens a month"),
    ("need.input_share", "Share of the tokens that is input"),
    ("need.at_capacity", "Volume is all the hardware can do"),
    ("need.ttft_ms", "Longest useful time to the first token"),
    ("need.tpot_ms", "Longest useful time per further token"),
    ("need.e2e_ms", "Longest useful time of an answer"),
    ("cloud.kind", "Kind of offer"),
    ("local.kind", "How it is paid for"),
    ("cloud.model", "Model"),
    ("cloud.price_change_per_year", "Change of the API's prices"),
    ("cloud.staff_hours_per_month", "Staff hours for the API"),
    ("local.hardware", "Hardware"),
    ("local.model", "Model"),
    ("local.quantisation", "Weight format"),
    ("local.staff_hours_per_month", "Staff hours"),
    ("local.staff_usd_per_hour", "Cost of a staff hour"),
    ("local.idle_watts", "Power of a unit when idle"),
    ("local.load_watts", "Power of a unit under load"),
    ("local.pue", "Cooling and losses (PUE)"),
    ("local.decode_tokens_per_second", "Output speed of a unit"),
    ("local.prefill_tokens_per_second", "Input speed of a unit"),
    ("local.tokeniser_ratio", "Local tokens per cloud token"),
    ("local.utilisation_ceiling", "Highest load of a unit"),
    ("local.residual_share", "Resale value"),
    ("local.tensor_parallel", "Accelerators that share each layer"),
    ("prompts_file", "Prompts"),
    ("apis", "APIs measured"),
    ("models", "Models measured"),
];

/// The name of an input: `Staff hours`, `Price of a million input tokens`.
pub fn of_input(name: &str) -> String {
    let plain = general(name);
    if let Some((_, own)) = OWN.iter().find(|(key, _)| *key == plain) {
        return (*own).to_owned();
    }
    if let Some(key) = key(&plain) {
        return first_words(key.help);
    }
    let last = plain.rsplit('.').next().unwrap_or(&plain);
    let words = last.replace(['_', '-'], " ");
    let words = words.trim_end_matches(" usd").trim();
    let mut letters = words.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// The name with the side that the input belongs to, if it does not say so itself: `Model (API)`.
pub fn of_input_and_side(name: &str) -> String {
    let side = match name.split(['.', '[']).next().unwrap_or_default() {
        "cloud" if of_input(name).contains("API") => return of_input(name),
        "cloud" => "API",
        "local" => "own",
        "comparator" => "compared",
        _ => return of_input(name),
    };
    format!("{} ({side})", of_input(name))
}

/// The general form of a name: `comparator.3.hardware` → `local.hardware`; `cloud[1].model` and
/// `cloud.price[1].input…` → `cloud.…`.
fn general(name: &str) -> String {
    let (table, rest) = name.split_once('.').unwrap_or(("", name));
    let table = table.split('[').next().unwrap_or(table);
    let key = rest.rsplit('.').next().unwrap_or(rest);
    match table {
        "" => rest.to_owned(),
        "comparator" | "all" => {
            let local = format!("local.{key}");
            if OWN.iter().any(|(k, _)| *k == local) || self::key(&local).is_some() {
                local
            } else {
                format!("cloud.{key}")
            }
        }
        "modifiers" => name.to_owned(),
        _ => format!("{table}.{key}"),
    }
}

fn key(path: &str) -> Option<&'static Key> {
    cost_keys::all().chain(answers::KEYS.iter().copied()).find(|k| k.path() == path)
}

/// The description without its details.
fn first_words(help: &str) -> String {
    let end = help.find([';', ':', '(', ',']).unwrap_or(help.len());
    help[..end].trim().trim_end_matches('?').to_owned()
}

/// A value with its unit in words; amounts are in one currency.
pub fn value(input: &Input, money: &Currency) -> String {
    let unit = input.unit.as_deref().unwrap_or("");
    match &input.value {
        Value::Number(n) => n.as_f64().map_or_else(|| n.to_string(), |n| in_unit(n, unit, money)),
        Value::Object(range) => {
            let part = |k: &str| range.get(k).and_then(Value::as_f64).map(|v| in_unit(v, unit, money));
            match (part("low"), part("likely"), part("high")) {
                (Some(low), Some(likely), Some(high)) => format!("{likely} ({low} to {high})"),
                _ => input.shown(),
            }
        }
        Value::String(text) => text.clone(),
        _ => input.shown(),
    }
}

/// A number with its unit: `$0.75 per million tokens`, `60 %`, `4.2 kW`.
pub fn in_unit(n: f64, unit: &str, money: &Currency) -> String {
    let plain = |n: f64| number::exact(if n.abs() >= 100.0 { n.round() } else { (n * 1e4).round() / 1e4 });
    let one = (n - 1.0).abs() < 1e-9;
    match unit {
        "" => plain(n),
        "USD" => money.show(n),
        "USD/Mtok" => format!("{} per million tokens", money.show(n)),
        "USD/month" => format!("{} a month", money.show(n)),
        "USD/h" => format!("{} an hour", money.show(n)),
        "USD/kWh" => format!("{} per kWh", money.show(n)),
        "share" => number::percent(n),
        "per year" => format!("{} a year", number::percent(n)),
        "per month" => format!("{} a month", number::percent(n)),
        "x" => format!("{} ×", plain(n)),
        "h/month" if one => "1 hour a month".to_owned(),
        "h/month" => format!("{} hours a month", plain(n)),
        "requests/month" | "tokens/month" => format!("{} a month", plain(n)),
        "tokens/s" => format!("{} tokens/s", plain(n)),
        "months" | "units" | "tokens" | "requests" | "GPUs" if one => {
            format!("1 {}", unit.trim_end_matches('s'))
        }
        unit => format!("{} {unit}", plain(n)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// No key is shown to people.
    #[test]
    fn every_key_has_a_name() {
        for key in cost_keys::all() {
            let name = of_input(&key.path());
            assert!(!name.is_empty() && !name.contains('_'), "{}: {name}", key.path());
            assert!(name.starts_with(|c: char| c.is_uppercase() || c.is_numeric()), "{}: {name}", key.path());
        }
        for (path, name) in [
            ("comparator.3.usd_per_hour", "Rent of one unit"),
            ("cloud.price[1].input_usd_per_mtok", "Price of a million input tokens"),
            ("local[2].pue", "Cooling and losses (PUE)"),
            ("some_new_thing_usd", "Some new thing"),
            ("", ""),
        ] {
            assert_eq!(of_input(path), name, "{path}");
        }
    }

    #[test]
    fn values_have_their_units_as_people_write_them() {
        let usd = Currency::usd();
        for (n, unit, shown) in [
            (0.75, "USD/Mtok", "$0.75 per million tokens"),
            (0.6, "share", "60 %"),
            (0.02, "per month", "2 % a month"),
            (300_000.0, "requests/month", "300,000 a month"),
            (1.0, "months", "1 month"),
            (1_087.751_578, "tokens/s", "1,088 tokens/s"),
        ] {
            assert_eq!(in_unit(n, unit, &usd), shown);
        }
        assert_eq!(in_unit(10.0, "USD", &Currency::new("EUR", 0.5)), "5.00 EUR");
    }
}
