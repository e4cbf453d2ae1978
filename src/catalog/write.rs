//! Writes API models as TOML, as a person would: unknown figures are left out, and rates are on one line.
//! Reading it back gives the same records.

use super::{ApiModel, PricePeriod, Rates, ReasoningRule};
use crate::provenance::Cite;
use std::fmt::Write as _;

/// A file of API models. `head` becomes the comment at the top.
pub fn api_models(head: &str, models: &[ApiModel]) -> String {
    let mut out = String::new();
    for line in head.lines() {
        let _ = writeln!(out, "{}", format!("# {line}").trim_end());
    }
    for model in models {
        out.push('\n');
        api_model(&mut out, model);
    }
    out
}

fn api_model(out: &mut String, m: &ApiModel) {
    out.push_str("[[api_model]]\n");
    text(out, "id", Some(&m.id));
    text(out, "provider", Some(&m.provider));
    text(out, "model", Some(&m.model));
    text(out, "name", m.name.as_deref());
    if !m.aliases.is_empty() {
        let list: Vec<String> = m.aliases.iter().map(|a| quoted(a)).collect();
        let _ = writeln!(out, "aliases = [{}]", list.join(", "));
    }
    text(out, "open_model", m.open_model.as_deref());
    plain(out, "tier", m.tier);
    plain(out, "context_tokens", m.context_tokens);
    plain(out, "max_output_tokens", m.max_output_tokens);
    if m.reasoning == ReasoningRule::OwnRate {
        text(out, "reasoning", Some("own-rate"));
    }
    text(out, "retires", m.retires.map(|d| d.to_string()).as_deref());
    text(out, "source", Some(&m.source));
    text(out, "as_of", Some(&m.as_of.to_string()));
    for (field, cite) in &m.cite {
        let _ = writeln!(out, "cite.{} = {}", key(field), inline_cite(cite));
    }
    for period in &m.price {
        price(out, period);
    }
}

fn price(out: &mut String, p: &PricePeriod) {
    out.push_str("[[api_model.price]]\n");
    text(out, "from", p.from.map(|d| d.to_string()).as_deref());
    if p.currency != "USD" {
        text(out, "currency", Some(&p.currency));
    }
    let _ = writeln!(out, "rates = {}", inline_rates(&p.rates));
    plain(out, "batch_multiplier", p.batch_multiplier);
    if p.free {
        out.push_str("free = true\n");
    }
    list(
        out,
        "tiers",
        p.tiers.iter().map(|t| {
            format!("{{ above_input_tokens = {}, rates = {} }}", t.above_input_tokens, inline_rates(&t.rates))
        }),
    );
    list(
        out,
        "windows",
        p.windows.iter().map(|w| {
            let days =
                if w.weekdays.is_empty() { String::new() } else { format!(" weekdays = {:?},", w.weekdays) };
            format!(
                "{{ start_utc = {}, end_utc = {},{days} rates = {} }}",
                quoted(&w.start_utc),
                quoted(&w.end_utc),
                inline_rates(&w.rates)
            )
        }),
    );
    if let Some(cite) = &p.cite {
        let _ = writeln!(out, "cite = {}", inline_cite(cite));
    }
}

fn list(out: &mut String, key: &str, items: impl ExactSizeIterator<Item = String>) {
    if items.len() == 0 {
        return;
    }
    let _ = writeln!(out, "{key} = [");
    for item in items {
        let _ = writeln!(out, "    {item},");
    }
    out.push_str("]\n");
}

fn inline_rates(rates: &Rates) -> String {
    let fields: Vec<String> = [
        ("input_per_mtok", rates.input_per_mtok),
        ("output_per_mtok", rates.output_per_mtok),
        ("cache_read_per_mtok", rates.cache_read_per_mtok),
        ("cache_write_per_mtok", rates.cache_write_per_mtok),
        ("reasoning_per_mtok", rates.reasoning_per_mtok),
    ]
    .into_iter()
    .filter_map(|(key, value)| value.map(|v| format!("{key} = {v}")))
    .collect();
    format!("{{ {} }}", fields.join(", "))
}

fn inline_cite(cite: &Cite) -> String {
    let mut fields =
        format!("source = {}, as_of = {}", quoted(&cite.source), quoted(&cite.as_of.to_string()));
    if let Some(derived) = &cite.derived {
        let _ = write!(fields, ", derived = {}", quoted(derived));
    }
    format!("{{ {fields} }}")
}

fn text(out: &mut String, key: &str, value: Option<&str>) {
    if let Some(value) = value {
        let _ = writeln!(out, "{key} = {}", quoted(value));
    }
}

fn plain(out: &mut String, key: &str, value: Option<impl std::fmt::Display>) {
    if let Some(value) = value {
        let _ = writeln!(out, "{key} = {value}");
    }
}

fn key(name: &str) -> String {
    let bare = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
    if bare { name.to_owned() } else { quoted(name) }
}

/// A TOML basic string; the text may contain anything.
fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            c if c.is_control() => {
                let _ = write!(out, "\\u{:04X}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
