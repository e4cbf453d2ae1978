//! `prompts`: checks a set of prompts, or draws one from one's own records.

use crate::app::prompts::{self, Check};
use crate::cli::catalog;
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::files;
use crate::cli::output::OutputArgs;
use crate::cli::prompt_files;
use crate::usage::texts;
use std::ops::ControlFlow;
use std::path::PathBuf;

/// Most prompts of records that are kept while a set is drawn.
const MOST_READ: usize = 1_000_000;

/// Check a set of prompts, or draw one from records of use
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  freehold prompts check prompts.jsonl
  freehold prompts check promptfooconfig.yaml
  freehold prompts check prompts.jsonl --model openai/gpt-6-luna --margin 0.05
  freehold prompts sample gateway.jsonl -n 200 --seed 7 -o prompts.jsonl")]
pub struct Args {
    #[command(subcommand)]
    pub what: What,
}

#[derive(Debug, clap::Subcommand)]
pub enum What {
    Check(CheckArgs),
    Sample(SampleArgs),
}

/// Is everything in a prompt file valid, how long is it, what does a run cost, and are there enough?
#[derive(Debug, clap::Args)]
pub struct CheckArgs {
    /// The prompts: a .jsonl, .csv, .toml or .txt file, a promptfoo configuration (.yaml, .json), samples of
    /// OpenAI evals, or a log of Inspect or lm-evaluation-harness.
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// An API model whose cost is to be said, as `freehold db list api-models` has it (repeatable).
    #[arg(long, value_name = "MODEL")]
    pub model: Vec<String>,
    /// Largest loss of pass rate that still counts as good enough [default: 0.10].
    #[arg(long, value_name = "SHARE")]
    pub margin: Option<f64>,
    /// How often each prompt is asked [default: 3].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub repeats: Option<u32>,
    /// Output limit where a prompt has none of its own [default: 256].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub max_output_tokens: Option<u32>,
    #[command(flatten)]
    pub output: OutputArgs,
}

/// Draw prompts from records that hold their texts: every model in proportion, nothing twice, e-mail
/// addresses, telephone, card and account numbers, network addresses and keys taken out
#[derive(Debug, clap::Args)]
pub struct SampleArgs {
    /// Files of records (see `freehold usage --help`) that hold the texts of requests.
    #[arg(value_name = "LOG", required = true)]
    pub logs: Vec<PathBuf>,
    /// How many to draw.
    #[arg(short, long, value_name = "N", default_value_t = 200)]
    pub number: usize,
    /// Seed of the draw: the same records and seed give the same prompts.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub seed: u64,
    /// Where the set is written, as JSON lines [default: stdout].
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

pub fn run(args: &Args, context: &Context) -> Result<(), CliError> {
    match &args.what {
        What::Check(args) => check(args, context),
        What::Sample(args) => sample(args, context),
    }
}

fn check(args: &CheckArgs, context: &Context) -> Result<(), CliError> {
    let (set, _) = prompt_files::read(&args.file)?;
    let catalog = catalog::load(context)?;
    let document = prompts::check(&Check {
        file: &args.file.display().to_string(),
        set: &set,
        models: &args.model,
        margin: args.margin,
        repeats: args.repeats,
        max_output_tokens: args.max_output_tokens,
        catalog: &catalog,
        today: context.today,
        now: &context.now,
    })?;
    args.output.show(context, &document)
}

fn sample(args: &SampleArgs, context: &Context) -> Result<(), CliError> {
    let (mut all, mut records) = (Vec::new(), 0);
    for log in &args.logs {
        let file = files::open(log)?;
        let found = texts::prompts(file, &mut |prompt| {
            all.extend(prompts::of_record(prompt, all.len() + 1));
            if all.len() < MOST_READ { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        })
        .map_err(|why| unread(log, why))?;
        records += found.records;
    }
    if all.len() >= MOST_READ {
        context.note(&format!("Only the first {MOST_READ} prompts were read."));
    }
    let with_text = all.len();
    let drawn = prompts::sample(all, args.number, args.seed)?;
    let n = drawn.sample.prompts.len();
    let (distinct, redacted) = (drawn.sample.distinct, drawn.redacted);
    context.note(&format!(
        "{records} record{}, {with_text} with the text of a prompt; {distinct} differ in more than capital letters, spaces and \
         digits, and {n} of these {} drawn. Addresses, numbers and keys taken out: {redacted}. Read the set before it \
         goes to anybody else.",
        if records == 1 { "" } else { "s" },
        if n == 1 { "is" } else { "are" },
    ));
    let text = prompts::lines(&drawn.sample.prompts);
    match args.output.as_deref().filter(|p| *p != std::path::Path::new("-")) {
        Some(path) => crate::cli::output::write_atomic(path, text.as_bytes()),
        None => crate::cli::output::print_bytes(text.as_bytes()),
    }
}

fn unread(log: &std::path::Path, why: texts::Unreadable) -> CliError {
    let shown = log.display();
    let (message, hint) = match why {
        texts::Unreadable::Io(e) => return CliError::file("read", log, &e),
        texts::Unreadable::Foreign(_) => {
            (format!("{shown} is not text"), "Give the records as JSON lines, JSON or CSV.")
        }
        texts::Unreadable::TooLarge => {
            (format!("{shown} is one JSON document of more than 256 MiB"), "Write it as JSON lines.")
        }
        texts::Unreadable::NoTexts => (
            format!("{shown} has no column that could hold prompts"),
            "Name the column prompt, messages, input or question.",
        ),
    };
    CliError::usage(message).hint(hint)
}
