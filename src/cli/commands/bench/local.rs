//! `--model` → a loaded local model and what is known of it.

use super::{Args, Settings, spending};
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::progress::Progress;
use crate::measure::backend::Backend;
use crate::measure::backend::local::{self, LocalBackend, LocalConfig, LocalInfo};
use crate::measure::event::{Fault, FaultKind};
use crate::measure::prompts::Prompt;
use crate::report::bench::build::TargetFacts;
use crate::report::bench::{Engine, Kind};
use std::path::PathBuf;

/// Find the file, start its worker, load it.
pub async fn start(
    model: &str,
    args: &Args,
    _context: &Context,
    settings: &Settings,
    prompts: &[Prompt],
    progress: &mut Progress<'_>,
) -> Result<(Backend, TargetFacts), CliError> {
    let path = PathBuf::from(model);
    let mut config = LocalConfig::new(path, context_tokens(args, settings, prompts)).map_err(refused)?;
    config.load.threads = args.threads;
    config.load.gpu_layers = args.gpu_layers;
    progress.phase(&format!("Loading {model}"), 100);
    let backend = {
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let mut loaded = |share: f32| progress.at((share.clamp(0.0, 1.0) * 100.0) as u64);
        LocalBackend::start(config, &mut loaded).await.map_err(refused)?
    };
    progress.done();
    let info = backend.info().clone();
    let file = info.file.path.clone();
    let sha256 = local::sha256(&file, &mut |_| {}).map_err(refused)?;
    let name = file.file_name().map_or_else(|| model.to_owned(), |n| n.to_string_lossy().into_owned());
    let facts = TargetFacts {
        id: format!("local:{name}"),
        kind: Kind::Local,
        model: name.clone(),
        stand_in: false,
        origin: None,
        price: None,
        engine: Some(engine(&info, name, sha256)),
    };
    Ok((Backend::Local(Box::new(backend)), facts))
}

/// Room for the longest prompt and its answer.
fn context_tokens(args: &Args, settings: &Settings, prompts: &[Prompt]) -> u32 {
    args.context.unwrap_or_else(|| {
        let most = prompts
            .iter()
            .map(|p| {
                let (input, output) = spending::bounds(p, settings.max_output_tokens);
                input + output
            })
            .max()
            .unwrap_or(0);
        u32::try_from(most.max(2048).next_multiple_of(256)).unwrap_or(u32::MAX)
    })
}

fn engine(info: &LocalInfo, name: String, sha256: String) -> Engine {
    let loaded = &info.loaded;
    let devices: Vec<&str> = loaded.devices.iter().map(|d| d.description.as_str()).collect();
    Engine {
        build: Some(format!("{} {}", info.build.name, info.build.version)),
        device: Some(if devices.is_empty() { "CPU".to_owned() } else { devices.join(" + ") }),
        gpu_layers: Some(loaded.offloaded_layers),
        layers: Some(loaded.layers),
        threads: Some(loaded.threads),
        context_tokens: Some(loaded.context),
        model_file: Some(name),
        model_sha256: Some(sha256),
        model_bytes: Some(info.file.size),
        load_ms: Some(loaded.load_ns as f64 / 1e6),
        sampling: Some("greedy".to_owned()),
        hardware: None,
    }
}

fn refused(fault: Fault) -> CliError {
    match fault.kind {
        FaultKind::Model => CliError::usage(fault.message),
        _ => CliError::failed(fault.message),
    }
}
