//! `--model` → a loaded local model and what is known of it.

use super::args::{Args, KvChoice, LocalArgs, SamplingChoice, Switch, word};
use super::privacy::Privacy;
use super::settings::Settings;
use super::{device, room, template};
use crate::app::bench::bounds;
use crate::capacity::ModelShape;
use crate::cli::context::Context;
use crate::cli::error::{CliError, Exit};
use crate::cli::models;
use crate::cli::progress::Progress;
use crate::document::bench::build::TargetFacts;
use crate::document::bench::model::ModelFacts;
use crate::document::bench::{Engine, Kind};
use crate::measure::backend::Backend;
use crate::measure::backend::local::{self, LocalBackend, LocalConfig, LocalInfo};
use crate::measure::backend::protocol::{self, KvType, Sampling};
use crate::measure::conversation;
use crate::measure::event::Fault;
use crate::measure::fetch;
use crate::prompts::Prompt;
use std::path::{Path, PathBuf};

/// Find the file, start its worker, load it.
pub async fn start(
    model: &str,
    args: &Args,
    context: &Context,
    settings: &Settings,
    prompts: &[Prompt],
    progress: &mut Progress<'_>,
) -> Result<(Backend, TargetFacts), CliError> {
    let how = How { context: context_tokens(args, settings, prompts), raw: args.local.raw };
    let prepared = Prepared {
        long: long(how.context, settings, prompts)?,
        conversations: prompts.iter().any(|p| p.conversation.is_some()),
        sampling: sampling(&args.local, settings.seed),
        json_schema: json_schema(&args.local)?,
        embed: false,
    };
    let (backend, mut facts) = open(model, args, how, prepared, context, progress).await?;
    if let Some(source) = backend.info().file.header.facts.chat_template.as_deref().filter(|_| !how.raw) {
        template::check(&facts.id, source, prompts)?;
    }
    if let Some(token) = template::control_token(prompts) {
        let text = format!(
            "prompts hold text such as {token}: where the model has such a control token, it is read as one, as llama.cpp's own server reads it"
        );
        context.note(&format!("{}: {text}.", facts.id));
        facts.remarks.push(text);
    }
    Ok((Backend::Local(Box::new(backend)), facts))
}

/// What one worker is for.
#[derive(Debug, Clone, Copy)]
pub struct How {
    /// Tokens one sequence may hold.
    pub context: u32,
    /// Without the chat template.
    pub raw: bool,
}

/// What prompts ask of a load.
#[derive(Debug, Default)]
pub struct Prepared {
    /// The longest prompts with an upper bound of their tokens, answers included: the engine looks at
    /// those that may not fit, or be longer than the model was trained for.
    pub long: Vec<(u64, protocol::Prompt)>,
    /// Some are conversations, whose live answers nobody can count beforehand.
    pub conversations: bool,
    pub sampling: Option<Sampling>,
    pub json_schema: Option<String>,
    /// Vectors are wanted, not answers.
    pub embed: bool,
}

/// The prompts of most tokens by their upper bounds. What cannot fit by its answer alone is refused here.
fn long(
    context: u32,
    settings: &Settings,
    prompts: &[Prompt],
) -> Result<Vec<(u64, protocol::Prompt)>, CliError> {
    /// More than these are not looked at before the load; the engine refuses each by itself.
    const MOST: usize = 64;
    let mut long: Vec<(u64, u64, &Prompt)> = Vec::new();
    for prompt in prompts {
        let (input, output) = bounds::in_context(prompt, settings.max_output_tokens);
        if output >= u64::from(context) {
            return Err(CliError::usage(format!(
                "prompt {}: an answer of up to {output} tokens does not fit a context of {context}",
                prompt.id
            ))
            .hint("Use a larger --context, or a smaller --max-output-tokens."));
        }
        long.push((input + output, output, prompt));
    }
    long.sort_by_key(|(bound, ..)| std::cmp::Reverse(*bound));
    let asked = |(bound, output, prompt): (u64, u64, &Prompt)| {
        // What live answers will add is not known; the engine refuses a turn that does not fit.
        let prompt = protocol::Prompt {
            messages: conversation::messages(prompt, 0, &[]),
            tools: conversation::tools(prompt).to_vec(),
            max_output_tokens: u32::try_from(output).unwrap_or(u32::MAX),
            ..protocol::Prompt::default()
        };
        (bound, prompt)
    };
    Ok(long.into_iter().take(MOST).map(asked).collect())
}

