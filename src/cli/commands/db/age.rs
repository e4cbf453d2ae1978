//! `db age` and `db path`: how old the figures are, and where records of one's own go.

use crate::app::db as app;
use crate::catalog::shipped_files;
use crate::cli::catalog::{load, needed_user_folder, user_files, user_folder};
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::output::OutputArgs;
use crate::document::db::{Paths, document};

/// How old the figures are: the oldest of each kind, what is stale, what changes soon.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  freehold db age
  freehold db age --days 30 --json")]
pub struct Args {
    /// A record read longer ago than this is stale.
    #[arg(long, default_value_t = 90, value_name = "N")]
    days: u16,
    #[command(flatten)]
    output: OutputArgs,
}

/// Where the records are: shipped, your own, given by --catalog.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  freehold db path
  mkdir -p \"$(freehold db path --user)\"")]
pub struct PathArgs {
    /// Only the folder of your own records.
    #[arg(long)]
    user: bool,
    #[command(flatten)]
    output: OutputArgs,
}

pub(super) fn run(args: &Args, context: &Context) -> Result<(), CliError> {
    let ages = app::age(&load(context)?, args.days, context.today);
    args.output.show(context, &document("age", ages, &context.now))
}

pub(super) fn path(args: &PathArgs, context: &Context) -> Result<(), CliError> {
    if args.user {
        return args.output.write_text(&format!("{}\n", needed_user_folder(context)?.display()));
    }
    let paths = Paths {
        shipped: shipped_files().iter().map(|(name, _)| (*name).to_owned()).collect(),
        user_folder: user_folder(context).map(|folder| folder.display().to_string()),
        user: user_files(context)?.into_iter().map(|(name, _)| name).collect(),
        given: context.catalog_files.iter().map(|p| p.display().to_string()).collect(),
    };
    args.output.show(context, &document("path", paths, &context.now))
}
