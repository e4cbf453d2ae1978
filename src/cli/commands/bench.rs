//! `freehold bench`: arguments → targets, prompts and a plan → the run → the document.

mod alone;
mod args;
mod bars;
mod device;
mod embed;
mod journal;
mod load;
mod load_calls;
mod local;
mod measure;
mod outcome;
mod plain_http;
mod privacy;
mod replay;
mod request;
mod room;
mod rows;
mod settings;
mod signals;
mod spending;
mod synthetic;
mod targets;
mod watch;

use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::document::metrics;
pub use args::Args;
use measure::{Resumed, Start};
pub use request::read_prompts;
use settings::Settings;
use std::path::Path;

/// Reads the words of a command line after the program's name.
pub type ReadArguments = fn(&[String]) -> Result<Args, String>;

#[allow(clippy::needless_pass_by_value)] // every command is called alike
pub fn run(args: Args, read_arguments: ReadArguments, context: &Context) -> Result<(), CliError> {
    if let Some(metric) = &args.explain {
        return explain(metric, context);
    }
    if let Some(run) = &args.replay {
        return replay::run(run, &args, context);
    }
    let Some(run) = &args.resume else { return bench(&args, context, None) };
    let path = &journal::of_run(run);
    let earlier = journal::read(path)?;
    let unanswered = watch::Tally::of(&earlier.header.basis, &earlier).unanswered().len();
    if earlier.is_complete() && unanswered == 0 {
        return Err(CliError::usage(format!(
            "{}: this run is complete, there is nothing to go on with",
            path.display()
        ))
        .hint("`--replay` makes its report again."));
    }
    let original = read_arguments(&earlier.header.arguments)
        .map_err(|e| CliError::usage(format!("{}: its command line cannot be read: {e}", path.display())))?;
    bench(&original, context, Some((path, earlier)))
}

/// What one metric means, or all of them.
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

fn bench(args: &Args, context: &Context, resumed: Option<Resumed<'_>>) -> Result<(), CliError> {
    if args.prompts.is_none() && !args.local.synthetic.is_empty() {
        return synthetic::alone(args, context);
    }
    if args.local.embed {
        return embed::run(args, context);
    }
    let settings = Settings { slo: load::limits(args, context)?, ..Settings::of(args)? };
    let file = args.prompts.as_deref().unwrap_or(Path::new(""));
    let (prompts, prompts_sha256) = request::read_prompts(file)?;
    let catalog = crate::cli::catalog::load(context)?;
    let privacy = privacy::Privacy::of(args, context)?;
    let apis = targets::parse(args, &catalog, context, &privacy)?;
    let near: Vec<Vec<String>> =
        args.model.iter().map(|_| Vec::new()).chain(apis.iter().map(|a| a.near.clone())).collect();
    let plan = spending::Plan::new(args, &apis, &prompts, &settings);
    plan.announce(context, args, &prompts, &settings);
    if args.dry_run {
        context.note("Dry run: nothing was sent.");
        return Ok(());
    }
    let consent = plan.consent(context, args)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|e| CliError::failed(format!("the asynchronous runtime cannot start: {e}")))?;
    let inputs_sha256 = settings::fingerprint(args, &settings, &prompts_sha256);
    if let Some((path, earlier)) = &resumed
        && earlier.header.inputs_sha256 != inputs_sha256
    {
        return Err(CliError::usage(format!(
            "{}: the prompts have changed since this run began",
            path.display()
        ))
        .hint("Start a new run: results of different inputs do not belong in one report."));
    }
    let start = Start { prompts, prompts_sha256, inputs_sha256, consent, resumed, privacy: &privacy };
    let measured = runtime.block_on(measure::measure(args, context, &settings, start, apis, &plan))?;
    let document = measured.document();
    outcome::write(&document, args, context)?;
    outcome::verdict(&document, measured.end.ended.interrupted, measured.end.capped, &measured.journal, &near)
}
