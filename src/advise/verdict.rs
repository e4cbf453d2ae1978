//! Makes a verdict from a need, measurements and calculations. It is pure, and every need gets a verdict.

use super::evidence::{
    CostEvidence, CostFinding, CostStanding, QualityFinding, QualityStanding, quality_finding,
};
use super::matrix::{BriefLine, CapabilityTier, Confidence, Matrix, Placement, Stage};
use crate::workload::need::Question;
use crate::workload::{
    Answers, Budget, Capability, Evidence, Modifier, Modifiers, Need, Operations, Privacy, Volume,
};

/// The verdict.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    pub placement: Placement,
    pub confidence: Confidence,
    /// What changed the confidence from that of the rule.
    pub confidence_steps: Vec<ConfidenceStep>,
    /// Id of the rule that fired.
    pub rule: String,
    pub stage: Stage,
    /// The answers that the rules saw, some of them replaced by evidence.
    pub answers: Answers,
    pub adjustments: Vec<Adjustment>,
    /// The rule's own reason, then further arguments for the placement, the heaviest first.
    pub reasons: Vec<Reason>,
    pub against: Vec<Reason>,
    /// Every single change of an answer, or removal of a modifier, that changes the placement.
    pub flips: Vec<Flip>,
    /// The volume above which renting is no longer the default.
    pub threshold: Option<Threshold>,
    pub tiers: Option<CapabilityTier>,
    pub quality: Option<QualityFinding>,
    pub cost: Option<CostFinding>,
}

/// What changes the confidence, and by how much.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConfidenceStep {
    /// The answers leave only one placement, and measurements speak for it: no change.
    Firm,
    /// The answers leave only one placement, whatever was measured there: no change.
    OnlyPlace,
    /// The arguments against outweigh those for the placement: one lower.
    OutweighedBy,
    /// The calculation depends on which offers are compared: one lower.
    CostContested,
    /// Measured quality and computed cost both support it: one higher.
    BackedByEvidence,
    /// The need has no numbers, so that nothing was priced: at most medium.
    NothingPriced,
    /// Another option costs less in at least a quarter of the draws: one lower.
    OftenDearer,
    /// Another option costs less in nearly half of the draws: two lower.
    NearlyEven,
    /// A speed that it depends on was predicted: one lower.
    PredictedSpeed,
    /// It depends on an open model whose answers were not measured on the user's prompts: one lower.
    UnmeasuredQuality,
    /// The split between two models depends on an assumed share of simple requests: one lower.
    AssumedSplit,
    /// No option satisfies every answer, so that one answer gives way: low.
    GivesUp,
    /// Some option has no price: at most medium.
    NotAllPriced,
    /// It was not computed how often it is the cheapest: at most medium.
    NotDrawn,
    /// A document that it rests on is of another need: one lower.
    OfAnotherNeed,
}

impl ConfidenceStep {
    /// The confidence after this step.
    pub const fn apply(self, confidence: Confidence) -> Confidence {
        match (self, confidence) {
            (Self::NothingPriced | Self::NotAllPriced | Self::NotDrawn, Confidence::High) => {
                Confidence::Medium
            }
            (Self::Firm | Self::OnlyPlace | Self::NothingPriced | Self::NotAllPriced | Self::NotDrawn, _) => {
                confidence
            }
            (Self::GivesUp, _) => Confidence::Low,
            (Self::NearlyEven, _) => confidence.lowered().lowered(),
            (Self::BackedByEvidence, _) => confidence.raised(),
            _ => confidence.lowered(),
        }
    }
}

/// An answer that was replaced by another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Adjustment {
    /// A mandate requires that the data stays, whatever the answer to the privacy question.
    PrivacyByMandate { given: Privacy },
    /// Measured: the local model is good enough, so that the highest capability is not needed.
    CapabilityMeasuredEnough { given: Capability },
    /// Measured: the local model is not good enough.
    CapabilityMeasuredShort { given: Capability },
    /// Computed: local pays back, so that the volume is high enough.
    VolumePaysBack { given: Volume },
    /// Computed: local never pays back, so that the volume is too low.
    VolumeTooLow { given: Volume },
}

