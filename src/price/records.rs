//! What usage records cost at the prices of their days. A record without a model of the catalogue, a day
//! or a rate has no price, and nothing stands in for it.

use super::{Class, Schedule, Usage};
use crate::catalog::{ApiModel, Catalog, Resolution};
use crate::usage::Priced;
use crate::usage::record::Tier;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use std::collections::{BTreeMap, HashMap};

/// What a cache write that lives an hour costs, as a multiple of the input rate: Anthropic's rule for all
/// of its models (<https://platform.claude.com/docs/en/build-with-claude/prompt-caching>, read in 2026-11);
/// the catalogue holds the rate of writes that live five minutes.
const HOUR_WRITE: f64 = 2.0;
/// Tokens of a prompt that is past every context tier, and of one that is in none.
const LONG: f64 = 1e8;
const SHORT: f64 = 1.0;

/// Prices usage records at the catalogue's rates of their day, and remembers which catalogue model each
/// logged name was taken for.
#[derive(Debug)]
pub struct PricesOfTheDay<'c> {
    catalog: &'c Catalog,
    models: HashMap<(&'static str, String), Option<&'c ApiModel>>,
    /// Model name in the usage records → id of the catalogue model it was taken for.
    taken: BTreeMap<String, String>,
}

impl<'c> PricesOfTheDay<'c> {
    /// Prices from this catalogue; no name has been seen yet.
    pub fn new(catalog: &'c Catalog) -> Self {
        Self { catalog, models: HashMap::new(), taken: BTreeMap::new() }
    }

    /// Model names as the usage records write them, each with the id of the catalogue model it was taken
    /// for: found by its id, by an alias, or without the date in its name.
    pub const fn taken(&self) -> &BTreeMap<String, String> {
        &self.taken
    }

    /// US dollars for a record, or `None` where its model, its day or a rate is not known.
    pub fn charge(&mut self, record: &Priced) -> Option<f64> {
        let model = self.model(record.source, record.model)?;
        let when = record.when?;
        let at = Timestamp::from_second(when.start).ok()?.to_zoned(TimeZone::UTC);
        let period = model.price_on(at.date()).filter(|p| p.currency == "USD")?;
        let factor = match record.tier {
            Tier::Standard => 1.0,
            Tier::Batch => period.batch_multiplier?,
            // These service tiers have prices of their own, which the catalogue does not hold.
            Tier::Priority | Tier::Flex | Tier::Fast => return None,
        };
        let schedule = Schedule::of(period, model.reasoning, 1.0);
        // Of a bucket wider than an hour nobody knows the hour of its requests.
        let minute = (when.span <= 3600).then(|| {
            let day = i32::from(at.weekday().to_monday_zero_offset());
            u16::try_from(day * 1440 + i32::from(at.hour()) * 60 + i32::from(at.minute())).ok()
        });
        let minute = minute.flatten();
        let all = usage(record);
        // A context tier is decided by the size of one request: in a bucket by the mean size, or by what
        // the bucket says of itself.
        let requests = match (record.single, record.long_context, record.requests) {
            (true, _, _) => 1.0,
            (false, Some(long), _) => all.prompt().max(1.0) / if long { LONG } else { SHORT },
            (false, None, Some(n)) => (n as f64).max(1.0),
            (false, None, None) => {
                // Nobody knows: a price only if it is the same for short and long prompts.
                let times = |size: f64| all.prompt().max(1.0) / size;
                let cost =
                    |n: f64| charge(&schedule, &part(&all, n), minute, record, model).map(|usd| usd * n);
                let (short, long) = (cost(times(SHORT))?, cost(times(LONG))?);
                return ((short - long).abs() <= short.abs() * 1e-9).then_some(short * factor);
            }
        };
        Some(charge(&schedule, &part(&all, requests), minute, record, model)? * requests * factor)
    }

