//! Loads the backends beside the program, before anything else of llama.cpp is used.

use super::log;
use crate::measure::backend::libraries;
use crate::measure::text::one_line;
use llama_cpp_2::llama_backend::load_backends_from_path;
use llama_cpp_2::{LlamaBackendDevice, list_llama_ggml_backend_devices};
use llama_cpp_sys_2 as sys;
use std::ffi::CString;
use std::path::{Path, PathBuf};

/// Loads of each kind the library that fits this processor best. `Ok` lists the backends that found no
/// device here, each with the reason; `Err` says why nothing can be computed.
pub(super) fn load(named: Option<&Path>) -> Result<Vec<String>, String> {
    let program =
        std::env::current_exe().map_err(|e| format!("this program's own file cannot be found: {e}"))?;
    let folder = libraries::folder(named, &program)?;
    if folder.to_str().is_none_or(|text| text.contains('\0')) {
        return Err(format!("the engine cannot read a folder whose name is no text: {}", folder.display()));
    }
    load_backends_from_path(&folder);
    let devices = list_llama_ggml_backend_devices();
    if devices.is_empty() {
        let why = files(&folder).iter().filter_map(|path| why_not(path)).next_back();
        let why = why.map_or_else(String::new, |line| format!(" ({line})"));
        return Err(format!("no backend in {} works here{why}", folder.display()));
    }
    let beside_processor = files(&folder).into_iter().filter(|path| !libraries::is_processors(path));
    Ok(beside_processor.filter_map(|path| without_device(&path, &devices)).collect())
}

/// The backends' libraries in a folder, by name.
fn files(folder: &Path) -> Vec<PathBuf> {
    let files = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut paths: Vec<_> = files.map(|f| f.path()).filter(|p| libraries::is_backend(p)).collect();
    paths.sort();
    paths
}

/// Why a backend whose library is there offers no device; `None` where it offers one.
fn without_device(path: &Path, devices: &[LlamaBackendDevice]) -> Option<String> {
    let file = path.file_name()?.to_string_lossy();
    let told = log::told();
    let Some(backend) = told.backend_of(&file) else {
        return Some(format!(
            "{file}: {}",
            why_not(path).unwrap_or_else(|| "it cannot be loaded".to_owned())
        ));
    };
    if devices.iter().any(|device| device.backend == backend) {
        return None;
    }
    // The backend's own message, such as `ggml_cuda_init: failed to initialize CUDA: no CUDA-capable device
    // is detected`.
    let said = told.errors.iter().rfind(|line| line.contains(&backend));
    Some(said.map_or_else(|| format!("{backend}: it finds no device"), |line| one_line(line, 300)))
}

/// Why a library cannot be loaded. The engine skips such a library silently, so it is loaded once more by
/// name, which logs the reason.
fn why_not(path: &Path) -> Option<String> {
    let before = log::told().errors.len();
    let shown = path.to_str()?;
    let text = CString::new(shown).ok()?;
    // SAFETY: a NUL-terminated path that outlives the call.
    unsafe { sys::ggml_backend_load(text.as_ptr()) };
    let told = log::told();
    let line = told.errors.get(before)?;
    // Without the folder, which may hold a user's name.
    let reason = line.split_once(&format!("{shown}: ")).map_or(line.as_str(), |(_, reason)| reason);
    let file = path.file_name()?.to_string_lossy();
    Some(one_line(&reason.replace(shown, &file), 300))
}
