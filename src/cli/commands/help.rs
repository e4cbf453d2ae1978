//! `freehold help TOPIC`: a command's own help, or one of the topics below. Also completions and
//! manual pages, made from the same definitions.

use crate::catalog::Catalog;
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::output::{self, write_atomic};
use crate::cli::{catalog, environment};
use std::path::PathBuf;

#[derive(Debug, clap::Args)]
pub struct HelpArgs {
    /// A command, or one of: exit-codes, environment, formats, graders, metrics,
    /// sources.
    pub topic: Vec<String>,
}

#[derive(Debug, clap::Args)]
pub struct CompletionsArgs {
    pub shell: clap_complete::Shell,
}

#[derive(Debug, clap::Args)]
pub struct ManArgs {
    /// Folder to write the pages to.
    #[arg(long, value_name = "FOLDER")]
    pub dir: PathBuf,
}

/// Help topics that are not commands.
const TOPICS: &[(&str, &str)] = &[
    (
        "exit-codes",
        "\
Exit codes

  0    done
  1    failed: something could not be done; what was measured before is kept
  2    usage: a wrong argument, a missing answer, or a bad input file
  3    what was required does not hold: a --require gate, --must-fit, --require-gpu, or reviewed
       advice that no longer holds
  4    a credential is missing or was refused
  129  the terminal went away (SIGHUP); a partial result is written where there is one
  130  interrupted (Ctrl-C); a partial result is written where there is one
  143  asked to end (SIGTERM); a partial result is written where there is one

When whatever reads the output stops reading (`| head`), that is a silent success.
",
    ),
    (
        "formats",
        "\
Formats

  Commands that make a result take --format table|json|markdown|html|csv, --json for short, and
  -o FILE, whose ending picks the format where --format does not. junit and code-quality
  print what became of the --require gates. `schema` and `prompts sample` print one format, and -o
  of `deploy` is a folder. stdout is the result; progress, questions and warnings go to stderr.

  JSON documents carry `schema`, `tool_version`, `created`, `inputs` (each value with its unit and
  source), `result` and `warnings`. `freehold schema NAME` prints the JSON Schema. Within a major
  version fields are only added. Unknown is null, never 0.

  `freehold report FILE...` renders saved documents in any format, later and elsewhere.
",
    ),
    (
        "sources",
        "\
Sources

  Every number says where it came from:

    user       you gave it: a flag, a profile, a scenario file, an answer
    measured   taken from a bench document, which is named
    database   taken from the catalogue: which entry, read where, on which day
    assumed    none of these: a default or a prediction, with its reason

  They are taken in this order. A number that none of them has stops the calculation; nothing is
  ever taken to be zero because it is unknown.
",
    ),
];

/// The topic made from the table of metrics.
const METRICS: &str = "metrics";
/// The topic made from the table of variables.
const ENVIRONMENT: &str = "environment";
/// The topic made from the tables of graders.
const GRADERS: &str = "graders";

/// Prints what each metric means.
pub fn metrics(context: &Context) -> Result<(), CliError> {
    let view = crate::render::metrics::all();
    output::print_bytes(view.to_terminal(context.width).as_bytes())
}

/// Prints help on a command or topic. `command` defines the whole command line.
pub fn help(args: &HelpArgs, mut command: clap::Command, context: &Context) -> Result<(), CliError> {
    let Some(first) = args.topic.first() else {
        return print(&format!("{}\n{}", command.render_long_help().ansi(), topics_line()));
    };
    if first == METRICS {
        return metrics(context);
    }
    if first == GRADERS {
        let view = crate::render::graders::all();
        return output::print_bytes(view.to_terminal(context.width).as_bytes());
    }
    if first == ENVIRONMENT {
        // Other commands report a catalogue that cannot be read.
        let catalog = catalog::load(context).unwrap_or_else(|_| Catalog::embedded());
        return output::print_bytes(environment::page(&catalog).to_terminal(context.width).as_bytes());
    }
    if let Some((_, text)) = TOPICS.iter().find(|(name, _)| name == first) {
        return print(text);
    }
    // Building first gives the subcommands their full names in the usage lines.
    command.build();
    let mut current = &mut command;
    for name in &args.topic {
        let known = current.get_name().to_owned();
        current = current.find_subcommand_mut(name).ok_or_else(|| {
            CliError::usage(format!("no help for `{name}` under `{known}`")).hint(topics_line())
        })?;
    }
    let text = current.render_long_help().ansi().to_string();
    print(&text)
}

fn topics_line() -> String {
    let names: Vec<&str> =
        TOPICS.iter().map(|(name, _)| *name).chain([ENVIRONMENT, GRADERS, METRICS]).collect();
    format!("More: freehold help {}\n", names.join(" | "))
}

pub fn completions(args: &CompletionsArgs, mut command: clap::Command) -> Result<(), CliError> {
    let mut bytes = Vec::new();
    clap_complete::generate(args.shell, &mut command, "freehold", &mut bytes);
    output::print_bytes(&bytes)
}

pub fn man(args: &ManArgs, mut command: clap::Command) -> Result<(), CliError> {
    std::fs::create_dir_all(&args.dir).map_err(|e| CliError::file("create", &args.dir, &e))?;
    command.build();
    let mut pages = vec![("freehold".to_owned(), command.clone())];
    for sub in command.get_subcommands().filter(|c| !c.is_hide_set()) {
        let name = format!("freehold-{}", sub.get_name());
        pages.push((name, sub.clone()));
    }
    for (name, command) in pages {
        let mut page = Vec::new();
        clap_mangen::Man::new(command)
            .title(&name)
            .render(&mut page)
            .map_err(|e| CliError::failed(format!("cannot render the page {name}: {e}")))?;
        write_atomic(&args.dir.join(format!("{name}.1")), &page)?;
    }
    Ok(())
}

/// Prints text that may have styling, which is removed where stdout is no terminal or colour is unwanted.
fn print(text: &str) -> Result<(), CliError> {
    let mut plain = Vec::new();
    {
        use std::io::Write as _;
        let choice = anstream::AutoStream::choice(&std::io::stdout());
        let mut stream = anstream::AutoStream::new(&mut plain, choice);
        stream.write_all(text.as_bytes()).map_err(|e| CliError::failed(e.to_string()))?;
    }
    output::print_bytes(&plain)
}
