//! Documents: what the program writes for others. Versioned wire types, made from engine results.
//!
//! ```text
//! engine result ─► wire type (serde, JSON Schema) ─► JSON
//!                        └─► render: View (headings, paragraphs, tables) ─► table | markdown | html | csv
//! ```
//!
//! Wire types are separate from engine types: engines may change, while documents only gain fields within a
//! major version. Every document can be rendered from its JSON alone.

pub mod advice;
pub mod bench;
pub mod breakeven;
pub mod db;
pub mod doctor;
pub mod envelope;
pub mod figure;
pub mod fit;
pub mod gates;
pub mod joined;
pub mod json;
pub mod key_schema;
pub mod metrics;
pub mod plan;
pub mod prompts;
pub mod repeat;
pub mod runs;
pub mod saved;
pub mod schema;
mod skipped;
pub mod usage;
mod word;

pub use envelope::{Envelope, Input, Warning};
pub use saved::Document;
pub use skipped::SkippedEntry;
pub use word::word;
