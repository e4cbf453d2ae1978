//! Reads llama.cpp's log. Warnings and errors go to stderr, where the parent process keeps the last of
//! them; the lines that say on which device layers and buffers are get parsed, since no function of its API
//! tells.

use crate::measure::backend::libraries;
use crate::measure::backend::protocol::{Library, Memory};
use llama_cpp_sys_2 as sys;
use std::ffi::{CStr, c_char, c_void};
use std::io::Write as _;
use std::sync::{Mutex, PoisonError};

/// What the log has said so far.
#[derive(Debug, Default, Clone)]
pub(super) struct EngineLog {
    pub memory: Memory,
    /// Layers offloaded to devices and layers in all, as the loader counts them: the output layer included.
    pub offloaded: Option<(u32, u32)>,
    /// The first 20 lines of level error.
    pub errors: Vec<String>,
    /// Backends that were loaded at run time.
    pub libraries: Vec<Library>,
    /// Their files' names.
    files: Vec<String>,
    /// What Vulkan says of its devices: name and driver in one text.
    vulkan: Vec<String>,
    continues: bool,
}

static TOLD: Mutex<EngineLog> = Mutex::new(EngineLog {
    memory: Memory { weights: None, kv: None, compute: None, device: None, resident: None },
    offloaded: None,
    errors: Vec::new(),
    libraries: Vec::new(),
    files: Vec::new(),
    vulkan: Vec::new(),
    continues: false,
});

/// Sends every further line of llama.cpp's and ggml's log here.
pub(super) fn capture() {
    // SAFETY: the callback is a plain function that lives as long as the process, takes no user
    // data, and does not unwind.
    unsafe { sys::llama_log_set(Some(on_log), std::ptr::null_mut()) }
}

/// A copy of what the log has said so far.
pub(super) fn told() -> EngineLog {
    TOLD.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

extern "C" fn on_log(level: sys::ggml_log_level, text: *const c_char, _: *mut c_void) {
    if text.is_null() {
        return;
    }
    // SAFETY: llama.cpp passes a NUL-terminated line that is valid during the call.
    let text = unsafe { CStr::from_ptr(text) }.to_string_lossy();
    let mut told = TOLD.lock().unwrap_or_else(PoisonError::into_inner);
    match level {
        sys::GGML_LOG_LEVEL_WARN | sys::GGML_LOG_LEVEL_ERROR => {
            if level == sys::GGML_LOG_LEVEL_ERROR && told.errors.len() < 20 {
                told.errors.push(text.trim_end().to_owned());
            }
            told.continues = true;
            let _ = std::io::stderr().write_all(text.as_bytes());
        }
        sys::GGML_LOG_LEVEL_CONT => {
            if told.continues {
                let _ = std::io::stderr().write_all(text.as_bytes());
            }
        }
        _ => {
            told.continues = false;
            told.read(&text);
        }
    }
}

impl EngineLog {
    /// The engine's name for the backend that it loaded from this file.
    #[cfg(feature = "dynamic-backends")]
    pub(super) fn backend_of(&self, file: &str) -> Option<String> {
        let at = self.files.iter().position(|name| name == file)?;
        self.libraries.get(at).map(|library| library.backend.clone())
    }

    /// The driver of the Vulkan device with this name.
    pub(super) fn driver_of(&self, device: &str) -> Option<String> {
        let after = self.vulkan.iter().find_map(|text| text.strip_prefix(device))?;
        Some(after.trim().strip_prefix('(')?.strip_suffix(')')?.to_owned())
    }

    fn read(&mut self, line: &str) {
        if let Some((library, file)) = libraries::loaded(line) {
            self.libraries.push(library);
            self.files.push(file);
        } else if let Some((_, rest)) = line.strip_prefix("ggml_vulkan: ").and_then(|l| l.split_once(" = "))
            && let Some((device, _)) = rest.split_once(" | ")
        {
            self.vulkan.push(device.to_owned());
        } else if let Some((name, bytes)) = buffer(line) {
            let kind = if line.contains("model buffer size") {
                &mut self.memory.weights
            } else if ["KV buffer size", "RS buffer size", "state buffer size"]
                .iter()
                .any(|kind| line.contains(kind))
            {
                &mut self.memory.kv
            } else if line.contains("compute buffer size") {
                &mut self.memory.compute
            } else {
                return;
            };
            *kind = Some(kind.unwrap_or(0) + bytes);
            // Host buffers of a GPU backend are named CUDA_Host, Vulkan_Host, …
            let on_device = !name.starts_with("CPU") && !name.contains("Host") && !name.contains("BLAS");
            if on_device {
                self.memory.device = Some(self.memory.device.unwrap_or(0) + bytes);
            }
        } else if let Some(counts) = line.split_once("offloaded ").map(|(_, rest)| rest)
            && let Some((done, rest)) = counts.split_once('/')
            && let Some((of, _)) = rest.split_once(' ')
            && let (Ok(done), Ok(of)) = (done.parse(), of.parse())
        {
            self.offloaded = Some((done, of));
        }
    }
}

/// Name and bytes of a buffer: `load_tensors:   CPU_Mapped model buffer size =    93.26 MiB` →
/// (`CPU_Mapped`, bytes).
fn buffer(line: &str) -> Option<(&str, u64)> {
    let (before, after) = line.split_once(" buffer size =")?;
    let mebibytes: f64 = after.trim().strip_suffix("MiB")?.trim().parse().ok()?;
    let name = before.split_once(": ")?.1.split_whitespace().next()?;
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a buffer is far below 2^53 bytes"
    )]
    Some((name, (mebibytes.max(0.0) * 1_048_576.0) as u64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buffers_and_layers_are_read() {
        let mut told = EngineLog::default();
        for line in [
            "load_tensors: offloading 30 repeating layers to GPU\n",
            "load_tensors: offloaded 31/33 layers to GPU\n",
            "load_tensors:   CPU_Mapped model buffer size =    10.00 MiB\n",
            "load_tensors:        CUDA0 model buffer size =    83.50 MiB\n",
            "llama_kv_cache:      CUDA0 KV buffer size =    22.50 MiB\n",
            "llama_context:  CUDA_Host  output buffer size =     0.19 MiB\n",
            "sched_reserve:      CUDA0 compute buffer size =     1.00 MiB\n",
            "sched_reserve:  CUDA_Host compute buffer size =     2.00 MiB\n",
        ] {
            told.read(line);
        }
        let vulkan = "ggml_vulkan: 0 = llvmpipe (LLVM 15.0.6, 256 bits) (llvmpipe) | uma: 0 | fp16: 1\n";
        told.read(vulkan);
        assert_eq!(told.driver_of("llvmpipe (LLVM 15.0.6, 256 bits)").as_deref(), Some("llvmpipe"));
        assert_eq!(told.driver_of("another"), None);
        told.read("load_backend: loaded CPU backend from /x/libggml-cpu-haswell.so\n");
        assert_eq!(told.libraries[0].variant.as_deref(), Some("haswell"));
        let mib = |halves: u64| Some(halves * 524_288);
        assert_eq!(told.offloaded, Some((31, 33)));
        assert_eq!(told.memory.weights, mib(187));
        assert_eq!((told.memory.kv, told.memory.compute), (mib(45), mib(6)));
        assert_eq!(told.memory.device, mib(214));
    }
}
