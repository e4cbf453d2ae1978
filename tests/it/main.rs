//! The integration tests: one binary, one module per subject.

// Tests say on the terminal why they skip.
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod advise;
mod advise_priced;
mod advise_start;
mod app;
mod before;
mod bench;
mod breakeven;
mod breakeven_cli;
mod breakeven_explain;
#[cfg(unix)]
mod breakeven_terminal;
mod breakeven_totals;
mod browser;
mod catalog;
mod charts;
mod ci;
mod db;
mod deadline;
mod decides;
mod deploy;
mod files;
mod fit;
mod folders;
mod formats;
mod fuzz;
mod gates;
mod gguf;
mod graders;
mod hostile;
mod layering;
mod load;
mod local;
mod memos;
mod money;
mod needs;
mod plan;
mod plan_cli;
mod predictor;
mod printed;
mod prompts;
mod provenance;
mod published;
mod real;
mod report;
mod review;
mod run;
mod runs;
mod serving;
mod templates;
mod usage;
mod wire;
#[cfg(unix)]
mod wizard;
