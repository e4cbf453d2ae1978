use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::output::OutputArgs;
use crate::cli::scenario::ScenarioFlags;
use crate::cost::{self, Known, Scenario};
use crate::report::bench::BenchDocument;
use crate::report::breakeven::BreakevenDocument;
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
  freehold breakeven --scenario plan.toml --format csv > cash-flow.csv

A number may be a range, low:likely:high (--usd-per-kwh 0.20:0.30:0.45). `--help` lists every key.")]
pub struct Args {
    /// Scenario file (TOML; `-` is stdin).
    #[arg(long, value_name = "FILE")]
    pub scenario: Option<PathBuf>,
    /// A bench document: measured speed, power and tokens.
    #[arg(long, value_name = "FILE")]
    pub measured: Option<PathBuf>,
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
    let plan = cost::resolve(&scenario, known).map_err(|e| unresolved(&e))?;
    let drawing = cost::Drawing { count: args.draws, seed: args.seed };
    let evaluation = cost::evaluate(&plan, drawing);
    let document = BreakevenDocument::new(&plan, &evaluation, &context.now);
    args.output.write(
        context,
        || serde_json::to_string_pretty(&document),
        || document.view(),
        Some(&|| document.csv()),
    )
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