/// An argument for or against the placement.
#[derive(Debug, Clone, PartialEq)]
pub struct Reason {
    pub id: String,
    pub toward: Vec<Placement>,
    pub weight: u32,
    pub kind: ReasonKind,
}

/// What a reason is based on.
#[derive(Debug, Clone, PartialEq)]
pub enum ReasonKind {
    /// A rule or argument of the matrix.
    Matrix { text: String, brief: BriefLine },
    /// The measured quality, [`Verdict::quality`].
    Quality,
    /// The computed cost, [`Verdict::cost`].
    Cost,
}

/// A single change that changes the placement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Flip {
    pub change: Change,
    pub placement: Placement,
    /// What keeps the answer as it is, so that the user cannot make the change by answering differently;
    /// `None` where the user can.
    pub settled: Option<Settled>,
}

/// What outranks an answer of the user's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settled {
    /// A law or contract; it outranks the answer on privacy.
    Mandate,
    /// Quality that was measured on the user's prompts; it outranks the answer on capability.
    Measurement,
    /// Cost that was computed for the need; it outranks the answer on volume.
    Calculation,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    Privacy(Privacy),
    Volume(Volume),
    Capability(Capability),
    Operations(Operations),
    Budget(Budget),
    /// This modifier is no longer set.
    Drop(Modifier),
}

impl Change {
    /// The question whose answer it changes; `None` for a modifier.
    pub const fn question(self) -> Option<Question> {
        match self {
            Self::Privacy(_) => Some(Question::Privacy),
            Self::Volume(_) => Some(Question::Volume),
            Self::Capability(_) => Some(Question::Capability),
            Self::Operations(_) => Some(Question::Operations),
            Self::Budget(_) => Some(Question::Budget),
            Self::Drop(_) => None,
        }
    }
}

/// The volume above which the volume counts as high.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Threshold {
    pub requests_per_month: Option<f64>,
    pub tokens_per_month: Option<f64>,
    /// It comes from a cost calculation, and otherwise from the matrix.
    pub computed: bool,
}

/// The answer to the volume question for this many tokens a month, as long as no calculation says
/// otherwise.
pub fn volume_of(matrix: &Matrix, tokens_per_month: f64) -> Volume {
    if tokens_per_month >= matrix.volume.high_tokens_per_month { Volume::High } else { Volume::Low }
}

/// The verdict on a need.
pub fn decide(
    matrix: &Matrix,
    need: &Need,
    evidence: Option<&Evidence>,
    cost: Option<&CostEvidence>,
) -> Verdict {
    let quality = evidence.and_then(quality_finding);
    let finding = cost.and_then(CostEvidence::finding);
    let (answers, adjustments) = effective(need, quality.as_ref(), finding.as_ref());
    let rule = matrix.rule(answers, need.modifiers);
    let (mut reasons, against) =
        weigh(matrix, answers, need.modifiers, rule.placement, quality.as_ref(), finding.as_ref());
    let (for_weight, against_weight) = (weight(&reasons) + 1, weight(&against));
    reasons.insert(
        0,
        Reason {
            id: rule.id.clone(),
            toward: vec![rule.placement],
            weight: 0,
            kind: ReasonKind::Matrix { text: rule.reason.clone(), brief: rule.brief.clone() },
        },
    );
    let steps = if rule.firm {
        let open = rule.placement != Placement::Cloud;
        let shown = quality.as_ref().is_some_and(|q| q.speaks_for(open));
        vec![if shown { ConfidenceStep::Firm } else { ConfidenceStep::OnlyPlace }]
    } else {
        let all = [
            (ConfidenceStep::OutweighedBy, against_weight > for_weight),
            (
                ConfidenceStep::CostContested,
                finding.as_ref().is_some_and(|f| f.standing == CostStanding::Contested),
            ),
            (ConfidenceStep::BackedByEvidence, backed_by_evidence(&reasons)),
        ];
        all.into_iter().filter(|(_, holds)| *holds).map(|(step, _)| step).collect()
    };
    let confidence = steps.iter().fold(rule.confidence, |c, step| step.apply(c));
    Verdict {
        placement: rule.placement,
        confidence,
        confidence_steps: steps,
        rule: rule.id.clone(),
        stage: rule.stage,
        answers,
        adjustments,
        reasons,
        against,
        flips: flips(matrix, answers, need, quality.as_ref(), finding.as_ref(), rule.placement),
        threshold: Some(threshold(matrix, need, finding.as_ref())),
        tiers: matrix.tiers_for(need.answers.capability),
        quality,
        cost: finding,
    }
}