    fn model(&mut self, source: &'static str, name: &str) -> Option<&'c ApiModel> {
        if let Some(known) = self.models.get(&(source, name.to_owned())) {
            return *known;
        }
        let found = self.resolve(source, name);
        if let Some(model) = found {
            self.taken.insert(name.to_owned(), model.id.clone());
        }
        self.models.insert((source, name.to_owned()), found);
        found
    }

    fn resolve(&self, source: &str, name: &str) -> Option<&'c ApiModel> {
        let wire = name.rsplit_once("/models/").map_or(name, |(_, wire)| wire);
        let names = [Some(wire), undated(wire)];
        for wire in names.into_iter().flatten() {
            let served = provider(source, wire).and_then(|provider| self.catalog.served_as(provider, wire));
            if let Some(found) = served.or_else(|| self.catalog.resolve_api_model(wire).ok()) {
                return Some(match found {
                    Resolution::Exact(model) | Resolution::Alias { model, .. } => model,
                });
            }
        }
        None
    }
}

/// The provider whose prices apply to a model that a source logs.
fn provider(source: &str, model: &str) -> Option<&'static str> {
    let of_name = |model: &str| {
        let begins = |words: &[&str]| words.iter().any(|w| model.starts_with(w));
        match model {
            _ if begins(&["claude"]) => Some("anthropic"),
            _ if begins(&["gpt-", "o1", "o3", "o4", "chatgpt"]) && !begins(&["gpt-oss"]) => Some("openai"),
            _ if begins(&["gemini"]) => Some("google"),
            _ => None,
        }
    };
    match source {
        "codex-cli" | "openai-usage-api" | "openai-dashboard-csv" => Some("openai"),
        "anthropic-usage-api" | "anthropic-console-csv" => Some("anthropic"),
        "gemini-cli" | "vertex-request-log" => Some("google"),
        "deepseek-amount-csv" => Some("deepseek"),
        "openrouter-activity-csv" | "openrouter-activity-api" => Some("openrouter"),
        "bedrock-invocation-log" => Some("aws"),
        _ => of_name(model),
    }
}

/// A model name without the date at its end (`gpt-5.6-2026-06-01`, `claude-sonnet-4-20250514`); `None`
/// where it ends in no date.
fn undated(name: &str) -> Option<&str> {
    let digits = |text: &str, groups: &[usize]| {
        let parts: Vec<&str> = text.split('-').collect();
        parts.len() == groups.len()
            && parts.iter().zip(groups).all(|(p, n)| p.len() == *n && p.bytes().all(|b| b.is_ascii_digit()))
    };
    [(10, &[4, 2, 2][..]), (8, &[8])].into_iter().find_map(|(length, groups)| {
        let start = name.len().checked_sub(length)?;
        let (front, day) = name.split_at_checked(start)?;
        front.strip_suffix('-').filter(|_| digits(day, groups))
    })
}

fn usage(record: &Priced) -> Usage {
    let t = record.tokens;
    Usage {
        uncached: t.input as f64,
        cache_read: t.cache_read as f64,
        cache_write: t.cache_write() as f64,
        output: t.output.saturating_sub(t.reasoning) as f64,
        reasoning: t.reasoning.min(t.output) as f64,
    }
}

fn part(usage: &Usage, of: f64) -> Usage {
    Usage {
        uncached: usage.uncached / of,
        cache_read: usage.cache_read / of,
        cache_write: usage.cache_write / of,
        output: usage.output / of,
        reasoning: usage.reasoning / of,
    }
}

