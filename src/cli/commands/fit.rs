use super::breakeven;
use crate::app::fit::{Asked, FitInputs, MeasuredFile, ModelFile, Software, fit};
use crate::app::needs::Replace;
use crate::app::plan;
use crate::capacity::memory::USUAL_CONTEXT_TOKENS;
use crate::capacity::{Backend, KvType};
use crate::catalog::Catalog;
use crate::cli::context::Context;
use crate::cli::error::{CliError, Exit};
use crate::cli::keys::PlanFlags;
use crate::cli::needs::UsageArgs;
use crate::cli::output::OutputArgs;
use crate::cli::{catalog, files, hardware, models, profiles};
use crate::cost::keys::local;
use crate::cost::{self, Scenario};
use crate::document::bench::{self, BenchDocument, Target};
use crate::document::envelope::Input;
use crate::document::plan::PlanRow;
use crate::gguf;
use crate::measure::backend::local::check;
use crate::provenance::{Source, UserInput};
use crate::render::{Block, View};
use crate::workload::given::value_from_text;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use std::path::{Path, PathBuf};

/// Which models fit which hardware, and how fast they would run.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  freehold fit                                            what this machine can run
  freehold fit --hardware nvidia-rtx-4090                 what a card can run
  freehold fit --model llama-3.1-8b-instruct              where a model runs
  freehold fit --hardware all                             the largest model each card and machine holds
  freehold fit --hardware this --model model.gguf --context 8192
  freehold fit --hardware nvidia-rtx-4090 --model hf:OWNER/REPO:Q4_K_M
  freehold fit --hardware nvidia-h100-sxm-80gb --count 2 --model llama-3.3-70b-instruct --quantisation FP8 --concurrency 32

With --plan, what somebody would build to serve a need:
  freehold fit --plan --model qwen3-8b --use chat --requests-per-month 30M --input-tokens 600 --output-tokens 60
  freehold fit --plan --scenario examples/chatbot.toml --must-stay-up
  freehold fit --plan --model llama-3.3-70b-instruct --use rag --requests-per-month 400k --input-tokens 3000 \\
      --output-tokens 300 --have '4x nvidia-h100-sxm-80gb'
  freehold fit --plan --usage usage.json --model qwen3-32b
  freehold fit --plan --usage usage.json --model qwen3-32b --replace claude-haiku-4-5=qwen3-8b")]
pub struct Args {
    /// An accelerator or machine of the catalogue, or `this` (default: this; with --model: all).
    #[arg(long, value_name = "ID|this|all")]
    pub hardware: Option<String>,
    /// Accelerators of that kind in one computer (default: 1; with --plan: the number that costs the
    /// least).
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1024))]
    pub count: Option<u32>,
    /// An open model of the catalogue, or a GGUF file: a path, hf:OWNER/REPO:QUANT, hf:OWNER/REPO/FILE,
    /// ollama:NAME:TAG, lmstudio:OWNER/REPO, or a URL. Only its header is read, over the network too.
    #[arg(long, value_name = "ID|FILE")]
    pub model: Option<String>,
    /// Tokens in the context of one sequence: memory is reserved for as many, and speed is that at this
    /// depth.
    #[arg(long, value_name = "TOKENS", default_value_t = USUAL_CONTEXT_TOKENS, value_parser = clap::value_parser!(u64).range(1..=16_777_216))]
    pub context: u64,
    /// Sequences at once.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=4096))]
    pub concurrency: u32,
    /// Weight format, as `Q4_K_M`, `Q8_0`, `FP8` or `AWQ` (default: the most precise of the usual ones
    /// that fits; with one model on one hardware: all of them).
    #[arg(long, value_name = "FORMAT")]
    pub quantisation: Option<String>,
    /// Exit with 3 where nothing fits, or with --plan where no plan keeps the limits.
    #[arg(long)]
    pub must_fit: bool,
    /// Format of the KV cache.
    #[arg(long, value_enum, default_value_t = Kv::F16)]
    pub kv_type: Kv,
    /// Backend, where the hardware has several (default: the one its users usually run); `llama.cpp` takes its
    /// usual driver there.
    #[arg(long, value_name = "PATH", value_parser = backends())]
    pub backend: Option<Software>,
    /// A bench document of this machine: its speeds calibrate the predictions.
    #[arg(long, value_name = "FILE")]
    pub measured: Option<PathBuf>,
    /// Plan what to build to serve a need with --model: machines, engine, formats, how many, what each
    /// request gets, what limits it, and the price. The need is given by the flags below, a scenario or a
    /// profile.
    #[arg(long)]
    pub plan: bool,
    /// With --plan: a scenario file (TOML; `-` is stdin); `[[need]]` may stand in it more than once, for
    /// work that shares machines.
    #[arg(long, value_name = "FILE", requires = "plan")]
    pub scenario: Option<PathBuf>,
    /// With --plan: a profile (see `freehold advise --list-profiles`, or a file).
    #[arg(long, value_name = "NAME", requires = "plan")]
    pub profile: Option<String>,
    /// With --plan: what is there already, as `4x nvidia-h100-sxm-80gb@HOST` or `2x dgx-h100`
    /// (repeatable): what it carries, and what stays free.
    #[arg(long, value_name = "N x ID[@HOST]", requires = "plan")]
    pub have: Vec<String>,
    #[command(flatten)]
    pub usage: UsageArgs,
    /// With --usage: the open model in the place of one that the records name, as
    /// `claude-haiku-4-5=qwen3-8b` (repeatable): each recorded model is then a need of its own, on shared
    /// machines. Those that are not named go to --model.
    #[arg(long, value_name = "RECORDED=MODEL", requires_all = ["plan", "usage"])]
    pub replace: Vec<String>,
    /// With --plan: show every intermediate figure of the first plan, or those whose names begin with NAME.
    #[arg(long, value_name = "NAME", num_args = 0..=1, default_missing_value = "", requires = "plan")]
    pub explain: Option<String>,
    #[command(flatten)]
    pub keys: PlanFlags,
    #[command(flatten)]
    pub output: OutputArgs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Kv {
    F16,
    #[value(name = "q8_0")]
    Q8,
    #[value(name = "q4_0")]
    Q4,
    Fp8,
}

