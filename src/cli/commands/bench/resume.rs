//! `--resume RUN`: a journal is data, and may have come with a folder of somebody else's. It decides
//! prompts, plan and answers. Where requests go, which variables hold keys, whether money may be spent
//! and how much, which files are read and written: that comes from the new command line, or is asked.

use super::args::{Args, ReadArguments};
use super::overflow::load_samples;
use super::{journal, request_limits};
use crate::app::bench::asked::{JUDGE_TOKENS, Program};
use crate::app::bench::journal::{Earlier, Header};
use crate::app::bench::tally::Tally;
use crate::cli::ask::{Ask as _, Terminal};
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::document::bench::Kind;
use crate::document::bench::build::{Basis, TargetFacts};
use crate::document::repeat::quoted;
use crate::prompts::Prompt;
use crate::workload::Privacy;
use std::path::{Path, PathBuf};

/// An interrupted run: its journal, locked against others, and what that says.
pub struct Resumed {
    pub locked: journal::Locked,
    pub earlier: Earlier,
}

impl Resumed {
    /// Lock the journal, read it, and see that there is something left to do.
    pub fn open(run: &Path, context: &Context) -> Result<Self, CliError> {
        let path = journal::of_run(run);
        let mut locked = journal::Locked::existing(&path)?;
        let earlier = locked.read()?;
        let here = major(env!("CARGO_PKG_VERSION"));
        if major(&earlier.header.tool_version) != here {
            return Err(CliError::usage(format!(
                "{}: this run was begun by freehold {}, and this is {}",
                path.display(),
                earlier.header.tool_version,
                env!("CARGO_PKG_VERSION")
            ))
            .hint("Two versions measure differently: go on with that version, or start a new run. `--replay` makes the report of what is there."));
        }
        let unanswered = Tally::of(&earlier.header.basis, &earlier, load_samples()).unanswered().len();
        if earlier.is_complete() && unanswered == 0 {
            return Err(CliError::usage(format!(
                "{}: this run is complete, there is nothing to go on with",
                path.display()
            ))
            .hint("`--replay` makes its report again."));
        }
        context.note(&format!(
            "Going on with {}: {} requests have ended.",
            path.display(),
            earlier.records.len()
        ));
        Ok(Self { locked, earlier })
    }

