//! What decides a run, with its defaults in place.

use crate::app::Refusal;
use crate::measure::load::Slo;
use crate::provenance::{Source, Sourced};

/// The limits of an interactive 8B-class service in `MLPerf` Inference (`loadgen/mlperf.conf`:
/// llama3.1-8b interactive).
const INTERACTIVE: Slo = Slo { ttft_ms: Some(500.0), tpot_ms: Some(30.0), e2e_ms: None };

/// Where nobody says what is fast enough.
pub fn assumed_limits() -> Sourced<Slo> {
    let reason = "the limits of an interactive 8B-class service in MLPerf Inference".to_owned();
    Sourced::new(INTERACTIVE, Source::Assumed { rule: "default-slo".to_owned(), reason })
}

/// The loss of pass rate that is accepted is a share.
pub fn check_margin(margin: f64) -> Result<(), Refusal> {
    if margin > 0.0 && margin < 1.0 {
        return Ok(());
    }
    Err(Refusal::input(format!("--margin {margin} is not a share between 0 and 1")))
}
