//! `advise`: answers from flags, a profile and questions → verdict → document.

mod answers;
mod args;
mod files;
mod tables;
mod wizard;

pub use args::Args;

use crate::advise::Matrix;
use crate::app::advise as app;
use crate::catalog::Catalog;
use crate::cli::ask::{Ask, Terminal};
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::output::print_bytes;
use crate::cli::profiles;
use crate::document::advice::AdviceDocument;
use crate::workload::NeedDraft;

pub fn run(args: &Args, context: &Context) -> Result<(), CliError> {
    let catalog = crate::cli::catalog::load(context)?;
    if let Some(name) = &args.table {
        return tables::run(name, &args.need.draft()?, &args.output, &catalog, context);
    }
    if args.list_profiles {
        return tables::profiles(&args.output, context);
    }
    // Files are read before the first question, so that a typo in a name does not cost five answers.
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

/// Asks what is missing, gives the verdict, then shows the command that repeats it without questions.
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
    // If the verdict fails, the answers are kept in the error's hint.
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
    let known = app::AdviceBasis { catalog, today: context.today, now: &context.now };
    let mut document = app::advise(&asked, &known)?;
    context.record(&mut document.inputs);
    args.usage.record(&mut document.inputs);
    args.output.show(context, &document)?;
    if let Some(name) = &args.save_profile {
        profiles::save(name, draft, context)?;
    }
    Ok(document)
}
