//! Reads a provider's usage record into [`Usage`]. Whether cached and reasoning tokens are inside or
//! outside the main counts differs by provider.
//!
//! A record that cannot be true (negative, fractional, larger than 2^53, more cached than input,
//! more reasoning than output) is rejected as a whole: its counts are unknown, never 0.
//!
//! Where a stream has several records, each states the counts so far: a later one replaces what it names,
//! but neither a null nor a 0 takes back an earlier count ([`Ledger`]). Where one count has several names,
//! the first that is not 0 counts.

use super::event::Usage;
use serde_json::{Map, Value};

/// The usage records of one answer, merged.
#[derive(Debug, Default)]
pub struct Ledger(Map<String, Value>);

impl Ledger {
    /// Adds a record that names what changed; returns the counts so far.
    pub fn add(&mut self, record: &Value) -> Value {
        if let Value::Object(record) = record {
            lay_over(&mut self.0, record);
        }
        Value::Object(self.0.clone())
    }

    /// One more record, which states all counts anew: what it does not name is not known any more.
    pub fn renew(&mut self, record: &Value) -> Value {
        if let Value::Object(record) = record
            && !record.is_empty()
        {
            let mut named = std::mem::take(&mut self.0);
            named.retain(|name, _| record.contains_key(name));
            lay_over(&mut named, record);
            self.0 = named;
        }
        Value::Object(self.0.clone())
    }
}

fn lay_over(below: &mut Map<String, Value>, above: &Map<String, Value>) {
    for (name, value) in above {
        let nothing = value.is_null() || value.as_f64() == Some(0.0);
        match (below.get_mut(name), value) {
            (Some(Value::Object(below)), Value::Object(above)) => lay_over(below, above),
            (Some(there), _) if nothing && !there.is_null() => {}
            _ => {
                below.insert(name.clone(), value.clone());
            }
        }
    }
}

const LARGEST: u64 = 1 << 53;

/// The record cannot be true.
struct Rejected;
type Count = Result<Option<u64>, Rejected>;

fn count(value: Option<&Value>) -> Count {
    match value {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Number(n)) => {
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
            let whole = n.as_u64().or_else(|| {
                n.as_f64().filter(|f| f.fract() == 0.0 && (0.0..9e15).contains(f)).map(|f| f as u64)
            });
            whole.filter(|n| *n <= LARGEST).map(Some).ok_or(Rejected)
        }
        Some(_) => Err(Rejected),
    }
}

/// The count at the first of several places that has one above 0; 0 where one place has 0 and none has
/// more.
fn first(usage: &Value, places: &[&str]) -> Count {
    let mut found = None;
    for place in places {
        match count(usage.pointer(place))? {
            Some(0) => found = Some(0),
            Some(n) => return Ok(Some(n)),
            None => {}
        }
    }
    Ok(found)
}

/// Most bytes of a record that are kept as it came.
const LARGEST_RAW: usize = 4096;

fn checked(usage: &Value, read: impl FnOnce() -> Result<Usage, Rejected>) -> Usage {
    let raw = (usage.to_string().len() <= LARGEST_RAW).then(|| usage.clone());
    let read = read().unwrap_or(Usage { inconsistent: true, ..Usage::default() });
    Usage { raw, special_tier: tier(usage.get("service_tier")), ..read }
}

/// The service tier, if it has prices of its own; the names of the standard one differ by provider.
pub fn tier(served: Option<&Value>) -> Option<String> {
    let name = served?.as_str()?;
    (!matches!(name, "default" | "standard" | "auto" | "on_demand")).then(|| name.chars().take(40).collect())
}

