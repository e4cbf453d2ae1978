use crate::app::Refusal;
use crate::app::breakeven::{
    Asked, Beside, NotComputed, Repeated, add_profile, answer, answerable, breakeven,
};
use crate::cli::ask::{Ask as _, Terminal};
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::files;
use crate::cli::keys::ScenarioFlags;
use crate::cli::needs::UsageArgs;
use crate::cli::output::OutputArgs;
use crate::cli::profiles;
use crate::cost::{Basis, ResolveError, Scenario};
use crate::document::bench::BenchDocument;
use crate::document::breakeven::BreakevenDocument;
use crate::document::repeat::command;
use crate::render::breakeven::{explain, explainable};
use crate::render::{Block, Format, View};
use crate::workload::Evidence;
use crate::workload::keys::Key;
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
      --cloud anthropic/claude-haiku-4-5-20251001 \\
      --hardware nvidia-rtx-4090 --model llama-3.1-8b-instruct
  freehold breakeven --scenario examples/chatbot.toml --local.usd-per-kwh 0.35 -o cost.json
  freehold breakeven --usage usage.json --hardware nvidia-rtx-4090 --model llama-3.1-8b-instruct
  freehold breakeven --measured bench.json --requests-per-month 50000 --cloud openai/gpt-6-luna --local.purchase-usd 1800
  freehold breakeven --all --model llama-3.1-8b-instruct --requests-per-month 1e6 \\
      --input-tokens 1500 --output-tokens 400
  freehold breakeven --scenario plan.toml --explain payback_months
  freehold breakeven --scenario plan.toml --require 'payback_months<=18' --quiet
  freehold breakeven --scenario plan.toml --format csv > cash-flow.csv

A number may be a range, low:likely:high (--usd-per-kwh 0.20:0.30:0.45). `--help` lists every key.")]
pub struct Args {
    /// Scenario file (TOML; `-` is stdin), or a cost document to repeat from its own inputs.
    #[arg(long, value_name = "FILE")]
    pub scenario: Option<PathBuf>,
    /// A profile (see `freehold advise --list-profiles`, or a file): its requests and tokens.
    #[arg(long, value_name = "NAME")]
    pub profile: Option<String>,
    /// A bench document: measured speed and power of the machine it was made on, tokens and retries
    /// of its models.
    #[arg(long, value_name = "FILE")]
    pub measured: Option<PathBuf>,
    /// Take a measurement of another model, machine or size of request than the need's all the same; the
    /// result says what differs.
    #[arg(long, requires = "measured")]
    pub allow_mismatch: bool,
    #[command(flatten)]
    pub usage: UsageArgs,
    /// People whose seats would do the same work, where the records are sessions of a coding agent.
    /// [default: 1]
    #[arg(long, value_name = "N", requires = "usage", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub seats: Option<u32>,
    /// Every API model that meets the need against every hardware that can carry the model, ranked.
    /// Rated API models as capable as the local model meet it, or those of --tier; the unrated stand
    /// apart.
    #[arg(long)]
    pub all: bool,
    /// With --all, a row for every pair: hundreds of thousands of rows and of MB. Without, JSON and CSV have
    /// each offer once: for each API model the hardware that saves most, for each hardware the API model
    /// against which it saves least.
    #[arg(long)]
    pub every_pair: bool,
    /// How a number comes about: its path or name in the JSON (`result.local[0].tco_usd`, `payback_months`), or an
    /// input such as `local.usd_per_kwh`.
    #[arg(long, value_name = "NAME", conflicts_with = "all")]
    pub explain: Option<String>,
    /// Draws where inputs are ranges; with --all for each row that is shown.
    /// [default: 10000]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000_000))]
    pub draws: Option<u32>,
    /// Seed of the draws: the same seed gives the same answer [default: 1].
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    #[command(flatten)]
    pub keys: ScenarioFlags,
    #[command(flatten)]
    pub output: OutputArgs,
}

#[allow(clippy::needless_pass_by_value)] // every command takes its arguments
pub fn run(args: Args, context: &Context) -> Result<(), CliError> {
    let (mut scenario, repeated) = match &args.scenario {
        Some(path) => read_scenario(path)?,
        None => (Scenario::default(), None),
    };
    args.keys.apply(&mut scenario)?;
    let catalog = crate::cli::catalog::load(context)?;
    let usage = args.usage.read(&catalog, context)?;
    if let Some(usage) = &usage {
        usage.fill(&mut scenario);
    }
    if let Some(name) = &args.profile {
        add_profile(&mut scenario, &profiles::find(name, context)?.draft);
    }
    let evidence = args.measured.as_deref().map(read_evidence).transpose()?;
    let known =
        Basis { catalog: &catalog, evidence: evidence.as_ref(), today: context.today, comparators: true };
    let asked = Asked {
        all: args.all || repeated.as_ref().is_some_and(Repeated::ranking),
        every_pair: args.every_pair,
        draws: args.draws,
        seed: args.seed,
        seats: args.seats,
        allow_mismatch: args.allow_mismatch,
    };
    let beside =
        Beside { usage: usage.as_ref(), threads: crate::threads::available(), created: &context.now };
    let (mut document, ever_asked) = compute(&mut scenario, known, asked, beside, context)?;
    context.record(&mut document.inputs);
    args.usage.record(&mut document.inputs);
    if let Some(repeated) = &repeated {
        for note in repeated.compare(&mut document, args.keys.is_empty()) {
            context.note(&note);
        }
    }
    let written = match &args.explain {
        Some(name) => write_explanation(&args.output, context, &document, name),
        None => args.output.write(
            context,
            // Every pair is hundreds of thousands of rows, which nobody reads indented.
            || {
                if args.every_pair {
                    crate::document::json::compact(&document)
                } else {
                    crate::document::json::pretty(&document)
                }
            },
            || if args.output.chosen() == Format::Table { document.brief() } else { document.memo() },
            Some(&|| document.csv()),
        ),
    };
    if ever_asked {
        context.note(&format!("The same without questions: {}", command("breakeven", &document.inputs)));
    }
    written
}