/// What one request costs, in US dollars. Cache writes that live an hour have their own price where the
/// provider has a rule for it.
fn charge(
    schedule: &Schedule,
    usage: &Usage,
    minute: Option<u16>,
    record: &Priced,
    model: &ApiModel,
) -> Option<f64> {
    let hour = record.tokens.cache_write_1h as f64;
    let all_writes = record.tokens.cache_write() as f64;
    if hour == 0.0 || all_writes == 0.0 {
        return schedule.at(usage, minute)?.ok().map(|charge| charge.total());
    }
    if model.provider != "anthropic" && !model.model.contains("claude") {
        return None;
    }
    let charge = schedule.at(usage, minute)?.ok()?;
    // The input rate of this very tier: the same prompt, all of it plain input.
    let plain = Usage { uncached: usage.prompt(), ..Usage::default() };
    let rate = schedule.at(&plain, minute)?.ok()?.total() / usage.prompt();
    let share = hour / all_writes;
    let written = charge.part(Class::CacheWrite);
    Some(charge.total() - written * share + usage.cache_write * share * rate * HOUR_WRITE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::usage::record::{Tokens, When};

    fn catalog() -> Catalog {
        Catalog::embedded()
    }

    fn priced<'a>(source: &'static str, model: &'a str, tokens: &'a Tokens) -> Priced<'a> {
        Priced {
            source,
            model,
            when: Some(When::at(1_788_771_600)),
            requests: Some(1),
            single: true,
            tokens,
            tier: Tier::Standard,
            long_context: None,
        }
    }
    fn near(left: Option<f64>, right: f64) {
        assert!(left.is_some_and(|left| (left / right - 1.0).abs() < 1e-9), "{left:?} {right}");
    }

    /// Rates of the record: 3, 15, 0.3 and 3.75 USD a million; an hour's write costs twice the input.
    #[test]
    fn a_record_costs_what_its_day_says() {
        let catalog = catalog();
        let mut prices = PricesOfTheDay::new(&catalog);
        let tokens = Tokens {
            input: 1_000,
            cache_read: 10_000,
            cache_write_5m: 400,
            cache_write_1h: 600,
            output: 2_000,
            ..Tokens::default()
        };
        let usd = (1_000.0 * 3.0 + 10_000.0 * 0.3 + 400.0 * 3.75 + 600.0 * 6.0 + 2_000.0 * 15.0) / 1e6;
        near(prices.charge(&priced("claude-code", "claude-sonnet-4-20250514", &tokens)), usd);
        assert_eq!(
            prices.taken().get("claude-sonnet-4-20250514").map(String::as_str),
            Some("anthropic/claude-sonnet-4-0")
        );
        let unknown = priced("claude-code", "brand-new-model-9", &tokens);
        assert_eq!(prices.charge(&unknown), None);
        let undated = Priced { when: None, ..priced("claude-code", "claude-sonnet-4-0", &tokens) };
        assert_eq!(prices.charge(&undated), None);
        let fast = Priced { tier: Tier::Fast, ..priced("claude-code", "claude-sonnet-4-0", &tokens) };
        assert_eq!(prices.charge(&fast), None);
    }

    #[test]
    fn tiers_go_by_the_request_and_not_by_the_bucket() {
        let catalog = catalog();
        let mut prices = PricesOfTheDay::new(&catalog);
        let name = "claude-sonnet-4-5-20250929";
        let tokens = Tokens { input: 1_000_000, ..Tokens::default() };
        let of = |requests, single, long_context| Priced {
            requests,
            single,
            long_context,
            ..priced("anthropic-usage-api", name, &tokens)
        };
        near(prices.charge(&of(Some(1), true, None)), 6.0);
        near(prices.charge(&of(Some(100), false, None)), 3.0);
        near(prices.charge(&of(None, false, Some(false))), 3.0);
        near(prices.charge(&of(None, false, Some(true))), 6.0);
        // Neither the number of requests nor the tier is known, and the two prices differ.
        assert_eq!(prices.charge(&of(None, false, None)), None);
        let batch = Priced { tier: Tier::Batch, ..of(Some(100), false, None) };
        near(prices.charge(&batch), 1.5);
    }

    #[test]
    fn days_are_taken_off_names_only_where_they_are_days() {
        assert_eq!(undated("gpt-5.6-2026-06-01"), Some("gpt-5.6"));
        assert_eq!(undated("claude-sonnet-4-20250514"), Some("claude-sonnet-4"));
        for name in ["gpt-5.6", "2026-06-01", "x-20261", "modèle"] {
            assert_eq!(undated(name), None, "{name}");
        }
    }
}
