use crate::cli::context::Context;
use crate::cli::error::{CliError, Exit};
use crate::cli::output::OutputArgs;
use crate::cli::scenario::ScenarioFlags;
use crate::cost::{self, Known, Scenario};
use crate::report::bench::BenchDocument;
use crate::report::breakeven::{BreakevenDocument, explain, explainable};
use crate::report::{Block, View};
use crate::workload::Evidence;
use std::io::Read as _;
use std::path::{Path, PathBuf};

/// What does it cost, local against cloud, and when does local pay back?
///
/// A scenario comes from a file (--scenario), from a measurement (--measured), from flags, or from
/// all three; a flag beats the file, what was given beats what was measured, and that beats the
/// catalogue. Every scenario key is a flag: `freehold breakeven --help` lists them.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  freehold breakeven --requests-per-month 200000 --input-tokens 1500 --output-tokens 400 \\
      --cloud anthropic/claude-haiku-4-5-20251001 --hardware nvidia-rtx-4090 --model llama-3.1-8b-instruct
  freehold breakeven --scenario examples/chatbot.toml --local.usd-per-kwh 0.35 -o cost.json
  freehold breakeven --measured bench.json --requests-per-month 50000 --hardware nvidia-rtx-4090
  freehold breakeven --all --model llama-3.1-8b-instruct --requests-per-month 1e6 \\
      --input-tokens 1500 --output-tokens 400
  freehold breakeven --scenario plan.toml --explain payback_months
  freehold breakeven --scenario plan.toml --require 'payback_months<=18' --quiet
  freehold breakeven --scenario plan.toml --format csv > cash-flow.csv

A number may be a range, low:likely:high (--usd-per-kwh 0.20:0.30:0.45). `--help` lists every key.")]
pub struct Args {
    /// Scenario file (TOML; `-` is stdin).
    #[arg(long, value_name = "FILE")]
    pub scenario: Option<PathBuf>,
    /// A bench document: measured speed, power and tokens.
    #[arg(long, value_name = "FILE")]
    pub measured: Option<PathBuf>,
    /// Every API model that meets the need against every hardware that can carry the model, ranked.
    #[arg(long)]
    pub all: bool,
    /// With --all: only API models of this capability tier or better (1 is the most capable).
    #[arg(long, value_name = "1..4", requires = "all", value_parser = clap::value_parser!(u8).range(1..=4))]
    pub tier: Option<u8>,
    /// How a number comes about: its name in the JSON, or an input such as `local.usd_per_kwh`.
    #[arg(long, value_name = "NAME", conflicts_with = "all")]
    pub explain: Option<String>,
    /// Exit 3 unless this holds for the first comparison, e.g. `payback_months<=18` (repeatable).
    #[arg(long, value_name = "METRIC<=N")]
    pub require: Vec<String>,
    /// Draws where inputs are ranges.
    #[arg(long, value_name = "N", default_value_t = cost::uncertainty::DEFAULT_DRAWS, value_parser = clap::value_parser!(u32).range(1..=10_000_000))]
    pub draws: u32,
    /// Seed of the draws: the same seed gives the same answer.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
    #[command(flatten)]
    pub keys: ScenarioFlags,
    #[command(flatten)]
    pub output: OutputArgs,
}

#[allow(clippy::needless_pass_by_value)] // every command takes its arguments
pub fn run(args: Args, context: &Context) -> Result<(), CliError> {
    let mut scenario = match &args.scenario {
        Some(path) => read_scenario(path)?,
        None => Scenario::default(),
    };
    args.keys.apply(&mut scenario)?;
    let evidence = args.measured.as_deref().map(read_evidence).transpose()?;
    let catalog = crate::cli::catalog::load(context)?;
    let known =
        Known { catalog: &catalog, evidence: evidence.as_ref(), today: context.today, comparators: true };
    let drawing = cost::Drawing { count: args.draws, seed: args.seed };
    let document = if args.all {
        let (plan, skipped) = cost::resolve_all(&scenario, known, args.tier).map_err(|e| unresolved(&e))?;
        let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let evaluation = cost::evaluate_all(&plan, drawing, threads);
        BreakevenDocument::ranking(&plan, &evaluation, &skipped, &context.now)
    } else {
        let plan = cost::resolve(&scenario, known).map_err(|e| unresolved(&e))?;
        let evaluation = cost::evaluate(&plan, drawing);
        BreakevenDocument::new(&plan, &evaluation, &context.now)
    };
    let gates = args.require.iter().map(|g| Gate::parse(g)).collect::<Result<Vec<_>, _>>()?;
    match &args.explain {
        Some(name) => write_explanation(&args.output, context, &document, name)?,
        None => args.output.write(
            context,
            || serde_json::to_string_pretty(&document),
            || document.view(),
            Some(&|| document.csv()),
        )?,
    }
    check_gates(&gates, &document)
}

/// The steps as a numbered list; as JSON a list of strings.
fn write_explanation(
    output: &OutputArgs,
    context: &Context,
    document: &BreakevenDocument,
    name: &str,
) -> Result<(), CliError> {
    let Some(steps) = explain(document, name) else {
        return Err(CliError::usage(format!("--explain {name}: there is no such number in this result"))
            .hint(format!(
                "one of {}; or an input by its dotted name, such as local.usd_per_kwh",
                explainable().join(", ")
            )));
    };
    output.write(
        context,
        || serde_json::to_string_pretty(&steps),
        || {
            let mut view = View::new(format!("How {name} comes about"));
            view.push(Block::Numbered(steps.clone()));
            view
        },
        None,
    )
}

