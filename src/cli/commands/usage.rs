//! `usage`: reads records that people have, adds them up, and derives the need.

use crate::app::usage::{Asked, formats};
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::output::OutputArgs;
use crate::cli::{catalog, records};
use crate::document::usage::UsageDocument;
use crate::render::{Page, View};
use clap::builder::PossibleValue;
use std::path::PathBuf;

const MAPPING: &str = "\
What the columns or keys mean: KEY=COLUMN,KEY=COLUMN, or @FILE with the same in JSON

Keys: time, model, input, output, cache_read, cache_write, cache_write_5m, cache_write_1h, reasoning, \
cost, id, requests, tier, user, total, rows, delimiter. A key may say more of its column: \
input.includes_cached=yes, input.thousands=., time.format=%d.%m.%Y, time.zone=+02:00, cost.currency=EUR.";

/// What do your logs, exports and bills say? Requests, tokens, peaks and cost, for the other commands
///
/// Reads session logs of coding agents, usage exports of providers, logs of gateways, traces and metrics of
/// servers, and any CSV or JSON log with --map. Several files and folders are added up; the same request
/// seen twice counts once. Texts, names, keys and paths are not kept, printed or put into the document.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  freehold usage ~/.claude/projects -o usage.json         sessions of Claude Code
  freehold usage ~/.codex/sessions --timezone Europe/Berlin
  freehold usage completions_usage_*.csv                  an export of OpenAI's dashboard
  freehold usage spend_logs.json metrics.prom             a gateway and a server
  zcat logs/*.gz | freehold usage -
  freehold usage log.csv --map input=prompt_tokens,output=completion_tokens,time=ts,model=model
  freehold usage log.csv --map @mapping.json --show-fields

Then:
  freehold breakeven --usage usage.json --hardware nvidia-rtx-4090 --model llama-3.1-8b-instruct
  freehold advise --usage usage.json")]
pub struct Args {
    /// Files and folders of records (`-` is stdin).
    #[arg(value_name = "FILE|FOLDER", required = true)]
    pub paths: Vec<PathBuf>,
    /// Take every file for this format instead of recognising it; `--help` lists them.
    #[arg(long, value_name = "FORMAT", value_parser = Formats)]
    pub from: Option<String>,
    /// What the columns or keys mean: KEY=COLUMN,KEY=COLUMN, or @FILE with the same in JSON.
    #[arg(long, value_name = "MAPPING", long_help = MAPPING)]
    pub map: Option<String>,
    /// Show which fields were read, with the number of records in which each had content.
    #[arg(long)]
    pub show_fields: bool,
    /// Time zone of days and hours of the week: a name (Europe/Berlin) or an offset (+02:00) [default: UTC].
    #[arg(long, value_name = "ZONE", allow_hyphen_values = true)]
    pub timezone: Option<String>,
    #[command(flatten)]
    pub output: OutputArgs,
}

/// Accepts any word, with the formats listed in help: the reader reports a wrong one with the nearest name.
#[derive(Debug, Clone, Copy)]
struct Formats;

impl clap::builder::TypedValueParser for Formats {
    type Value = String;
    fn parse_ref(
        &self,
        command: &clap::Command,
        argument: Option<&clap::Arg>,
        value: &std::ffi::OsStr,
    ) -> Result<String, clap::Error> {
        clap::builder::StringValueParser::new().parse_ref(command, argument, value)
    }
    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(formats().map(|(name, about)| PossibleValue::new(name).help(about))))
    }
}

#[allow(clippy::needless_pass_by_value)] // every command takes its arguments
pub fn run(args: Args, context: &Context) -> Result<(), CliError> {
    let catalog = catalog::load(context)?;
    let asked = Asked {
        from: args.from,
        map: args.map.as_deref().map(records::map).transpose()?,
        timezone: args.timezone,
        now: records::clock(context),
    };
    let mut document = records::read(&args.paths, asked, &catalog, context)?;
    context.record(&mut document.inputs);
    if args.show_fields {
        args.output.show(context, &Fields(&document))
    } else {
        args.output.show(context, &document)
    }
}

/// The fields that were read, as a page; as JSON the whole document, which has them.
struct Fields<'d>(&'d UsageDocument);

impl Page for Fields<'_> {
    fn view(&self) -> View {
        self.0.fields()
    }
    fn json(&self) -> Result<String, serde_json::Error> {
        Page::json(self.0)
    }
}
