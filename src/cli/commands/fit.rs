use crate::app::fit::{Asked, Found, MeasuredFile, ModelFile, fit};
use crate::capacity::memory::USUAL_CONTEXT_TOKENS;
use crate::capacity::{Backend, KvType};
use crate::catalog::Catalog;
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::output::OutputArgs;
use crate::cli::{catalog, files, hardware};
use crate::document::bench::{self, BenchDocument, Target};
use crate::gguf;
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
  freehold fit --hardware nvidia-h100-sxm-80gb --count 2 --model llama-3.3-70b-instruct --quantisation FP8 --concurrency 32")]
pub struct Args {
    /// An accelerator or machine of the catalogue, or `this` (default: this; with --model: all).
    #[arg(long, value_name = "ID|this|all")]
    pub hardware: Option<String>,
    /// Accelerators of that kind.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1024))]
    pub count: u32,
    /// An open model of the catalogue, or a GGUF file (only its header is read).
    #[arg(long, value_name = "ID|FILE")]
    pub model: Option<String>,
    /// Tokens in the context of one sequence: memory is taken for as many, speed is at this depth.
    #[arg(long, value_name = "TOKENS", default_value_t = USUAL_CONTEXT_TOKENS, value_parser = clap::value_parser!(u64).range(1..=16_777_216))]
    pub context: u64,
    /// Sequences at once.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=4096))]
    pub concurrency: u32,
    /// Weight format, as `Q4_K_M`, `Q8_0`, `FP8` or `AWQ` (default: the most precise of the usual ones
    /// that fits; with one model on one hardware: all of them).
    #[arg(long, value_name = "FORMAT")]
    pub quantisation: Option<String>,
    /// Format of the KV cache.
    #[arg(long, value_enum, default_value_t = Kv::F16)]
    pub kv_type: Kv,
    /// Software path, where the hardware has several (default: what its maker's users run first).
    #[arg(long, value_name = "PATH", value_parser = backends())]
    pub backend: Option<Backend>,
    /// A bench document of this machine: its speeds calibrate the predictions.
    #[arg(long, value_name = "FILE")]
    pub measured: Option<PathBuf>,
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

/// The software paths by their labels.
fn backends() -> impl TypedValueParser<Value = Backend> {
    PossibleValuesParser::new(Backend::ALL.map(Backend::label)).map(|name| {
        let named = |b: &Backend| b.label() == name;
        Backend::ALL.into_iter().find(named).unwrap_or(Backend::Cpu)
    })
}

// Every command is called alike, with its own arguments.
#[allow(clippy::needless_pass_by_value)]
pub fn run(args: Args, context: &Context) -> Result<(), CliError> {
    let catalog = catalog::load(context)?;
    let asked = Asked {
        hardware: args.hardware,
        count: args.count,
        model: args.model,
        context: args.context,
        concurrency: args.concurrency,
        quantisation: args.quantisation,
        kv: args.kv_type.into(),
        backend: args.backend,
    };
    let found = Found {
        catalog: &catalog,
        this: asked.is_of_this_machine().then(|| hardware::this(&catalog)),
        model_file: asked.model.as_deref().map_or(Ok(None), |name| model_file(name, &catalog))?,
        measured: args.measured.as_deref().map(measured).transpose()?,
        now: &context.now,
    };
    let fitted = fit(&asked, found)?;
    for note in &fitted.notes {
        context.note(note);
    }
    args.output.show(context, &fitted.document)
}

/// The header of a model that is a file: one with the ending of one, or one that no record is named like.
fn model_file(name: &str, catalog: &Catalog) -> Result<Option<ModelFile>, CliError> {
    let path = Path::new(name);
    let looks_like_file = path.extension().is_some_and(|e| e.eq_ignore_ascii_case("gguf"));
    if !looks_like_file && (catalog.open_model(name).is_some() || !path.is_file()) {
        return Ok(None);
    }
    Ok(Some(ModelFile { path: name.to_owned(), header: read_header(path)? }))
}

/// The header of a GGUF file, with errors that name the file.
fn read_header(path: &Path) -> Result<gguf::Header, CliError> {
    let file = files::open(path)?;
    let size = file.metadata().map_err(|e| CliError::file("read", path, &e))?.len();
    gguf::read(file, size).map_err(|e| CliError::usage(format!("{}: {e}", path.display())))
}

/// A bench document, with the headers of its local models that are still there. One that says what its
/// model is needs no file.
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
