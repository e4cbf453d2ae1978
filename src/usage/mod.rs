//! From records that people already have (session logs, exports, usage invoices, metrics) to their totals,
//! and from these to a need.
//!
//! ```text
//! bytes ─► text ─► rows ─► record ─► collect ─► Usage ─► need
//!          lines,  fields   the       repeats
//!          tables  only     normal    dropped,
//!                           form      added up
//! ```
//!
//! **Privacy.** A reader names the fields that it reads, and nothing else is looked at. Ids are kept as
//! hashes, and users as a number. No value, document or error contains texts, names, keys or paths; places
//! are given as the number of a file and a line.

pub mod collect;
pub mod format;
mod growth;
mod ids;
pub mod import;
pub mod mapping;
mod moment;
pub mod need;
mod normal;
mod number;
pub mod reader;
pub mod recognise;
pub mod record;
mod row;
pub mod shape;
pub mod summary;
mod table;
mod text;
pub mod texts;

pub use collect::{Price, Priced};
pub use format::{FORMATS, by_name};
pub use import::{Import, Outcome, Settings, Unreadable};
pub use mapping::{Mapping, MappingError};
pub use moment::zone;
pub use need::{UsageNeed, need};
pub use summary::Usage;
pub use text::Foreign;
