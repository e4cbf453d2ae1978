//! Loading a model: file, context, warm-up, and a report of what was really used.

use super::choose::Rules;
use super::common::{engine_fault, fault, piece};
use super::embed::Pooling;
use super::log;
use super::rendered;
use super::slots::Slots;
use crate::measure::backend::engine::{Progress, nanos};
use crate::measure::backend::protocol::{Device, EngineBuild, KvType, LoadRequest, Loaded};
use crate::measure::event::{Fault, FaultKind};
use crate::measure::template::ChatTemplate;
use crate::measure::text::one_line;
use llama_cpp_2::context::params::{KvCacheType, LlamaContextParams};
use llama_cpp_2::llama_backend::LlamaBackend;
use llama_cpp_2::model::LlamaModel;
use llama_cpp_2::model::params::LlamaModelParams;
use llama_cpp_2::{LlamaBackendDevice, LlamaBackendDeviceType, list_llama_ggml_backend_devices};
use llama_cpp_sys_2 as sys;
use std::ffi::CStr;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Instant;

/// llama.cpp's own defaults: most tokens of one decode call, and of one pass over the weights.
const BATCH: u32 = 2048;
const UBATCH: u32 = 512;

/// Version and devices of the engine that was built in or found beside the program. `left_out`: backends
/// without a device.
pub(super) fn build(left_out: Vec<String>) -> EngineBuild {
    // SAFETY: both return a static string, or null where the build does not know.
    let (version, commit) = unsafe { (text(sys::ggml_version()), text(sys::ggml_commit())) };
    let commit = commit.filter(|c| !c.is_empty() && c != "unknown");
    EngineBuild {
        name: "llama.cpp".into(),
        version: match (version, commit) {
            (Some(version), Some(commit)) => format!("ggml {version} ({commit})"),
            (Some(version), None) => format!("ggml {version}"),
            _ => "unknown".into(),
        },
        source: "llama-cpp-sys-2 0.1.161".into(),
        devices: list_llama_ggml_backend_devices().iter().map(device).collect(),
        libraries: log::told().libraries,
        left_out,
    }
}

unsafe fn text(pointer: *const std::ffi::c_char) -> Option<String> {
    if pointer.is_null() {
        return None;
    }
    // SAFETY: the caller gives a NUL-terminated static string.
    Some(unsafe { CStr::from_ptr(pointer) }.to_string_lossy().into_owned())
}

fn device(device: &LlamaBackendDevice) -> Device {
    Device {
        name: one_line(&device.name, 80),
        description: one_line(&device.description, 120),
        backend: one_line(&device.backend, 40),
        is_gpu: is_gpu(device),
        memory_total: device.memory_total as u64,
        memory_free: device.memory_free as u64,
        driver: log::told().driver_of(&device.description).map(|name| one_line(&name, 80)),
    }
}

fn is_gpu(device: &LlamaBackendDevice) -> bool {
    matches!(device.device_type, LlamaBackendDeviceType::Gpu | LlamaBackendDeviceType::IntegratedGpu)
}

