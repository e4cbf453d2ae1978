//! Advice: the brief's matrix as data, the verdict, and what would change it.
//!
//! ```text
//! Need ─┐
//! Evidence (bench) ─► effective answers ─► first rule that holds ─► placement
//! CostEvidence ─┘            └─► arguments for and against ─► confidence, flips
//! ```
//!
//! Privacy comes first, then requirements, capability × volume, operations and budget; the cloud is the
//! default. Two properties are tested over every combination of answers and modifiers: stricter privacy
//! never moves a verdict toward the cloud, and more steady volume never moves it away from local.

pub mod candidate;
pub mod evidence;
pub mod guide;
pub mod matrix;
pub mod options;
pub mod verdict;

pub use evidence::{CostEvidence, CostFinding, CostPair, CostStanding, QualityFinding, QualityStanding};
pub use guide::Guide;
pub use matrix::{Confidence, Matrix, Placement, Stage};
pub use options::{Because, Choice, Kind, Limit, OptionCost, Priced, Terms, choose};
pub use verdict::{Adjustment, Flip, Reason, ReasonKind, Threshold, Verdict, decide};