impl Verdict {
    /// The need has no numbers, so that nothing was priced: lower the confidence.
    pub fn nothing_priced(&mut self) {
        if !matches!(self.confidence_steps[..], [ConfidenceStep::Firm | ConfidenceStep::OnlyPlace]) {
            self.confidence_steps.push(ConfidenceStep::NothingPriced);
            self.confidence = ConfidenceStep::NothingPriced.apply(self.confidence);
        }
    }

    /// Set the placement that the options led to, and sort the arguments by it.
    pub fn settle(&mut self, matrix: &Matrix, need: &Need, placement: Placement) {
        let (reasons, against) =
            weigh(matrix, self.answers, need.modifiers, placement, self.quality.as_ref(), self.cost.as_ref());
        let first = self.reasons.first().filter(|_| placement == self.placement).cloned();
        self.reasons = first.into_iter().chain(reasons).collect();
        self.against = against;
        self.placement = placement;
    }
}

/// The answers that the rules see: those that evidence replaces, and the user's for all others.
fn effective(
    need: &Need,
    quality: Option<&QualityFinding>,
    cost: Option<&CostFinding>,
) -> (Answers, Vec<Adjustment>) {
    let given = need.answers;
    let mut answers = given;
    let mut adjustments = Vec::new();
    if need.privacy_reason.is_some() && given.privacy != Privacy::Strict {
        answers.privacy = Privacy::Strict;
        adjustments.push(Adjustment::PrivacyByMandate { given: given.privacy });
    }
    match quality.map(|q| q.standing) {
        Some(QualityStanding::NonInferior) if given.capability == Capability::Maximum => {
            answers.capability = Capability::Moderate;
            adjustments.push(Adjustment::CapabilityMeasuredEnough { given: given.capability });
        }
        Some(QualityStanding::Inferior) if given.capability != Capability::Maximum => {
            answers.capability = Capability::Maximum;
            adjustments.push(Adjustment::CapabilityMeasuredShort { given: given.capability });
        }
        _ => {}
    }
    match cost.map(|c| c.standing) {
        Some(CostStanding::Local) if given.volume != Volume::High => {
            answers.volume = Volume::High;
            adjustments.push(Adjustment::VolumePaysBack { given: given.volume });
        }
        Some(CostStanding::Cloud) if given.volume == Volume::High => {
            answers.volume = Volume::Low;
            adjustments.push(Adjustment::VolumeTooLow { given: given.volume });
        }
        _ => {}
    }
    (answers, adjustments)
}

