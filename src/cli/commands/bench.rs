//! `freehold bench`: arguments → targets, prompts and a plan → the run → the document.

mod bars;
mod device;
mod journal;
mod load;
mod local;
mod outcome;
mod privacy;
mod replay;
mod room;
mod spending;
mod synthetic;
mod targets;
mod watch;

use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::output::OutputArgs;
use crate::cli::progress::Progress;
use crate::measure::backend::Backend;
use crate::measure::backend::http::{ApiBackend, Limits};
use crate::measure::event::{Message, Request, Role};
use crate::measure::load::{Sent, Slo};
use crate::measure::plan::{self, Step};
use crate::measure::prompts::{self, FileFormat, Prompt};
use crate::measure::run::{self, Patience};
use crate::provenance::{Source, Sourced};
use crate::report::bench::build::{self, Basis, Run, TargetFacts};
use crate::report::bench::{BenchDocument, Sample};
use crate::report::envelope::Input;
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;
use watch::Tally;

/// Measure models on this machine and APIs side by side, on your own prompts.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  freehold bench --model model.gguf --api openai:MODEL --prompts prompts.jsonl -o bench.json
  freehold bench --api anthropic:MODEL --prompts prompts.csv --dry-run
  freehold bench --model default --api openai:MODEL@http://127.0.0.1:8080/v1 --prompts prompts.toml
  freehold bench --api openai:MODEL --prompts prompts.jsonl --concurrency 1,4,16 --requests 100
  freehold bench --api openai:MODEL --prompts prompts.jsonl --rate 2/s --duration 60s --slo ttft=1s
  freehold bench --model model.gguf --synthetic pp512,tg128,tg128@d4096   the engine alone
  freehold bench --resume bench.json                go on with an interrupted run
  freehold bench --replay bench.json --slo e2e=5s   the figures again, without a call

A prompt file has one prompt per line (JSONL), row (CSV) or [[prompts]] table (TOML), with the keys
prompt (required), id, system, max_output_tokens and expect (text the answer must contain).

API targets: openai:MODEL, openai-responses:, anthropic:, gemini:, groq:, mistral:, deepseek:, xai:,
together:, openrouter:, ollama: and others of `freehold db list providers`; azure:DEPLOYMENT@URL,
bedrock:MODEL@URL, vllm:MODEL@URL, compatible:MODEL@URL. Each takes @BASE_URL. Keys come from the
environment, from the variable of the provider (OPENAI_API_KEY and so on) for its own hosts, and
from FREEHOLD_API_KEY or --api-key-env for others. HTTPS_PROXY and NO_PROXY are honoured, but never
for this machine; SSL_CERT_FILE names a file of certificates to trust in place of the system's.")]
pub struct Args {
    /// A local model: PATH.gguf, a URL, hf:OWNER/REPO/FILE, or `default` (repeatable).
    #[arg(long, value_name = "MODEL")]
    pub model: Vec<String>,
    /// An API: `PROVIDER:MODEL[@BASE_URL]` (repeatable).
    #[arg(long, value_name = "TARGET")]
    pub api: Vec<String>,
    /// The prompts: a .jsonl, .csv or .toml file.
    #[arg(long, value_name = "FILE", required_unless_present_any = ["resume", "replay", "synthetic", "explain"])]
    pub prompts: Option<PathBuf>,
    /// Go on with an interrupted run: its .journal.jsonl file, or the report beside it. No other
    /// argument is needed.
    #[arg(long, value_name = "RUN", exclusive = true)]
    pub resume: Option<PathBuf>,
    /// Make the report of a run again from its journal, without a single call. --margin and --slo
    /// may be given anew.
    #[arg(long, value_name = "RUN", conflicts_with_all = ["prompts", "model", "api", "resume"])]
    pub replay: Option<PathBuf>,
    /// Say what a metric means (`ttft`, `goodput`, …; without a name: all of them), and measure nothing.
    #[arg(long, value_name = "METRIC", num_args = 0..=1, default_missing_value = "")]
    pub explain: Option<String>,
    /// How often each prompt is asked [default: 3], and each load is put on each target [default: 1].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub repeats: Option<u32>,
    /// Requests per target before measuring; under load, for each at once, or seconds of a rate
    /// [default: 1].
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

    #[command(flatten, next_help_heading = "Load")]
    pub load: load::LoadArgs,

