//! `report`: saved documents, rendered again; several of them as one memo.

use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::files::read_text;
use crate::cli::output::OutputArgs;
use crate::document::saved::Document;
use crate::render::Format;
use crate::render::compare::compare;
use crate::render::memo::{Named, memo};
use std::io::Read as _;
use std::path::{Path, PathBuf};

/// Render saved documents: one as it was, several as a memo, two held against each other.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  freehold report advice.json bench.json cost.json --format markdown -o memo.md
  freehold report cost.json --format html -o cost.html
  freehold report --compare last-month.json cost.json")]
pub struct Args {
    /// Documents made by bench, breakeven, advise, fit or doctor (`-` is stdin).
    #[arg(value_name = "FILE", required_unless_present = "compare")]
    pub files: Vec<PathBuf>,
    /// Show what changed between two documents of the same kind.
    #[arg(long, num_args = 2, value_names = ["OLD", "NEW"], conflicts_with = "files")]
    pub compare: Option<Vec<PathBuf>>,
    #[command(flatten)]
    pub output: OutputArgs,
}

pub fn run(args: &Args, context: &Context) -> Result<(), CliError> {
    if let Some([old, new]) = args.compare.as_deref() {
        let view = compare(&read(old)?, &read(new)?).map_err(CliError::usage)?;
        return args.output.write(context, || view.to_json(), || view.clone(), None);
    }
    let documents: Vec<Named> = args.files.iter().map(|path| read(path)).collect::<Result<_, _>>()?;
    if let [(_, only)] = documents.as_slice() {
        let csv = only.csv();
        let natural = csv.as_ref().map(|text| move || text.clone());
        return args.output.write(
            context,
            || serde_json::to_string_pretty(&only.to_value()?),
            || if args.output.chosen() == Format::Table { only.brief() } else { only.view() },
            natural.as_ref().map(|f| f as &dyn Fn() -> String),
        );
    }
    args.output.write(
        context,
        || {
            let all: Result<Vec<_>, _> = documents.iter().map(|(_, d)| d.to_value()).collect();
            serde_json::to_string_pretty(&all?)
        },
        || memo(&documents),
        None,
    )
}

fn read(path: &Path) -> Result<Named, CliError> {
    let (name, text) = if path == Path::new("-") {
        let mut text = String::new();
        let stdin = std::io::stdin().lock();
        stdin
            .take(crate::cli::files::MAX_BYTES)
            .read_to_string(&mut text)
            .map_err(|e| CliError::usage(format!("cannot read a document from stdin: {e}")))?;
        ("stdin".to_owned(), text)
    } else {
        (path.display().to_string(), read_text(path)?)
    };
    let document = Document::parse(&name, &text).map_err(CliError::usage)?;
    Ok((name, document))
}