impl From<Kv> for KvType {
    fn from(kv: Kv) -> Self {
        match kv {
            Kv::F16 => Self::F16,
            Kv::Q8 => Self::Q8_0,
            Kv::Q4 => Self::Q4_0,
            Kv::Fp8 => Self::Fp8,
        }
    }
}

/// A parser of backends and engines by their labels.
fn backends() -> impl TypedValueParser<Value = Software> {
    PossibleValuesParser::new(Software::names())
        .map(|name| Software::find(&name).unwrap_or(Software::Backend(Backend::Cpu)))
}

// Every command is called alike, with its own arguments.
#[allow(clippy::needless_pass_by_value)]
pub fn run(args: Args, context: &Context) -> Result<(), CliError> {
    let catalog = catalog::load(context)?;
    if args.plan {
        return run_plan(&args, &catalog, context);
    }
    if !args.keys.is_empty() || !args.usage.usage.is_empty() {
        return Err(CliError::usage("a need is only asked about with --plan")
            .hint("`freehold fit --plan ...` plans for it; without, `fit` says what fits"));
    }
    let asked = Asked {
        hardware: args.hardware,
        count: args.count.unwrap_or(1),
        model: args.model,
        context: args.context,
        concurrency: args.concurrency,
        quantisation: args.quantisation,
        kv: args.kv_type.into(),
        backend: args.backend,
    };
    let found = FitInputs {
        catalog: &catalog,
        this: asked.is_of_this_machine().then(|| hardware::this(&catalog)),
        model_file: asked.model.as_deref().map_or(Ok(None), |name| model_file(name, &catalog, context))?,
        measured: args.measured.as_deref().map(measured).transpose()?,
        now: &context.now,
    };
    let fitted = fit(&asked, found)?;
    for note in &fitted.notes {
        context.note(note);
    }
    args.output.show(context, &fitted.document)?;
    if args.must_fit && fitted.document.result.rows.is_empty() {
        return Err(nothing_fits("nothing fits"));
    }
    Ok(())
}

/// The error of `--must-fit`, printed after the result, which has the reasons.
fn nothing_fits(what: &str) -> CliError {
    CliError::new(Exit::Gate, format!("{what} (--must-fit)"))
}

