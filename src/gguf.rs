//! The header of a GGUF model file, read in safe Rust before any C++ sees it.
