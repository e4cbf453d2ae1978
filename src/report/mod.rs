//! Documents: what leaves the program. Versioned wire types, made from engine results, and the
//! renderers. Bytes out, no I/O.
//!
//! ```text
//! engine result ─► wire type (serde, JSON Schema) ─► JSON
//!                        └─► View (headings, paragraphs, tables) ─► table | markdown | html | csv
//! ```
//!
//! A wire type is not an engine type: engines may change, documents only grow within a major.
//! Every document can be rendered from its JSON alone.

pub mod advice;
pub mod bench;
pub mod breakeven;
pub mod compare;
pub mod doctor;
pub mod document;
pub mod envelope;
pub mod fit;
pub mod guide;
pub mod memo;
pub mod number;
pub mod repeat;
pub mod sanitize;
pub mod schema;
pub mod view;

pub use envelope::{Envelope, Input, Warning};
pub use view::{Block, Cell, Format, Table, View};