/// `fit --plan`.
fn run_plan(args: &Args, catalog: &Catalog, context: &Context) -> Result<(), CliError> {
    let mut scenario = match &args.scenario {
        Some(path) => breakeven::scenario_of(path)?,
        None => Scenario::default(),
    };
    args.keys.apply(&mut scenario)?;
    let usage = args.usage.read(catalog, context)?;
    if let Some(usage) = &usage {
        usage.fill(&mut scenario);
    }
    if let Some(name) = &args.profile {
        crate::app::breakeven::add_profile(&mut scenario, &profiles::find(name, context)?.draft);
    }
    // Flags of `fit` that are keys of `[[local]]`.
    let count = args.count.map(|count| count.to_string());
    let at_once = (args.concurrency > 1).then(|| args.concurrency.to_string());
    let kv = (args.kv_type != Kv::F16).then(|| KvType::from(args.kv_type).label().to_owned());
    for (key, flag, value) in [
        (local::MODEL, "--model", args.model.clone()),
        (local::HARDWARE_ID, "--hardware", args.hardware.clone()),
        (local::GPUS_PER_UNIT, "--count", count),
        (local::QUANTISATION, "--quantisation", args.quantisation.clone()),
        (local::CONCURRENCY, "--concurrency", at_once),
        (local::KV_TYPE, "--kv-type", kv),
        (local::BACKEND, "--backend", args.backend.map(|b| b.engine().label().to_owned())),
    ] {
        if let Some(text) = value {
            let given = value_from_text(key, UserInput::flag(flag), &text)
                .map_err(|e| CliError::usage(e.to_string()))?;
            scenario.set(key, None, &given);
        }
    }
    let evidence = args.measured.as_deref().map(breakeven::read_evidence).transpose()?;
    let basis =
        cost::Basis { catalog, evidence: evidence.as_ref(), today: context.today, comparators: false };
    let mut have: Vec<plan::Have> =
        args.have.iter().map(|text| plan::have(text, catalog)).collect::<Result<_, _>>()?;
    have.extend(plan::hosts(&scenario, catalog)?);
    let replace: Vec<Replace> =
        args.replace.iter().map(|text| Replace::parse(text)).collect::<Result<_, _>>()?;
    let split = match &usage {
        Some(usage) => usage.split(&mut scenario, &replace, catalog)?,
        None => false,
    };
    let mut document = plan::plan(&scenario, basis, &have, &context.now)?;
    if let Some(usage) = &usage {
        document.warnings.extend(usage.warnings_of_plan(split));
    }
    if !args.replace.is_empty() {
        let value = serde_json::to_value(&args.replace).unwrap_or_default();
        document
            .inputs
            .insert("replace".to_owned(), Input { value, unit: None, source: Source::flag("--replace") });
    }
    context.record(&mut document.inputs);
    args.usage.record(&mut document.inputs);
    let Some(name) = &args.explain else {
        args.output.show(context, &document)?;
        // Several needs on the same machines are a result of their own.
        let kept = |p: &PlanRow| p.misses.is_empty();
        let found = document.result.plans.iter().any(kept) || !document.result.together.is_empty();
        if args.must_fit && !found {
            return Err(nothing_fits("no plan keeps the limits"));
        }
        return Ok(());
    };
    let terms: Vec<_> =
        document.result.plans.first().map_or_else(Vec::new, |p| {
            p.terms.iter().filter(|t| t.name.starts_with(name.as_str())).collect()
        });
    if terms.is_empty() {
        let names = document
            .result
            .plans
            .first()
            .map_or_else(Vec::new, |p| p.terms.iter().map(|t| t.name.clone()).collect::<Vec<_>>());
        return Err(CliError::usage(format!("--explain {name}: no figure of the plan has this name"))
            .hint(format!("the figures are {}", names.join(", "))));
    }
    args.output.write(
        context,
        || crate::document::json::pretty(&terms),
        || {
            let mut view = View::new("How the plan comes about");
            view.push(Block::Table(crate::render::plan::terms(&terms)));
            view
        },
        None,
    )
}

/// The header of a model that is a file, on this machine or elsewhere: its name has the ending of one, is
/// no record's name, or says where the file is. `None`: it is a model of the catalogue.
fn model_file(name: &str, catalog: &Catalog, context: &Context) -> Result<Option<ModelFile>, CliError> {
    let path = Path::new(name);
    if models::names_a_place(name) && !path.exists() {
        return Ok(Some(ModelFile { path: name.to_owned(), header: models::header(name, context)? }));
    }
    let looks_like_file = path.extension().is_some_and(|e| e.eq_ignore_ascii_case("gguf"));
    if !looks_like_file && (catalog.open_model(name).is_some() || !path.is_file()) {
        return Ok(None);
    }
    let shown = crate::measure::fetch::name_of(path, &models::others()).unwrap_or_else(|| name.to_owned());
    Ok(Some(ModelFile { path: shown, header: read_header(path)? }))
}

/// The header of a GGUF file, with all its parts; errors name the file.
fn read_header(path: &Path) -> Result<gguf::Header, CliError> {
    check(path).map(|file| file.header).map_err(|fault| CliError::usage(fault.message))
}

/// A bench document, with the headers of its local models that still exist. A document that describes its
/// model needs no file.
fn measured(path: &Path) -> Result<MeasuredFile, CliError> {
    let text = files::read_text(path)?;
    let document: BenchDocument = serde_json::from_str(&text)
        .map_err(|e| CliError::usage(format!("{} is not a bench document: {e}", path.display())))?;
    let says = |t: &Target| t.engine.as_ref().is_some_and(|e| e.model.is_some());
    let local = document.result.targets.iter().filter(|t| t.kind == bench::Kind::Local && !says(t));
    let headers = local
        .filter_map(|t| {
            Some(ModelFile { path: t.model.clone(), header: read_header(Path::new(&t.model)).ok()? })
        })
        .collect();
    Ok(MeasuredFile { path: path.display().to_string(), document, headers })
}