    /// How private the prompts are. `strict`: none leaves this machine; APIs are refused.
    #[arg(long, value_enum, value_name = "ANSWER", help_heading = "Privacy")]
    pub privacy: Option<crate::workload::Privacy>,
    /// A need written down (see `advise --profile`): its privacy answer holds here too.
    #[arg(long, value_name = "PROFILE", help_heading = "Privacy")]
    pub profile: Option<String>,
    /// Under strict privacy: this server on this machine generates the answers itself and passes
    /// nothing on (repeatable).
    #[arg(long, value_name = "ORIGIN", help_heading = "Privacy")]
    pub local_server: Vec<String>,
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
    /// Of each prompt alone; 0: only under load.
    repeats: u32,
    /// Of each load.
    rounds: u32,
    /// What a request under load may take.
    slo: Sourced<Slo>,
    warmup: u32,
    max_output_tokens: u32,
    seed: u64,
    bust: bool,
    margin: f64,
}

impl Settings {
    fn of(args: &Args) -> Result<Self, CliError> {
        let margin = args.margin.unwrap_or(0.10);
        check_margin(margin)?;
        if args.max_cost.is_some_and(|usd| !usd.is_finite() || usd < 0.0) {
            return Err(CliError::usage("--max-cost takes an amount of USD that is not negative"));
        }
        if args.model.is_empty() && args.api.is_empty() {
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
            slo: load::assumed_limits(),
            warmup: args.warmup.unwrap_or(1),
            max_output_tokens: args.max_output_tokens.unwrap_or(256),
            seed: args.seed.unwrap_or(0),
            bust: args.cache != Some(Cache::Natural),
            margin,
        })
    }
}

fn check_margin(margin: f64) -> Result<(), CliError> {
    if margin > 0.0 && margin < 1.0 {
        return Ok(());
    }
    Err(CliError::usage(format!("--margin {margin} is not a share between 0 and 1")))
}

#[allow(clippy::needless_pass_by_value)] // every command is called alike
pub fn run(args: Args, context: &Context) -> Result<(), CliError> {
    if let Some(metric) = &args.explain {
        return explain(metric, context);
    }
    if let Some(run) = &args.replay {
        return replay::run(run, &args, context);
    }
    let Some(run) = &args.resume else { return bench(&args, context, None) };
    let path = &journal::of_run(run);
    let earlier = journal::read(path)?;
    let unanswered = watch::Tally::of(&earlier.header.basis, &earlier).unanswered().len();
    if earlier.is_complete() && unanswered == 0 {
        return Err(CliError::usage(format!(
            "{}: this run is complete, there is nothing to go on with",
            path.display()
        ))
        .hint("`--replay` makes its report again."));
    }
    let arguments = std::iter::once("freehold").chain(earlier.header.arguments.iter().map(String::as_str));
    let cli = <crate::cli::Cli as clap::Parser>::try_parse_from(arguments)
        .map_err(|e| CliError::usage(format!("{}: its command line cannot be read: {e}", path.display())))?;
    let crate::cli::Command::Bench(original) = cli.command else {
        return Err(CliError::usage(format!("{} is not the journal of a bench run", path.display())));
    };
    bench(&original, context, Some((path, earlier)))
}

/// What one metric means, or all of them.
fn explain(metric: &str, context: &Context) -> Result<(), CliError> {
    if metric.is_empty() {
        return crate::cli::commands::help::metrics(context);
    }
    let Some((name, text)) = crate::report::bench::definition(metric) else {
        let names: Vec<String> = crate::report::bench::definitions().into_keys().collect();
        return Err(CliError::usage(format!("{metric:?} is not a metric of a bench document"))
            .hint(format!("There are {}.", names.join(", "))));
    };
    let mut view = crate::report::View::new(name);
    view.paragraph(text);
    crate::cli::output::print_bytes(view.to_terminal(context.width).as_bytes())
}

/// An interrupted run and its journal.
type Resumed<'a> = (&'a Path, journal::Earlier);

fn bench(args: &Args, context: &Context, resumed: Option<Resumed<'_>>) -> Result<(), CliError> {
    if args.prompts.is_none() && !args.local.synthetic.is_empty() {
        return synthetic::alone(args, context);
    }
    let settings = Settings { slo: load::limits(args, context)?, ..Settings::of(args)? };
    let file = args.prompts.as_deref().unwrap_or(Path::new(""));
    let (prompts, prompts_sha256) = read_prompts(file)?;
    let catalog = crate::cli::catalog::load(context)?;
    let privacy = privacy::Privacy::of(args, context)?;
    let apis = targets::parse(args, &catalog, context.today, &privacy)?;
    let near: Vec<Vec<String>> =
        args.model.iter().map(|_| Vec::new()).chain(apis.iter().map(|a| a.near.clone())).collect();
    let plan = spending::Plan::new(args, &apis, &prompts, &settings);
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
    let start = Start { prompts, prompts_sha256, inputs_sha256, consent, resumed, privacy: &privacy };
    let measured = runtime.block_on(measure(args, context, &settings, start, apis, &plan))?;
    let document = measured.document();
    write(&document, args, context)?;
    outcome::verdict(&document, measured.end.ended.interrupted, measured.end.capped, &measured.journal, &near)
}

