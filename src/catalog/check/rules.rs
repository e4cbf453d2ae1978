//! The rules, one function per kind of record. Each calls `report(path, message, expected)` for what is
//! wrong.
//!
//! The bounds are wide on purpose: they catch a wrong unit or a lost digit, and do not judge a price. Each
//! is a physical or market limit with room on both sides.

mod common;
mod hardware;
mod medians;
mod models;
mod money;
mod provider;

pub(super) use common::{citations, common};
pub(super) use hardware::{accelerator, host, machine, rental};
pub use medians::Medians;
pub use models::MAX_USD_PER_MTOK;
pub(super) use models::{api_model, open_model};
pub(super) use money::{currency, range, subscription, tariff};
pub(super) use provider::provider;
