//! The arguments with their defaults in place, and the record of what decided a run.

use super::args::{Args, Cache, LoadArgs};
use crate::app::bench::settings::{assumed_limits, check_margin};
use crate::cli::error::CliError;
use crate::document::bench::build::Basis;
use crate::document::bench::load::LoadPlan;
use crate::document::envelope::Input;
use crate::measure::backend::http::Limits;
use crate::measure::backend::local::hex;
use crate::measure::load::Slo;
use crate::prompts::Prompt;
use crate::provenance::{Source, Sourced};
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::time::Duration;

/// The arguments with their defaults in place.
pub struct Settings {
    /// Of each prompt alone; 0: only under load.
    pub repeats: u32,
    /// Of each load.
    pub rounds: u32,
    /// What a request under load may take.
    pub slo: Sourced<Slo>,
    pub warmup: u32,
    pub max_output_tokens: u32,
    pub seed: u64,
    pub cache: Cache,
    pub margin: f64,
}

impl Settings {
    pub fn of(args: &Args) -> Result<Self, CliError> {
        let margin = args.margin.unwrap_or(0.10);
        check_margin(margin)?;
        if args.max_cost.is_some_and(|usd| !usd.is_finite() || usd < 0.0) {
            return Err(CliError::usage("--max-cost takes an amount of USD that is not negative"));
        }
        if args.model.is_empty() && args.api.is_empty() && args.answers.is_empty() {
            return Err(CliError::usage("nothing to measure: there is neither --model nor --api")
                .hint("Name at least one target, such as --model default or --api openai:MODEL."));
        }
        args.load.check()?;
        if !args.model.is_empty() && !cfg!(feature = "llama") {
            return Err(CliError::usage("--model needs the local engine, and this freehold was built without it")
                .hint("Build it with `cargo build --release` (the default features include it), or measure an API only."));
        }
        Ok(Self {
            repeats: if args.load.load_only { 0 } else { args.repeats.unwrap_or(3) },
            rounds: args.repeats.unwrap_or(1),
            slo: assumed_limits(),
            warmup: args.warmup.unwrap_or(1),
            max_output_tokens: args.max_output_tokens.unwrap_or(256),
            seed: args.seed.unwrap_or(0),
            cache: args.cache.unwrap_or_default(),
            margin,
        })
    }

    /// Go on with a run: its limits of speed and its margin are those it began with.
    pub fn go_on(&mut self, basis: &Basis) {
        let assumed = || Source::assumed("default-slo", "the run's own");
        let source = basis.inputs.get("slo").map_or_else(assumed, |input| input.source.clone());
        self.slo = Sourced::new(basis.load.slo, source);
        self.margin = basis.margin;
    }

    /// What is asked of so many targets under load.
    pub fn load_plan(&self, load: &LoadArgs, targets: usize) -> LoadPlan {
        load.plan(targets, self.rounds, self.warmup, self.slo.value)
    }
}

/// How long an answer may take.
pub fn limits(args: &Args, local_only: bool) -> Result<Limits, CliError> {
    Ok(Limits {
        first: seconds("--first-timeout", args.first_timeout)?,
        idle: seconds("--idle-timeout", args.idle_timeout)?,
        total: seconds("--timeout", args.timeout)?,
        local_only,
        ..Limits::default()
    })
}

fn seconds(flag: &str, value: f64) -> Result<Duration, CliError> {
    Duration::try_from_secs_f64(value)
        .ok()
        .filter(|d| !d.is_zero() && d.as_secs() < 1 << 32)
        .ok_or_else(|| CliError::usage(format!("{flag} {value} is not a number of seconds above 0")))
}

