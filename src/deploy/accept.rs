//! The command with which a deployment is accepted, and prompts of the need's length.

use super::input::{Deployment, Limits, Served};
use super::quote;
use crate::capacity::Engine;
use std::fmt::Write as _;

/// Place of the prompts in the folder.
pub(super) const PROMPTS: &str = "accept/prompts.jsonl";
/// Number of prompts: below 20 there is no verdict on quality, and more take longer.
const NUMBER: usize = 20;
/// English words per token, by the usual rule of thumb.
const WORDS_PER_TOKEN: f64 = 0.75;
/// Longest generated prompt, tokens.
const LONGEST: f64 = 32_768.0;

/// The provider of `bench` for an engine, and the port on which recipes serve.
pub(super) const fn provider(engine: Engine) -> (&'static str, u16) {
    match engine {
        Engine::LlamaCpp => ("llama-server", 8080),
        Engine::Vllm => ("vllm", 8000),
        Engine::Sglang => ("sglang", 8000),
        Engine::Mlx | Engine::TensorRtLlm => ("compatible", 8080),
    }
}

/// A server to be accepted: its provider, model and address.
struct Target<'a> {
    provider: &'a str,
    model: &'a str,
    url: &'a str,
    /// Requests at the same time.
    at_once: u32,
}

/// `freehold bench` on a server of this deployment, with the load that all copies behind its address are
/// planned for.
pub(super) fn served(of: &Deployment, served: &Served, copies: u32, url: &str) -> String {
    let (provider, _) = provider(served.engine);
    let at_once = served.concurrency.saturating_mul(copies);
    target(of, &Target { provider, model: &served.name, url, at_once })
}

/// The same command for a server that has another name for the model.
pub(super) fn named(of: &Deployment, model: &str, at_once: u32, url: &str) -> String {
    target(of, &Target { provider: "compatible", model, url, at_once })
}

/// The same command for Ollama on this machine.
pub(super) fn ollama(of: &Deployment, model: &str, at_once: u32) -> String {
    target(of, &Target { provider: "ollama", model, url: "http://127.0.0.1:11434", at_once })
}

/// `freehold bench` on an API, with a spending limit that the reader may raise.
pub(super) fn cloud(of: &Deployment, provider: &str, model: &str) -> String {
    let mut words = words(of, &format!("{provider}:{model}"));
    words.extend(["--max-cost", "1", "-o", "accepted.json"].map(str::to_owned));
    quote::long_command(&words)
}

fn target(of: &Deployment, to: &Target<'_>) -> String {
    let mut words = words(of, &format!("{}:{}@{}", to.provider, to.model, to.url));
    words.extend(["--concurrency".to_owned(), to.at_once.max(1).to_string(), "--load-only".to_owned()]);
    // Within a cluster there is only plain HTTP, which `bench` accepts if told to.
    if let Some(host) = plain_host(to.url) {
        words.extend(["--allow-http".to_owned(), host.to_owned()]);
    }
    words.extend(["--yes", "-o", "accepted.json"].map(str::to_owned));
    quote::long_command(&words)
}

/// The host of an address that is neither encrypted nor on this machine.
fn plain_host(url: &str) -> Option<&str> {
    let rest = url.strip_prefix("http://")?;
    let host = rest.split(['/', ':']).next()?;
    (host != "127.0.0.1").then_some(host)
}

fn words(of: &Deployment, target: &str) -> Vec<String> {
    let mut words = vec!["freehold".to_owned(), "bench".to_owned(), "--api".to_owned(), target.to_owned()];
    words.extend(["--prompts".to_owned(), format!("../{PROMPTS}")]);
    if let Some(slo) = slo(of.limits) {
        words.extend(["--slo".to_owned(), slo]);
    }
    words
}

/// The limits as an argument: `ttft=500ms,tpot=50ms`; `None` where the need has none.
fn slo(limits: Limits) -> Option<String> {
    let parts = [("ttft", limits.ttft_ms), ("tpot", limits.tpot_ms)];
    let parts: Vec<String> = parts
        .into_iter()
        .filter_map(|(name, ms)| Some(format!("{name}={}ms", ms?.round().max(1.0))))
        .collect();
    (!parts.is_empty()).then(|| parts.join(","))
}

/// Prompts as long as the need's mean request, limited to its mean answer; `None` where these lengths are
/// not known. They test speed and load; quality needs the reader's own prompts.
pub(super) fn prompts(of: &Deployment) -> Option<String> {
    let input = of.request.input_tokens.filter(|t| *t >= 1.0)?;
    let output = of.request.output_tokens.filter(|t| *t >= 1.0)?;
    // Both are clamped here.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let (words, limit) = ((input.min(LONGEST) * WORDS_PER_TOKEN) as usize, output.min(1e6).ceil() as u64);
    let mut text = String::new();
    for n in 0..NUMBER {
        let mut prompt = format!("Report {}. Continue this inventory in the same style.", n + 1);
        let mut item = n * 7;
        while prompt.split_ascii_whitespace().count() < words {
            item += 1;
            let _ = write!(
                prompt,
                " Shelf {item} holds {} boxes of {} from the {} store, counted on day {}.",
                item * 13 % 97 + 2,
                GOODS[item % GOODS.len()],
                STORES[item * 3 % STORES.len()],
                item % 28 + 1
            );
        }
        let prompt: Vec<&str> = prompt.split_ascii_whitespace().take(words.max(8)).collect();
        let line = serde_json::json!({ "prompt": prompt.join(" "), "max_output_tokens": limit });
        let _ = writeln!(text, "{line}");
    }
    Some(text)
}

const GOODS: [&str; 11] = [
    "copper wire",
    "paper",
    "lamp oil",
    "brass screws",
    "blue ink",
    "cotton rope",
    "glass jars",
    "candles",
    "seed grain",
    "roof tiles",
    "tea",
];
const STORES: [&str; 5] = ["northern", "harbour", "upper", "market", "old"];
