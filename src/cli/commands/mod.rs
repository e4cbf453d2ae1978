//! One file per command: its arguments, and the function that runs it.

pub mod advise;
pub mod bench;
pub mod breakeven;
pub mod db;
pub mod deploy;
pub mod doctor;
pub mod explain;
pub mod fit;
pub mod help;
pub mod prompts;
pub mod report;
pub mod review;
pub mod runs;
pub mod schema;
pub mod usage;
pub mod worker;
