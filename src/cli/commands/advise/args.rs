//! The arguments of `advise`.

use super::tables;
use crate::cli::keys::NeedFlags;
use crate::cli::needs::UsageArgs;
use crate::cli::output::OutputArgs;
use std::path::PathBuf;

/// Cloud, local or hybrid? Ask five questions, say why, and what would change it
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  freehold advise                                  ask the questions, one by one
  freehold advise --privacy standard --volume high --capability moderate \\
                  --operations available --budget capex
  freehold advise --profile healthcare-strict      a need written down (--list-profiles)
  freehold advise --profile need.toml --evidence bench.json --cost cost.json -o advice.json
                                                   let measurements and costs answer
  freehold advise --usage usage.json               the requests are known: ask the rest
  freehold advise --table all                      the comparison tables behind the questions")]
pub struct Args {
    #[command(flatten)]
    pub need: NeedFlags,
    /// A shipped profile, one you saved, or a file; flags win over it.
    #[arg(long, value_name = "NAME|FILE")]
    pub profile: Option<String>,
    #[command(flatten)]
    pub usage: UsageArgs,
    /// List the profiles and the verdict of each.
    #[arg(long)]
    pub list_profiles: bool,
    /// A bench document: what was measured replaces the capability answer where it decides it.
    #[arg(long, value_name = "BENCH.json")]
    pub evidence: Option<PathBuf>,
    /// A breakeven document: what was computed replaces the volume answer where it decides it.
    #[arg(long, value_name = "COST.json")]
    pub cost: Option<PathBuf>,
    /// The answers of an advice document, of this version or an older one; flags win over them.
    #[arg(long, value_name = "ADVICE.json", conflicts_with = "profile")]
    pub answers: Option<PathBuf>,
    /// Use --evidence and --cost although they are of another need.
    #[arg(long)]
    pub allow_mismatch: bool,
    /// Save the answers as a profile (a name, or a file).
    #[arg(long, value_name = "NAME|FILE")]
    pub save_profile: Option<String>,
    /// Print one of the comparison tables instead of a verdict, or `all`.
    #[arg(long, value_name = "NAME", value_parser = tables::names())]
    pub table: Option<String>,
    #[command(flatten)]
    pub output: OutputArgs,
}
