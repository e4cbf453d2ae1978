//! Where a program built with `dynamic-backends` finds its backends: one shared library for each
//! kind of processor, and one for CUDA, Vulkan, Metal or `ROCm` where there is one. A release
//! archive has them in `backends/`, beside the program.
//!
//! Only folders that belong to the program, or that the user named, are looked into: a library is
//! code, and the current folder may be anybody's.

#[cfg(any(test, feature = "llama"))]
use super::protocol::Library;
use std::path::{Path, PathBuf};

/// Environment variable that names another folder than the program's own.
pub const VARIABLE: &str = "FREEHOLD_BACKENDS";

/// The folder with the backends: the one that the user named, and no other; else the first of `backends/`
/// beside the program and the program's own folder that holds one. The error says where nothing was found.
pub fn folder(named: Option<&Path>, program: &Path) -> Result<PathBuf, String> {
    let own = program.parent().unwrap_or(Path::new("."));
    let places = match named {
        Some(folder) => vec![folder.to_owned()],
        None => vec![own.join("backends"), own.to_owned()],
    };
    let found = places.iter().find(|place| holds_backend(place)).cloned();
    found.ok_or_else(|| {
        let shown: Vec<String> = places.iter().map(|p| p.display().to_string()).collect();
        format!(
            "no backend of the local engine is in {}: keep the folder `backends` of the release archive beside \
             the program, or name the folder of its libraries (ggml-cpu-…) with {VARIABLE}",
            shown.join(" or in ")
        )
    })
}

fn holds_backend(folder: &Path) -> bool {
    std::fs::read_dir(folder).is_ok_and(|files| files.flatten().any(|file| is_backend(&file.path())))
}

/// Is this a backend's library, by its name?
pub(super) fn is_backend(file: &Path) -> bool {
    file.file_name().is_some_and(|name| kind(&name.to_string_lossy()).is_some())
}

/// Is this one of the CPU variants, of which one is enough?
#[cfg(any(test, feature = "dynamic-backends"))]
pub(super) fn is_processors(file: &Path) -> bool {
    file.file_name().and_then(|name| kind(name.to_str()?)).is_some_and(|kind| kind.starts_with("cpu"))
}

/// The backend and variant in a file name: `libggml-cpu-haswell.so` → `cpu-haswell`. `None`: it is not a
/// backend's library.
fn kind(file: &str) -> Option<&str> {
    let stem = file.strip_suffix(".so").or_else(|| file.strip_suffix(".dll"))?;
    let kind = stem.strip_prefix("lib").unwrap_or(stem).strip_prefix("ggml-")?;
    // `ggml-base` is what all backends share.
    (kind != "base").then_some(kind)
}

/// Reads a line of the engine's log about a library, `load_backend: loaded CPU backend from FILE`: the
/// library, and the name of its file.
#[cfg(any(test, feature = "llama"))]
pub(super) fn loaded(line: &str) -> Option<(Library, String)> {
    let (name, file) = line.split_once("load_backend: loaded ")?.1.split_once(" backend from ")?;
    let file = file.trim_end().rsplit(['/', '\\']).next()?;
    let variant = kind(file).and_then(|k| k.split_once('-')).map(|(_, variant)| variant.to_owned());
    Some((Library { backend: name.to_owned(), variant }, file.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_backend_is_told_by_its_name() {
        assert_eq!(kind("libggml-cpu-haswell.so"), Some("cpu-haswell"));
        assert_eq!(kind("ggml-vulkan.dll"), Some("vulkan"));
        let processors = |file: &str| is_processors(Path::new(file));
        assert!(processors("backends/libggml-cpu-x64.so") && !processors("backends/libggml-cuda.so"));
        for other in ["libggml-base.so", "libggml.so", "libggml-base.so.0", "libllama.so", "ggml-cpu.txt"] {
            assert_eq!(kind(other), None, "{other}");
        }
    }

    #[test]
    fn the_line_of_a_load_names_backend_and_variant() {
        let line = "load_backend: loaded CPU backend from /opt/freehold/backends/libggml-cpu-haswell.so\n";
        let cpu = Library { backend: "CPU".into(), variant: Some("haswell".into()) };
        assert_eq!(loaded(line), Some((cpu, "libggml-cpu-haswell.so".to_owned())));
        let vulkan = loaded("load_backend: loaded Vulkan backend from C:\\freehold\\ggml-vulkan.dll");
        let library = Library { backend: "Vulkan".into(), variant: None };
        assert_eq!(vulkan, Some((library, "ggml-vulkan.dll".to_owned())));
        assert_eq!(loaded("load_backend: failed to find ggml_backend_init in x"), None);
    }

    #[test]
    fn the_programs_own_folders_are_looked_into_and_no_other() {
        let root = tempfile::tempdir().expect("a folder");
        let (own, named) = (root.path().join("bin"), root.path().join("named"));
        for folder in [&own, &own.join("backends"), &named] {
            std::fs::create_dir(folder).expect("made");
        }
        let program = own.join("freehold");
        let put = |folder: &Path| std::fs::write(folder.join("libggml-cpu-x64.so"), "").expect("written");
        std::fs::write(own.join("libggml-base.so"), "").expect("written");
        let refusal = folder(None, &program).expect_err("nothing there");
        assert!(refusal.contains(VARIABLE) && refusal.contains(&own.display().to_string()), "{refusal}");
        put(&own);
        assert_eq!(folder(None, &program), Ok(own.clone()));
        put(&own.join("backends"));
        assert_eq!(folder(None, &program), Ok(own.join("backends")));
        let refusal = folder(Some(&named), &program).expect_err("the one that was named is empty");
        assert!(!refusal.contains("bin"), "{refusal}");
        put(&named);
        assert_eq!(folder(Some(&named), &program), Ok(named));
    }
}