/// The document in the format that was asked for.
fn write(document: &BenchDocument, args: &Args, context: &Context) -> Result<(), CliError> {
    args.output.write(
        context,
        || serde_json::to_string_pretty(document),
        || document.view(),
        Some(&|| document.samples_csv()),
    )
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
        args.load.plan(args.model.len() + args.api.len(), settings),
        args.load.load_only,
    ]);
    hex(&Sha256::digest(parts.to_string()))
}

/// What a run starts from.
struct Start<'a> {
    prompts: Vec<Prompt>,
    prompts_sha256: String,
    inputs_sha256: String,
    consent: &'static str,
    resumed: Option<Resumed<'a>>,
    privacy: &'a privacy::Privacy,
}

/// What a run left behind, just now or long ago.
struct MeasuredRun {
    basis: Basis,
    samples: Vec<Sample>,
    sent: Vec<Sent>,
    cut: Vec<u32>,
    spent_usd: Option<f64>,
    unsettled_usd: Option<f64>,
    asked_again: u32,
    end: journal::End,
    journal: PathBuf,
}

impl MeasuredRun {
    fn document(&self) -> BenchDocument {
        build::document(Run {
            basis: &self.basis,
            samples: self.samples.clone(),
            sent: &self.sent,
            cut: &self.cut,
            ended: &self.end.ended,
            spent_usd: self.spent_usd,
            unsettled_usd: self.unsettled_usd,
            asked_again: self.asked_again,
        })
    }
}

