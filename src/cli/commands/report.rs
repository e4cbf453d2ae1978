//! `report`: renders saved documents again, several of them as one memo.

use crate::app::report::{changes, each_once, parse, report};
use crate::catalog::Catalog;
use crate::cli::catalog::load;
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::files::{MAX_BYTES, read_stdin, read_text};
use crate::cli::output::OutputArgs;
use crate::render::memo::Named;
use crate::render::{Page as _, View};
use std::path::{Path, PathBuf};

/// Render saved documents: one as it was, several as a memo, two held against each other.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  freehold report advice.json bench.json cost.json --format markdown -o memo.md
  freehold report cost.json --format html -o cost.html
  freehold report cost.json --chart cost-over-time -o chart.png
  freehold report --compare last-month.json cost.json
  freehold report cost.json --require 'payback_months<=18' --format junit -o gates.xml")]
pub struct Args {
    /// Documents made by bench, breakeven, advise, fit or doctor (`-` is stdin).
    #[arg(value_name = "FILE", required_unless_present = "compare")]
    pub files: Vec<PathBuf>,
    /// Show what changed between two documents of the same kind.
    #[arg(long, num_args = 2, value_names = ["OLD", "NEW"], conflicts_with = "files")]
    pub compare: Option<Vec<PathBuf>>,
    /// Put documents of different needs, models, machines or measurements on one page; it says what
    /// differs.
    #[arg(long, conflicts_with = "compare")]
    pub allow_mismatch: bool,
    /// With --compare: every value that changed, not only what people act on.
    #[arg(long, requires = "compare")]
    pub details: bool,
    /// One chart of the page as a picture (`-o FILE.svg` or `FILE.png`); an unknown name lists them.
    #[arg(long, value_name = "NAME", conflicts_with_all = ["compare", "format", "json"])]
    pub chart: Option<String>,
    #[command(flatten)]
    pub output: OutputArgs,
}

pub fn run(args: &Args, context: &Context) -> Result<(), CliError> {
    if let Some([old, new]) = args.compare.as_deref() {
        return args.output.show(context, &changes(&read(old)?, &read(new)?, args.details)?);
    }
    let documents: Vec<Named> = args.files.iter().map(|path| read(path)).collect::<Result<_, _>>()?;
    let (documents, twice) = each_once(documents);
    for note in twice {
        context.note(&note);
    }
    // A single document needs no catalogue, so a broken one does not keep it from being read.
    let catalog = if documents.len() > 1 { load(context)? } else { Catalog::default() };
    let report = report(&documents, &catalog, args.allow_mismatch)?;
    match &args.chart {
        Some(name) => picture(&report.view(), name, &args.output),
        None => args.output.show(context, &report),
    }
}

/// Writes one chart of the page.
fn picture(view: &View, name: &str, output: &OutputArgs) -> Result<(), CliError> {
    let charts = view.all_charts();
    let Some(chart) = charts.iter().find(|c| c.id == name) else {
        let mut names: Vec<&str> = charts.iter().map(|c| c.id).collect();
        names.dedup();
        return Err(CliError::usage(if names.is_empty() {
            "this page has no chart".to_owned()
        } else {
            format!("no chart `{name}` on this page; it has {}", names.join(", "))
        }));
    };
    output.write_bytes(&chart.to_file(output.picture().unwrap_or(output.charts)))
}

pub(super) fn read(path: &Path) -> Result<Named, CliError> {
    if path != Path::new("-") {
        return Ok(parse(path.display().to_string(), &read_text(path)?)?);
    }
    Ok(parse("stdin".to_owned(), &read_stdin(MAX_BYTES)?)?)
}