/// US dollars that the provider says it charges: `OpenRouter` in USD, xAI in ticks of 10^-10 USD
/// (<https://docs.x.ai/developers/cost-tracking>). For a call with the user's own key `OpenRouter` states
/// its fee, and beside it what the provider behind it charges to that key.
fn stated_cost(usage: &Value) -> Option<f64> {
    let amount = |place: &str| usage.pointer(place).and_then(Value::as_f64);
    let ticks = || amount("/cost_in_usd_ticks").map(|ticks| ticks / 1e10);
    let fee = amount("/cost").or_else(ticks)?;
    let own_key = usage.get("is_byok").and_then(Value::as_bool) == Some(true);
    let parts = || {
        let part = |name: &str| amount(&format!("/cost_details/upstream_inference_{name}"));
        Some(part("prompt_cost")? + part("completions_cost")?)
    };
    let upstream = amount("/cost_details/upstream_inference_cost").filter(|c| *c != 0.0);
    let cost = if own_key { fee + upstream.or_else(parts)? } else { fee };
    Some(cost).filter(|c| c.is_finite() && *c >= 0.0)
}

/// The uncached input, of a count that includes cache reads and writes.
fn rest_of_input(input: Option<u64>, read: Option<u64>, write: Option<u64>) -> Count {
    input.map(|all| all.checked_sub(read.unwrap_or(0) + write.unwrap_or(0)).ok_or(Rejected)).transpose()
}

/// `OpenAI`'s two formats: the details are parts of the main counts.
fn openai(
    usage: &Value,
    input: &[&str],
    output: &[&str],
    cached: &[&str],
    write: &[&str],
    reasoning: &[&str],
) -> Usage {
    checked(usage, || {
        let mut all_input = first(usage, input)?;
        let mut all_output = first(usage, output)?;
        let cache_read = first(usage, cached)?;
        let cache_write = first(usage, write)?;
        let reasoning = first(usage, reasoning)?;
        // A total of 0 is none.
        let total = first(usage, &["/total_tokens"])?.filter(|n| *n > 0);
        let mut inconsistent = false;
        if let (Some(i), Some(o), Some(total)) = (all_input, all_output, total)
            && i + o != total
        {
            // xAI leaves reasoning out of the completion count, and some gateways before Anthropic leave out of
            // the prompt's what a cache held; the total shows it.
            let thoughts = reasoning.unwrap_or(0);
            let beside = cache_read.unwrap_or(0) + cache_write.unwrap_or(0);
            if i + o + thoughts == total {
                all_output = Some(o + thoughts);
            } else if beside > 0 && i + beside + o == total {
                all_input = Some(i + beside);
            } else {
                inconsistent = true;
            }
        }
        if matches!((reasoning, all_output), (Some(r), Some(o)) if r > o) {
            return Err(Rejected);
        }
        Ok(Usage {
            input_uncached: rest_of_input(all_input, cache_read, cache_write)?,
            cache_read,
            cache_write,
            output: all_output,
            reasoning,
            provider_cost_usd: stated_cost(usage),
            inconsistent,
            ..Usage::default()
        })
    })
}

/// Paths of the tokens read from a cache, and of those written to one, under all names in use.
const CACHE_READ: &[&str] = &[
    "/prompt_tokens_details/cached_tokens",
    "/input_tokens_details/cached_tokens",
    "/prompt_cache_hit_tokens",
    "/cached_tokens",
    "/cache_read_input_tokens",
];
const CACHE_WRITE: &[&str] = &[
    "/prompt_tokens_details/cache_write_tokens",
    "/input_tokens_details/cache_write_tokens",
    "/prompt_tokens_details/cache_creation_tokens",
    "/cache_creation_input_tokens",
];
const REASONING: &[&str] = &[
    "/completion_tokens_details/reasoning_tokens",
    "/output_tokens_details/reasoning_tokens",
    "/reasoning_tokens",
];

/// Chat completions, and the paths where compatible servers put the same counts.
pub fn openai_chat(usage: &Value) -> Usage {
    let (input, output) = (["/prompt_tokens", "/input_tokens"], ["/completion_tokens", "/output_tokens"]);
    openai(usage, &input, &output, CACHE_READ, CACHE_WRITE, REASONING)
}

