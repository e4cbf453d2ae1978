//! The settings of a run with their defaults, their echo in the document, and what makes two runs the same.

use super::asked::{
    Asked, Cache, JudgingOptions, LocalOptions, Program, RETRIES, SamplingChoice, kv_name, switch_name,
};
use super::limits;
use super::privacy::Privacy;
use crate::app::Refusal;
use crate::document::bench::Spending;
use crate::document::bench::build::{Basis, TargetFacts};
use crate::document::bench::load::LoadPlan;
use crate::document::envelope::Input;
use crate::measure::backend::local::hex;
use crate::measure::conversation;
use crate::measure::load::Slo;
use crate::prompts::Prompt;
use crate::provenance::{Source, Sourced};
use crate::workload::NeedDraft;
use crate::workload::keys::need;
use crate::workload::profile::LIMITS;
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;

/// What the user asked, with defaults filled in.
#[derive(Debug, Clone)]
pub struct Settings {
    /// How often each prompt is asked one at a time; 0: only under load.
    pub repeats: u32,
    /// How often each load is put on each target.
    pub rounds: u32,
    /// The latency limits of a request under load.
    pub slo: Sourced<Slo>,
    pub warmup: u32,
    pub max_output_tokens: u32,
    pub seed: u64,
    pub cache: Cache,
    pub margin: f64,
}

impl Settings {
    /// The settings. Refuses what cannot be measured. The latency limits are the default ones;
    /// [`speed_limits`] gives others.
    pub fn of(asked: &Asked) -> Result<Self, Refusal> {
        let margin = asked.margin.unwrap_or(0.10);
        check_margin(margin)?;
        if asked.max_cost.is_some_and(|usd| !usd.is_finite() || usd < 0.0) {
            return Err(Refusal::input("--max-cost takes an amount of USD that is not negative"));
        }
        if asked.live() == 0 && asked.answers.is_empty() {
            return Err(Refusal::input("nothing to measure: there is neither --model nor --api")
                .hint("Name at least one target, such as --model default or --api openai:MODEL."));
        }
        asked.load.check()?;
        if !asked.models.is_empty() && !cfg!(feature = "llama") {
            return Err(Refusal::input("--model needs the local engine, and this freehold was built without it")
                .hint("Build it with `cargo build --release` (the default features include it), or measure an API only."));
        }
        Ok(Self {
            repeats: if asked.load.only { 0 } else { asked.repeats.unwrap_or(3) },
            rounds: asked.repeats.unwrap_or(1),
            slo: assumed_limits(),
            warmup: asked.warmup.unwrap_or(1),
            max_output_tokens: asked.max_output_tokens.unwrap_or(256),
            seed: asked.seed.unwrap_or(0),
            cache: asked.cache.unwrap_or_default(),
            margin,
        })
    }

    /// For a resumed run: takes over the latency limits and the margin that it began with.
    pub fn go_on(&mut self, basis: &Basis) {
        let assumed = || Source::assumed("default-slo", "the run's own");
        let source = basis.inputs.get("slo").map_or_else(assumed, |input| input.source.clone());
        self.slo = Sourced::new(basis.load.slo, source);
        self.margin = basis.margin;
    }

    /// The load on so many targets.
    pub fn load_plan(&self, asked: &Asked, targets: usize) -> LoadPlan {
        asked.load.plan(targets, self.rounds, self.warmup, self.slo.value)
    }

    /// The load on all targets; refused where it and the requests one at a time are too many.
    pub fn planned_load(&self, asked: &Asked, prompts: &[Prompt]) -> Result<LoadPlan, Refusal> {
        let turns: u64 = prompts.iter().map(|p| u64::from(conversation::turns(p))).sum();
        let plan = self.load_plan(asked, asked.live());
        limits::plan(asked.live().max(1), turns, u64::from(self.repeats), &plan).map_err(Refusal::input)?;
        Ok(plan)
    }

    /// Are the latency limits the user's own?
    pub fn limits_are_given(&self) -> bool {
        !matches!(self.slo.source, Source::Assumed { .. })
    }

    /// The basis of a new run's report.
    pub fn begin(&self, asked: &Asked, privacy: &Privacy, prompts_sha256: &str, begun: Begun) -> Basis {
        let mut inputs = inputs(asked, self, &begun.prompts, prompts_sha256);
        privacy.record(&mut inputs);
        self.basis(asked, begun, inputs)
    }

    /// The same with other inputs, for runs that ask no prompts.
    pub fn basis(&self, asked: &Asked, begun: Begun, inputs: BTreeMap<String, Input>) -> Basis {
        let Begun { targets, prompts, spending, created } = begun;
        Basis {
            load: self.load_plan(asked, targets.iter().filter(|t| t.recorded_in.is_none()).count()),
            targets,
            prompts,
            max_output_tokens: self.max_output_tokens,
            seed: self.seed,
            margin: self.margin,
            until_decided: asked.until_decided,
            cache_bust: self.cache.marks(),
            spending,
            inputs,
            created,
        }
    }
}

