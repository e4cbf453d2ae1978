//! `freehold bench`: arguments → targets, prompts and a plan → the run → the document.

mod args;
mod bars;
mod device;
mod embed;
mod embedder;
mod engine_only;
mod human;
mod journal;
mod judges;
mod judging;
mod load;
mod local;
mod measure;
mod outcome;
mod outside;
mod overflow;
mod plain_http;
mod privacy;
mod programs;
mod recorded;
mod replay;
mod request_limits;
mod resume;
mod signals;
mod spending;
mod synthetic;
mod targets;
mod watch;

use crate::app;
use crate::app::bench::outcome::EndOfRun;
use crate::app::bench::settings::{self, Settings};
use crate::app::bench::spending::Plan;
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::models;
use crate::cli::prompt_files;
use crate::document::metrics;
pub use args::{Args, ReadArguments};
use measure::Start;
use resume::Resumed;
use std::path::{Path, PathBuf};

#[allow(clippy::needless_pass_by_value)] // every command is called alike
pub fn run(args: Args, read_arguments: ReadArguments, context: &Context) -> Result<(), CliError> {
    if let Some(metric) = &args.explain {
        return explain(metric, context);
    }
    if let Some(run) = &args.replay {
        return replay::run(run, &args, context);
    }
    let Some(run) = &args.resume else { return bench(&args, context, None) };
    let resumed = Resumed::open(run, context)?;
    let args = resumed.arguments(&args, read_arguments, context)?;
    bench(&args, context, Some(resumed))
}

/// Prints what one metric means, or all of them.
fn explain(metric: &str, context: &Context) -> Result<(), CliError> {
    if metric.is_empty() {
        return crate::cli::commands::help::metrics(context);
    }
    let Some(known) = metrics::named(metric) else {
        let mut names = metrics::near(metric);
        if names.is_empty() {
            names = metrics::of("bench").map(|m| m.id.to_owned()).collect();
        }
        return Err(CliError::usage(format!("{metric:?} is not a metric"))
            .hint(format!("There are {}; `freehold help metrics` says what each means.", names.join(", "))));
    };
    let view = crate::render::metrics::one(known);
    crate::cli::output::print_bytes(view.to_terminal(context.width).as_bytes())
}

fn bench(args: &Args, context: &Context, resumed: Option<Resumed>) -> Result<(), CliError> {
    if args.prompts.is_none() && !args.local.synthetic.is_empty() && resumed.is_none() {
        return synthetic::run(args, context);
    }
    if args.local.embed {
        return embed::run(args, context);
    }
    if !args.model.is_empty() {
        app::bench::local_models::check_kv_type(&args.local.options())?;
    }
    let asked = args.asked();
    let mut settings = Settings { slo: load::limits(args, context)?, ..Settings::of(&asked)? };
    let (prompts, prompts_sha256) = if let Some(resumed) = &resumed {
        resumed.prompts(args)?
    } else {
        let file = args.prompts.as_deref().or(args.answers.first().map(PathBuf::as_path));
        let file = file.unwrap_or(Path::new(""));
        let (set, sha256) = prompt_files::read(file)?;
        // A note that a log also holds answers is left out where the user names it for them.
        let new = |text: &String| args.answers.is_empty() || !text.contains("--answers");
        for text in app::prompts::notes(&file.display().to_string(), &set).into_iter().filter(new) {
            context.note(&text);
        }
        let mut prompts = set.prompts;
        app::bench::request::prepare(&asked, &mut prompts);
        (prompts, sha256)
    };
    if let Some(resumed) = &resumed {
        settings.go_on(&resumed.earlier.header.basis);
    }
    let load_plan = settings.planned_load(&asked, &prompts)?;
    let catalog = crate::cli::catalog::load(context)?;
    let privacy = privacy::of(args, context)?;
    let apis = targets::parse("--api", &args.api, args, &catalog, context, &privacy)?;
    programs::check(&args.judging.exec)?;
    let judges = judges::parse(args, &catalog, context, &privacy)?;
    let lacking = app::bench::questions::lacking(&asked.judging, &prompts);
    for text in &lacking {
        context.note(text);
    }
    let inputs_sha256 =
        settings::fingerprint(&asked, &settings, &prompts_sha256, local::json_schema(&args.local)?);
    if let Some(resumed) = &resumed {
        let header = &resumed.earlier.header;
        app::bench::resume::same_run(header, &inputs_sha256, &load_plan)?;
        app::bench::resume::same_apis(&header.basis, &apis.iter().map(|a| &a.facts).collect::<Vec<_>>())?;
    }
    let recorded =
        if resumed.is_some() { Vec::new() } else { recorded::read(&args.answers, &prompts, context)? };
    let near: Vec<Vec<String>> =
        args.model.iter().map(|_| Vec::new()).chain(apis.iter().map(|a| a.near.clone())).collect();
    let services = apis.iter().map(targets::Api::service).collect();
    let plan = Plan::of_run(&asked, &settings, &prompts, services, judges::services(&judges));
    for line in plan.announcement(&asked, &prompts, &settings) {
        context.note(&line);
    }
    // Checked before the user is asked to agree to a cost.
    models::check(args.model.iter().chain(&args.judging.embedder), context)?;
    if args.dry_run {
        context.note("Dry run: nothing was sent.");
        return Ok(());
    }
    let consent = spending::consent(&plan, context, args)?;
    let runtime = engine_only::runtime()?;
    let start = Start {
        prompts,
        prompts_sha256,
        inputs_sha256,
        consent,
        resumed,
        privacy: &privacy,
        judges,
        recorded,
    };
    let (measured, journal) =
        runtime.block_on(measure::measure(args, context, &settings, start, apis, &plan))?;
    let document = measured.document();
    outcome::write(&document, args, context)?;
    let again = resume::command(args, context, &journal);
    let over = EndOfRun {
        interrupted: measured.end.ended.interrupted,
        capped: measured.end.capped,
        journal: &journal.display().to_string(),
        again: &again,
        near: &near,
    };
    outcome::end(app::bench::outcome::of_run(&document, &over))
}
