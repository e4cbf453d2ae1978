//! The need: what the workload requires. It is made from profiles (`profiles/*.toml`), the wizard and
//! flags, and from nothing else.
//!
//! ```text
//! keys (the table) ─► given (values read and checked) ─► profile, NeedDraft ─► Need
//! ```

#![warn(missing_docs)]

pub mod answers;
pub mod evidence;
pub mod given;
pub mod keys;
pub mod need;
pub mod profile;
pub mod word;

pub use answers::{
    Answer, Answers, Budget, Capability, Modifier, Modifiers, Operations, Privacy, PrivacyReason, Use, Volume,
};
pub use evidence::{Evidence, MeasuredTarget, TargetKind};
pub use given::{Fields, Given, InputError, Range, Value};
pub use need::{Need, NeedDraft, RequestShape};
pub use profile::Profile;
