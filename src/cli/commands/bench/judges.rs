//! `--judge`, and what else graders need from outside, as the command line names it.

use super::args::Args;
use super::targets;
use crate::app::bench::privacy::Privacy;
use crate::app::bench::spending::Service;
use crate::catalog::Catalog;
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::measure::fetch::ModelSpec;

/// One `--judge`.
#[derive(Debug, Clone)]
pub enum NamedJudge {
    Api(Box<targets::Api>),
    Local(String),
}

/// The judges of the command line, in its order. An API is written as for `--api`, anything else as for `--model`.
pub fn parse(
    args: &Args,
    catalog: &Catalog,
    context: &Context,
    privacy: &Privacy,
) -> Result<Vec<NamedJudge>, CliError> {
    let is_api =
        |text: &&String| text.split_once(':').is_some_and(|(name, _)| catalog.provider(name).is_some());
    if args.judging.judge.iter().any(|j| !is_api(&j)) && !cfg!(feature = "llama") {
        return Err(CliError::usage(
            "a model on this machine as judge needs the local engine, and this freehold was built without it",
        )
        .hint("Build it with `cargo build --release`, or name an API as judge: PROVIDER:MODEL[@BASE_URL]."));
    }
    for (flag, text) in args
        .judging
        .judge
        .iter()
        .filter(|text| !is_api(text))
        .map(|text| ("--judge", text))
        .chain(args.judging.embedder.iter().map(|text| ("--embedder", text)))
    {
        // It is loaded only when every answer is there, which is late to find that it does not exist.
        let spec = text
            .parse::<ModelSpec>()
            .map_err(|fault| CliError::usage(format!("{flag} {text}: {}", fault.message)))?;
        if let ModelSpec::Path(path) = &spec
            && !path.is_file()
        {
            return Err(CliError::usage(format!("{flag} {text}: there is no such file")).hint(
                "A model on this machine is a path, a URL, hf:OWNER/REPO/FILE or `default`; an API is PROVIDER:MODEL.",
            ));
        }
    }
    let apis: Vec<String> = args.judging.judge.iter().filter(is_api).cloned().collect();
    let mut apis = targets::parse("--judge", &apis, args, catalog, context, privacy)?.into_iter();
    let named = args.judging.judge.iter().filter_map(|text| {
        if is_api(&text) {
            apis.next().map(|a| NamedJudge::Api(Box::new(a)))
        } else {
            Some(NamedJudge::Local(text.clone()))
        }
    });
    Ok(named.collect())
}

/// The judges that are asked over the network.
pub fn services(judges: &[NamedJudge]) -> Vec<Service> {
    let api = |judge: &NamedJudge| match judge {
        NamedJudge::Api(api) => Some(api.service()),
        NamedJudge::Local(_) => None,
    };
    judges.iter().filter_map(api).collect()
}