async fn measure(
    args: &Args,
    context: &Context,
    settings: &Settings,
    start: Start<'_>,
    apis: Vec<targets::Api>,
    plan: &spending::Plan,
) -> Result<MeasuredRun, CliError> {
    crate::cli::files::raise_open_files_limit();
    let mut progress = Progress::new(context);
    let limits = Limits {
        first: seconds("--first-timeout", args.first_timeout)?,
        idle: seconds("--idle-timeout", args.idle_timeout)?,
        total: seconds("--timeout", args.timeout)?,
        local_only: start.privacy.strict(),
        ..Limits::default()
    };
    let (mut backends, mut facts, mut ways) = (Vec::new(), Vec::new(), Vec::new());
    let (mut watches, mut locks, mut files) = (Vec::new(), device::Locks::new(), Vec::new());
    for model in &args.model {
        let (mut backend, mut fact) =
            local::start(model, args, context, settings, &start.prompts, &mut progress).await?;
        if let Backend::Local(local) = &mut backend {
            watches.push(device::attach(local, &mut fact, &mut locks, context).await);
            let info = local.info();
            files.push(info.file.path.clone());
            ways.push(load::local_way(args, info.file.path.clone(), info.loaded.context)?);
        }
        backends.push(backend);
        facts.push(fact);
    }
    for api in apis {
        ways.push(load::Way::api(api.target.clone(), limits));
        let backend = ApiBackend::new(api.target, limits).map_err(CliError::failed)?;
        start.privacy.ask(&api.facts.id, &backend).await?;
        backends.push(Backend::Api(Box::new(backend)));
        facts.push(api.facts);
    }
    progress.done();
    targets::distinct_ids(&mut facts);
    let (header, earlier) = if let Some((path, earlier)) = start.resumed {
        (earlier.header.clone(), Some((path, earlier)))
    } else {
        let mut inputs = inputs(args, settings, &start.prompts, &start.prompts_sha256);
        start.privacy.record(&mut inputs);
        let basis = Basis {
            inputs,
            load: args.load.plan(facts.len(), settings),
            targets: facts,
            prompts: start.prompts,
            max_output_tokens: settings.max_output_tokens,
            seed: settings.seed,
            margin: settings.margin,
            cache_bust: settings.bust,
            spending: plan.spending(start.consent, args.max_cost),
            created: context.now.clone(),
        };
        (journal::Header::new(run_id(), start.inputs_sha256, basis), None)
    };
    let basis = header.basis.clone();
    let mut tally = Tally::new(&basis);
    let (mut complete, mut cut) = (BTreeSet::new(), Vec::new());
    let mut steps = plan::schedule(
        basis.targets.len(),
        basis.prompts.len(),
        settings.repeats,
        if settings.repeats == 0 { 0 } else { settings.warmup },
        settings.seed,
    );
    if let Some((_, earlier)) = &earlier {
        tally = Tally::of(&basis, earlier);
        complete.clone_from(&earlier.phases);
        cut.clone_from(&earlier.cut);
        // What the journal has is never asked, and never paid, again; what failed without a bill is.
        let done: BTreeSet<Step> = earlier.records.iter().map(|(_, r)| r.step).collect();
        steps.retain(|step| !done.contains(step) || tally.unanswered().contains(step));
    }
    let run_id = header.run_id.clone();
    let journal = match earlier {
        Some((path, earlier)) => journal::Journal::go_on(path, &earlier, context)?,
        None => journal::Journal::create(args.output.output.as_deref(), context, header)?,
    };
    let session = journal.session();
    let shared_origin = shared_origins(&basis.targets);
    let request =
        |step: &Step| request(step, &basis.prompts, settings, &run_id, session, shared_origin[step.target]);
    let bars = bars::Bars::new(context, &basis.targets);
    let mut watch = watch::Watcher::new(tally, &steps, args.max_cost, journal, bars);
    let patience = Patience { retries: args.retries, wait_factor: 1.0 };
    let mut stop = std::pin::pin!(interrupted());
    let mut ended =
        run::run(&mut backends, &steps, &request, patience, settings.seed, &mut watch, stop.as_mut()).await;
    let mut targets = basis.targets.clone();
    for (target, backend) in backends.into_iter().enumerate() {
        if let Backend::Local(local) = &backend {
            device::finish(&watches[target], local, &mut targets[target]);
        }
        // After an interruption the worker may be in the middle of an answer: dropping ends it.
        if let Backend::Local(local) = backend
            && !ended.interrupted
        {
            local.shutdown().await;
        }
    }
    let given = !matches!(settings.slo.source, Source::Assumed { .. });
    let (until_broken, left_out) = (given, Vec::new());
    let mut loads = load::Loads { basis: &basis, ways, request: &request, complete, until_broken, left_out };
    loads.run(&mut watch, &mut ended, stop.as_mut()).await;
    for (target, text) in loads.left_out {
        context.note(&format!("{}: {text}", targets[target].id));
        targets[target].remarks.push(text);
    }
    if ended.complete {
        let tests = synthetic::after(&files, args, context, &mut targets);
        let outcome = tokio::select! {
            outcome = tests => outcome.map_err(|fault| fault.message),
            () = stop.as_mut() => Err("interrupted".to_owned()),
        };
        if let Err(why) = outcome {
            context.note(&format!("the engine alone could not be measured to the end: {why}"));
        }
    }
    let capped = watch.capped;
    cut.extend(watch.under_way());
    let (tally, journal) = watch.close()?;
    let end = journal::End { ended, capped, targets };
    let (spent_usd, unsettled_usd, asked_again) =
        (tally.spent_usd(), tally.unsettled_usd(), tally.asked_again);
    let (samples, sent) = (tally.samples, tally.sent);
    let basis = Basis { targets: end.targets.clone(), ..basis };
    let cut = replay::cut(&cut, basis.targets.len());
    Ok(MeasuredRun {
        journal: journal.end(end.clone())?,
        samples,
        sent,
        cut,
        spent_usd,
        unsettled_usd,
        asked_again,
        end,
        basis,
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
    session: u32,
    nth_of_origin: usize,
) -> Request {
    let prompt = &prompts[step.prompt];
    let message = |role, content: &String| Message { role, content: content.clone() };
    let mut messages: Vec<Message> = prompt.system.iter().map(|s| message(Role::System, s)).collect();
    messages.push(message(Role::User, &prompt.prompt));
    let marker = || {
        // A request that a kill cut off is sent again: the provider may have kept its prompt.
        let place = step.load.map_or((usize::MAX, 0), |p| (p.phase, p.index));
        let parts = format!(
            "{run_id} {session} {} {} {} {place:?} {nth_of_origin}",
            step.prompt, step.repeat, step.warmup
        );
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
    if !args.load.shapes().is_empty() {
        let load = &args.load;
        choice("load", "--concurrency", true, of(&load.shapes()), None);
        choice("load_extent", "--requests", true, of(&load.extent()), Some("requests, seconds"));
        choice("load_rounds", "--repeats", args.repeats.is_some(), of(&settings.rounds), Some("per load"));
        put("slo", of(&settings.slo.value), Some("ms"), settings.slo.source.clone());
    }
    local::inputs(args, &mut map);
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
