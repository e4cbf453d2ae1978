//! How a local model is loaded for what is asked, and remarks on how it was.

use super::asked::{LoadOptions, LocalOptions, SamplingChoice, kv_name, switch_name};
use super::bounds;
use super::settings::Settings;
use crate::app::Refusal;
use crate::document::bench::Engine;
use crate::measure::backend::local::LocalInfo;
use crate::measure::backend::protocol::{self, KvType, LoadRequest, Sampling};
use crate::measure::conversation;
use crate::prompts::Prompt;

/// Applies the options to a request to load a model.
pub fn request(load: &mut LoadRequest, local: &LocalOptions, raw: bool) {
    load.threads = local.threads;
    load.gpu_layers = local.gpu_layers;
    load.devices.clone_from(&local.devices);
    load.batch = local.batch;
    load.flash_attention = local.flash_attention;
    load.kv_type = local.kv_type.unwrap_or_default();
    load.raw = raw;
    load.memory_limit = local.memory_limit.map(|mib| mib << 20);
}

/// Refuses a quantised KV cache without flash attention, which llama.cpp does not offer.
pub fn check_kv_type(local: &LocalOptions) -> Result<(), Refusal> {
    let quantised = matches!(local.kv_type, Some(KvType::Q8_0 | KvType::Q4_0));
    if quantised && local.flash_attention == Some(false) {
        return Err(Refusal::input(
            "a quantised KV cache needs flash attention, which --flash-attention off turns off",
        )
        .hint("Leave --flash-attention off out, or use --kv-type f16."));
    }
    Ok(())
}

/// Checks a JSON schema, as far as that is possible without the engine.
pub fn check_schema(text: &str, file: &str) -> Result<(), Refusal> {
    let value: serde_json::Value =
        serde_json::from_str(text).map_err(|e| Refusal::input(format!("{file} is not JSON: {e}")))?;
    if !value.is_object() {
        return Err(Refusal::input(format!("{file} is not a JSON schema: it is no object")));
    }
    Ok(())
}

/// How tokens are drawn; `None`: greedily.
pub fn sampling(local: &LocalOptions, seed: u64) -> Option<Sampling> {
    let recommended = local.sampling == Some(SamplingChoice::Model);
    let temperature = local.temperature.or(recommended.then_some(1.0))?;
    #[allow(clippy::cast_possible_truncation, reason = "any 32 bits of a seed are a seed")]
    let seed = seed as u32;
    Some(Sampling {
        temperature,
        top_k: local.top_k,
        top_p: local.top_p,
        min_p: local.min_p,
        seed,
        recommended,
    })
}

/// How many sequences to decode together, for the highest concurrency asked for.
pub fn at_once(load: &LoadOptions) -> u32 {
    /// A batch of more sequences gains nothing; the rest wait in the engine's queue.
    const MOST: u32 = 256;
    const AT_A_RATE: u32 = 8;
    let at_a_rate = if load.has_rates() { AT_A_RATE } else { 1 };
    load.most_at_once().max(at_a_rate).min(MOST)
}

/// The context that the longest prompt and its answer need, unless one is given.
pub fn context_for_prompts(local: &LocalOptions, settings: &Settings, prompts: &[Prompt]) -> u32 {
    local.context.unwrap_or_else(|| {
        let each = prompts.iter().map(|p| bounds::in_context(p, settings.max_output_tokens));
        context(each.map(|(input, output)| input + output).max().unwrap_or(0), 2048)
    })
}

/// The context that the longest text needs to be embedded, unless one is given.
pub fn context_for_texts(local: &LocalOptions, prompts: &[Prompt]) -> u32 {
    local.context.unwrap_or_else(|| {
        context(prompts.iter().map(|p| bounds::in_context(p, 0).0).max().unwrap_or(0), 256)
    })
}

/// The context that the largest test of the engine alone needs, unless one is given.
pub fn context_for_tests(local: &LocalOptions) -> u32 {
    let most = local.synthetic.iter().map(|t| t.context()).max().unwrap_or(0);
    local.context.unwrap_or(most.next_multiple_of(256))
}

/// A context of at least `tokens` and `least`, rounded up to a multiple of 256.
pub fn context(tokens: u64, least: u64) -> u32 {
    u32::try_from(tokens.max(least).next_multiple_of(256)).unwrap_or(u32::MAX)
}

/// The longest prompts, each with an upper bound of its tokens. A prompt whose answer alone does not fit is
/// refused.
pub fn long(
    context: u32,
    settings: &Settings,
    prompts: &[Prompt],
) -> Result<Vec<(u64, protocol::Prompt)>, Refusal> {
    /// Prompts that are counted before the load; the engine refuses the others itself.
    const MOST: usize = 64;
    let mut long: Vec<(u64, u64, &Prompt)> = Vec::new();
    for prompt in prompts {
        let (input, output) = bounds::in_context(prompt, settings.max_output_tokens);
        if output >= u64::from(context) {
            return Err(Refusal::input(format!(
                "prompt {}: an answer of up to {output} tokens does not fit a context of {context}",
                prompt.id
            ))
            .hint("Use a larger --context, or a smaller --max-output-tokens."));
        }
        long.push((input + output, output, prompt));
    }
    long.sort_by_key(|(bound, ..)| std::cmp::Reverse(*bound));
    let asked = |(bound, output, prompt): (u64, u64, &Prompt)| {
        // What live answers add is not known yet; the engine refuses a turn that does not fit.
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

/// A remark on prompts, or on a context that the user asked for, longer than the model was trained for.
pub fn beyond_training(asked: u32, taken: bool, loaded: &protocol::Loaded) -> Option<String> {
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

/// Checks that a model without a layer on a GPU belongs there. On the CPU of a machine with a usable GPU it
/// is measured 10 to 50 times too slow: that is refused where a GPU is required, and otherwise remarked.
pub fn check_gpu(info: &LocalInfo, local: &LocalOptions) -> Result<Option<String>, Refusal> {
    if info.loaded.offloaded_layers > 0 {
        return Ok(None);
    }
    let gpus: Vec<&str> =
        info.build.devices.iter().filter(|d| d.is_gpu).map(|d| d.description.as_str()).collect();
    if local.require_gpu {
        let found = if gpus.is_empty() {
            let why = info.build.left_out.join("; ");
            let why = if why.is_empty() { why } else { format!(" ({why})") };
            format!("the engine of this build found no GPU{why}")
        } else {
            format!("the engine found {}", gpus.join(", "))
        };
        return Err(Refusal::failed(format!("no layer of the model is on a GPU: {found}")).hint(
            if cfg!(feature = "dynamic-backends") {
                "Put the GPU's backend beside the program, or leave --require-gpu out."
            } else {
                "Build with --features cuda, vulkan, metal or rocm, or leave --require-gpu out."
            },
        ));
    }
    Ok((!gpus.is_empty()).then(|| {
        format!(
            "warning: {} is there, but no layer of the model is on it; speeds are the CPU's",
            gpus.join(", ")
        )
    }))
}

/// The engine's entry in the document. `driver`: that of its GPU.
pub fn engine(info: &LocalInfo, local: &LocalOptions, driver: Option<String>) -> Engine {
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
        driver,
        batch_tokens: Some(loaded.batch),
        ubatch_tokens: Some(loaded.ubatch),
        flash_attention: Some(local.flash_attention.map_or("auto", switch_name).to_owned()),
        kv_type: Some(kv_name(local.kv_type.unwrap_or_default()).to_owned()),
        ..Engine::default()
    }
}
