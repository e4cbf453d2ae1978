//! Loads the local model of `--model`, and notes what is known of it.

use super::args::{Args, LocalArgs};
use super::{device, privacy};
use crate::app::bench::asked::LocalOptions;
use crate::app::bench::settings::Settings;
use crate::app::bench::{local_models, memory, template};
use crate::capacity::ModelShape;
use crate::cli::context::Context;
use crate::cli::error::{CliError, Exit};
use crate::cli::models;
use crate::cli::progress::Progress;
use crate::document::bench::build::TargetFacts;
use crate::document::bench::model::ModelFacts;
use crate::document::bench::{Engine, Kind};
use crate::measure::allowed::allowed;
use crate::measure::backend::Backend;
use crate::measure::backend::local::{self, LocalBackend, LocalConfig, LocalInfo};
use crate::measure::backend::protocol::{self, LoadRequest, Sampling};
use crate::measure::event::Fault;
use crate::measure::fetch;
use crate::prompts::Prompt;
use std::path::{Path, PathBuf};

/// Finds the file, starts a worker and loads the model.
pub async fn start(
    model: &str,
    args: &Args,
    context: &Context,
    settings: &Settings,
    prompts: &[Prompt],
    progress: &mut Progress<'_>,
) -> Result<(Backend, TargetFacts), CliError> {
    let options = args.local.options();
    let worker =
        Worker { context: local_models::context_for_prompts(&options, settings, prompts), raw: options.raw };
    let prepared = Prepared {
        long: local_models::long(worker.context, settings, prompts)?,
        conversations: prompts.iter().any(|p| p.conversation.is_some()),
        sampling: local_models::sampling(&options, settings.seed),
        json_schema: json_schema(&args.local)?,
        embed: false,
    };
    let (backend, mut facts) = open(model, args, worker, prepared, context, progress).await?;
    if let Some(source) = backend.info().file.header.facts.chat_template.as_deref().filter(|_| !worker.raw) {
        template::check(&facts.id, source, prompts)?;
    }
    if let Some(text) = template::control_token_remark(prompts) {
        context.note(&format!("{}: {text}.", facts.id));
        facts.remarks.push(text);
    }
    Ok((Backend::Local(Box::new(backend)), facts))
}

/// What a worker must be able to do.
#[derive(Debug, Clone, Copy)]
pub struct Worker {
    /// Tokens one sequence may hold.
    pub context: u32,
    /// Give prompts to the model without its chat template.
    pub raw: bool,
}

/// What the prompts need when the model is loaded.
#[derive(Debug, Default)]
pub struct Prepared {
    /// The longest prompts, each with an upper bound of its tokens, answer included: the engine counts
    /// those that may not fit, or may be longer than the model was trained for.
    pub long: Vec<(u64, protocol::Prompt)>,
    /// Some are conversations, whose live answers cannot be counted beforehand.
    pub conversations: bool,
    pub sampling: Option<Sampling>,
    pub json_schema: Option<String>,
    /// Embeddings are wanted, not answers.
    pub embed: bool,
}

/// The text of the JSON schema for answers, checked.
pub fn json_schema(args: &LocalArgs) -> Result<Option<String>, CliError> {
    let Some(path) = &args.json_schema else { return Ok(None) };
    let text = crate::cli::files::read_text(path)?;
    local_models::check_schema(&text, &path.display().to_string())?;
    Ok(Some(text))
}

