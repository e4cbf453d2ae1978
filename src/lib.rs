//! `freehold` answers one question: *should this workload run on a cloud LLM API, on hardware we
//! own, or both, and what will it cost?*
//!
//! ```text
//! Need ──► Evidence ──► Cost ──► Verdict ──► Memo
//! advise    bench       breakeven  advise      report
//! ```
//!
//! # Layers
//!
//! An arrow only ever points to a lower layer, and inside a room the files form no circle;
//! `tests/it/layering.rs` reads every path in the sources and checks it.
//!
//! | layer | modules | may use |
//! |---|---|---|
//! | 0 values | [`units`], [`provenance`], [`money`], [`number`], [`sanitize`], [`spelling`], [`terms`], [`threads`], [`stats`] | nothing of ours |
//! | 1 inputs | [`gguf`], [`catalog`], [`workload`], [`prompts`], [`usage`] | 0 |
//! | 2 engines | [`price`], [`capacity`], [`plan`], then [`cost`] and [`quality`], then [`advise`] | 0, 1, and engines to the left |
//! | 2b measuring | [`measure`] | 0, 1 |
//! | 3 documents | [`document`], then [`render`], then [`deploy`] | 0 to 2b |
//! | 4 use cases | [`app`] | 0 to 3 |
//! | 5 the world | [`cli`] | everything |
//!
//! Engines are pure: no I/O, no clock, no environment, deterministic given a seed. They return
//! values, never text for people. Only `measure` touches network and foreign code; only `cli`
//! touches the terminal, files, the clock and the environment. What a command decides is decided in
//! `app`, of values that `cli` has read.

pub mod advise;
pub mod app;
pub mod capacity;
pub mod catalog;
pub mod cli;
pub mod cost;
pub mod deploy;
pub mod document;
pub mod gguf;
pub mod measure;
pub mod money;
pub mod number;
pub mod plan;
pub mod price;
pub mod prompts;
pub mod provenance;
pub mod quality;
pub mod render;
pub mod sanitize;
pub mod spelling;
pub mod stats;
pub mod terms;
pub mod threads;
pub mod units;
pub mod usage;
pub mod workload;
