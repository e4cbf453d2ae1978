//! `--resume RUN`: locks and reads the journal, and takes what it may not decide from the command line or
//! asks ([`crate::app::bench::resume`] says which is which).

use super::args::{Args, ReadArguments};
use super::overflow::load_samples;
use super::{journal, request_limits};
use crate::app::bench::asked::JUDGE_TOKENS;
use crate::app::bench::journal::Earlier;
use crate::app::bench::resume::{self, Targets, WhichTargets};
use crate::cli::ask::{Ask as _, Terminal};
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::document::repeat::quoted;
use crate::prompts::Prompt;
use std::path::{Path, PathBuf};

/// An interrupted run: its journal, locked against other runs, and its content.
pub struct Resumed {
    pub locked: journal::Locked,
    pub earlier: Earlier,
}

impl Resumed {
    /// Locks and reads the journal, and checks that there is something left to do.
    pub fn open(run: &Path, context: &Context) -> Result<Self, CliError> {
        let path = journal::of_run(run);
        let mut locked = journal::Locked::existing(&path)?;
        let earlier = locked.read()?;
        context.note(&resume::may_go_on(&earlier, load_samples(), &path.display().to_string())?);
        Ok(Self { locked, earlier })
    }

    /// The arguments of the run: the journal's plan with the new command line's targets and limits.
    pub fn arguments(&self, args: &Args, read: ReadArguments, context: &Context) -> Result<Args, CliError> {
        let header = &self.earlier.header;
        let path = self.locked.path();
        let mut began = read(&header.arguments).map_err(|e| {
            CliError::usage(format!("{}: its command line cannot be read: {e}", path.display()))
        })?;
        let (was, now) = (began.asked(), args.asked());
        let which = resume::targets(&was, &now, header.folder.as_deref(), context.can_ask())?;
        let Targets { models, apis, key_variables } = agreed(which, context)?;
        resume::same_graders(&was, &now)?;
        let judging = super::args::JudgingArgs {
            rubric: began.judging.rubric.clone(),
            criterion: began.judging.criterion.clone(),
            no_rubrics: began.judging.no_rubrics,
            no_preferences: began.judging.no_preferences,
            ..args.judging.clone()
        };
        began.output.clone_from(&args.output);
        if args.output.output.is_none() {
            began.output.output = report_named(args.resume.as_deref());
        }
        // The options of local models stay as they were, except files that are read and limits.
        began.local.json_schema.clone_from(&args.local.json_schema);
        began.local.memory_limit = args.local.memory_limit;
        Ok(Args {
            model: models,
            api: apis,
            api_key_env: key_variables,
            resume: args.resume.clone(),
            prompts: args.prompts.clone(),
            privacy: resume::privacy(args.privacy, &header.basis),
            profile: args.profile.clone(),
            local_server: args.local_server.clone(),
            allow_http: args.allow_http.clone(),
            allow_http_keys: args.allow_http_keys,
            yes: args.yes,
            max_cost: args.max_cost,
            dry_run: args.dry_run,
            retries: args.retries,
            first_timeout: args.first_timeout,
            idle_timeout: args.idle_timeout,
            timeout: args.timeout,
            replay: None,
            explain: None,
            judging,
            ..began
        })
    }

    /// The prompts that the run began with, and their SHA-256. A file that is named must still hold them.
    pub fn prompts(&self, args: &Args) -> Result<(Vec<Prompt>, String), CliError> {
        let read = |file: &PathBuf| {
            let (_, sha256) = crate::cli::prompt_files::read(file)?;
            Ok::<_, CliError>((file.display().to_string(), sha256))
        };
        let named = args.prompts.as_ref().map(read).transpose()?;
        let named = named.as_ref().map(|(file, sha256)| (file.as_str(), sha256.as_str()));
        Ok(resume::prompts(&self.earlier.header.basis, named)?)
    }
}

/// The report's file, where the run was named by its report: the new report is written there.
fn report_named(run: Option<&Path>) -> Option<PathBuf> {
    let run = run.filter(|run| journal::of_run(run) != **run)?;
    // A link may lead to a file that the user did not name.
    std::fs::symlink_metadata(run).map_or(true, |there| there.is_file()).then(|| run.to_owned())
}

/// The targets to continue with: those of the journal only if the user agrees.
fn agreed(which: WhichTargets, context: &Context) -> Result<Targets, CliError> {
    let (journal, given) = match which {
        WhichTargets::Named(targets) => return Ok(targets),
        WhichTargets::Proposed { journal, given } => (journal, given),
    };
    let mut terminal = Terminal::new();
    for target in journal.models.iter().chain(&journal.apis) {
        context.note(&format!("  {target}"));
    }
    if !terminal.confirm("Go on with these targets, which the journal names?", false)? {
        return Err(CliError::usage("not started: the targets were not agreed to"));
    }
    let mut key_variables = given;
    if key_variables.is_empty() {
        for variable in journal.key_variables {
            let question = format!(
                "The journal wants the key in {variable} for them; it is no provider's own variable. Send it?"
            );
            if terminal.confirm(&question, false)? {
                key_variables.push(variable);
            }
        }
    }
    Ok(Targets { key_variables, ..journal })
}

/// The command that resumes a run: everything that its journal does not decide.
pub fn command(args: &Args, context: &Context, journal: &Path) -> String {
    let mut words = vec!["freehold".to_owned(), "bench".to_owned()];
    let mut add = |flag: &str, value: &str| words.extend([flag.to_owned(), quoted(value)]);
    add("--resume", &journal.display().to_string());
    args.model.iter().for_each(|m| add("--model", m));
    args.api.iter().for_each(|a| add("--api", a));
    args.api_key_env.iter().for_each(|k| add("--api-key-env", k));
    args.local_server.iter().for_each(|o| add("--local-server", o));
    args.allow_http.iter().for_each(|h| add("--allow-http", h));
    args.judging.judge.iter().for_each(|j| add("--judge", j));
    args.judging.embedder.iter().for_each(|m| add("--embedder", m));
    for program in &args.judging.exec {
        add("--exec", &program.written());
    }
    if args.judging.judge_tokens != JUDGE_TOKENS {
        add("--judge-tokens", &args.judging.judge_tokens.to_string());
    }
    if let Some(form) = args.judging.judge_form.given() {
        add("--judge-form", form);
    }
    if let Some(file) = &args.local.json_schema {
        add("--json-schema", &file.display().to_string());
    }
    if let Some(profile) = &args.profile {
        add("--profile", profile);
    }
    if let Some(mib) = args.local.memory_limit {
        add("--memory-limit", &mib.to_string());
    }
    for (flag, value, default) in request_limits::written(args) {
        if value != default {
            add(flag, &value);
        }
    }
    if let Some(usd) = args.max_cost {
        add("--max-cost", &usd.to_string());
    }
    if let Some(file) = &args.output.output {
        add("-o", &file.display().to_string());
    }
    context.catalog_files.iter().for_each(|f| add("--catalog", &f.display().to_string()));
    if let Some(format) = args.output.format {
        use clap::ValueEnum as _;
        if let Some(name) = format.to_possible_value() {
            add("--format", name.get_name());
        }
    }
    for (flag, given) in [
        ("--allow-http-keys", args.allow_http_keys),
        ("--yes", args.yes),
        ("--json", args.output.json),
        ("-q", context.quiet),
    ] {
        if given {
            words.push(flag.to_owned());
        }
    }
    words.join(" ")
}
