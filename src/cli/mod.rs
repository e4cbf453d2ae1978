//! The outside world: arguments → settings → a plain function call → bytes on a stream, and the
//! only place that prints, prompts, reads files, the clock and the environment, or ends the process.

#![allow(clippy::print_stdout, clippy::print_stderr, clippy::exit)]

pub mod ask;
mod beside;
pub mod catalog;
pub mod commands;
pub mod context;
mod environment;
pub mod error;
pub mod files;
pub mod folders;
pub mod hardware;
pub mod keys;
pub mod models;
pub mod needs;
pub mod output;
pub mod profiles;
pub mod progress;
pub mod prompt_files;
pub mod proxy;
pub mod records;
mod secrets;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use context::{Context, Global};
pub use error::{CliError, Exit};
use std::process::ExitCode;

/// Should this LLM workload run on a cloud API, on hardware we own, or both, and what will it cost?
#[derive(Debug, Parser)]
#[command(
    name = "freehold",
    version,
    max_term_width = 100,
    disable_help_subcommand = true,
    after_help = "\
Examples:
  freehold advise                                   ask five questions, get a verdict
  freehold bench --model default --api openai:MODEL --prompts prompts.jsonl -o bench.json
  freehold usage ~/.claude/projects -o usage.json   what your logs and exports say
  freehold breakeven --scenario scenario.toml --measured bench.json -o cost.json
  freehold report bench.json cost.json advice.json --format markdown -o memo.md
  freehold deploy advice.json -o deployment         files that run what was decided"
)]
pub struct Cli {
    #[command(flatten)]
    pub global: Global,
    #[command(subcommand)]
    pub command: Command,
}

// There is only one, so the size of its largest variant does not matter.
#[allow(clippy::large_enum_variant)]
#[derive(Debug, Subcommand)]
pub enum Command {
    Advise(commands::advise::Args),
    Usage(commands::usage::Args),
    Breakeven(commands::breakeven::Args),
    Bench(commands::bench::Args),
    Prompts(commands::prompts::Args),
    Report(commands::report::Args),
    Deploy(commands::deploy::Args),
    Review(commands::review::Args),
    Fit(commands::fit::Args),
    Db(commands::db::Args),
    Doctor(commands::doctor::Args),
    Explain(commands::explain::Args),
    Runs(commands::runs::Args),
    Schema(commands::schema::Args),
    /// Help on a command or a topic: exit-codes, environment, formats, graders, metrics, sources.
    Help(commands::help::HelpArgs),
    /// Print a completion script for a shell.
    #[command(hide = true)]
    Completions(commands::help::CompletionsArgs),
    /// Write manual pages into a folder.
    #[command(hide = true)]
    Man(commands::help::ManArgs),
    /// The local engine's worker process; started by `bench`, speaks frames on its pipes.
    #[command(hide = true)]
    Worker(commands::worker::Args),
}

/// The definition of the command line; help shows examples before options, since most people read no
/// further.
pub fn command() -> clap::Command {
    fn examples_first(command: clap::Command) -> clap::Command {
        command
            .help_template("{before-help}{about}{after-help}\n\n{usage-heading} {usage}\n\n{all-args}")
            .mut_subcommands(examples_first)
    }
    examples_first(without_empty(Cli::command()))
}

/// No flag takes an empty text: it comes from a variable that is not set. Flags with a parser of their own keep
/// it, and those that may stand without a value get an empty one from clap itself.
fn without_empty(command: clap::Command) -> clap::Command {
    use clap::builder::ValueParser;
    // Only its name tells clap's own parser of texts from others that give one.
    let plain = format!("{:?}", ValueParser::string());
    let is_text = |arg: &clap::Arg| format!("{:?}", arg.get_value_parser()) == plain;
    let has_value = |arg: &clap::Arg| arg.get_num_args().is_none_or(|n| n.min_values() > 0);
    command
        .mut_args(|arg| {
            if arg.get_action().takes_values() && is_text(&arg) && has_value(&arg) {
                arg.value_parser(clap::builder::NonEmptyStringValueParser::new())
            } else {
                arg
            }
        })
        .mut_subcommands(without_empty)
}

/// Parses the command line, runs the command, and maps the outcome to an exit code.
pub fn main() -> ExitCode {
    let matches = match command().try_get_matches() {
        Ok(matches) => matches,
        Err(e) => {
            // clap prints help to stdout with code 0 and usage errors to stderr with code 2.
            let _ = e.print();
            return ExitCode::from(u8::try_from(e.exit_code()).unwrap_or(2));
        }
    };
    let outcome =
        Cli::from_arg_matches(&matches).map_err(|e| CliError::usage(e.to_string())).and_then(|cli| {
            let context = Context::from_process(&cli.global)?;
            run(cli.command, &context)
        });
    match outcome {
        Ok(()) => Exit::Done.into(),
        Err(error) => {
            error.print();
            error.exit().into()
        }
    }
}

fn run(asked: Command, context: &Context) -> Result<(), CliError> {
    match asked {
        Command::Advise(args) => commands::advise::run(&args, context),
        Command::Usage(args) => commands::usage::run(args, context),
        Command::Breakeven(args) => commands::breakeven::run(args, context),
        Command::Bench(args) => commands::bench::run(args, bench_arguments, context),
        Command::Prompts(args) => commands::prompts::run(&args, context),
        Command::Report(args) => commands::report::run(&args, context),
        Command::Deploy(args) => commands::deploy::run(&args, context),
        Command::Review(args) => commands::review::run(&args, context),
        Command::Fit(args) => commands::fit::run(args, context),
        Command::Db(args) => commands::db::run(args, context),
        Command::Doctor(args) => commands::doctor::run(args, context),
        Command::Explain(args) => commands::explain::run(&args, context),
        Command::Runs(args) => commands::runs::run(&args, context),
        Command::Schema(args) => commands::schema::run(&args, context),
        Command::Help(args) => commands::help::help(&args, command(), context),
        Command::Completions(args) => commands::help::completions(&args, command()),
        Command::Man(args) => commands::help::man(&args, command()),
        Command::Worker(args) => commands::worker::run(args, context),
    }
}

/// Parses the arguments of a `bench` that was begun earlier.
fn bench_arguments(words: &[String]) -> Result<commands::bench::Args, String> {
    let words = std::iter::once("freehold").chain(words.iter().map(String::as_str));
    match Cli::try_parse_from(words).map_err(|e| e.to_string())?.command {
        Command::Bench(args) => Ok(args),
        _ => Err("it is not one of bench".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// clap checks its definitions (duplicate names, conflicting options) only when asked.
    #[test]
    fn the_command_line_is_well_formed() {
        command().debug_assert();
    }

    #[test]
    fn help_leads_with_examples() {
        for mut sub in command().get_subcommands().filter(|c| !c.is_hide_set()).cloned() {
            let help = sub.render_long_help().to_string();
            let (Some(examples), Some(usage)) = (help.find("Examples:"), help.find("Usage:")) else {
                assert_eq!(sub.get_name(), "help", "no examples or no usage: {help}");
                continue;
            };
            assert!(examples < usage, "{help}");
        }
    }
}
