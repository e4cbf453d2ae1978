//! The cost engine: a scenario, the catalogue and measurements → cash flows, payback, totals, break-even
//! points, uncertainty.
//!
//! ```text
//! Scenario (as given) ─► resolve ─► Case (slots: value, range, unit, source)
//!                                     └─► simulate, month by month ─► compare ─► Outcome
//! ```
//!
//! It is pure: no I/O, no clock (the date is an argument), no text for people. Every number has a slot in
//! the case, so that the likely values, the tornado and the draws all run the same simulation.

pub mod case;
pub mod chances;
pub mod compare;
pub mod curves;
pub mod defaults;
pub mod derive;
pub mod evaluate;
pub mod hybrid;
pub mod keys;
pub mod ranking;
pub mod resolve;
pub mod scenario;
mod schedule;
pub mod series;
pub mod simulate;
pub mod turning;
pub mod uncertainty;

pub use case::{Case, Notice, Offer, Pair, Role, Supply, Values};
pub use chances::{Deployment, Totals, offers, totals};
pub use compare::{BreakEven, Month, Never, Outcome, Scratch};
pub use evaluate::{Comparison, Drawing, Evaluation, Event, Later, OfferSummary, alone, evaluate};
pub use ranking::{Ranking, rank};
pub use resolve::{
    Basis, PlanCase, ResolveError, Skipped, resolve, resolve_all, resolve_bills, resolve_plans,
};
pub use scenario::Scenario;
