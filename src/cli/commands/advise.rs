//! `advise`: answers from flags, a profile and questions → verdict → document.

mod answers;
mod files;
mod tables;
mod wizard;

use crate::advise::Matrix;
use crate::app::advise as app;
use crate::catalog::Catalog;
use crate::cli::ask::{Ask, Terminal};
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::keys::NeedFlags;
use crate::cli::needs::UsageArgs;
use crate::cli::output::{OutputArgs, print_bytes};
use crate::cli::profiles;
use crate::document::advice::AdviceDocument;
use crate::workload::NeedDraft;
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

pub fn run(args: &Args, context: &Context) -> Result<(), CliError> {
    let catalog = crate::cli::catalog::load(context)?;
    if let Some(name) = &args.table {
        return tables::run(name, args, &catalog, context);
    }
    if args.list_profiles {
        return tables::profiles(&args.output, context);
    }
    // Files are read before the first question: a typo in a name should not cost five answers.
    let files = files::read(args)?;
    let profile = args.profile.as_deref().map(|name| profiles::find(name, context)).transpose()?;
    let usage = args.usage.read(&catalog, context)?;
    let from_flags = args.need.draft()?;
    let from_flags = usage.iter().fold(from_flags, |draft, usage| usage.complete(draft));
    let written = match &args.answers {
        Some(path) => files::answers(path)?,
        None => profile.map(|p| p.draft).unwrap_or_default(),
    };
    for line in answers::overruled(&from_flags, &written) {
        context.note(&line);
    }
    let draft = from_flags.or(written).with_implied();
    let draft = answers::with_volume(draft, &Matrix::shipped());
    if draft.missing().is_empty() {
        return finish(args, &catalog, &files, &draft, context).map(drop);
    }
    if !context.can_ask() {
        return Err(answers::missing(&draft));
    }
    let mut terminal = Terminal::new();
    interview(args, &catalog, &files, draft, context, &mut terminal)
}

/// Ask what is missing, give the verdict, then show how to have it again without questions.
fn interview(
    args: &Args,
    catalog: &Catalog,
    files: &files::Files,
    draft: NeedDraft,
    context: &Context,
    ask: &mut dyn Ask,
) -> Result<(), CliError> {
    let known = |typed: &str| app::owned(catalog, typed).map(drop).map_err(|e| e.to_string());
    let draft = wizard::run(ask, draft, &|draft| answers::command_line(draft, args), &known)?;
    let again = answers::command_line(&draft, args);
    // What was answered outlives what could not be computed with it.
    let kept = |e: CliError| e.hint(format!("your answers, to change and run again:\n  {again}"));
    let document = finish(args, catalog, files, &draft, context).map_err(kept)?;
    context.note(&format!("\nThe same without questions:\n  {again}"));
    if args.save_profile.is_some() {
        return Ok(());
    }
    loop {
        match wizard::then(ask)? {
            wizard::Then::End => return Ok(()),
            wizard::Then::Details => print_bytes(document.view().to_terminal(context.width).as_bytes())?,
            wizard::Then::Save(name) => profiles::save(&name, &draft, context)?,
        }
    }
}

fn finish(
    args: &Args,
    catalog: &Catalog,
    files: &files::Files,
    draft: &NeedDraft,
    context: &Context,
) -> Result<AdviceDocument, CliError> {
    if !draft.missing().is_empty() {
        return Err(answers::missing(draft));
    }
    let asked = app::Asked {
        draft,
        evidence: files.evidence.as_ref(),
        cost: files.cost.as_ref().map(|(name, document)| app::CostFile { name, document }),
        allow_mismatch: args.allow_mismatch,
    };
    let known = app::Known { catalog, today: context.today, now: &context.now };
    let mut document = app::advise(&asked, &known)?;
    context.record(&mut document.inputs);
    args.output.show(context, &document)?;
    if let Some(name) = &args.save_profile {
        profiles::save(name, draft, context)?;
    }
    Ok(document)
}