/// `None`: greedy.
pub fn sampling(args: &LocalArgs, seed: u64) -> Option<Sampling> {
    let recommended = args.sampling == Some(SamplingChoice::Model);
    let temperature = args.temperature.or(recommended.then_some(1.0))?;
    #[allow(clippy::cast_possible_truncation, reason = "any 32 bits of a seed are a seed")]
    let seed = seed as u32;
    Some(Sampling { temperature, top_k: args.top_k, top_p: args.top_p, min_p: args.min_p, seed, recommended })
}

/// The schema's text, looked at as far as can be told without the engine.
pub fn json_schema(args: &LocalArgs) -> Result<Option<String>, CliError> {
    let Some(path) = &args.json_schema else { return Ok(None) };
    let text = crate::cli::files::read_text(path)?;
    let value: serde_json::Value = serde_json::from_str(&text)
        .map_err(|e| CliError::usage(format!("{} is not JSON: {e}", path.display())))?;
    if !value.is_object() {
        return Err(CliError::usage(format!("{} is not a JSON schema: it is no object", path.display())));
    }
    Ok(Some(text))
}

/// As [`start`], for other uses than prompts.
pub async fn open(
    model: &str,
    args: &Args,
    how: How,
    prepared: Prepared,
    context: &Context,
    progress: &mut Progress<'_>,
) -> Result<(LocalBackend, TargetFacts), CliError> {
    check_kv_type(&args.local)?;
    let strict = Privacy::of(args, context)?.strict();
    let fetched = models::find(model, strict, context, progress).await?;
    let mut config = config(fetched.path, &args.local, how).map_err(CliError::of_fault)?;
    let asked = config.load.context;
    let trained = trained_for(&config.load.model);
    let fits = |bound: &u64| *bound <= trained.unwrap_or(u64::MAX).min(u64::from(asked));
    config.load.doubtful =
        prepared.long.into_iter().filter(|(bound, _)| !fits(bound)).map(|(_, prompt)| prompt).collect();
    // A context of the user's own, and what nobody can count, is taken at its word.
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
    check_gpu(&info, &args.local, context)?;
    let file = info.file.path.clone();
    progress.phase("Checking the model file", info.file.size);
    let sha256 = fetch::sha256(context.folders.cache(), &info.file.parts, &mut |read| progress.at(read))
        .map_err(CliError::of_fault)?;
    progress.done();
    let mut engine = engine(&info, &args.local);
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
        remarks: beyond_training(asked, taken, &info.loaded).into_iter().collect(),
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

pub fn config(path: PathBuf, args: &LocalArgs, how: How) -> Result<LocalConfig, Fault> {
    let mut config = LocalConfig::new(path, how.context)?;
    let load = &mut config.load;
    load.threads = args.threads;
    load.gpu_layers = args.gpu_layers;
    load.devices.clone_from(&args.device);
    load.batch = args.batch;
    load.flash_attention = args.flash_attention.map(|s| s == Switch::On);
    load.kv_type = match args.kv_type {
        None | Some(KvChoice::F16) => KvType::F16,
        Some(KvChoice::Q8_0) => KvType::Q8_0,
        Some(KvChoice::Q4_0) => KvType::Q4_0,
    };
    load.raw = how.raw;
    load.memory_limit = args.memory_limit.map(|mib| mib << 20);
    config.plan = Some(room::plan);
    Ok(config)
}

/// llama.cpp keeps a quantised cache with flash attention only.
pub fn check_kv_type(args: &LocalArgs) -> Result<(), CliError> {
    let quantised = matches!(args.kv_type, Some(KvChoice::Q8_0 | KvChoice::Q4_0));
    if quantised && args.flash_attention == Some(Switch::Off) {
        return Err(CliError::usage(
            "a quantised KV cache needs flash attention, which --flash-attention off turns off",
        )
        .hint("Leave --flash-attention off out, or use --kv-type f16."));
    }
    Ok(())
}

/// Tokens that the model of this file was trained for; nothing is wrong here where that cannot be read.
fn trained_for(model: &Path) -> Option<u64> {
    local::check(model).ok()?.header.facts.context_tokens
}

/// What is said of prompts, or of a context that was asked for, that the model was not trained for.
fn beyond_training(asked: u32, taken: bool, loaded: &protocol::Loaded) -> Option<String> {
    const SO: &str = "what it answers there may be worse, and no measure of speed shows it";
    let trained = loaded.context_trained;
    if trained == 0 || asked <= trained {
        return None;
    }
    if taken {
        return Some(format!(
            "its context of {asked} tokens is beyond the {trained} that it was trained for: {SO}"
        ));
    }
    let longest = loaded.longest_doubtful.filter(|n| *n > u64::from(trained))?;
    Some(format!(
        "a prompt and its answer take up to {longest} tokens, beyond the {trained} that it was trained for: {SO}"
    ))
}

/// A model on the CPU of a machine with a usable GPU is measured 10 to 50 times too slow.
fn check_gpu(info: &LocalInfo, args: &LocalArgs, context: &Context) -> Result<(), CliError> {
    if info.loaded.offloaded_layers > 0 {
        return Ok(());
    }
    let gpus: Vec<&str> =
        info.build.devices.iter().filter(|d| d.is_gpu).map(|d| d.description.as_str()).collect();
    if args.require_gpu {
        let found = if gpus.is_empty() {
            let why = info.build.left_out.join("; ");
            let why = if why.is_empty() { why } else { format!(" ({why})") };
            format!("the engine of this build found no GPU{why}")
        } else {
            format!("the engine found {}", gpus.join(", "))
        };
        return Err(CliError::new(Exit::Gate, format!("no layer of the model is on a GPU: {found}")).hint(
            if cfg!(feature = "dynamic-backends") {
                "Put the GPU's backend beside the program, or leave --require-gpu out."
            } else {
                "Build with --features cuda, vulkan, metal or rocm, or leave --require-gpu out."
            },
        ));
    }
    if !gpus.is_empty() {
        context.note(&format!(
            "warning: {} is there, but no layer of the model is on it; speeds are the CPU's",
            gpus.join(", ")
        ));
    }
    Ok(())
}

/// Room for the longest prompt and its answer.
fn context_tokens(args: &Args, settings: &Settings, prompts: &[Prompt]) -> u32 {
    args.local.context.unwrap_or_else(|| {
        let most = prompts
            .iter()
            .map(|p| {
                let (input, output) = bounds::in_context(p, settings.max_output_tokens);
                input + output
            })
            .max()
            .unwrap_or(0);
        u32::try_from(most.max(2048).next_multiple_of(256)).unwrap_or(u32::MAX)
    })
}

/// A load from the disk: the file is dropped from the page cache first. `None`: it could not be.
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

fn engine(info: &LocalInfo, args: &LocalArgs) -> Engine {
    let loaded = &info.loaded;
    let devices: Vec<&str> = loaded.devices.iter().map(|d| d.description.as_str()).collect();
    Engine {
        build: Some(format!("{} {}", info.build.name, info.build.version)),
        device: Some(if devices.is_empty() { "CPU".to_owned() } else { devices.join(" + ") }),
        gpu_layers: Some(loaded.offloaded_layers),
        layers: Some(loaded.layers),
        threads: Some(loaded.threads),
        context_tokens: Some(loaded.context),
        model_bytes: Some(info.file.size),
        load_ms: Some(loaded.load_ns as f64 / 1e6),
        weights_bytes: loaded.memory.weights,
        kv_bytes: loaded.memory.kv,
        compute_bytes: loaded.memory.compute,
        device_bytes: loaded.memory.device,
        resident_bytes: loaded.memory.resident,
        sampling: Some(loaded.sampling.clone()),
        worker_start_ms: Some(info.worker_start.as_secs_f64() * 1e3),
        backend: loaded.devices.first().map(|d| d.backend.clone()),
        cpu_variant: info.build.libraries.iter().find(|l| l.backend == "CPU").and_then(|l| l.variant.clone()),
        driver: loaded.devices.iter().find(|d| d.is_gpu).and_then(crate::cli::hardware::driver_of),
        batch_tokens: Some(loaded.batch),
        ubatch_tokens: Some(loaded.ubatch),
        flash_attention: Some(match args.flash_attention {
            None => "auto".to_owned(),
            Some(Switch::On) => "on".to_owned(),
            Some(Switch::Off) => "off".to_owned(),
        }),
        kv_type: word(Some(&args.kv_type.unwrap_or(KvChoice::F16))).as_str().map(str::to_owned),
        ..Engine::default()
    }
}
