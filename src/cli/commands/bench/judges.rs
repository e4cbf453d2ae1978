//! `--judge`, and what else graders need from outside: what the command line names, and what prompts want.

use super::args::Args;
use super::privacy::Privacy;
use super::targets;
use crate::app::bench::spending::Service;
use crate::catalog::Catalog;
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::measure::fetch::ModelSpec;
use crate::prompts::{Assertion, Prompt};
use crate::quality::{Graders, Need};
use std::collections::BTreeSet;

/// One `--judge`.
#[derive(Debug, Clone)]
pub enum Named {
    Api(Box<targets::Api>),
    Local(String),
}

/// The judges of the command line, in its order. An API is written as for `--api`, anything else as for `--model`.
pub fn parse(
    args: &Args,
    catalog: &Catalog,
    context: &Context,
    privacy: &Privacy,
) -> Result<Vec<Named>, CliError> {
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
        // It is loaded when every answer is there, which is late to find that it is not.
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
            apis.next().map(|a| Named::Api(Box::new(a)))
        } else {
            Some(Named::Local(text.clone()))
        }
    });
    Ok(named.collect())
}

/// Those of them that are asked over the network.
pub fn services(judges: &[Named]) -> Vec<Service> {
    let api = |judge: &Named| match judge {
        Named::Api(api) => Some(api.service()),
        Named::Local(_) => None,
    };
    judges.iter().filter_map(api).collect()
}

/// Give every prompt without a rubric of its own that of the command line.
pub fn add_rubric(prompts: &mut [Prompt], rubric: &str) {
    for prompt in prompts {
        let needs = Graders::needs(&prompt.asserts);
        if !needs.iter().any(|(_, need)| matches!(need, Need::Judge { .. })) {
            prompt.asserts.push(Assertion::of("llm-rubric", rubric.into()));
        }
    }
}

/// What prompts need that the command line does not give: such answers get no grade.
pub fn lacking(args: &Args, prompts: &[Prompt]) -> Vec<String> {
    let count = |wanted: fn(&Need) -> bool| {
        prompts.iter().filter(|p| Graders::needs(&p.asserts).iter().any(|(_, need)| wanted(need))).count()
    };
    let said = |n: usize, what: &str, remedy: &str| {
        let (prompts, have) = if n == 1 { ("prompt", "has") } else { ("prompts", "have") };
        (n > 0).then(|| format!("{n} {prompts} {have} {what}: without {remedy} their answers get no grade."))
    };
    let judge = args.judging.judge.is_empty() || args.judging.no_rubrics;
    let rubrics = if judge { count(|n| matches!(n, Need::Judge { .. })) } else { 0 };
    let vectors =
        if args.judging.embedder.is_none() { count(|n| matches!(n, Need::Embeddings { .. })) } else { 0 };
    let given: BTreeSet<&str> = args.judging.exec.iter().map(|e| e.name.as_str()).collect();
    let programs: BTreeSet<String> = prompts
        .iter()
        .flat_map(|p| Graders::needs(&p.asserts))
        .filter_map(|(_, need)| match need {
            Need::Program { name } if !given.contains(name.as_str()) => Some(name),
            _ => None,
        })
        .collect();
    let mut all: Vec<String> = said(rubrics, "a rubric (llm-rubric)", "--judge").into_iter().collect();
    all.extend(said(vectors, "a similar assertion", "--embedder"));
    all.extend(programs.iter().map(|name| {
        format!("prompts want the program {name:?} as grader (exec): without --exec {name}=PROGRAM their answers get no grade.")
    }));
    all
}