/// Computes; where an input is missing and there is somebody to ask, asks for it. `true`: it asked.
fn compute(
    scenario: &mut Scenario,
    known: Basis<'_>,
    asked: Asked,
    beside: Beside<'_>,
    context: &Context,
) -> Result<(BreakevenDocument, bool), CliError> {
    let mut terminal = None;
    loop {
        let error = match breakeven(scenario, known, asked, beside) {
            Ok(document) => return Ok((document, terminal.is_some())),
            Err(NotComputed::Refused(refusal)) => return Err(refusal.into()),
            Err(NotComputed::Missing(error)) => error,
        };
        let askable: Vec<_> = match &error {
            ResolveError::Missing(missing) => {
                missing.iter().filter_map(|m| Some((answerable(&m.key)?, m.why.clone()))).collect()
            }
            _ => Vec::new(),
        };
        if askable.is_empty() || !context.can_ask() {
            return Err(Refusal::from(error).into());
        }
        let ask: &mut Terminal = terminal.get_or_insert_with(Terminal::new);
        for (key, why) in askable {
            let read = |text: &str| answer(key, text, known.catalog);
            let text = ask.text(&question(key, &why), "", &|text| read(text).map(drop))?;
            scenario.set(key, None, &read(&text).map_err(CliError::usage)?);
        }
    }
}

/// The question for a key: what it is, its unit, and why it is needed where that adds something.
fn question(key: &Key, why: &str) -> String {
    let start =
        |text: &str| text.to_lowercase().split_whitespace().take(4).map(str::to_owned).collect::<Vec<_>>();
    let said = start(key.help) == start(why);
    let unit = if key.unit.is_empty() || said { String::new() } else { format!(", {}", key.unit) };
    if said { key.help.to_owned() } else { format!("{}{unit} - {why}", key.help) }
}

/// Writes the steps as a numbered list; as JSON, a list of strings.
fn write_explanation(
    output: &OutputArgs,
    context: &Context,
    document: &BreakevenDocument,
    name: &str,
) -> Result<(), CliError> {
    let Some(steps) = explain(document, name) else {
        return Err(CliError::usage(format!("--explain {name}: there is no such number in this result"))
            .hint(format!(
                "the path of a number in the JSON (result.local[0].monthly_parts_usd.power), or of the headline one of {}; or an input by its dotted name, such as local.usd_per_kwh",
                explainable(document).join(", ")
            )));
    };
    output.write(
        context,
        || crate::document::json::pretty(&steps),
        || {
            let mut view = View::new(format!("How {name} comes about"));
            view.push(Block::Numbered(steps.clone()));
            view
        },
        None,
    )
}

/// The scenario in a file, be it a scenario or a document.
pub(super) fn scenario_of(path: &Path) -> Result<Scenario, CliError> {
    Ok(read_scenario(path)?.0)
}

/// The scenario in a file, and the document it was read from where it is one.
fn read_scenario(path: &Path) -> Result<(Scenario, Option<Repeated>), CliError> {
    let (name, text) = if path == Path::new("-") {
        ("stdin".to_owned(), files::read_stdin(files::MAX_BYTES)?)
    } else {
        (path.display().to_string(), files::read_text(path)?)
    };
    if text.trim_start().starts_with('{') {
        let repeated = Repeated::parse(&text, &name)?;
        return Ok((repeated.scenario()?, Some(repeated)));
    }
    files::check_size(&name, text.len() as u64, files::MAX_SETTINGS)?;
    let scenario = Scenario::parse(&text, &name).map_err(|e| CliError::usage(e.to_string()))?;
    Ok((scenario, None))
}

pub(super) fn read_evidence(path: &Path) -> Result<Evidence, CliError> {
    let text = files::read_text(path)?;
    let document: BenchDocument = serde_json::from_str(&text)
        .map_err(|e| CliError::usage(format!("{} is not a bench document: {e}", path.display())))?;
    Ok(document.evidence(&path.display().to_string()))
}
