//! `freehold bench`: arguments → targets, prompts and a plan → the run → the document.

mod journal;
mod local;
mod spending;
mod targets;
mod watch;

use crate::cli::context::Context;
use crate::cli::error::{CliError, Exit};
use crate::cli::output::OutputArgs;
use crate::cli::progress::Progress;
use crate::measure::backend::Backend;
use crate::measure::backend::http::{ApiBackend, Limits};
use crate::measure::event::{FaultKind, Message, Request, Role};
use crate::measure::plan::{self, Step};
use crate::measure::prompts::{self, FileFormat, Prompt};
use crate::measure::run::{self, Patience};
use crate::provenance::{Source, Sourced};
use crate::report::bench::build::{self, Run, TargetFacts};
use crate::report::bench::{BenchDocument, Sample};
use crate::report::envelope::Input;
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Measure models on this machine and APIs side by side, on your own prompts.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  freehold bench --model model.gguf --api openai:MODEL --prompts prompts.jsonl -o bench.json
  freehold bench --api anthropic:MODEL --prompts prompts.csv --dry-run
  freehold bench --model default --api openai:MODEL@http://127.0.0.1:8080/v1 --prompts prompts.toml
  freehold bench --resume bench.journal.jsonl       go on with an interrupted run

A prompt file has one prompt per line (JSONL), row (CSV) or [[prompts]] table (TOML), with the keys
prompt (required), id, system, max_output_tokens and expect (text the answer must contain).

API targets: openai:MODEL, openai-responses:, anthropic:, gemini:, groq:, mistral:, deepseek:, xai:,
together:, openrouter:, ollama: and others of `freehold db list providers`; azure:DEPLOYMENT@URL,
bedrock:MODEL@URL, vllm:MODEL@URL, compatible:MODEL@URL. Each takes @BASE_URL. Keys come from the
environment, from the variable of the provider (OPENAI_API_KEY and so on) for its own hosts, and
from FREEHOLD_API_KEY or --api-key-env for others.")]
pub struct Args {
    /// A local model: PATH.gguf, a URL, hf:OWNER/REPO/FILE, or `default` (repeatable).
    #[arg(long, value_name = "MODEL")]
    pub model: Vec<String>,
    /// An API: `PROVIDER:MODEL[@BASE_URL]` (repeatable).
    #[arg(long, value_name = "TARGET")]
    pub api: Vec<String>,
    /// The prompts: a .jsonl, .csv or .toml file.
    #[arg(long, value_name = "FILE", required_unless_present = "resume")]
    pub prompts: Option<PathBuf>,
    /// Go on with an interrupted run: the .journal.jsonl file it left. No other argument is needed.
    #[arg(long, value_name = "JOURNAL", exclusive = true)]
    pub resume: Option<PathBuf>,
    /// How often each prompt is asked [default: 3].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub repeats: Option<u32>,
    /// Requests per target before measuring [default: 1].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(0..=1000))]
    pub warmup: Option<u32>,
    /// Output limit where a prompt has none of its own [default: 256].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub max_output_tokens: Option<u32>,
    /// Seed of the order of the requests and of the bootstrap [default: 0].
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// `bust`: a unique marker begins every prompt, so that no prompt cache answers; `natural`:
    /// prompts as they are.
    #[arg(long, value_enum, value_name = "MODE")]
    pub cache: Option<Cache>,
    /// Largest loss of pass rate that still counts as good enough [default: 0.10].
    #[arg(long, value_name = "SHARE")]
    pub margin: Option<f64>,
    /// Ask APIs for temperature 0 (many cloud models refuse it).
    #[arg(long)]
    pub api_greedy: bool,
    /// The API targets only stand in for a cloud API (always so for servers on this machine).
    #[arg(long)]
    pub stand_in: bool,