/// The arguments for and against the placement, the heaviest first.
fn weigh(
    matrix: &Matrix,
    answers: Answers,
    modifiers: Modifiers,
    placement: Placement,
    quality: Option<&QualityFinding>,
    cost: Option<&CostFinding>,
) -> (Vec<Reason>, Vec<Reason>) {
    let mut all: Vec<Reason> = matrix
        .arguments
        .iter()
        .filter(|a| a.when.holds(answers, modifiers))
        .map(|a| Reason {
            id: a.id.clone(),
            toward: a.toward.clone(),
            weight: a.weight,
            kind: ReasonKind::Matrix { text: a.text.clone(), brief: a.brief.clone() },
        })
        .collect();
    let measured = quality.and_then(|q| match q.standing {
        QualityStanding::NonInferior => Some(vec![Placement::Local, Placement::Hybrid]),
        QualityStanding::Inferior => Some(vec![Placement::Cloud, Placement::Hybrid]),
        QualityStanding::Undecided | QualityStanding::StandIn => None,
    });
    if let Some(toward) = measured {
        all.push(Reason { id: "measured-quality".into(), toward, weight: 3, kind: ReasonKind::Quality });
    }
    let computed = cost.and_then(|c| match c.standing {
        CostStanding::Local => Some(vec![Placement::Local, Placement::Hybrid]),
        CostStanding::Cloud => Some(vec![Placement::Cloud]),
        CostStanding::Contested => None,
    });
    if let Some(toward) = computed {
        all.push(Reason { id: "computed-cost".into(), toward, weight: 3, kind: ReasonKind::Cost });
    }
    all.sort_by_key(|r| std::cmp::Reverse(r.weight));
    all.into_iter().partition(|r| r.toward.contains(&placement))
}

fn weight(reasons: &[Reason]) -> u32 {
    reasons.iter().map(|r| r.weight).sum()
}

/// Do measured quality and computed cost both support it?
fn backed_by_evidence(reasons: &[Reason]) -> bool {
    let has = |kind: &ReasonKind| reasons.iter().any(|r| r.kind == *kind);
    has(&ReasonKind::Quality) && has(&ReasonKind::Cost)
}

/// All answers to a question, those nearest to the given one first.
fn nearest_first<T: Copy + PartialEq>(all: &[T], given: T) -> Vec<T> {
    let place = |answer: T| all.iter().position(|a| *a == answer).unwrap_or(0);
    let mut sorted = all.to_vec();
    sorted.sort_by_key(|answer| place(*answer).abs_diff(place(given)));
    sorted
}

/// Every single change that changes the placement, the smallest of each question first.
fn flips(
    matrix: &Matrix,
    answers: Answers,
    need: &Need,
    quality: Option<&QualityFinding>,
    cost: Option<&CostFinding>,
    placement: Placement,
) -> Vec<Flip> {
    let modifiers = need.modifiers;
    let mut found = Vec::new();
    let mut consider = |change: Change, changed: Answers, modifiers: Modifiers| {
        let other = matrix.rule(changed, modifiers).placement;
        if other != placement {
            let settled = settled(change, changed, need, quality, cost);
            found.push(Flip { change, placement: other, settled });
        }
    };
    for privacy in nearest_first(Privacy::ALL, answers.privacy) {
        consider(Change::Privacy(privacy), Answers { privacy, ..answers }, modifiers);
    }
    for volume in nearest_first(Volume::ALL, answers.volume) {
        consider(Change::Volume(volume), Answers { volume, ..answers }, modifiers);
    }
    for capability in nearest_first(Capability::ALL, answers.capability) {
        consider(Change::Capability(capability), Answers { capability, ..answers }, modifiers);
    }
    for operations in nearest_first(Operations::ALL, answers.operations) {
        consider(Change::Operations(operations), Answers { operations, ..answers }, modifiers);
    }
    for budget in nearest_first(Budget::ALL, answers.budget) {
        consider(Change::Budget(budget), Answers { budget, ..answers }, modifiers);
    }
    for modifier in modifiers.iter() {
        consider(Change::Drop(modifier), answers, modifiers.without(modifier));
    }
    found
}

/// What would replace the changed answer again, if the user gave it.
fn settled(
    change: Change,
    changed: Answers,
    need: &Need,
    quality: Option<&QualityFinding>,
    cost: Option<&CostFinding>,
) -> Option<Settled> {
    let (seen, _) = effective(&Need { answers: changed, ..need.clone() }, quality, cost);
    match change {
        Change::Privacy(_) => (seen.privacy != changed.privacy).then_some(Settled::Mandate),
        Change::Volume(_) => (seen.volume != changed.volume).then_some(Settled::Calculation),
        Change::Capability(_) => (seen.capability != changed.capability).then_some(Settled::Measurement),
        Change::Operations(_) | Change::Budget(_) | Change::Drop(_) => None,
    }
}

