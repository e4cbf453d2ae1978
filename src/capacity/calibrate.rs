//! Calibration: what was measured on the user's own hardware beats the table. The ratio of measured to
//! predicted speed of one model scales the predictions of others on the same hardware.

use super::speed::{Band, Basis, Prediction};
use crate::units::TokensPerSec;
use crate::workload::evidence::Figure;

/// Measured ÷ predicted, and where the measurement stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Calibration {
    pub decode_factor: f64,
    pub prefill_factor: Option<f64>,
    /// The bench document, and the path in it.
    pub file: String,
    pub path: String,
}

/// The band around a calibrated speed, as factors on it: another model than the measured one still differs
/// by its kernels.
const LOW: f64 = 0.88;
const HIGH: f64 = 1.12;
/// Measured ÷ predicted outside of this is no property of the hardware: it was another machine, the wrong
/// model, or a processor busy with something else.
const BELIEVABLE: std::ops::RangeInclusive<f64> = 0.2..=3.0;

impl Calibration {
    /// The calibration that a measurement gives, from a prediction for that very model and load. `None`
    /// where the decode ratio is missing or not believable; such a prefill ratio is left out.
    pub fn between(
        predicted: &Prediction,
        decode_tps: Option<&Figure>,
        prefill_tps: Option<f64>,
        file: &str,
    ) -> Option<Self> {
        let ratio = |measured: Option<f64>, band: Band| {
            measured.map(|m| m / band.likely.get()).filter(|r| BELIEVABLE.contains(r))
        };
        Some(Self {
            decode_factor: ratio(decode_tps.map(|d| d.value), predicted.decode_tps)?,
            prefill_factor: ratio(prefill_tps, predicted.prefill_tps),
            file: file.to_owned(),
            path: decode_tps?.path.clone(),
        })
    }
}

impl Prediction {
    /// The prediction scaled by a calibration of this hardware; never above the roofline.
    #[must_use]
    pub fn calibrated(mut self, by: &Calibration) -> Self {
        let scale = |band: Band, factor: f64, roof: f64| {
            let likely = band.likely.get() * factor;
            let at = |share: f64| TokensPerSec::new((likely * share).min(roof));
            Band { low: at(LOW), likely: at(1.0), high: at(HIGH) }
        };
        let each = self.decode_tps_per_stream.likely.ratio(self.decode_tps.likely).unwrap_or(1.0);
        let roof = self.decode_roof_tps.get();
        self.decode_tps = scale(self.decode_tps, by.decode_factor, roof);
        self.decode_tps_per_stream = scale(self.decode_tps_per_stream, by.decode_factor, roof * each);
        if let Some(factor) = by.prefill_factor {
            self.prefill_tps = scale(self.prefill_tps, factor, self.prefill_roof_tps.get());
        }
        if let Basis::Physics { backend, class, .. } = self.basis {
            self.basis = Basis::Calibrated {
                backend,
                class,
                file: by.file.clone(),
                path: by.path.clone(),
                decode_factor: by.decode_factor,
            };
        }
        self
    }
}