    /// Start without asking.
    #[arg(long, help_heading = "Spending")]
    pub yes: bool,
    /// Start without asking, and stop before more than this is spent.
    #[arg(long, value_name = "USD", help_heading = "Spending")]
    pub max_cost: Option<f64>,
    /// Show what would be sent and what it may cost; send nothing.
    #[arg(long, help_heading = "Spending")]
    pub dry_run: bool,
    /// Environment variable with the key of a server that is not a provider's own: NAME, or
    /// ORIGIN=NAME (repeatable).
    #[arg(long, value_name = "NAME", help_heading = "API options")]
    pub api_key_env: Vec<String>,
    /// Attempts after a failed one, where trying again can help.
    #[arg(long, value_name = "N", default_value_t = 2, help_heading = "API options")]
    pub retries: u32,
    /// Longest wait for the first content.
    #[arg(long, value_name = "SECONDS", default_value_t = 180.0, help_heading = "API options")]
    pub first_timeout: f64,
    /// Longest silence in the middle of an answer.
    #[arg(long, value_name = "SECONDS", default_value_t = 60.0, help_heading = "API options")]
    pub idle_timeout: f64,
    /// Longest time for one answer.
    #[arg(long, value_name = "SECONDS", default_value_t = 600.0, help_heading = "API options")]
    pub timeout: f64,

    #[command(flatten, next_help_heading = "Local options")]
    pub local: local::LocalArgs,

    #[command(flatten)]
    pub output: OutputArgs,
}

/// What is done about prompt caches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Cache {
    Bust,
    Natural,
}

/// The arguments with their defaults in place.
struct Settings {
    repeats: u32,
    warmup: u32,
    max_output_tokens: u32,
    seed: u64,
    bust: bool,
    margin: f64,
}

impl Settings {
    fn of(args: &Args) -> Result<Self, CliError> {
        let margin = args.margin.unwrap_or(0.10);
        if !(margin > 0.0 && margin < 1.0) {
            return Err(CliError::usage(format!("--margin {margin} is not a share between 0 and 1")));
        }
        if args.max_cost.is_some_and(|usd| !usd.is_finite() || usd < 0.0) {
            return Err(CliError::usage("--max-cost takes an amount of USD that is not negative"));
        }
        if args.model.is_empty() && args.api.is_empty() {
            return Err(CliError::usage("nothing to measure: there is neither --model nor --api")
                .hint("Name at least one target, such as --model default or --api openai:MODEL."));
        }
        Ok(Self {
            repeats: args.repeats.unwrap_or(3),
            warmup: args.warmup.unwrap_or(1),
            max_output_tokens: args.max_output_tokens.unwrap_or(256),
            seed: args.seed.unwrap_or(0),
            bust: args.cache != Some(Cache::Natural),
            margin,
        })
    }
}

#[allow(clippy::needless_pass_by_value)] // every command is called alike
pub fn run(args: Args, context: &Context) -> Result<(), CliError> {
    let Some(path) = &args.resume else { return bench(&args, context, None) };
    let earlier = journal::read(path)?;
    let arguments = std::iter::once("freehold").chain(earlier.header.arguments.iter().map(String::as_str));
    let cli = <crate::cli::Cli as clap::Parser>::try_parse_from(arguments)
        .map_err(|e| CliError::usage(format!("{}: its command line cannot be read: {e}", path.display())))?;
    let crate::cli::Command::Bench(original) = cli.command else {
        return Err(CliError::usage(format!("{} is not the journal of a bench run", path.display())));
    };
    bench(&original, context, Some((path, earlier)))
}

/// An interrupted run and its journal.
type Resumed<'a> = (&'a Path, journal::Earlier);

fn bench(args: &Args, context: &Context, resumed: Option<Resumed<'_>>) -> Result<(), CliError> {
    let settings = Settings::of(args)?;
    let file = args.prompts.as_deref().unwrap_or(Path::new(""));
    let (prompts, prompts_sha256) = read_prompts(file)?;
    let catalog = crate::cli::catalog::load(context)?;
    let apis = targets::parse(args, &catalog, context.today)?;
    let plan = spending::Plan::new(&apis, &prompts, &settings);
    plan.announce(context, args, &prompts, &settings);
    if args.dry_run {
        context.note("Dry run: nothing was sent.");
        return Ok(());
    }
    let consent = plan.consent(context, args)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|e| CliError::failed(format!("the asynchronous runtime cannot start: {e}")))?;
    let inputs_sha256 = fingerprint(args, &settings, &prompts_sha256);
    if let Some((path, earlier)) = &resumed
        && earlier.header.inputs_sha256 != inputs_sha256
    {
        return Err(CliError::usage(format!(
            "{}: the prompts have changed since this run began",
            path.display()
        ))
        .hint("Start a new run: results of different inputs do not belong in one report."));
    }
    let start = Start { prompts: &prompts, inputs_sha256, consent, resumed };
    let measured = runtime.block_on(measure(args, context, &settings, start, apis, &plan))?;
    let document = finish(args, context, &settings, &prompts, &prompts_sha256, &measured);
    args.output.write(
        context,
        || serde_json::to_string_pretty(&document),
        || document.view(),
        Some(&|| document.samples_csv()),
    )?;
    verdict(&document, &measured)
}