/// The rest of what a run begins with, beside its settings.
#[derive(Debug)]
pub struct Begun {
    pub targets: Vec<TargetFacts>,
    pub prompts: Vec<Prompt>,
    pub spending: Spending,
    /// RFC 3339.
    pub created: String,
}

/// The latency limits: those that were given, else the profile's, else those of an interactive service.
pub fn speed_limits(given: Option<Slo>, profile: Option<&NeedDraft>) -> Sourced<Slo> {
    if let Some(slo) = given {
        return Sourced::flag(slo, "--slo");
    }
    let of_profile = |draft: &NeedDraft| {
        let source = LIMITS.iter().find_map(|key| draft.source(key))?;
        let slo = Slo {
            ttft_ms: draft.number(need::TTFT_MS),
            tpot_ms: draft.number(need::TPOT_MS),
            e2e_ms: draft.number(need::E2E_MS),
        };
        Some(Sourced::new(slo, source.clone()))
    };
    profile.and_then(of_profile).unwrap_or_else(assumed_limits)
}

/// The limits of an interactive 8B-class service in `MLPerf` Inference (`loadgen/mlperf.conf`:
/// llama3.1-8b interactive).
const INTERACTIVE: Slo = Slo { ttft_ms: Some(500.0), tpot_ms: Some(30.0), e2e_ms: None };

/// The default latency limits.
pub fn assumed_limits() -> Sourced<Slo> {
    let reason = "the limits of an interactive 8B-class service in MLPerf Inference".to_owned();
    Sourced::new(INTERACTIVE, Source::Assumed { rule: "default-slo".to_owned(), reason })
}

/// Refuses a margin that is not a share between 0 and 1.
pub fn check_margin(margin: f64) -> Result<(), Refusal> {
    if margin > 0.0 && margin < 1.0 {
        return Ok(());
    }
    Err(Refusal::input(format!("--margin {margin} is not a share between 0 and 1")))
}

/// A hash of what makes two runs the same run: prompts and settings. Targets are compared by what they are,
/// not by how they are written. `json_schema`: the text of the JSON schema for answers.
pub fn fingerprint(
    asked: &Asked,
    settings: &Settings,
    prompts_sha256: &str,
    json_schema: Option<String>,
) -> String {
    let schema = json_schema.map(|text| hex(&Sha256::digest(text)));
    let parts = serde_json::json!([
        prompts_sha256,
        asked.models.len(),
        asked.apis.len(),
        schema,
        settings.repeats,
        settings.warmup,
        settings.max_output_tokens,
        settings.seed,
        settings.cache.name(),
        asked.api_greedy,
        settings.load_plan(asked, asked.live()),
        asked.load.only,
        asked.until_decided,
        asked.judging.rubric,
        asked.answers.len(),
    ]);
    hex(&Sha256::digest(parts.to_string()))
}

/// Every value that decided the run.
fn inputs(asked: &Asked, settings: &Settings, prompts: &[Prompt], sha256: &str) -> BTreeMap<String, Input> {
    let mut map = BTreeMap::new();
    let user = |flag: &str| Source::flag(flag);
    let mut put = |name: &str, value: serde_json::Value, unit: Option<&str>, source: Source| {
        let input = Input::plain(&Sourced::new(value, source));
        map.insert(name.to_owned(), Input { unit: unit.map(str::to_owned), ..input });
    };
    put("prompts_file", as_json(&asked.prompts), None, user("--prompts"));
    if !asked.answers.is_empty() {
        put("answers", as_json(&asked.answers), None, user("--answers"));
    }
    put("prompts_sha256", as_json(&sha256), None, user("--prompts"));
    put("prompts", as_json(&prompts.len()), Some("prompts"), user("--prompts"));
    put("models", as_json(&asked.models), None, user("--model"));
    put("apis", as_json(&asked.apis), None, user("--api"));
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
    choice("repeats", "--repeats", asked.repeats.is_some(), as_json(&settings.repeats), Some("per prompt"));
    choice(
        "warmup",
        "--warmup",
        asked.warmup.is_some(),
        as_json(&settings.warmup),
        Some("requests per target"),
    );
    choice(
        "max_output_tokens",
        "--max-output-tokens",
        asked.max_output_tokens.is_some(),
        as_json(&settings.max_output_tokens),
        Some("tokens"),
    );
    choice("seed", "--seed", asked.seed.is_some(), as_json(&settings.seed), None);
    choice("cache", "--cache", asked.cache.is_some(), as_json(&settings.cache.name()), None);
    choice("margin", "--margin", asked.margin.is_some(), as_json(&settings.margin), Some("share"));
    if asked.until_decided {
        choice("until_decided", "--until-decided", true, as_json(&true), None);
    }
    choice(
        "api_temperature",
        "--api-greedy",
        asked.api_greedy,
        as_json(&asked.api_greedy.then_some(0.0)),
        None,
    );
    if let Some(name) = asked.limit_field {
        choice("limit_field", "--limit-field", true, as_json(&name.name()), None);
    }
    if !asked.allow_http.is_empty() {
        choice("allow_http", "--allow-http", true, as_json(&asked.allow_http), None);
        choice(
            "allow_http_keys",
            "--allow-http-keys",
            asked.allow_http_keys,
            as_json(&asked.allow_http_keys),
            None,
        );
    }
    choice("retries", "--retries", asked.retries != RETRIES, as_json(&asked.retries), None);
    if !asked.load.shapes.is_empty() {
        let load = &asked.load;
        choice("load", "--concurrency", true, as_json(&load.shapes), None);
        choice("load_extent", "--requests", true, as_json(&load.extent), Some("requests, seconds"));
        choice(
            "load_rounds",
            "--repeats",
            asked.repeats.is_some(),
            as_json(&settings.rounds),
            Some("per load"),
        );
        put("slo", as_json(&settings.slo.value), Some("ms"), settings.slo.source.clone());
    }
    if !asked.models.is_empty() {
        local_inputs(&asked.local, &mut map);
    }
    judging_inputs(asked.same_weights, &asked.judging, &mut map);
    map
}

