//! Which model fits which hardware, and how fast it runs there.
//!
//! ```text
//! catalogue record or GGUF header ─► ModelShape ──┐
//! catalogue record or this machine ─► HardwareShape ─┼─► fits (memory) ─► predict (speed, band, basis)
//! Quantisation, Load ─────────────────────────────┘         ▲
//! bench document ─► Evidence ───────────────────────────────┘ calibrates
//! ```
//!
//! The predictor is physics (see [`speed`]): bytes and operations over the hardware's peaks, times
//! the share of the peak that a backend reaches ([`efficiency`], data with its origin). Faster than
//! the roofline is impossible by construction. docs/predictor.md has the formulas and how well they
//! do against published measurements.

pub mod calibrate;
pub mod efficiency;
pub mod load;
pub mod memory;
pub mod quantisation;
pub mod serving;
pub mod shape;
pub mod speed;
pub mod units;

pub use calibrate::Calibration;
pub use load::{Arrivals, Pace, Served, Spread, Traffic};
pub use memory::{Load, Memory, Placement, fits, layout, usual_formats};
pub use quantisation::{Compute, Engine, KvType, Quantisation};
pub use serving::{Prompt, Step, has_rows};
pub use shape::{Backend, HardwareShape, Host, MemoryClass, ModelShape, Unknown};
pub use speed::{Band, Basis, CannotPredict, Prediction, guessed, predict};