/// What makes two runs the same run: prompts, targets, settings.
fn fingerprint(args: &Args, settings: &Settings, prompts_sha256: &str) -> String {
    let parts = serde_json::json!([
        prompts_sha256,
        args.model,
        args.api,
        settings.repeats,
        settings.warmup,
        settings.max_output_tokens,
        settings.seed,
        settings.bust,
        args.api_greedy,
    ]);
    hex(&Sha256::digest(parts.to_string()))
}

/// What a run starts from.
struct Start<'a> {
    prompts: &'a [Prompt],
    inputs_sha256: String,
    consent: &'static str,
    resumed: Option<Resumed<'a>>,
}

/// What the run left behind.
struct MeasuredRun {
    facts: Vec<TargetFacts>,
    samples: Vec<Sample>,
    ended: run::Ended,
    spending: crate::report::bench::Spending,
    capped: bool,
    journal: PathBuf,
}

async fn measure(
    args: &Args,
    context: &Context,
    settings: &Settings,
    start: Start<'_>,
    apis: Vec<targets::Api>,
    plan: &spending::Plan,
) -> Result<MeasuredRun, CliError> {
    let prompts = start.prompts;
    let mut progress = Progress::new(context);
    let limits = Limits {
        first: seconds("--first-timeout", args.first_timeout)?,
        idle: seconds("--idle-timeout", args.idle_timeout)?,
        total: seconds("--timeout", args.timeout)?,
        ..Limits::default()
    };
    let (mut backends, mut facts) = (Vec::new(), Vec::new());
    for model in &args.model {
        let (backend, fact) = local::start(model, args, context, settings, prompts, &mut progress).await?;
        backends.push(backend);
        facts.push(fact);
    }
    for api in apis {
        let backend = ApiBackend::new(api.target, limits).map_err(CliError::failed)?;
        backends.push(Backend::Api(Box::new(backend)));
        facts.push(api.facts);
    }
    targets::distinct_ids(&mut facts);
    let mut steps =
        plan::schedule(facts.len(), prompts.len(), settings.repeats, settings.warmup, settings.seed);
    let (journal, run_id, done) = if let Some((path, earlier)) = start.resumed {
        let journal = journal::Journal::go_on(path, &earlier)?;
        (journal, earlier.header.run_id, earlier.done)
    } else {
        let header = journal::Header::new(context, run_id(), start.inputs_sha256);
        let run_id = header.run_id.clone();
        (journal::Journal::create(args.output.output.as_deref(), context, header)?, run_id, Vec::new())
    };
    // What the journal has is never asked, and never paid, again.
    steps.retain(|step| {
        !done.iter().any(|d| {
            d.warmup == step.warmup
                && d.sample.repeat == step.repeat
                && d.sample.target == facts[step.target].id
                && d.sample.prompt_id == prompts[step.prompt].id
        })
    });
    let shared_origin = shared_origins(&facts);
    let request = |step: &Step| request(step, prompts, settings, &run_id, shared_origin[step.target]);
    let mut watch = watch::Watcher::new(
        &facts,
        prompts,
        settings.max_output_tokens,
        &steps,
        args.max_cost,
        journal,
        progress,
    );
    watch.resumed(done);
    let patience = Patience { retries: args.retries, wait_factor: 1.0 };
    let ended =
        run::run(&mut backends, &steps, &request, patience, settings.seed, &mut watch, interrupted()).await;
    let watched = watch.end(ended.complete)?;
    let mut loaded = Vec::new();
    for (target, backend) in backends.into_iter().enumerate() {
        // After an interruption the worker may be in the middle of an answer: dropping ends it.
        if let Backend::Local(local) = backend
            && !ended.interrupted
        {
            loaded.push((target, local.info().clone()));
            local.shutdown().await;
        }
    }
    for (target, info) in loaded.into_iter().filter(|_| ended.complete) {
        let nth = |n: usize| {
            let repeat = settings.repeats + u32::try_from(n / prompts.len()).unwrap_or(u32::MAX);
            request(&Step { target, prompt: n % prompts.len(), repeat, warmup: false })
        };
        let levels = local::levels(&info, args, &nth, context, &mut facts[target].levels);
        let outcome = tokio::select! {
            outcome = levels => outcome.map_err(|fault| fault.message),
            () = interrupted() => Err("interrupted".to_owned()),
        };
        if let Err(why) = outcome {
            context.note(&format!("{}: no more levels of concurrency: {why}", facts[target].id));
            break;
        }
    }
    Ok(MeasuredRun {
        spending: plan.spending(start.consent, args.max_cost, watched.spent),
        facts,
        samples: watched.samples,
        ended,
        capped: watched.capped,
        journal: watched.journal,
    })
}

