//! A provider's usage record → [`Usage`] (wire.md section 11 of the notes: whether cached and
//! reasoning tokens are inside or outside the main counts differs by provider).
//!
//! A record that cannot be true (negative, fractional, larger than 2^53, more cached than input,
//! more reasoning than output) is rejected as a whole: its counts are unknown, never 0.

use super::event::Usage;
use serde_json::Value;

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

/// The first of several places that holds a count.
fn first(usage: &Value, places: &[&str]) -> Count {
    for place in places {
        if let Some(n) = count(usage.pointer(place))? {
            return Ok(Some(n));
        }
    }
    Ok(None)
}

/// Longest record that is kept as it came, bytes.
const LARGEST_RAW: usize = 4096;

fn checked(usage: &Value, read: impl FnOnce() -> Result<Usage, Rejected>) -> Usage {
    let raw = (usage.to_string().len() <= LARGEST_RAW).then(|| usage.clone());
    let read = read().unwrap_or(Usage { inconsistent: true, ..Usage::default() });
    Usage { raw, special_tier: tier(usage.get("service_tier")), ..read }
}

/// A tier with prices of its own; the words for the standard one differ by provider.
pub fn tier(served: Option<&Value>) -> Option<String> {
    let name = served?.as_str()?;
    (!matches!(name, "default" | "standard" | "auto" | "on_demand")).then(|| name.chars().take(40).collect())
}

/// What the provider says it charges: `OpenRouter` in USD, xAI in ticks of 10^-10 USD
/// (<https://docs.x.ai/developers/cost-tracking>).
fn stated_cost(usage: &Value) -> Option<f64> {
    let ticks = || usage.get("cost_in_usd_ticks").and_then(Value::as_f64).map(|ticks| ticks / 1e10);
    usage.get("cost").and_then(Value::as_f64).or_else(ticks).filter(|c| c.is_finite() && *c >= 0.0)
}

/// Input that contains its cached and cache-writing parts.
fn rest_of_input(input: Option<u64>, read: Option<u64>, write: Option<u64>) -> Count {
    input.map(|all| all.checked_sub(read.unwrap_or(0) + write.unwrap_or(0)).ok_or(Rejected)).transpose()
}

/// `OpenAI`'s two shapes: the details are parts of the main counts.
fn openai(
    usage: &Value,
    input: &str,
    output: &str,
    cached: &[&str],
    write: &[&str],
    reasoning: &[&str],
) -> Usage {
    checked(usage, || {
        let all_input = first(usage, &[input])?;
        let mut all_output = first(usage, &[output])?;
        let cache_read = first(usage, cached)?;
        let cache_write = first(usage, write)?;
        let reasoning = first(usage, reasoning)?;
        let total = first(usage, &["/total_tokens"])?;
        let mut inconsistent = false;
        if let (Some(i), Some(o), Some(total)) = (all_input, all_output, total)
            && i + o != total
        {
            // xAI leaves reasoning out of the completion count; the total tells.
            let thoughts = reasoning.unwrap_or(0);
            if i + o + thoughts == total {
                all_output = Some(o + thoughts);
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

/// Chat completions, and the places compatible servers put the same counts.
pub fn openai_chat(usage: &Value) -> Usage {
    openai(
        usage,
        "/prompt_tokens",
        "/completion_tokens",
        &["/prompt_tokens_details/cached_tokens", "/prompt_cache_hit_tokens", "/cached_tokens"],
        &["/prompt_tokens_details/cache_write_tokens"],
        &["/completion_tokens_details/reasoning_tokens", "/reasoning_tokens"],
    )
}

/// The Responses API.
pub fn openai_responses(usage: &Value) -> Usage {
    openai(
        usage,
        "/input_tokens",
        "/output_tokens",
        &["/input_tokens_details/cached_tokens"],
        &["/input_tokens_details/cache_write_tokens"],
        &["/output_tokens_details/reasoning_tokens"],
    )
}

/// Anthropic: the input count leaves cache reads and writes out, the output count has thinking in.
pub fn anthropic(usage: &Value) -> Usage {
    checked(usage, || {
        let output = first(usage, &["/output_tokens"])?;
        let reasoning = first(usage, &["/output_tokens_details/thinking_tokens"])?;
        if matches!((reasoning, output), (Some(r), Some(o)) if r > o) {
            return Err(Rejected);
        }
        Ok(Usage {
            input_uncached: first(usage, &["/input_tokens"])?,
            cache_read: first(usage, &["/cache_read_input_tokens"])?,
            cache_write: first(usage, &["/cache_creation_input_tokens"])?,
            output,
            reasoning,
            cache_write_1h: first(usage, &["/cache_creation/ephemeral_1h_input_tokens"])?.filter(|n| *n > 0),
            ..Usage::default()
        })
    })
}

/// Gemini: the candidates' count leaves thoughts out; a count that is absent although text came is
/// unknown, and 0 where none came.
pub fn gemini(usage: &Value, text_came: bool) -> Usage {
    checked(usage, || {
        let prompt = first(usage, &["/promptTokenCount"])?;
        let cached = first(usage, &["/cachedContentTokenCount"])?;
        let tool = first(usage, &["/toolUsePromptTokenCount"])?.unwrap_or(0);
        let thoughts = first(usage, &["/thoughtsTokenCount"])?;
        let visible = first(usage, &["/candidatesTokenCount"])?.or(if text_came { None } else { Some(0) });
        let output = visible.map(|v| v + thoughts.unwrap_or(0));
        let total = first(usage, &["/totalTokenCount"])?;
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

/// Ollama: both counts may be missing, the input's where the prompt was cached.
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
    fn anthropic_input_excludes_the_cache_and_openai_includes_it() {
        let a = anthropic(&json!({"input_tokens": 1, "cache_read_input_tokens": 31, "output_tokens": 4}));
        assert_eq!((a.input_uncached, a.cache_read), (Some(1), Some(31)));
        let o = openai_chat(&json!({"prompt_tokens": 32, "completion_tokens": 4, "total_tokens": 36,
            "prompt_tokens_details": {"cached_tokens": 31}}));
        assert_eq!((o.input_uncached, o.cache_read), (Some(1), Some(31)));
    }
}