/// The threshold of the calculation, if there is one. A calculation that decides and finds no such volume
/// leaves none, because the matrix's own figure would contradict it.
fn threshold(matrix: &Matrix, need: &Need, cost: Option<&CostFinding>) -> Threshold {
    let per_request = need.shape.map(|s| s.total_tokens()).filter(|t| *t > 0.0);
    if let Some(cost) = cost {
        let requests = cost.hardest.break_even_requests_per_month;
        if requests.is_some() || cost.standing != CostStanding::Contested {
            return Threshold {
                requests_per_month: requests,
                tokens_per_month: requests.and_then(|r| per_request.map(|t| t * r)),
                computed: true,
            };
        }
    }
    let tokens = matrix.volume.high_tokens_per_month;
    Threshold {
        requests_per_month: per_request.map(|t| tokens / t),
        tokens_per_month: Some(tokens),
        computed: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn every_answer() -> impl Iterator<Item = Answers> {
        let privacy = [Privacy::Standard, Privacy::Sensitive, Privacy::Strict];
        let volume = [Volume::Low, Volume::Variable, Volume::High];
        let capability = [Capability::Basic, Capability::Moderate, Capability::Maximum];
        let operations = [Operations::Limited, Operations::Available];
        let budget = [Budget::Opex, Budget::Capex];
        (0..108).map(move |n| Answers {
            privacy: privacy[n % 3],
            volume: volume[n / 3 % 3],
            capability: capability[n / 9 % 3],
            operations: operations[n / 27 % 2],
            budget: budget[n / 54 % 2],
        })
    }

    fn place(matrix: &Matrix, answers: Answers, modifiers: Modifiers) -> Placement {
        matrix.rule(answers, modifiers).placement
    }

    /// All 108 combinations of answers with all 2048 sets of modifiers. Evidence only replaces answers, so
    /// that it is covered, too.
    #[test]
    fn tighter_privacy_never_moves_toward_the_cloud() {
        let matrix = Matrix::shipped();
        for answers in every_answer() {
            for modifiers in (0..Modifiers::SETS).map(Modifiers::nth) {
                let here = place(&matrix, answers, modifiers);
                for privacy in [Privacy::Sensitive, Privacy::Strict] {
                    if privacy > answers.privacy {
                        let there = place(&matrix, Answers { privacy, ..answers }, modifiers);
                        assert!(
                            there >= here,
                            "{answers:?} {modifiers:?} -> {privacy:?}: {here:?} -> {there:?}"
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn more_steady_volume_never_moves_away_from_local() {
        let matrix = Matrix::shipped();
        for answers in every_answer() {
            for modifiers in (0..Modifiers::SETS).map(Modifiers::nth) {
                let here = place(&matrix, answers, modifiers);
                for volume in [Volume::Variable, Volume::High] {
                    if volume > answers.volume {
                        let there = place(&matrix, Answers { volume, ..answers }, modifiers);
                        assert!(
                            there >= here,
                            "{answers:?} {modifiers:?} -> {volume:?}: {here:?} -> {there:?}"
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn every_rule_but_the_last_is_reached() {
        let matrix = Matrix::shipped();
        let mut reached = std::collections::BTreeSet::new();
        for answers in every_answer() {
            for modifiers in (0..Modifiers::SETS).map(Modifiers::nth) {
                reached.insert(matrix.rule(answers, modifiers).id.clone());
            }
        }
        let unreached: Vec<_> =
            matrix.rules.iter().map(|r| &r.id).filter(|id| !reached.contains(*id)).collect();
        assert_eq!(unreached, ["cloud-by-default"]);
    }

    #[test]
    fn the_matrix_of_the_brief() {
        let matrix = Matrix::shipped();
        for answers in every_answer() {
            let placement = place(&matrix, answers, Modifiers::default());
            let allowed: &[Placement] = match (answers.privacy, answers.capability, answers.volume) {
                (Privacy::Strict, _, _) => &[Placement::Local],
                (_, Capability::Maximum, Volume::High) => &[Placement::Cloud, Placement::Hybrid],
                (_, _, Volume::High) => &[Placement::Local, Placement::Hybrid],
                _ => &[Placement::Cloud],
            };
            assert!(allowed.contains(&placement), "{answers:?}: {placement:?}");
        }
    }

    #[test]
    fn flips_really_flip_and_no_single_answer_is_left_out() {
        let matrix = Matrix::shipped();
        for answers in every_answer() {
            let verdict = decide(&matrix, &Need::of(answers), None, None);
            for flip in &verdict.flips {
                assert_ne!(flip.placement, verdict.placement);
            }
            let privacy_flips = verdict.flips.iter().any(|f| f.change.question() == Some(Question::Privacy));
            let strict =
                place(&matrix, Answers { privacy: Privacy::Strict, ..answers }, Modifiers::default());
            if strict != verdict.placement {
                assert!(privacy_flips, "{answers:?}");
            }
        }
    }

    #[test]
    fn no_argument_is_lost_and_none_on_both_sides() {
        let matrix = Matrix::shipped();
        for answers in every_answer() {
            let verdict = decide(&matrix, &Need::of(answers), None, None);
            let holds =
                matrix.arguments.iter().filter(|a| a.when.holds(answers, Modifiers::default())).count();
            assert_eq!(verdict.reasons.len() - 1 + verdict.against.len(), holds);
            assert_eq!(verdict.reasons[0].id, verdict.rule);
        }
    }

    fn measured(non_inferior: Option<bool>, stand_in: bool) -> Evidence {
        use crate::workload::evidence::{MeasuredQuality, MeasuredTarget, TargetKind};
        Evidence {
            file: "bench.json".into(),
            targets: vec![MeasuredTarget {
                path: "result.targets[1]".into(),
                id: "api".into(),
                kind: TargetKind::Api,
                model: "m".into(),
                stand_in,
                hardware: None,
                devices: Vec::new(),
                on_gpu: None,
                levels: Vec::new(),
                input_tokens: None,
                output_tokens: None,
                visible_output_tokens: None,
                reasoning_tokens: None,
                idle_watts: None,
                load_watts: None,
                failure_share: None,
                pass_rate: None,
                cost_usd_per_request: None,
            }],
            quality: Some(MeasuredQuality {
                path: "result.quality".into(),
                prompts: 200,
                margin: 0.05,
                non_inferior,
                local_pass_rate: 0.9,
                api_pass_rate: 0.91,
                moved_share: None,
                escalation_share: None,
            }),
        }
    }

    fn costed(tco_cloud_usd: f64, tco_local_usd: f64) -> CostEvidence {
        CostEvidence {
            file: "cost.json".into(),
            horizon_months: Some(36.0),
            requests_per_month: Some(1000.0),
            pairs: vec![super::super::CostPair {
                path: "result.comparisons[0]".into(),
                cloud: "api".into(),
                local: "gpu".into(),
                payback_months: None,
                never_because: None,
                tco_cloud_usd: Some(tco_cloud_usd),
                tco_local_usd: Some(tco_local_usd),
                break_even_requests_per_month: Some(700.0),
                quality_note: None,
            }],
        }
    }

    const DEMANDING: Answers = Answers {
        privacy: Privacy::Standard,
        volume: Volume::High,
        capability: Capability::Maximum,
        operations: Operations::Available,
        budget: Budget::Capex,
    };

    #[test]
    fn evidence_beats_the_capability_answer() {
        let matrix = Matrix::shipped();
        let need = Need::of(DEMANDING);
        let with = |evidence: &Evidence| decide(&matrix, &need, Some(evidence), None);
        assert_eq!(decide(&matrix, &need, None, None).placement, Placement::Cloud);
        assert_eq!(with(&measured(Some(true), false)).placement, Placement::Local);
        assert_eq!(with(&measured(None, false)).placement, Placement::Cloud);
        // A stand-in says nothing about the model that would be rented.
        assert_eq!(with(&measured(Some(true), true)).placement, Placement::Cloud);
        let easy = Need::of(Answers { capability: Capability::Basic, ..DEMANDING });
        let short = decide(&matrix, &easy, Some(&measured(Some(false), false)), None);
        assert_eq!(short.answers.capability, Capability::Maximum);
        assert_eq!(short.placement, Placement::Cloud);
    }

    #[test]
    fn a_calculation_beats_the_volume_answer() {
        let matrix = Matrix::shipped();
        let low = Need::of(Answers { volume: Volume::Low, capability: Capability::Moderate, ..DEMANDING });
        assert_eq!(decide(&matrix, &low, None, None).placement, Placement::Cloud);
        let pays = decide(&matrix, &low, None, Some(&costed(900.0, 300.0)));
        assert_eq!(pays.placement, Placement::Local);
        assert_eq!(pays.threshold.and_then(|t| t.requests_per_month), Some(700.0));
        let high = Need::of(Answers { capability: Capability::Moderate, ..DEMANDING });
        let never = decide(&matrix, &high, None, Some(&costed(300.0, 900.0)));
        assert_eq!(never.placement, Placement::Cloud);
        assert!(never.adjustments.contains(&Adjustment::VolumeTooLow { given: Volume::High }));
    }

    #[test]
    fn a_flip_says_what_keeps_the_answer_from_changing() {
        let matrix = Matrix::shipped();
        let high = Need::of(Answers { capability: Capability::Moderate, ..DEMANDING });
        let flip = |verdict: &Verdict, wanted: Change| {
            verdict.flips.iter().find(|f| f.change == wanted).map(|f| f.settled)
        };
        let volume = Change::Volume(Volume::High);
        let never = decide(&matrix, &high, None, Some(&costed(300.0, 900.0)));
        assert_eq!(flip(&never, volume), Some(Some(Settled::Calculation)));
        let low = Need::of(Answers { volume: Volume::Low, ..high.answers });
        let given = decide(&matrix, &low, None, None);
        assert_eq!(flip(&given, volume), Some(None));
        // With a calculation that finds no break-even volume there is no threshold.
        let mut without = costed(300.0, 900.0);
        without.pairs[0].break_even_requests_per_month = None;
        let nowhere = decide(&matrix, &high, None, Some(&without));
        let threshold = nowhere.threshold.expect("always one");
        assert!(threshold.computed && threshold.tokens_per_month.is_none());
        let enough = decide(&matrix, &Need::of(DEMANDING), Some(&measured(Some(true), false)), None);
        let maximum = Change::Capability(Capability::Maximum);
        assert_eq!(flip(&enough, maximum), Some(Some(Settled::Measurement)));
    }

    #[test]
    fn both_kinds_of_evidence_raise_confidence() {
        let matrix = Matrix::shipped();
        let need = Need::of(Answers { capability: Capability::Moderate, budget: Budget::Opex, ..DEMANDING });
        let bare = decide(&matrix, &need, None, None);
        let both = decide(&matrix, &need, Some(&measured(Some(true), false)), Some(&costed(900.0, 300.0)));
        assert_eq!((bare.confidence, both.confidence), (Confidence::Medium, Confidence::High));
    }

    #[test]
    fn a_mandate_is_strict_whatever_was_answered() {
        let matrix = Matrix::shipped();
        let mut need = Need::of(DEMANDING);
        need.privacy_reason = Some(crate::workload::PrivacyReason::Hipaa);
        let verdict = decide(&matrix, &need, None, None);
        assert_eq!(verdict.placement, Placement::Local);
        assert_eq!(verdict.adjustments, [Adjustment::PrivacyByMandate { given: Privacy::Standard }]);
    }
}