/// Load a model and a context for `request.parallel` sequences, and run a first pass through it.
pub(super) fn load(
    backend: &LlamaBackend,
    request: &LoadRequest,
    progress: &Arc<dyn Progress>,
) -> Result<(Slots, Loaded), Fault> {
    let longest_doubtful = refuse_long_prompts(backend, request)?;
    let begun = Instant::now();
    let all_devices = list_llama_ggml_backend_devices();
    let chosen = choose_devices(&all_devices, &request.devices)?;
    // The model lives as long as this process; contexts borrow it.
    let model: &'static LlamaModel = Box::leak(Box::new(load_file(backend, request, &chosen, progress)?));
    let parallel = request.parallel.max(1);
    let threads = request.threads.unwrap_or_else(physical_cores).max(1);
    let total =
        request.context.checked_mul(parallel).filter(|total| *total > 0).ok_or_else(|| {
            fault(FaultKind::Context, "the context asked for is empty or beyond 2^32 tokens")
        })?;
    let pooling = if request.embed { Some(Pooling::of(model)?) } else { None };
    // Pooling needs all tokens of a text in one pass.
    let (batch, ubatch) = if pooling.is_some() {
        (total, total)
    } else {
        let batch = request.batch.unwrap_or(BATCH).clamp(1, total).max(parallel);
        (batch, request.ubatch.unwrap_or(UBATCH).clamp(1, batch))
    };
    let kv_type = match request.kv_type {
        KvType::F16 => KvCacheType::F16,
        KvType::Q8_0 => KvCacheType::Q8_0,
        KvType::Q4_0 => KvCacheType::Q4_0,
    };
    let threads_i32 = i32::try_from(threads).unwrap_or(i32::MAX);
    let parameters = LlamaContextParams::default()
        .with_n_ctx(NonZeroU32::new(total))
        .with_n_batch(batch)
        .with_n_ubatch(ubatch)
        .with_n_seq_max(parallel)
        .with_n_threads(threads_i32)
        .with_n_threads_batch(threads_i32)
        .with_type_k(kv_type)
        .with_type_v(kv_type)
        // Each sequence attends to itself alone, so each has a cache of its own.
        .with_kv_unified(false)
        // Nothing beyond the window is reused, so no more of it is kept.
        .with_swa_full(false)
        .with_no_perf(true)
        .with_flash_attention_policy(match request.flash_attention {
            None => sys::LLAMA_FLASH_ATTN_TYPE_AUTO,
            Some(false) => sys::LLAMA_FLASH_ATTN_TYPE_DISABLED,
            Some(true) => sys::LLAMA_FLASH_ATTN_TYPE_ENABLED,
        });
    let parameters = match pooling {
        Some(pooling) => parameters.with_embeddings(true).with_pooling_type(pooling.kind),
        None => parameters,
    };
    let context = model.new_context(backend, parameters).map_err(|_| {
        let total_mib = log::told().memory.weights.map_or(0, |b| b >> 20);
        engine_fault(format!(
            "llama.cpp could not make a context of {total} tokens for this model ({total_mib} MiB of weights); \
             with less memory than it needs, ask for a smaller context{}",
            last_errors()
        ))
    })?;
    let context_of_one = context.n_ctx() / parallel;
    let template = if request.raw { None } else { Some(template(model)?) };
    let has_template = template.is_some();
    let rules = Rules::new(model, request.sampling, request.json_schema.as_deref())?;
    let sampling = rules.describe();
    let mut slots = Slots::new(model, context, template, rules, parallel, context_of_one, batch);
    // Processors that compute the model themselves are left to it.
    if log::told().offloaded.is_some_and(|(done, _)| done > 0) {
        slots.search_on(threads.min(parallel) as usize);
    }
    progress.tick();
    match pooling {
        Some(_) => drop(slots.embed("warm up")?),
        None => slots.warm_up()?,
    }
    progress.tick();
    let told = log::told();
    let offloaded_layers = told.offloaded.map_or(0, |(done, _)| done);
    let loaded = Loaded {
        description: one_line(&meta(model, "general.basename").unwrap_or_default(), 80),
        name: meta(model, "general.name").map(|n| one_line(&n, 120)),
        architecture: meta(model, "general.architecture").map(|n| one_line(&n, 40)),
        parameters: model.n_params(),
        size: model.size(),
        layers: model.n_layer(),
        offloaded_layers,
        devices: used_devices(&all_devices, &chosen, offloaded_layers),
        threads,
        context: context_of_one,
        context_trained: model.n_ctx_train(),
        longest_doubtful,
        parallel,
        batch,
        ubatch,
        vocabulary: u32::try_from(model.n_vocab()).unwrap_or(0),
        load_ns: nanos(begun.elapsed()),
        chat_template: has_template,
        sampling,
        embedding: pooling.map(|p| p.describe(model)),
        memory: crate::measure::backend::protocol::Memory { resident: resident(), ..told.memory },
    };
    Ok((slots, loaded))
}

/// Tokenises the prompts that may be too long for the context, with the vocabulary alone, so that a context
/// too small is refused before the weights are read. Returns the tokens of the longest, its answer
/// included; `None` where no prompt is in doubt.
fn refuse_long_prompts(backend: &LlamaBackend, request: &LoadRequest) -> Result<Option<u64>, Fault> {
    if request.doubtful.is_empty() {
        return Ok(None);
    }
    let parameters = LlamaModelParams::default().with_vocab_only(true);
    let Ok(model) = LlamaModel::load_from_file(backend, &request.model, &parameters) else {
        // The load itself will say what is wrong with the file.
        return Ok(None);
    };
    let template = if request.raw { None } else { Some(template(&model)?) };
    let mut longest = 0_u64;
    for prompt in &request.doubtful {
        let rendered = rendered::tokenize(&model, template.as_ref(), prompt, request.context)?;
        longest = longest.max(rendered.tokens.len() as u64 + u64::from(prompt.max_output_tokens));
    }
    Ok(Some(longest))
}

