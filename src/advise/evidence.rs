//! Measurements and calculations as arguments of the verdict.

use crate::workload::evidence::{Evidence, MeasuredQuality};

/// What a `breakeven` document says, as far as the verdict needs it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct CostEvidence {
    /// Name of its file.
    pub file: String,
    pub horizon_months: Option<f64>,
    pub requests_per_month: Option<f64>,
    pub pairs: Vec<CostPair>,
}

/// One cloud offer compared with one local offer.
#[derive(Debug, Clone, PartialEq)]
pub struct CostPair {
    /// Path in the document: `result.comparisons[0]`.
    pub path: String,
    pub cloud: String,
    pub local: String,
    pub payback_months: Option<f64>,
    pub never_because: Option<String>,
    pub tco_cloud_usd: Option<f64>,
    pub tco_local_usd: Option<f64>,
    /// Requests a month at which both cost the same over the horizon; `None` where there is no such volume,
    /// or it is not known.
    pub break_even_requests_per_month: Option<f64>,
    /// A note where the two differ in capability, or where that is not known.
    pub quality_note: Option<String>,
}

impl CostPair {
    /// Does local cost less over the horizon? `None` where the document does not say.
    pub fn local_wins(&self, horizon_months: Option<f64>) -> Option<bool> {
        match (self.tco_cloud_usd, self.tco_local_usd, self.payback_months) {
            (Some(cloud), Some(local), _) => Some(local < cloud),
            (_, _, Some(months)) => horizon_months.map(|horizon| months <= horizon),
            _ => self.never_because.as_ref().map(|_| false),
        }
    }
    fn saving(&self) -> Option<f64> {
        Some(self.tco_cloud_usd? - self.tco_local_usd?)
    }
}

/// What a cost calculation says as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CostStanding {
    /// For every cloud offer there is a local offer that beats it.
    Local,
    /// No local offer beats any cloud offer.
    Cloud,
    /// Local offers beat some of the cloud offers.
    Contested,
}

/// The calculation as an argument.
#[derive(Debug, Clone, PartialEq)]
pub struct CostFinding {
    pub file: String,
    pub standing: CostStanding,
    pub horizon_months: Option<f64>,
    /// The cheapest cloud offer and the local offer that does best against it.
    pub hardest: CostPair,
    /// The pair in which local saves most; `None` where it is the same one.
    pub easiest: Option<CostPair>,
}

impl CostEvidence {
    /// The result over all pairs; `None` where none can be decided.
    pub fn finding(&self) -> Option<CostFinding> {
        let mut decided: Vec<(&CostPair, bool)> =
            self.pairs.iter().filter_map(|p| Some((p, p.local_wins(self.horizon_months)?))).collect();
        // By the saving of local, lowest first; pairs without totals come last and keep their order.
        decided.sort_by(|(a, _), (b, _)| {
            a.saving().unwrap_or(f64::MAX).total_cmp(&b.saving().unwrap_or(f64::MAX))
        });
        let mut clouds: Vec<&str> = decided.iter().map(|(p, _)| p.cloud.as_str()).collect();
        clouds.dedup();
        let beaten = |cloud: &str| decided.iter().any(|(p, wins)| *wins && p.cloud == cloud);
        let standing = match clouds.iter().filter(|c| beaten(c)).count() {
            0 => CostStanding::Cloud,
            n if n == clouds.len() => CostStanding::Local,
            _ => CostStanding::Contested,
        };
        // For each cloud offer the local offer that does best against it; of these pairs the hardest and
        // the easiest for local.
        let best: Vec<&CostPair> = clouds
            .iter()
            .filter_map(|cloud| decided.iter().rev().map(|(p, _)| *p).find(|p| p.cloud == *cloud))
            .collect();
        let by_saving = |a: &&&CostPair, b: &&&CostPair| {
            a.saving().unwrap_or(f64::MAX).total_cmp(&b.saving().unwrap_or(f64::MAX))
        };
        let hardest = (*best.iter().min_by(by_saving)?).clone();
        let easiest = best.iter().max_by(by_saving).map(|p| (*p).clone()).filter(|p| *p != hardest);
        Some(CostFinding {
            file: self.file.clone(),
            standing,
            horizon_months: self.horizon_months,
            hardest,
            easiest,
        })
    }
}

/// What a measurement says about the capability that is needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QualityStanding {
    /// The local model is good enough on these prompts, within the margin.
    NonInferior,
    /// The local model is worse, by more than the margin.
    Inferior,
    /// Too few prompts to decide.
    Undecided,
    /// It could be decided, but what stood for the API was a server on this machine, so that it says
    /// nothing about a provider.
    StandIn,
}

/// The measurement as an argument.
#[derive(Debug, Clone, PartialEq)]
pub struct QualityFinding {
    pub file: String,
    pub standing: QualityStanding,
    pub quality: MeasuredQuality,
}

impl QualityFinding {
    /// Does it speak for a model that can be run locally (`open`), or for one that only an API has?
    pub fn speaks_for(&self, open: bool) -> bool {
        self.standing == if open { QualityStanding::NonInferior } else { QualityStanding::Inferior }
    }
}

/// What the evidence says about quality; `None` where it did not measure any.
pub fn quality_finding(evidence: &Evidence) -> Option<QualityFinding> {
    let quality = evidence.quality.clone()?;
    let stand_in = evidence.stand_ins().next().is_some();
    let standing = match quality.non_inferior {
        None => QualityStanding::Undecided,
        Some(_) if stand_in => QualityStanding::StandIn,
        Some(true) => QualityStanding::NonInferior,
        Some(false) => QualityStanding::Inferior,
    };
    Some(QualityFinding { file: evidence.file.clone(), standing, quality })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(cloud: &str, local: &str, tco_cloud: f64, tco_local: f64) -> CostPair {
        CostPair {
            path: String::new(),
            cloud: cloud.to_owned(),
            local: local.to_owned(),
            payback_months: None,
            never_because: None,
            tco_cloud_usd: Some(tco_cloud),
            tco_local_usd: Some(tco_local),
            break_even_requests_per_month: None,
            quality_note: None,
        }
    }
    fn finding(pairs: Vec<CostPair>) -> CostFinding {
        CostEvidence { pairs, ..CostEvidence::default() }.finding().expect("decided")
    }

    #[test]
    fn the_comparator_decides_how_sure_it_is() {
        let both = finding(vec![
            pair("big", "gpu", 900.0, 300.0),
            pair("same", "gpu", 400.0, 300.0),
            pair("same", "two", 400.0, 500.0),
        ]);
        assert_eq!(both.standing, CostStanding::Local);
        assert_eq!((both.hardest.cloud.as_str(), both.hardest.local.as_str()), ("same", "gpu"));
        assert_eq!(both.easiest.expect("another").cloud, "big");
        let one = finding(vec![pair("big", "gpu", 900.0, 300.0), pair("same", "gpu", 200.0, 300.0)]);
        assert_eq!(one.standing, CostStanding::Contested);
        let none = finding(vec![pair("big", "gpu", 100.0, 300.0)]);
        assert_eq!(none.standing, CostStanding::Cloud);
        assert!(CostEvidence::default().finding().is_none());
    }
}