    /// The arguments of the run: the journal's plan with the new command line's targets and limits.
    pub fn arguments(&self, args: &Args, read: ReadArguments, context: &Context) -> Result<Args, CliError> {
        let header = &self.earlier.header;
        let path = self.locked.path();
        let mut began = read(&header.arguments).map_err(|e| {
            CliError::usage(format!("{}: its command line cannot be read: {e}", path.display()))
        })?;
        let Agreed { model, api, api_key_env } = agree(args, &began, header, context)?;
        same_outside(args, &began)?;
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
        let stricter = [args.privacy, stated_privacy(&header.basis)].contains(&Some(Privacy::Strict));
        // The options of local models stay as they were, but for what is read and how much is taken.
        began.local.json_schema.clone_from(&args.local.json_schema);
        began.local.memory_limit = args.local.memory_limit;
        Ok(Args {
            model,
            api,
            api_key_env,
            resume: args.resume.clone(),
            prompts: args.prompts.clone(),
            privacy: if stricter { Some(Privacy::Strict) } else { args.privacy },
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

    /// The prompts that the run began with. A file that is named must still hold them.
    pub fn prompts(&self, args: &Args) -> Result<(Vec<Prompt>, String), CliError> {
        let basis = &self.earlier.header.basis;
        let sha256 =
            basis.inputs.get("prompts_sha256").and_then(|i| i.value.as_str()).unwrap_or_default().to_owned();
        if let Some(file) = &args.prompts {
            let (_, now) = crate::cli::prompt_files::read(file)?;
            if now != sha256 {
                return Err(CliError::usage(format!(
                    "{}: the prompts have changed since this run began",
                    file.display()
                ))
                .hint("Without --prompts the run goes on with those that it began with; other prompts need a new run."));
            }
        }
        Ok((basis.prompts.clone(), sha256))
    }
}

/// What the two versions of a program must share to measure alike: the major, of 0.x the minor, too.
fn major(version: &str) -> Vec<&str> {
    let mut parts = version.split('.');
    match parts.next() {
        Some("0") => ["0"].into_iter().chain(parts.next()).collect(),
        first => first.into_iter().collect(),
    }
}

/// The report that stands for the run on the command line is where its whole report goes.
fn report_named(run: Option<&Path>) -> Option<PathBuf> {
    let run = run.filter(|run| journal::of_run(run) != **run)?;
    // A link leads to a file that nobody named.
    std::fs::symlink_metadata(run).map_or(true, |there| there.is_file()).then(|| run.to_owned())
}

pub fn stated_privacy(basis: &Basis) -> Option<Privacy> {
    use crate::workload::Answer as _;
    Privacy::from_word(basis.inputs.get("privacy")?.value.as_str()?)
}

/// What may be asked, and with which keys.
struct Agreed {
    model: Vec<String>,
    api: Vec<String>,
    api_key_env: Vec<String>,
}

fn agree(args: &Args, began: &Args, header: &Header, context: &Context) -> Result<Agreed, CliError> {
    let named = !args.model.is_empty() || !args.api.is_empty();
    if named {
        if args.model.len() == began.model.len() && args.api.len() == began.api.len() {
            return Ok(Agreed {
                model: args.model.clone(),
                api: args.api.clone(),
                api_key_env: args.api_key_env.clone(),
            });
        }
        return Err(CliError::usage("these are not as many targets as the run has")
            .hint(format!("Its journal names {}.", wanted(began))));
    }
    if !context.can_ask() {
        return Err(CliError::usage(
            "where the requests of a resumed run go is not taken from its journal, and nobody can be asked (no terminal)",
        )
        .hint(format!("Name its targets again. The journal names {}.", wanted(began))));
    }
    let model: Vec<String> = began.model.iter().map(|m| in_folder(m, header.folder.as_deref())).collect();
    let mut terminal = Terminal::new();
    for target in model.iter().chain(&began.api) {
        context.note(&format!("  {target}"));
    }
    if !terminal.confirm("Go on with these targets, which the journal names?", false)? {
        return Err(CliError::usage("not started: the targets were not agreed to"));
    }
    let mut api_key_env = args.api_key_env.clone();
    if api_key_env.is_empty() {
        for variable in &began.api_key_env {
            let question = format!(
                "The journal wants the key in {variable} for them; it is no provider's own variable. Send it?"
            );
            if terminal.confirm(&question, false)? {
                api_key_env.push(variable.clone());
            }
        }
    }
    Ok(Agreed { model, api: began.api.clone(), api_key_env })
}

/// Judges and programs are named again, as targets are: where texts go, and what is run, no journal decides.
fn same_outside(args: &Args, began: &Args) -> Result<(), CliError> {
    let lacks = |flag: &str, was: Vec<String>, now: usize| {
        if was.len() == now {
            return Ok(());
        }
        let shown: Vec<String> = was.iter().map(|text| format!("{flag} {}", quoted(text))).collect();
        let named = if shown.is_empty() { "none".to_owned() } else { shown.join(" ") };
        Err(CliError::usage(format!("the run has other {flag} arguments than the command line"))
            .hint(format!("What is asked and run is not taken from a journal. This one names {named}.")))
    };
    let (was, now) = (&began.judging, &args.judging);
    lacks("--judge", was.judge.clone(), now.judge.len())?;
    lacks("--exec", was.exec.iter().map(Program::written).collect(), now.exec.len())?;
    lacks("--embedder", was.embedder.iter().cloned().collect(), usize::from(now.embedder.is_some()))
}

/// The targets that a journal names, as arguments.
fn wanted(began: &Args) -> String {
    let models = began.model.iter().map(|m| format!("--model {}", quoted(m)));
    let apis = began.api.iter().map(|a| format!("--api {}", quoted(a)));
    let keys = began.api_key_env.iter().map(|k| format!("--api-key-env {} (a key!)", quoted(k)));
    models.chain(apis).chain(keys).collect::<Vec<_>>().join(" ")
}

/// A model's path as it was meant: from where the run was begun.
fn in_folder(model: &str, folder: Option<&str>) -> String {
    let path = Path::new(model);
    let is_file = path.extension().is_some_and(|e| e.eq_ignore_ascii_case("gguf")) && !model.contains(':');
    match folder.filter(|_| is_file && path.is_relative()) {
        Some(folder) => Path::new(folder).join(path).display().to_string(),
        None => model.to_owned(),
    }
}

/// Are the APIs of the command line those of the run?
pub fn same_apis(basis: &Basis, now: &[&TargetFacts]) -> Result<(), CliError> {
    let were: Vec<&TargetFacts> =
        basis.targets.iter().filter(|t| t.kind == Kind::Api && t.recorded_in.is_none()).collect();
    for (n, was) in were.iter().enumerate() {
        let same = now.get(n).is_some_and(|now| now.model == was.model && now.origin == was.origin);
        if !same {
            return Err(other_target(was, now.get(n).copied()));
        }
    }
    Ok(())
}

fn other_target(was: &TargetFacts, now: Option<&TargetFacts>) -> CliError {
    let place = |facts: &TargetFacts| match &facts.origin {
        Some(origin) => format!("{} at {origin}", facts.id),
        None => facts.id.clone(),
    };
    let now = now.map_or("nothing".to_owned(), place);
    CliError::usage(format!("the run asked {}, and the command line names {now} in its place", place(was)))
        .hint("Name the run's own targets, in its order; another target needs a run of its own.")
}

/// The run's basis with its targets as they are now: another model file is refused; other prices, another
/// engine or machine are noted on the target. One price holds for the whole run: today's.
pub fn take_over(mut basis: Basis, now: Vec<TargetFacts>) -> Result<Basis, CliError> {
    if basis.targets.len() != now.len() {
        return Err(CliError::usage("these are not as many targets as the run has"));
    }
    let merged = basis.targets.iter().zip(now).map(|(was, now)| one(was, now));
    basis.targets = merged.collect::<Result<_, _>>()?;
    Ok(basis)
}

fn one(was: &TargetFacts, mut now: TargetFacts) -> Result<TargetFacts, CliError> {
    if was.kind != now.kind || was.origin != now.origin || was.stand_in != now.stand_in {
        return Err(other_target(was, Some(&now)));
    }
    let mut remarks = was.remarks.clone();
    let mut remark = |text: String| {
        if !remarks.contains(&text) {
            remarks.push(text);
        }
    };
    if let (Some(before), Some(after)) = (&was.engine, &now.engine) {
        if before.model_sha256 != after.model_sha256 {
            return Err(CliError::usage(format!(
                "{}: the model's file is not the one that this run began with (SHA-256 {}, then {})",
                was.id,
                after.model_sha256.as_deref().unwrap_or("unknown"),
                before.model_sha256.as_deref().unwrap_or("unknown"),
            ))
            .hint("Give the path of that file, or start a new run."));
        }
        let parts = |e: &crate::document::bench::Engine| {
            (e.build.clone(), e.device.clone(), e.gpu_layers, e.threads, e.hardware.clone())
        };
        if parts(before) != parts(after) {
            remark(format!(
                "the run went on with another engine or device: {}, {} before; {}, {} now",
                before.build.as_deref().unwrap_or("an unknown build"),
                before.device.as_deref().unwrap_or("an unknown device"),
                after.build.as_deref().unwrap_or("an unknown build"),
                after.device.as_deref().unwrap_or("an unknown device"),
            ));
        }
    }
    if was.price != now.price {
        remark(
            "prices in the catalogue have changed since the run began: all of it is priced by those of today"
                .to_owned(),
        );
    }
    let texts = std::mem::take(&mut now.remarks);
    texts.into_iter().for_each(remark);
    // The answers so far carry its name.
    Ok(TargetFacts { id: was.id.clone(), remarks, engine: was.engine.clone(), ..now })
}

/// The command that goes on with a run: everything that its journal does not decide.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_that_measure_alike() {
        assert_eq!(major("0.1.7"), major("0.1.0"));
        assert_ne!(major("0.2.0"), major("0.1.0"));
        assert_eq!(major("1.2.0"), major("1.9.3"));
        assert_ne!(major("2.0.0"), major("1.9.3"));
    }

    #[test]
    fn models_are_where_the_run_was_begun() {
        assert_eq!(in_folder("m.gguf", Some("/runs/a")), "/runs/a/m.gguf");
        assert_eq!(in_folder("/models/m.gguf", Some("/runs/a")), "/models/m.gguf");
        assert_eq!(in_folder("hf:o/r/m.gguf", Some("/runs/a")), "hf:o/r/m.gguf");
        assert_eq!(in_folder("default", Some("/runs/a")), "default");
    }
}