/// Adds the settings of judges and other graders outside of this program, and of comparing sellers.
pub fn judging_inputs(same_weights: bool, judging: &JudgingOptions, map: &mut BTreeMap<String, Input>) {
    let mut put = |name: &str, flag: &str, value: serde_json::Value| {
        map.insert(name.to_owned(), Input::plain(&Sourced::new(value, Source::flag(flag))));
    };
    if same_weights {
        put("same_weights", "--same-weights", as_json(&true));
    }
    if !judging.judges.is_empty() {
        put("judges", "--judge", as_json(&judging.judges));
        put("judge_tokens", "--judge-tokens", as_json(&judging.tokens));
        if let Some(form) = judging.form.given() {
            put("judge_form", "--judge-form", as_json(&form));
        }
    }
    for (name, flag, value) in [
        ("criterion", "--criterion", &judging.criterion),
        ("rubric", "--rubric", &judging.rubric),
        ("embedder", "--embedder", &judging.embedder),
    ] {
        if value.is_some() {
            put(name, flag, as_json(value));
        }
    }
    if !judging.programs.is_empty() {
        let named: Vec<String> = judging.programs.iter().map(Program::written).collect();
        put("exec", "--exec", as_json(&named));
    }
    if let Some(file) = &judging.human {
        put("human_file", "--human", as_json(&file.display().to_string()));
    }
}

/// Adds the options of local models, each with its source.
pub fn local_inputs(local: &LocalOptions, map: &mut BTreeMap<String, Input>) {
    let mut put = |name: &str, given: bool, value: serde_json::Value, unit: Option<&str>| {
        let flag = format!("--{}", name.replace('_', "-"));
        let source = if given {
            Source::flag(flag)
        } else {
            Source::Assumed {
                rule: format!("default-{}", name.replace('_', "-")),
                reason: "the engine's own choice; what it chose is in the target's `engine`".to_owned(),
            }
        };
        let input = Input::plain(&Sourced::new(value, source));
        map.insert(name.to_owned(), Input { unit: unit.map(str::to_owned), ..input });
    };
    put("sampling", local.sampling.is_some(), local.sampling.map(SamplingChoice::name).into(), None);
    put("temperature", local.temperature.is_some(), local.temperature.into(), None);
    put("top_p", local.top_p.is_some(), local.top_p.into(), None);
    put("top_k", local.top_k.is_some(), local.top_k.into(), None);
    put("min_p", local.min_p.is_some(), local.min_p.into(), None);
    put("json_schema", local.json_schema.is_some(), serde_json::json!(local.json_schema), None);
    put("context", local.context.is_some(), local.context.into(), Some("tokens"));
    put("threads", local.threads.is_some(), local.threads.into(), None);
    put("gpu_layers", local.gpu_layers.is_some(), local.gpu_layers.into(), Some("layers"));
    put("device", !local.devices.is_empty(), serde_json::json!(local.devices), None);
    put("batch", local.batch.is_some(), local.batch.into(), Some("tokens"));
    put(
        "flash_attention",
        local.flash_attention.is_some(),
        local.flash_attention.map(switch_name).into(),
        None,
    );
    put("kv_type", local.kv_type.is_some(), local.kv_type.map(kv_name).into(), None);
    if local.system_as_user {
        put("system_as_user", true, true.into(), None);
    }
    if !local.synthetic.is_empty() {
        let tests: Vec<String> = local.synthetic.iter().map(|t| t.label()).collect();
        put("synthetic", true, serde_json::json!(tests), None);
    }
}

fn as_json<T: Serialize>(value: &T) -> serde_json::Value {
    serde_json::to_value(value).unwrap_or(serde_json::Value::Null)
}
