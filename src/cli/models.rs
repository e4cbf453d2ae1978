//! Finds models by the names people have for them: where they may lie on this machine, and how the hub is
//! reached. `bench`, which downloads a model, and `fit`, which reads only its header, both use it.

use super::context::Context;
use super::environment::{self, Variable};
use super::error::CliError;
use super::progress::Progress;
use crate::gguf::Header;
use crate::measure::fetch::{self, FetchConfig, Fetched, Folders, ModelSpec};
use secrecy::SecretString;
use std::path::{Path, PathBuf};

/// The model's file on this machine, downloaded if need be. `strict`: no server is asked.
pub async fn find(
    model: &str,
    strict: bool,
    context: &Context,
    progress: &mut Progress<'_>,
) -> Result<Fetched, CliError> {
    let (spec, config) = prepared(model, strict, context)?;
    let mut shown = false;
    let fetched = fetch::resolve(&spec, &config, &mut |there, all| {
        if !shown {
            progress.phase_bytes(&format!("Downloading {model}"), all);
            shown = true;
        }
        progress.at(there);
    })
    .await
    .map_err(CliError::of_fault)?;
    progress.done();
    Ok(fetched)
}

/// The header of a model, wherever it is; of one on a server only the beginning is read.
pub fn header(model: &str, context: &Context) -> Result<Header, CliError> {
    let (spec, config) = prepared(model, false, context)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|e| CliError::failed(format!("the runtime cannot be started: {e}")))?;
    runtime.block_on(fetch::header(&spec, &config)).map_err(CliError::of_fault)
}

/// Checks that models with these names exist, as far as this machine can tell. Servers are not asked.
pub fn check<'m>(models: impl IntoIterator<Item = &'m String>, context: &Context) -> Result<(), CliError> {
    for model in models {
        let (spec, _) = prepared(model, false, context)?;
        if matches!(spec, ModelSpec::Path(_) | ModelSpec::Ollama(_) | ModelSpec::LmStudio(_)) {
            header(model, context)?;
        }
    }
    Ok(())
}

/// Does a name say where the model is, so that it is neither a file nor a record?
pub fn names_a_place(model: &str) -> bool {
    let prefixes = ["hf:", "hf.co/", "huggingface.co/", "ollama:", "lmstudio:", "https://", "http://"];
    model == "default" || prefixes.iter().any(|prefix| model.starts_with(prefix))
}

fn prepared(model: &str, strict: bool, context: &Context) -> Result<(ModelSpec, FetchConfig), CliError> {
    let spec: ModelSpec = model.parse().map_err(CliError::of_fault)?;
    let cache = match &spec {
        // A model on this machine needs no folder for downloads.
        ModelSpec::Path(_) | ModelSpec::Ollama(_) | ModelSpec::LmStudio(_) => PathBuf::new(),
        _ => context.folders.needed_cache()?.to_owned(),
    };
    let endpoint = environment::HF_ENDPOINT.text();
    let mut config = FetchConfig::new(cache, endpoint.as_deref(), token()).map_err(CliError::of_fault)?;
    config.proxy = crate::cli::proxy::of;
    config.offline = strict;
    config.others = others();
    Ok((spec, config))
}

/// The hub's token: that of the variable, else of the file in which the hub's own programs keep it.
fn token() -> Option<SecretString> {
    /// Most bytes of the token's file.
    const MOST: u64 = 4096;
    if let Some(token) = environment::HF_TOKEN.text() {
        return Some(SecretString::from(token));
    }
    let file = absolute(environment::HF_TOKEN_PATH).or_else(|| Some(hub_home()?.join("token")))?;
    let metadata = std::fs::metadata(&file).ok()?;
    let text =
        (metadata.is_file() && metadata.len() <= MOST).then(|| std::fs::read_to_string(&file).ok())??;
    let token = text.trim();
    (!token.is_empty() && !token.contains(char::is_whitespace)).then(|| SecretString::from(token.to_owned()))
}

/// The folders in which other programs keep their models. Only absolute folders of the user count.
pub fn others() -> Folders {
    let home = absolute(environment::HOME);
    let below = |path: &str| home.as_ref().map(|home| home.join(path));
    let ollama = match absolute(environment::OLLAMA_MODELS) {
        Some(folder) => vec![folder],
        None => below(".ollama/models").into_iter().chain([system_ollama()]).collect(),
    };
    Folders {
        hub: absolute(environment::HF_HUB_CACHE).or_else(|| Some(hub_home()?.join("hub"))),
        ollama,
        lm_studio: [".lmstudio/models", ".cache/lm-studio/models"]
            .iter()
            .filter_map(|path| below(path))
            .collect(),
    }
}

/// The folder in which Ollama's system service keeps its models.
fn system_ollama() -> PathBuf {
    Path::new("/usr/share/ollama/.ollama/models").to_owned()
}

fn hub_home() -> Option<PathBuf> {
    absolute(environment::HF_HOME).or_else(|| Some(absolute(environment::HOME)?.join(".cache/huggingface")))
}

fn absolute(variable: Variable) -> Option<PathBuf> {
    variable.os().map(PathBuf::from).filter(|path| path.is_absolute())
}
