use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::output::write_atomic;
use crate::document::schema;
use std::io::Write as _;
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
    let list = || {
        let lines: Vec<String> =
            schema::NAMES.iter().map(|(name, what)| format!("{name:<10} {what}")).collect();
        lines.join("\n") + "\n"
    };
    let text = args.name.as_deref().map_or_else(|| Some(list()), schema::text);
    let text = text.ok_or_else(|| CliError::usage("there is no schema of that name"))?;
    match &args.output {
        Some(path) if path.as_os_str() != "-" => write_atomic(path, text.as_bytes()),
        _ => match std::io::stdout().lock().write_all(text.as_bytes()) {
            Err(e) if e.kind() == std::io::ErrorKind::BrokenPipe => Err(CliError::BrokenPipe),
            Err(e) => Err(CliError::failed(format!("cannot write to stdout: {e}"))),
            Ok(()) => Ok(()),
        },
    }
}
