//! From the records people already have — session logs, exports, invoices of usage, metrics — to what
//! they add up to, and from there to a need.
//!
//! ```text
//! bytes ─► text ─► rows ─► record ─► collect ─► Usage ─► need
//!          lines,  fields   the       repeats
//!          tables  only     normal    dropped,
//!                           form      added up
//! ```
//!
//! **Privacy.** A reader names the fields it reads; nothing else is ever looked at. Ids are kept as
//! hashes, users as a count. Texts, names, keys and paths are in no value, no document and no error;
//! places are given as the number of a file and a line.

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
