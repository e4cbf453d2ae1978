//! The cost engine: a scenario, the catalogue and what was measured → cash flows, payback, totals,
//! break-even points, uncertainty.
//!
//! ```text
//! Scenario (as given) ─► resolve ─► Case (slots: value, range, unit, source)
//!                                     └─► simulate, month by month ─► compare ─► Outcome
//! ```
//!
//! Pure: no I/O, no clock (the day comes in), no text for people. Every number stands in a slot of
//! the case, so that the point answer, the tornado and the draws run the same simulation.

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
pub use evaluate::{Comparison, Drawing, Evaluation, Event, OfferSummary, alone, evaluate};
pub use ranking::{Ranking, rank};
pub use resolve::{
    Basis, PlanCase, ResolveError, Skipped, resolve, resolve_all, resolve_bills, resolve_plans,
};
pub use scenario::Scenario;