/// The same record with what the server itself says of its cache: tokens that were in it, of so many.
pub fn with_cached(usage: Usage, cached: Option<(u64, u64)>) -> Usage {
    match (cached, usage.input_uncached) {
        (Some((cached, all)), Some(input)) if input == all && usage.cache_read.unwrap_or(0) == 0 => {
            Usage { cache_read: Some(cached), input_uncached: Some(all - cached), ..usage }
        }
        _ => usage,
    }
}

/// The Responses API.
pub fn openai_responses(usage: &Value) -> Usage {
    let (input, output) = (["/input_tokens", "/prompt_tokens"], ["/output_tokens", "/completion_tokens"]);
    openai(usage, &input, &output, CACHE_READ, CACHE_WRITE, REASONING)
}

/// Anthropic: the input count excludes cache reads and writes, the output count includes thinking.
pub fn anthropic(usage: &Value) -> Usage {
    checked(usage, || {
        let output = first(usage, &["/output_tokens"])?;
        let reasoning = first(usage, &["/output_tokens_details/thinking_tokens"])?;
        if matches!((reasoning, output), (Some(r), Some(o)) if r > o) {
            return Err(Rejected);
        }
        let hour = first(usage, &["/cache_creation/ephemeral_1h_input_tokens"])?;
        let minutes = first(usage, &["/cache_creation/ephemeral_5m_input_tokens"])?;
        let parts = hour.unwrap_or(0) + minutes.unwrap_or(0);
        let written = first(usage, &["/cache_creation_input_tokens"])?;
        Ok(Usage {
            input_uncached: first(usage, &["/input_tokens"])?,
            cache_read: first(usage, &["/cache_read_input_tokens"])?,
            cache_write: written.filter(|n| *n > 0).or(Some(parts).filter(|n| *n > 0)).or(written),
            output,
            reasoning,
            cache_write_1h: hour.filter(|n| *n > 0),
            ..Usage::default()
        })
    })
}

/// Gemini: the candidates' count excludes thoughts. An absent count is unknown where text came, and 0 where
/// none did.
pub fn gemini(usage: &Value, text_came: bool) -> Usage {
    checked(usage, || {
        let prompt = first(usage, &["/promptTokenCount"])?;
        let cached = first(usage, &["/cachedContentTokenCount", "/cacheTokensDetails/0/tokenCount"])?;
        let tool = first(usage, &["/toolUsePromptTokenCount"])?.unwrap_or(0);
        let thoughts = first(usage, &["/thoughtsTokenCount"])?;
        let visible = first(usage, &["/candidatesTokenCount"])?.or(if text_came { None } else { Some(0) });
        let total = first(usage, &["/totalTokenCount"])?.filter(|n| *n > 0);
        // A gateway may count the thoughts among the candidates; the total tells.
        let within = |v: u64| thoughts.is_some_and(|t| t <= v) && prompt.map(|p| p + tool + v) == total;
        let output = visible.map(|v| if within(v) { v } else { v + thoughts.unwrap_or(0) });
        let sum = prompt.zip(output).map(|(p, o)| p + tool + o);
        Ok(Usage {
            input_uncached: rest_of_input(prompt, cached, None)?.map(|rest| rest + tool),
            cache_read: cached,
            cache_write: None,
            output,
            reasoning: thoughts,
            inconsistent: matches!((sum, total), (Some(s), Some(t)) if s != t),
            ..Usage::default()
        })
    })
}