/// The limits of one request: flag, value and default.
pub fn limits_of(args: &Args) -> [(&'static str, String, String); 4] {
    let seconds = |flag, value: f64, default: f64| (flag, value.to_string(), default.to_string());
    [
        ("--retries", args.retries.to_string(), "2".to_owned()),
        seconds("--first-timeout", args.first_timeout, 180.0),
        seconds("--idle-timeout", args.idle_timeout, 60.0),
        seconds("--timeout", args.timeout, 600.0),
    ]
}

/// What makes two runs the same run: prompts and settings. Its targets are compared by what they are,
/// not by how they are written.
pub fn fingerprint(
    args: &Args,
    settings: &Settings,
    prompts_sha256: &str,
    json_schema: Option<String>,
) -> String {
    let schema = json_schema.map(|text| hex(&Sha256::digest(text)));
    let parts = serde_json::json!([
        prompts_sha256,
        args.model.len(),
        args.api.len(),
        schema,
        settings.repeats,
        settings.warmup,
        settings.max_output_tokens,
        settings.seed,
        settings.cache.name(),
        args.api_greedy,
        settings.load_plan(&args.load, args.model.len() + args.api.len()),
        args.load.load_only,
        args.until_decided,
        args.judging.rubric,
        args.answers.len(),
    ]);
    hex(&Sha256::digest(parts.to_string()))
}

/// Every value that decided the run.
pub fn inputs(args: &Args, settings: &Settings, prompts: &[Prompt], sha256: &str) -> BTreeMap<String, Input> {
    let mut map = BTreeMap::new();
    let user = |flag: &str| Source::flag(flag);
    let mut put = |name: &str, value: serde_json::Value, unit: Option<&str>, source: Source| {
        let input = Input::plain(&Sourced::new(value, source));
        map.insert(name.to_owned(), Input { unit: unit.map(str::to_owned), ..input });
    };
    put("prompts_file", of(&args.prompts), None, user("--prompts"));
    if !args.answers.is_empty() {
        put("answers", of(&args.answers), None, user("--answers"));
    }
    put("prompts_sha256", of(&sha256), None, user("--prompts"));
    put("prompts", of(&prompts.len()), Some("prompts"), user("--prompts"));
    put("models", of(&args.model), None, user("--model"));
    put("apis", of(&args.api), None, user("--api"));
    let mut choice = |name: &str, flag: &str, given: bool, value: serde_json::Value, unit: Option<&str>| {
        let source = if given {
            user(flag)
        } else {
            Source::Assumed {
                rule: format!("default-{}", flag.trim_start_matches('-')),
                reason: "the default of the command".to_owned(),
            }
        };
        put(name, value, unit, source);
    };
    choice("repeats", "--repeats", args.repeats.is_some(), of(&settings.repeats), Some("per prompt"));
    choice("warmup", "--warmup", args.warmup.is_some(), of(&settings.warmup), Some("requests per target"));
    choice(
        "max_output_tokens",
        "--max-output-tokens",
        args.max_output_tokens.is_some(),
        of(&settings.max_output_tokens),
        Some("tokens"),
    );
    choice("seed", "--seed", args.seed.is_some(), of(&settings.seed), None);
    choice("cache", "--cache", args.cache.is_some(), of(&settings.cache.name()), None);
    choice("margin", "--margin", args.margin.is_some(), of(&settings.margin), Some("share"));
    if args.until_decided {
        choice("until_decided", "--until-decided", true, of(&true), None);
    }
    choice("api_temperature", "--api-greedy", args.api_greedy, of(&args.api_greedy.then_some(0.0)), None);
    if let Some(name) = args.limit_field {
        choice("limit_field", "--limit-field", true, of(&name.field().name()), None);
    }
    if !args.allow_http.is_empty() {
        choice("allow_http", "--allow-http", true, of(&args.allow_http), None);
        choice("allow_http_keys", "--allow-http-keys", args.allow_http_keys, of(&args.allow_http_keys), None);
    }
    choice("retries", "--retries", args.retries != 2, of(&args.retries), None);
    if !args.load.shapes().is_empty() {
        let load = &args.load;
        choice("load", "--concurrency", true, of(&load.shapes()), None);
        choice("load_extent", "--requests", true, of(&load.extent()), Some("requests, seconds"));
        choice("load_rounds", "--repeats", args.repeats.is_some(), of(&settings.rounds), Some("per load"));
        put("slo", of(&settings.slo.value), Some("ms"), settings.slo.source.clone());
    }
    if !args.model.is_empty() {
        args.local.inputs(&mut map);
    }
    judging_inputs(args, &mut map);
    map
}

/// What was said of judges and other graders from outside, and of the targets beside each other.
pub fn judging_inputs(args: &Args, map: &mut BTreeMap<String, Input>) {
    let judging = &args.judging;
    let mut put = |name: &str, flag: &str, value: serde_json::Value| {
        map.insert(name.to_owned(), Input::plain(&Sourced::new(value, Source::flag(flag))));
    };
    if args.same_weights {
        put("same_weights", "--same-weights", of(&true));
    }
    if !judging.judge.is_empty() {
        put("judges", "--judge", of(&judging.judge));
        put("judge_tokens", "--judge-tokens", of(&judging.judge_tokens));
        if let Some(form) = judging.judge_form.given() {
            put("judge_form", "--judge-form", of(&form));
        }
    }
    for (name, flag, value) in [
        ("criterion", "--criterion", &judging.criterion),
        ("rubric", "--rubric", &judging.rubric),
        ("embedder", "--embedder", &judging.embedder),
    ] {
        if value.is_some() {
            put(name, flag, of(value));
        }
    }
    if !judging.exec.is_empty() {
        let named: Vec<String> =
            judging.exec.iter().map(|p| format!("{}={}", p.name, p.path.display())).collect();
        put("exec", "--exec", of(&named));
    }
    if let Some(file) = &judging.human {
        put("human_file", "--human", of(&file.display().to_string()));
    }
}

fn of<T: Serialize>(value: &T) -> serde_json::Value {
    serde_json::to_value(value).unwrap_or(serde_json::Value::Null)
}
