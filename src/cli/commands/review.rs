//! `review`: checks whether a saved advice still holds today.

use crate::app::advise::AdviceBasis;
use crate::app::advise::CostFile;
use crate::app::review::{Rested, review};
use crate::cli::catalog;
use crate::cli::context::Context;
use crate::cli::error::{CliError, Exit};
use crate::cli::files::{MAX_BYTES, read_stdin, read_text};
use crate::cli::output::OutputArgs;
use crate::document::Document;
use crate::workload::Evidence;
use std::path::{Path, PathBuf};

/// Decide again what a saved advice decided, with today's catalogue: what moved, what retires, does it hold?
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  freehold review advice.json                        ends with 3 where the advice no longer holds
  freehold review advice.json --json -o review.json  the same for a program
  freehold review advice.json --evidence bench.json  advice that rested on measurements

Advice no longer holds where today's verdict is another placement, where its option cannot be taken
or priced any more, or where its API model is gone. Prices that moved within the verdict are shown
only. Advice that rested on measurements or on a cost cannot be decided again without those files.
examples/ci has a workflow that asks every week.")]
pub struct Args {
    /// An advice document (`-` is stdin).
    #[arg(value_name = "ADVICE.json")]
    pub document: PathBuf,
    /// The bench document that the advice rested on, or a newer one.
    #[arg(long, value_name = "BENCH.json")]
    pub evidence: Option<PathBuf>,
    /// The breakeven document that the advice rested on, or a newer one.
    #[arg(long, value_name = "COST.json")]
    pub cost: Option<PathBuf>,
    /// Take documents of another need all the same.
    #[arg(long)]
    pub allow_mismatch: bool,
    #[command(flatten)]
    pub output: OutputArgs,
}

pub fn run(args: &Args, context: &Context) -> Result<(), CliError> {
    let catalog = catalog::load(context)?;
    let (name, document) = read(&args.document)?;
    let Document::Advice(then) = document else {
        return Err(CliError::usage(format!(
            "{name}: review takes an advice document, and this one is of the kind \"{}\"",
            document.kind()
        )));
    };
    let evidence: Option<Evidence> = match args.evidence.as_deref().map(read).transpose()? {
        None => None,
        Some((name, Document::Bench(bench))) => Some(bench.evidence(&name)),
        Some((name, other)) => return Err(wrong_kind(&name, "evidence", "bench", &other)),
    };
    let cost = match args.cost.as_deref().map(read).transpose()? {
        None => None,
        Some((name, Document::Breakeven(cost))) => Some((name, cost)),
        Some((name, other)) => return Err(wrong_kind(&name, "cost", "breakeven", &other)),
    };
    let rested = Rested {
        evidence: evidence.as_ref(),
        cost: cost.as_ref().map(|(name, document)| CostFile { name, document }),
        allow_mismatch: args.allow_mismatch,
    };
    let known = AdviceBasis { catalog: &catalog, today: context.today, now: &context.now };
    let found = review(&name, &then, rested, &known)?;
    args.output.show(context, &found)?;
    if found.holds {
        return Ok(());
    }
    Err(CliError::new(Exit::Gate, format!("{name} no longer holds: {}", found.void_because.join(" ")))
        .hint("make it anew: `freehold advise --json`, with the same answers"))
}

fn read(path: &Path) -> Result<(String, Document), CliError> {
    let (name, text) = if path == Path::new("-") {
        ("stdin".to_owned(), read_stdin(MAX_BYTES)?)
    } else {
        (path.display().to_string(), read_text(path)?)
    };
    let document = Document::parse(&name, &text).map_err(CliError::usage)?;
    Ok((name, document))
}

fn wrong_kind(file: &str, flag: &str, wanted: &str, got: &Document) -> CliError {
    CliError::usage(format!(
        "{file}: --{flag} takes a {wanted} document, and this one is of the kind \"{}\"",
        got.kind()
    ))
}