/// Ollama: both counts may be missing, that of the input where the prompt was cached.
pub fn ollama(line: &Value) -> Usage {
    let counts = || {
        let (input, output) = (first(line, &["/prompt_eval_count"])?, first(line, &["/eval_count"])?);
        Ok(Usage { input_uncached: input, output, ..Usage::default() })
    };
    counts().unwrap_or_else(|Rejected| Usage { inconsistent: true, ..Usage::default() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn xai_leaves_reasoning_out_and_the_total_tells() {
        let usage = openai_chat(&json!({"prompt_tokens": 12, "completion_tokens": 1, "total_tokens": 303,
            "completion_tokens_details": {"reasoning_tokens": 290}}));
        assert_eq!((usage.output, usage.reasoning, usage.inconsistent), (Some(291), Some(290), false));
    }

    #[test]
    fn what_the_provider_charges_is_read_in_its_unit() {
        let cost = |usage| openai_chat(&usage).provider_cost_usd;
        let counts = json!({"prompt_tokens": 1, "completion_tokens": 1});
        let with = |name: &str, value: Value| {
            let mut usage = counts.clone();
            usage[name] = value;
            usage
        };
        assert_eq!(cost(with("cost_in_usd_ticks", json!(37_756_000))), Some(0.003_775_6));
        assert_eq!(cost(with("cost", json!(0.25))), Some(0.25));
        for bad in [json!(-1), json!("1"), json!({"total_cost": 1}), Value::Null] {
            assert_eq!(cost(with("cost", bad)), None);
        }
        assert_eq!(openai_chat(&with("service_tier", json!("flex"))).special_tier.as_deref(), Some("flex"));
        assert_eq!(openai_chat(&with("service_tier", json!("default"))).special_tier, None);
    }

    #[test]
    fn the_users_own_key_is_billed_by_the_provider_behind() {
        let cost = |usage| openai_chat(&usage).provider_cost_usd;
        let near = |a: Option<f64>, b: f64| a.is_some_and(|a| (a - b).abs() < 1e-12);
        let call = |fee: f64, own: bool, upstream: Value| json!({"cost": fee, "is_byok": own, "cost_details": upstream});
        assert!(near(cost(call(0.0, true, json!({"upstream_inference_cost": 0.036}))), 0.036));
        assert!(near(cost(call(0.002, true, json!({"upstream_inference_cost": 0.036}))), 0.038));
        let parts = json!({"upstream_inference_cost": null, "upstream_inference_prompt_cost": 0.03, "upstream_inference_completions_cost": 0.01});
        assert!(near(cost(call(0.0, true, parts.clone())), 0.04));
        assert!(near(cost(call(0.05, false, parts)), 0.05), "the parts of a call that it charges itself");
        assert_eq!(cost(call(0.0, true, json!({}))), None, "what the other one charges is not known");
    }

    #[test]
    fn a_later_zero_takes_nothing_back() {
        let mut ledger = Ledger::default();
        ledger.add(&json!({"input_tokens": 1500, "output_tokens": 1, "details": {"cached": 5}, "tier": "x"}));
        let last = ledger
            .add(&json!({"input_tokens": 0, "output_tokens": 16, "details": {"cached": 0}, "tier": null}));
        assert_eq!(
            last,
            json!({"input_tokens": 1500, "output_tokens": 16, "details": {"cached": 5}, "tier": "x"})
        );
        assert_eq!(ledger.add(&json!({})), last);
        let mut ledger = Ledger::default();
        ledger.renew(&json!({"prompt": 9, "candidates": 7, "total": 16}));
        let last = json!({"prompt": 9, "thoughts": 78, "total": 87});
        assert_eq!(ledger.renew(&last), last, "the candidates are not known any more");
        assert_eq!(ledger.renew(&json!({"prompt": 0, "thoughts": 78, "total": 87})), last);
        assert_eq!(ledger.renew(&json!({})), last);
        let mut ledger = Ledger::default();
        ledger.add(&json!({"output_tokens": 0}));
        assert_eq!(
            ledger.add(&json!({"output_tokens": null})),
            json!({"output_tokens": 0}),
            "nothing is 0 here"
        );
    }

    #[test]
    fn of_two_names_for_a_count_the_one_above_zero_holds() {
        let usage = json!({"prompt_tokens": 100, "completion_tokens": 2, "total_tokens": 102, "prompt_cache_hit_tokens": 64,
            "prompt_tokens_details": {"cached_tokens": 0}});
        let read = openai_chat(&usage);
        assert_eq!((read.cache_read, read.input_uncached), (Some(64), Some(36)));
        let none = json!({"prompt_tokens": 100, "completion_tokens": 2, "prompt_tokens_details": {"cached_tokens": 0}});
        assert_eq!(openai_chat(&none).cache_read, Some(0));
        let write =
            anthropic(&json!({"input_tokens": 1, "output_tokens": 1, "cache_creation_input_tokens": 0,
            "cache_creation": {"ephemeral_5m_input_tokens": 400, "ephemeral_1h_input_tokens": 0}}));
        assert_eq!((write.cache_write, write.cache_write_1h), (Some(400), None));
    }

    #[test]
    fn impossible_counts_are_unknown_not_zero() {
        for bad in [json!(-1), json!(2.5), json!(1e20), json!("7"), json!(u64::MAX), json!([])] {
            let usage = openai_chat(&json!({"prompt_tokens": 5, "completion_tokens": bad}));
            assert_eq!((usage.output, usage.input_uncached, usage.inconsistent), (None, None, true), "{bad}");
        }
        let more_cached = json!({"prompt_tokens": 5, "completion_tokens": 1,
            "prompt_tokens_details": {"cached_tokens": 6}});
        assert_eq!(openai_chat(&more_cached).output, None);
        assert_eq!(openai_chat(&json!({"prompt_tokens": 5, "completion_tokens": null})).output, None);
    }

    #[test]
    fn the_total_tells_what_is_beside_and_what_is_within() {
        let beside = openai_chat(&json!({"prompt_tokens": 176, "completion_tokens": 2, "total_tokens": 1202,
            "prompt_tokens_details": {"cached_tokens": 1024}}));
        let counts = (beside.input_uncached, beside.cache_read, beside.output, beside.inconsistent);
        assert_eq!(counts, (Some(176), Some(1024), Some(2), false));
        let none = openai_chat(&json!({"prompt_tokens": 12, "completion_tokens": 2, "total_tokens": 0}));
        assert_eq!((none.output, none.inconsistent), (Some(2), false));
        let within = gemini(
            &json!({"promptTokenCount": 12, "candidatesTokenCount": 7, "thoughtsTokenCount": 5,
            "totalTokenCount": 19}),
            true,
        );
        assert_eq!((within.output, within.reasoning, within.inconsistent), (Some(7), Some(5), false));
    }

    #[test]
    fn a_servers_own_cache_count_fills_in_where_the_record_has_none() {
        let read = |usage| with_cached(openai_chat(&usage), Some((1100, 1200)));
        let filled = read(json!({"prompt_tokens": 1200, "completion_tokens": 2}));
        assert_eq!((filled.input_uncached, filled.cache_read), (Some(100), Some(1100)));
        let stated = read(json!({"prompt_tokens": 1200, "completion_tokens": 2,
            "prompt_tokens_details": {"cached_tokens": 64}}));
        assert_eq!(stated.cache_read, Some(64));
        let other = read(json!({"prompt_tokens": 900, "completion_tokens": 2}));
        assert_eq!(other.cache_read, None, "of another prompt");
    }

    #[test]
    fn anthropic_input_excludes_the_cache_and_openai_includes_it() {
        let a = anthropic(&json!({"input_tokens": 1, "cache_read_input_tokens": 31, "output_tokens": 4}));
        assert_eq!((a.input_uncached, a.cache_read), (Some(1), Some(31)));
        let o = openai_chat(&json!({"prompt_tokens": 32, "completion_tokens": 4, "total_tokens": 36,
            "prompt_tokens_details": {"cached_tokens": 31}}));
        assert_eq!((o.input_uncached, o.cache_read), (Some(1), Some(31)));
    }
}