fn load_file(
    backend: &LlamaBackend,
    request: &LoadRequest,
    chosen: &[usize],
    progress: &Arc<dyn Progress>,
) -> Result<LlamaModel, Fault> {
    let mut parameters = LlamaModelParams::default();
    if let Some(layers) = request.gpu_layers {
        parameters = parameters.with_n_gpu_layers(layers);
    }
    if !request.devices.is_empty() {
        parameters = parameters.with_devices(chosen).map_err(|e| engine_fault(e.to_string()))?;
    }
    let heard = progress.clone();
    let mut last = -1.0;
    let parameters = parameters.with_progress_callback(move |fraction| {
        heard.tick();
        // Reports every hundredth part; the callback comes once per tensor.
        if fraction - last >= 0.01 {
            last = fraction;
            heard.loading(fraction);
        }
        true
    });
    LlamaModel::load_from_file(backend, &request.model, &parameters).map_err(|_| {
        let errors = log::told().errors.join(" ");
        let shown = request.model.display();
        if errors.contains("unknown model architecture") {
            return fault(
                FaultKind::Model,
                format!(
                    "this build's llama.cpp does not know the model's architecture; a newer freehold \
                     may{}",
                    last_errors()
                ),
            );
        }
        if let Some(limit) = request.memory_limit {
            return engine_fault(format!(
                "llama.cpp cannot load {shown}; its memory is limited to {} MiB, which may be too little{}",
                limit >> 20,
                last_errors()
            ));
        }
        let memory = ["unable to allocate", "failed to allocate", "out of memory"];
        if memory.iter().any(|sign| errors.contains(sign)) {
            return engine_fault(format!(
                "there is not enough memory for {shown}: use a smaller model, or put fewer layers on the GPU{}",
                last_errors()
            ));
        }
        fault(FaultKind::Model, format!("llama.cpp cannot load {shown}{}", last_errors()))
    })
}

/// The engine's own reason in brackets; empty if it gave none.
fn last_errors() -> String {
    let errors = log::told().errors;
    let last = &errors[errors.len().saturating_sub(2)..];
    if last.is_empty() { String::new() } else { format!(" ({})", one_line(&last.join("; "), 400)) }
}

fn template(model: &LlamaModel) -> Result<ChatTemplate, Fault> {
    let source = model.chat_template(None).ok().and_then(|t| t.to_string().ok()).ok_or_else(|| {
        fault(
            FaultKind::Template,
            "the model file carries no chat template, so chat messages cannot be put to it as it was trained; \
             with --raw the prompts go to it as they are",
        )
    })?;
    let vocab = model.vocab();
    ChatTemplate::new(&source, &piece(model, vocab.bos()), &piece(model, vocab.eos()))
}

/// Indices of the devices named; of all GPUs where none is named.
fn choose_devices(all: &[LlamaBackendDevice], named: &[String]) -> Result<Vec<usize>, Fault> {
    if named.is_empty() {
        return Ok(all.iter().filter(|d| is_gpu(d)).map(|d| d.index).collect());
    }
    named
        .iter()
        .map(|name| {
            all.iter().find(|d| d.name.eq_ignore_ascii_case(name)).map(|d| d.index).ok_or_else(|| {
                let known: Vec<&str> = all.iter().map(|d| d.name.as_str()).collect();
                engine_fault(format!(
                    "there is no device {}; this machine has {}",
                    one_line(name, 60),
                    known.join(", ")
                ))
            })
        })
        .collect()
}

fn used_devices(all: &[LlamaBackendDevice], chosen: &[usize], offloaded: u32) -> Vec<Device> {
    let on_gpu = offloaded > 0;
    all.iter()
        .filter(
            |d| if on_gpu { chosen.contains(&d.index) } else { d.device_type == LlamaBackendDeviceType::Cpu },
        )
        .map(device)
        .collect()
}

fn meta(model: &LlamaModel, key: &str) -> Option<String> {
    model.meta_val_str(key).ok().filter(|v| !v.is_empty())
}

/// Physical cores that this process may use.
fn physical_cores() -> u32 {
    u32::try_from(crate::measure::allowed::allowed().cores).unwrap_or(1)
}

/// This process's resident memory, bytes.
fn resident() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|l| l.strip_prefix("VmRSS:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes << 10)
}
