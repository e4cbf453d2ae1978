use crate::app;
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::output::{print_bytes, write_atomic};
use crate::document::schema;
use std::path::PathBuf;

/// Print the JSON Schema of a document, for editors and checkers.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  freehold schema                       list what has a schema
  freehold schema breakeven             print one
  freehold schema advice -o advice.schema.json")]
pub struct Args {
    /// Which one; without it, the list.
    #[arg(value_parser = clap::builder::PossibleValuesParser::new(schema::NAMES.iter().map(|(n, _)| *n)))]
    pub name: Option<String>,
    /// Write to FILE (`-` is stdout).
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

pub fn run(args: &Args, _context: &Context) -> Result<(), CliError> {
    let text = app::schema::schema(args.name.as_deref())?;
    match &args.output {
        Some(path) if path.as_os_str() != "-" => write_atomic(path, text.as_bytes()),
        _ => print_bytes(text.as_bytes()),
    }
}
