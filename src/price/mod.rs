//! What a request costs under a price record: the only code that multiplies tokens by prices. The bill
//! of a measurement, the cost simulation, the candidates of a verdict and the repricing of usage
//! records all come here.
//!
//! ```text
//! PricePeriod (catalogue) ─► Schedule ─┬─ at(usage, instant)          ─► Charge   one request that was sent
//!                                      └─ expected(usage, hours, batch) ─► Charge   the mean of many
//! ```
//!
//! Prices are US dollars per million tokens. Absent is unknown, never free: a class of tokens that is
//! used and has no rate is an error that names it.

#![warn(missing_docs)]

mod charge;
pub mod records;
mod schedule;
mod window;

pub use charge::{Batch, Charge, Class, Rates, Unpriced, Usage, charge, expected};
pub use schedule::Schedule;
pub use window::Window;