/// Ctrl-C, or the polite request to end.
async fn interrupted() {
    #[cfg(unix)]
    {
        let terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate());
        if let Ok(mut terminate) = terminate {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
            }
            return;
        }
    }
    let _ = tokio::signal::ctrl_c().await;
}

fn seconds(flag: &str, value: f64) -> Result<Duration, CliError> {
    Duration::try_from_secs_f64(value)
        .ok()
        .filter(|d| !d.is_zero() && d.as_secs() < 1 << 32)
        .ok_or_else(|| CliError::usage(format!("{flag} {value} is not a number of seconds above 0")))
}

/// Unlike any earlier run, so that a provider's prompt cache cannot know its markers.
fn run_id() -> String {
    use std::hash::{BuildHasher as _, Hasher as _};
    // The standard library's hasher is keyed at random for each process.
    let random = std::hash::RandomState::new().build_hasher().finish();
    format!("{random:016x} {}", jiff::Timestamp::now())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Targets behind one origin share its prompt cache, so each needs markers of its own there; all
/// others get the same text, so that answers can be compared.
fn shared_origins(facts: &[TargetFacts]) -> Vec<usize> {
    facts
        .iter()
        .enumerate()
        .map(|(n, f)| facts[..n].iter().filter(|o| f.origin.is_some() && o.origin == f.origin).count())
        .collect()
}

/// What one step asks.
fn request(
    step: &Step,
    prompts: &[Prompt],
    settings: &Settings,
    run_id: &str,
    nth_of_origin: usize,
) -> Request {
    let prompt = &prompts[step.prompt];
    let message = |role, content: &String| Message { role, content: content.clone() };
    let mut messages: Vec<Message> = prompt.system.iter().map(|s| message(Role::System, s)).collect();
    messages.push(message(Role::User, &prompt.prompt));
    let marker = || {
        let parts = format!("{run_id} {} {} {} {nth_of_origin}", step.prompt, step.repeat, step.warmup);
        format!("[{}]\n", &hex(&Sha256::digest(parts))[..12])
    };
    Request {
        messages,
        max_output_tokens: prompt.max_output_tokens.unwrap_or(settings.max_output_tokens),
        cache_marker: settings.bust.then(marker),
    }
}

fn read_prompts(path: &Path) -> Result<(Vec<Prompt>, String), CliError> {
    let shown = path.display().to_string();
    let extension = path.extension().and_then(|e| e.to_str()).unwrap_or_default();
    let format = FileFormat::of(extension).ok_or_else(|| {
        CliError::usage(format!("{shown}: a prompt file ends in .jsonl, .csv or .toml"))
            .hint("Rename it after what it contains.")
    })?;
    let meta = std::fs::metadata(path).map_err(|e| CliError::file("read", path, &e))?;
    if !meta.is_file() {
        return Err(CliError::usage(format!("{shown} is not an ordinary file"))
            .hint("Give the path of a .jsonl, .csv or .toml file with prompts."));
    }
    if meta.len() > prompts::LARGEST_FILE {
        return Err(CliError::usage(format!(
            "{shown} has {} bytes; at most {} are read",
            meta.len(),
            prompts::LARGEST_FILE
        )));
    }
    let bytes = std::fs::read(path).map_err(|e| CliError::file("read", path, &e))?;
    let prompts = prompts::parse(&shown, format, &bytes).map_err(|e| {
        let remedy = e.remedy.clone();
        CliError::usage(e.to_string()).hint(remedy)
    })?;
    Ok((prompts, hex(&Sha256::digest(&bytes))))
}

fn finish(
    args: &Args,
    context: &Context,
    settings: &Settings,
    prompts: &[Prompt],
    prompts_sha256: &str,
    measured: &MeasuredRun,
) -> BenchDocument {
    build::document(Run {
        targets: &measured.facts,
        prompts,
        samples: measured.samples.clone(),
        ended: &measured.ended,
        seed: settings.seed,
        margin: settings.margin,
        cache_bust: settings.bust,
        spending: measured.spending.clone(),
        inputs: inputs(args, settings, prompts, prompts_sha256),
        created: context.now.clone(),
    })
}

/// Every value that decided the run.
fn inputs(args: &Args, settings: &Settings, prompts: &[Prompt], sha256: &str) -> BTreeMap<String, Input> {
    let mut map = BTreeMap::new();
    let user = |flag: &str| Source::User { via: flag.to_owned() };
    let mut put = |name: &str, value: serde_json::Value, unit: Option<&str>, source: Source| {
        let input = Input::plain(&Sourced::new(value, source));
        map.insert(name.to_owned(), Input { unit: unit.map(str::to_owned), ..input });
    };
    let of = |value: &dyn erased::ToValue| value.to_value();
    put("prompts_file", of(&args.prompts), None, user("--prompts"));
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
    choice(
        "cache",
        "--cache",
        args.cache.is_some(),
        of(&if settings.bust { "bust" } else { "natural" }),
        None,
    );
    choice("margin", "--margin", args.margin.is_some(), of(&settings.margin), Some("share"));
    choice("api_temperature", "--api-greedy", args.api_greedy, of(&args.api_greedy.then_some(0.0)), None);
    choice("retries", "--retries", args.retries != 2, of(&args.retries), None);
    map
}

/// Any serialisable value as JSON, behind a reference.
mod erased {
    pub trait ToValue {
        fn to_value(&self) -> serde_json::Value;
    }
    impl<T: super::Serialize> ToValue for T {
        fn to_value(&self) -> serde_json::Value {
            serde_json::to_value(self).unwrap_or(serde_json::Value::Null)
        }
    }
}

/// The report is written whatever happened; the exit code says what did.
fn verdict(document: &BenchDocument, measured: &MeasuredRun) -> Result<(), CliError> {
    let kept = format!("What was measured is in the report and in {}.", measured.journal.display());
    if measured.ended.interrupted {
        return Err(
            CliError::new(Exit::Interrupted, "interrupted: the rest of the run is missing").hint(kept)
        );
    }
    let stopped: Vec<_> =
        document.result.targets.iter().filter_map(|t| Some((t, t.stopped.as_ref()?))).collect();
    if let Some((target, fault)) = stopped.iter().find(|(_, f)| f.kind == FaultKind::Auth) {
        return Err(CliError::new(Exit::Credential, format!("{}: {}", target.id, fault.message))
            .hint(format!("Check the key and what it may use. {kept}")));
    }
    if let Some((target, fault)) = stopped.first() {
        return Err(CliError::failed(format!("{}: {}", target.id, fault.message)).hint(kept));
    }
    if measured.capped {
        return Err(CliError::failed(
            "the next request could cost more than --max-cost allows, so the run stopped",
        )
        .hint(kept));
    }
    let failed: Vec<&str> = document
        .result
        .targets
        .iter()
        .filter(|t| t.requests > 0 && t.failures == t.requests)
        .map(|t| t.id.as_str())
        .collect();
    if failed.is_empty() {
        return Ok(());
    }
    Err(CliError::failed(format!("every request to {} failed", failed.join(" and "))).hint(kept))
}