/// `payback_months<=18`: a condition on the headline comparison.
struct Gate {
    text: String,
    metric: String,
    at_most: bool,
    limit: f64,
}

/// What a gate may be about.
const GATED: [&str; 7] = [
    "payback_months",
    "discounted_payback_months",
    "tco_cloud_usd",
    "tco_local_usd",
    "saving_usd",
    "npv_saving_usd",
    "probability_local_cheaper",
];

impl Gate {
    fn parse(text: &str) -> Result<Self, CliError> {
        let wrong = || {
            CliError::usage(format!("--require '{text}': expected METRIC<=NUMBER or METRIC>=NUMBER"))
                .hint(format!("METRIC is one of {}", GATED.join(", ")))
        };
        let (metric, at_most, limit) = match (text.split_once("<="), text.split_once(">=")) {
            (Some((m, l)), _) => (m, true, l),
            (None, Some((m, l))) => (m, false, l),
            (None, None) => return Err(wrong()),
        };
        let metric = metric.trim().to_owned();
        let limit: f64 = limit.trim().parse().map_err(|_| wrong())?;
        if !GATED.contains(&metric.as_str()) || !limit.is_finite() {
            return Err(wrong());
        }
        Ok(Self { text: text.to_owned(), metric, at_most, limit })
    }
}

/// Exit 3 with one line per gate that is not met. What is not known meets no gate.
fn check_gates(gates: &[Gate], document: &BreakevenDocument) -> Result<(), CliError> {
    let r = &document.result;
    let head = r.comparisons.first();
    let mut failed = Vec::new();
    for gate in gates {
        let value = head.and_then(|c| match gate.metric.as_str() {
            "payback_months" => c.payback_months,
            "discounted_payback_months" => c.discounted_payback_months,
            "tco_cloud_usd" => Some(c.tco_cloud_usd),
            "tco_local_usd" => Some(c.tco_local_usd),
            "saving_usd" => Some(c.saving_usd),
            "npv_saving_usd" => Some(c.npv_saving_usd),
            _ => r.uncertainty.as_ref().and_then(|u| u.probability_local_cheaper),
        });
        let met = value.is_some_and(|v| if gate.at_most { v <= gate.limit } else { v >= gate.limit });
        if !met {
            let is = value.map_or_else(
                || {
                    if gate.metric.ends_with("payback_months") {
                        "never".to_owned()
                    } else {
                        "not known".to_owned()
                    }
                },
                |v| format!("{v:.2}"),
            );
            failed.push(format!("required {}, but it is {is}", gate.text));
        }
    }
    if failed.is_empty() { Ok(()) } else { Err(CliError::new(Exit::Gate, failed.join("\n"))) }
}

fn unresolved(error: &cost::ResolveError) -> CliError {
    let stop = CliError::usage(error.to_string());
    match error {
        cost::ResolveError::Missing(_) => {
            stop.hint("give each as a flag or in a scenario file (--scenario FILE); `freehold breakeven --help` lists every key")
        }
        cost::ResolveError::Unknown { .. } => {
            stop.hint("`freehold db list` shows the catalogue; a price or machine that is not in it can be given by its numbers")
        }
        cost::ResolveError::DoesNotFit { .. } => {
            stop.hint("a smaller format (--quantisation), more GPUs (--gpus-per-unit) or other hardware; `freehold fit` shows what fits")
        }
        cost::ResolveError::Impossible { .. } => stop,
    }
}

/// Larger than any scenario a person writes.
const SCENARIO_LIMIT: u64 = 1 << 20;
/// Larger than any bench document with its samples.
const DOCUMENT_LIMIT: u64 = 256 << 20;

fn read_scenario(path: &Path) -> Result<Scenario, CliError> {
    let (name, text) = if path == Path::new("-") {
        ("stdin".to_owned(), read_limited(std::io::stdin().lock(), path, SCENARIO_LIMIT)?)
    } else {
        (path.display().to_string(), read_file(path, SCENARIO_LIMIT)?)
    };
    Scenario::parse(&text, &name).map_err(|e| CliError::usage(e.to_string()))
}

fn read_evidence(path: &Path) -> Result<Evidence, CliError> {
    let text = read_file(path, DOCUMENT_LIMIT)?;
    let document: BenchDocument = serde_json::from_str(&text)
        .map_err(|e| CliError::usage(format!("{} is not a bench document: {e}", path.display())))?;
    Ok(document.evidence(&path.display().to_string()))
}

fn read_file(path: &Path, limit: u64) -> Result<String, CliError> {
    let file = std::fs::File::open(path).map_err(|e| CliError::file("read", path, &e))?;
    read_limited(file, path, limit)
}

fn read_limited(from: impl std::io::Read, path: &Path, limit: u64) -> Result<String, CliError> {
    let mut bytes = Vec::new();
    from.take(limit + 1).read_to_end(&mut bytes).map_err(|e| CliError::file("read", path, &e))?;
    if bytes.len() as u64 > limit {
        return Err(CliError::usage(format!("{} is larger than {} MiB", path.display(), limit >> 20)));
    }
    String::from_utf8(bytes).map_err(|e| {
        CliError::usage(format!("{} is not UTF-8 (byte {})", path.display(), e.utf8_error().valid_up_to()))
    })
}
