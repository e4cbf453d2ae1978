//! The integration tests: one binary, one module per subject.

mod bench;
mod breakeven;
mod breakeven_cli;
mod catalog;
mod db;
mod fit;
mod gguf;
mod layering;
mod local;
mod predictor;
mod wire;
