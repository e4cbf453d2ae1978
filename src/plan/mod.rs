//! The serving plan that somebody would build: from a need, a model and the machines that can be had to
//! hosts, cards, engine, formats, parallelism and requests at once, and what limits it.
//!
//! ```text
//! Need (peak, tokens, limits, uptime) ─┐
//! ModelShape, published weights ───────┼─► replica: one copy of the model at its best load ─► hosts
//! Machine (host + accelerators, price) ┘    (engine × format × KV type × parallelism × c)     └─► bill
//! what the bill costs (a function) ──────────────────────────────────────────────────────────────► ranking
//! ```
//!
//! Pure: values in, values out; no prices of its own and no text for people. For the cost of a plan over
//! its horizon it calls a function that the caller passes in, since the cost engine stands above it. Every
//! figure of a plan can be shown with the terms it was computed from ([`terms()`]).

pub mod bill;
pub mod machine;
pub mod need;
pub mod owned;
pub mod prefix;
pub mod replica;
pub mod search;
pub mod staffing;
pub mod terms;
pub mod weights;

pub use bill::{Bill, Cost, People, stands};
pub use machine::{IDLE_SHARE, LeftOut, Machine, NotBuyable, machines};
pub use need::{Batch, HourOfWeek, Limits, Need, Tokens, Use, gap_seconds, limits, limits_source};
pub use owned::{Carried, Named, Owned, Part, Placed, Together, carry, together};
pub use replica::{Allowed, Ceiling, Replica, Slow};
pub use search::{Ask, Bind, Missed, Plan, Rejected, SearchResult, Why, few_bits, search};
pub use terms::{Term, terms};
pub use weights::{FormatUse, Weights, weights};
