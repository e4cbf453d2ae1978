//! The backends beside the program, loaded before anything else of llama.cpp is used.

use super::log;
use crate::measure::backend::libraries;
use crate::measure::text::one_line;
use llama_cpp_2::list_llama_ggml_backend_devices;
use llama_cpp_2::llama_backend::load_backends_from_path;
use llama_cpp_sys_2 as sys;
use std::ffi::CString;
use std::path::Path;

/// Of each kind the one that fits this processor best. `Err` says why nothing can be computed.
pub(super) fn load(named: Option<&Path>) -> Result<(), String> {
    let program =
        std::env::current_exe().map_err(|e| format!("this program's own file cannot be found: {e}"))?;
    let folder = libraries::folder(named, &program)?;
    if folder.to_str().is_none_or(|text| text.contains('\0')) {
        return Err(format!("the engine cannot read a folder whose name is no text: {}", folder.display()));
    }
    load_backends_from_path(&folder);
    if list_llama_ggml_backend_devices().is_empty() {
        return Err(format!("no backend in {} works here{}", folder.display(), reason(&folder)));
    }
    Ok(())
}

/// Above, a library that cannot be loaded is passed over without a word; asked for by name it is not.
fn reason(folder: &Path) -> String {
    let files = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut paths: Vec<_> = files.map(|f| f.path()).filter(|p| libraries::is_backend(p)).collect();
    paths.sort();
    for path in paths {
        if let Some(path) = path.to_str().and_then(|text| CString::new(text).ok()) {
            // SAFETY: a NUL-terminated path that outlives the call.
            unsafe { sys::ggml_backend_load(path.as_ptr()) };
        }
    }
    log::told().errors.last().map_or_else(String::new, |line| format!(" ({})", one_line(line, 300)))
}