/// As [`start`], for other purposes than prompts.
pub async fn open(
    model: &str,
    args: &Args,
    worker: Worker,
    prepared: Prepared,
    context: &Context,
    progress: &mut Progress<'_>,
) -> Result<(LocalBackend, TargetFacts), CliError> {
    let options = args.local.options();
    local_models::check_kv_type(&options)?;
    let strict = privacy::of(args, context)?.strict();
    let fetched = models::find(model, strict, context, progress).await?;
    let mut config = config(fetched.path, &options, worker).map_err(CliError::of_fault)?;
    let asked = config.load.context;
    let trained = trained_for(&config.load.model);
    let fits = |bound: &u64| *bound <= trained.unwrap_or(u64::MAX).min(u64::from(asked));
    config.load.doubtful =
        prepared.long.into_iter().filter(|(bound, _)| !fits(bound)).map(|(_, prompt)| prompt).collect();
    // A context that the user chose, and one for texts that cannot be counted beforehand, is taken as it
    // is.
    let taken = args.local.context.is_some() || prepared.embed || prepared.conversations;
    config.load.sampling = prepared.sampling;
    config.load.json_schema = prepared.json_schema;
    config.load.embed = prepared.embed;
    let cold = if args.local.load_times { cold_load(&config, progress).await? } else { None };
    let cached_share = device::cached_share(&config.load.model);
    progress.phase(&format!("Loading {model}"), 100);
    let backend = {
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let mut loaded = |share: f32| progress.at((share.clamp(0.0, 1.0) * 100.0) as u64);
        LocalBackend::start(config, &mut loaded).await.map_err(CliError::of_fault)?
    };
    progress.done();
    let info = backend.info().clone();
    let check = local_models::check_gpu(&info, &options);
    if let Some(text) = check.map_err(|refusal| CliError::refused(refusal, Exit::Gate))? {
        context.note(&text);
    }
    let file = info.file.path.clone();
    progress.phase("Checking the model file", info.file.size);
    let sha256 = fetch::sha256(context.folders.cache(), &info.file.parts, &mut |read| progress.at(read))
        .map_err(CliError::of_fault)?;
    progress.done();
    let driver = info.loaded.devices.iter().find(|d| d.is_gpu).and_then(crate::cli::hardware::driver_of);
    let mut engine = local_models::engine(&info, &options, driver);
    engine.load_cached_share = cached_share;
    engine.load_cold_ms = cold;
    engine.load_warm_ms = engine.load_ms.filter(|_| cold.is_some());
    engine.hardware = hardware(&info, context);
    let shape = ModelShape::from_gguf("", &info.file.header).ok();
    engine.model = shape.as_ref().and_then(ModelFacts::of);
    let of_file = || file.file_name().map_or_else(|| model.to_owned(), |n| n.to_string_lossy().into_owned());
    let name = fetched.name.unwrap_or_else(of_file);
    let facts = TargetFacts {
        id: format!("local:{name}"),
        kind: Kind::Local,
        model: name.clone(),
        stand_in: false,
        origin: None,
        price: None,
        engine: Some(Engine { model_file: Some(name), model_sha256: Some(sha256), ..engine }),
        synthetic: Vec::new(),
        embedding: None,
        energy: None,
        remarks: local_models::beyond_training(asked, taken, &info.loaded).into_iter().collect(),
        proxy: None,
        note: None,
        recorded_in: None,
        judge_form: None,
    };
    for remark in &facts.remarks {
        context.note(&format!("{}: {remark}.", facts.id));
    }
    Ok((backend, facts))
}

pub fn config(path: PathBuf, options: &LocalOptions, worker: Worker) -> Result<LocalConfig, Fault> {
    let mut config = LocalConfig::new(path, worker.context)?;
    local_models::request(&mut config.load, options, worker.raw);
    config.plan = Some(plan);
    Ok(config)
}

/// Does the model fit into the memory that this process may use?
fn plan(file: &local::ModelFile, build: &protocol::EngineBuild, load: &mut LoadRequest) -> Result<(), Fault> {
    memory::plan(file, build, load, allowed().memory_bytes)
}

/// Tokens of context that the model was trained for; `None`, and no error, where the file cannot be read.
fn trained_for(model: &Path) -> Option<u64> {
    local::check(model).ok()?.header.facts.context_tokens
}

/// Seconds of a load from the disk, after the file was dropped from the page cache. `None`: it could not
/// be.
async fn cold_load(config: &LocalConfig, progress: &mut Progress<'_>) -> Result<Option<f64>, CliError> {
    if !device::forget(&config.load.model) {
        progress.note("The system would not drop the model file from its page cache: no cold load.");
        return Ok(None);
    }
    progress.phase("Loading from the disk", 1);
    let backend = LocalBackend::start(config.clone(), &mut |_| ()).await.map_err(CliError::of_fault)?;
    let time = backend.info().loaded.load_ns as f64 / 1e6;
    backend.shutdown().await;
    progress.done();
    Ok(Some(time))
}

/// The catalogue's id of the GPU that ran the model.
fn hardware(info: &LocalInfo, context: &Context) -> Option<String> {
    let gpu = info.loaded.devices.iter().find(|d| d.is_gpu)?;
    let catalog = crate::cli::catalog::load(context).ok()?;
    let memory = Some(gpu.memory_total).filter(|bytes| *bytes > 0);
    crate::catalog::device::card_named(&catalog, &gpu.description, memory).map(|card| card.id.clone())
}
