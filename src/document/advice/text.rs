//! The sentences of an advice document: engines return values, this file puts them into words.

use crate::advise::verdict::{self, Adjustment, Change, ConfidenceStep, Settled, Threshold};
use crate::advise::{
    CostFinding, CostPair, CostStanding, Limit, Placement, QualityFinding, QualityStanding, Reason,
    ReasonKind, Verdict,
};
use crate::money::Currency;
use crate::number;
use crate::workload::{Answers, Capability, Modifier, Privacy, PrivacyReason, Volume};

/// `Placement::Cloud` → "the cloud".
pub const fn place(placement: Placement) -> &'static str {
    match placement {
        Placement::Cloud => "cloud",
        Placement::Hybrid => "hybrid",
        Placement::Local => "local",
    }
}

/// One step of the confidence, as the end of a sentence.
pub const fn confidence(step: ConfidenceStep) -> &'static str {
    match step {
        ConfidenceStep::Firm => "your answers leave no other place, and what was measured speaks for it",
        ConfidenceStep::OnlyPlace => {
            "your answers leave no other place; whether the model is good and fast enough there is still to be shown"
        }
        ConfidenceStep::OutweighedBy => "more speaks against it than for it",
        ConfidenceStep::CostContested => "what it costs depends on what it is compared with",
        ConfidenceStep::NothingPriced => {
            "nothing could be priced without the number and the size of the requests"
        }
        ConfidenceStep::OftenDearer => "in one of four simulated futures or more, something else costs less",
        ConfidenceStep::NearlyEven => "it is nearly even which option costs less",
        ConfidenceStep::PredictedSpeed => "its speed is predicted, not measured",
        ConfidenceStep::UnmeasuredQuality => {
            "whether the open model is good enough has not been measured on your prompts"
        }
        ConfidenceStep::GivesUp => "nothing meets every answer, so something gives way",
        ConfidenceStep::AssumedSplit => "how many of your requests are simple is assumed, not counted",
        ConfidenceStep::NotAllPriced => "not every option has a price",
        ConfidenceStep::OfAnotherNeed => {
            "a document that it rests on was made for another need, and is used all the same"
        }
        ConfidenceStep::NotDrawn => "how often it costs the least was not computed",
        ConfidenceStep::BackedByEvidence => "measured quality and computed cost both speak for it",
    }
}

/// One argument in words.
pub fn reason(verdict: &Verdict, reason: &Reason) -> String {
    match &reason.kind {
        ReasonKind::Matrix { text, .. } => text.clone(),
        ReasonKind::Quality => verdict.quality.as_ref().map(quality).unwrap_or_default(),
        ReasonKind::Cost => verdict.cost.as_ref().map(cost).unwrap_or_default(),
    }
}

/// The sentence on measured quality.
pub fn quality(finding: &QualityFinding) -> String {
    let q = &finding.quality;
    let rates = format!(
        "{} of the local answers and {} of the API's passed on {} prompts",
        number::percent(q.local_pass_rate),
        number::percent(q.api_pass_rate),
        q.prompts
    );
    let margin = number::points(q.margin);
    match finding.standing {
        QualityStanding::NonInferior => {
            format!("Measured: {rates}; the local model is not worse by more than {margin}.")
        }
        QualityStanding::Inferior => {
            format!("Measured: {rates}; the local model is worse by more than {margin}.")
        }
        QualityStanding::Undecided => format!(
            "Measured, but not decided: {rates}, too few to say whether the local model is within {margin}. \
             The capability answer stands."
        ),
        QualityStanding::StandIn => format!(
            "Measured against a stand-in for a cloud API: {rates}. That says nothing about the model you \
             would rent, so the capability answer stands."
        ),
    }
}

/// The sentence on computed cost.
pub fn cost(finding: &CostFinding) -> String {
    let hardest = pair(&finding.hardest, finding.horizon_months);
    match (finding.standing, &finding.easiest) {
        (CostStanding::Local, _) => format!("Computed: {hardest}, and that is the cheapest cloud offer."),
        (CostStanding::Cloud, _) => {
            format!("Computed: {hardest}; no local offer is cheaper than any cloud offer.")
        }
        (CostStanding::Contested, Some(easiest)) => format!(
            "Computed, and it depends on the comparison: {hardest}; but {}.",
            pair(easiest, finding.horizon_months)
        ),
        (CostStanding::Contested, None) => format!("Computed: {hardest}."),
    }
}

fn pair(pair: &CostPair, horizon_months: Option<f64>) -> String {
    let versus = format!("{} against {}", pair.local, pair.cloud);
    let payback = match (pair.payback_months, &pair.never_because) {
        (Some(0.0), _) => "costs less from the first day".to_owned(),
        (Some(months), _) => format!("pays back after {months:.1} months"),
        (None, Some(because)) => format!("never pays back, because {}", because.trim_end_matches('.')),
        (None, None) => "has no payback within the horizon".to_owned(),
    };
    let quality = pair.quality_note.as_ref().map(|note| format!("; {note}")).unwrap_or_default();
    match (pair.tco_local_usd, pair.tco_cloud_usd, horizon_months) {
        (Some(local), Some(cloud), Some(horizon)) => format!(
            "{versus} {payback} ({} against {} over {} months{quality})",
            Currency::usd().show(local),
            Currency::usd().show(cloud),
            number::plain(horizon)
        ),
        _ => format!("{versus} {payback}{quality}"),
    }
}

/// An answer that was replaced: id, question, given, used, because.
pub fn adjustment(adjustment: Adjustment, reason: Option<PrivacyReason>) -> super::Adjustment {
    let (id, question, given, used, because) = match adjustment {
        Adjustment::PrivacyByMandate { given } => (
            "privacy-by-mandate",
            "privacy",
            given.key(),
            "strict",
            format!("a mandate keeps the data in ({})", reason.map_or("unnamed", PrivacyReason::key)),
        ),
        Adjustment::CapabilityMeasuredEnough { given } => (
            "capability-measured-enough",
            "capability",
            given.key(),
            "moderate",
            "the local model was measured to be good enough on your prompts".to_owned(),
        ),
        Adjustment::CapabilityMeasuredShort { given } => (
            "capability-measured-short",
            "capability",
            given.key(),
            "maximum",
            "the local model was measured to fall short on your prompts".to_owned(),
        ),
        Adjustment::VolumePaysBack { given } => (
            "volume-pays-back",
            "volume",
            given.key(),
            "high",
            "own hardware was computed to pay back at this volume".to_owned(),
        ),
        Adjustment::VolumeTooLow { given } => (
            "volume-too-low",
            "volume",
            given.key(),
            "low",
            "own hardware was computed not to pay back at this volume".to_owned(),
        ),
    };
    super::Adjustment {
        id: id.to_owned(),
        question: question.to_owned(),
        given: given.to_owned(),
        used: used.to_owned(),
        because,
    }
}

/// The document's row for a flip, with its sentence.
pub fn flip(flip: verdict::Flip, verdict: &Verdict) -> super::Flip {
    let placement = flip.placement;
    let (what, to) = match flip.change {
        Change::Privacy(a) => ("privacy", Some(a.key())),
        Change::Volume(a) => ("volume", Some(a.key())),
        Change::Capability(a) => ("capability", Some(a.key())),
        Change::Operations(a) => ("operations", Some(a.key())),
        Change::Budget(a) => ("budget", Some(a.key())),
        Change::Drop(m) => (m.key(), None),
    };
    let to_shown = to.unwrap_or_default();
    let condition = match (flip.settled, flip.change) {
        (_, Change::Drop(m)) => format!("Without \"{}\"", modifier(m)),
        (Some(Settled::Calculation), Change::Volume(Volume::High)) => {
            format!("If own hardware paid back{}", pays_back(verdict))
        }
        (Some(Settled::Calculation), _) => {
            format!(
                "If own hardware did not pay back{}",
                verdict.threshold.as_ref().map(line).unwrap_or_default()
            )
        }
        (Some(Settled::Measurement), Change::Capability(Capability::Maximum)) => {
            "If the local model were measured to fall short on your prompts".to_owned()
        }
        (Some(Settled::Measurement), _) => {
            "If the local model were measured to be good enough on your prompts".to_owned()
        }
        (Some(Settled::Mandate), _) => format!("If no mandate kept the data in and {what} were {to_shown}"),
        (None, Change::Volume(_)) => {
            format!(
                "If the volume were {to_shown}{}",
                verdict.threshold.as_ref().map(line).unwrap_or_default()
            )
        }
        (None, _) => format!("If {what} were {to_shown}"),
    };
    super::Flip {
        what: what.to_owned(),
        to: to.map(str::to_owned),
        placement,
        settled_by: flip.settled.map(|s| {
            match s {
                Settled::Mandate => "mandate",
                Settled::Measurement => "measurement",
                Settled::Calculation => "calculation",
            }
            .to_owned()
        }),
        at: None,
        today: None,
        text: format!("{condition}: {}.", place(placement)),
    }
}

/// " (the line is at …)" for the volume above which own hardware pays back, or that it does so at no
/// volume.
fn pays_back(verdict: &Verdict) -> String {
    let named = verdict.threshold.as_ref().map(line).filter(|line| !line.is_empty());
    named.unwrap_or_else(|| {
        let never = verdict.cost.as_ref().is_some_and(|c| c.hardest.never_because.is_some());
        if never { " (computed: at these prices more volume alone does not do it)" } else { "" }.to_owned()
    })
}

/// The warning about an answer that was replaced.
pub fn replaced(a: &super::Adjustment) -> String {
    format!("Your {} answer, {}, counts as {} here: {}.", a.question, a.given, a.used, a.because)
}

/// " (the line is at …)", with the threshold in requests and tokens a month; empty where neither is known.
fn line(threshold: &Threshold) -> String {
    // A threshold of 0 divides nothing.
    let above = |n: &f64| *n > 0.0;
    let tokens =
        threshold.tokens_per_month.filter(above).map(|t| format!("{} tokens a month", number::short(t)));
    let requests =
        threshold.requests_per_month.filter(above).map(|r| format!("{} requests a month", number::short(r)));
    let basis = if threshold.computed { "computed" } else { "assumed" };
    match (requests, tokens) {
        (Some(requests), Some(tokens)) => format!(" (the line is at {requests}, {tokens}; {basis})"),
        (Some(one), None) | (None, Some(one)) => format!(" (the line is at {one}; {basis})"),
        (None, None) => String::new(),
    }
}

/// "a", "a and b", "a, b and c".
pub fn all(parts: &[impl AsRef<str>]) -> String {
    let words: Vec<&str> = parts.iter().map(AsRef::as_ref).collect();
    match words.as_slice() {
        [first @ .., last] if !first.is_empty() => format!("{} and {last}", first.join(", ")),
        few => few.concat(),
    }
}

/// A modifier as the wizard words it.
pub const fn modifier(modifier: Modifier) -> &'static str {
    match modifier {
        Modifier::Offline => "it must work offline",
        Modifier::FineTuning => "the model must be fine-tuned",
        Modifier::Embedded => "it ships inside a product",
        Modifier::PredictableLatency => "latency must be predictable",
        Modifier::Prototype => "starting out or prototyping",
        Modifier::Bursts => "occasional heavy use",
        Modifier::SmallTeam => "small team",
        Modifier::Redundancy => "one system must take over when the other fails",
        Modifier::GradualMigration => "moving from the cloud step by step",
        Modifier::MixedComplexity => "simple and complex tasks side by side",
        Modifier::CostOptimization => "every request where it is cheapest",
    }
}

/// Why an option may not be taken.
pub fn limit(limit: Limit) -> String {
    match limit {
        Limit::MayNotLeave => "the data may not leave".to_owned(),
        Limit::Offline => "it must work without a network".to_owned(),
        Limit::InProduct => "the model ships inside the product".to_owned(),
        Limit::OwnWeights => "the weights must be trained further".to_owned(),
        Limit::SteadyLatency => "latency must be steady, and this is shared with other customers".to_owned(),
        Limit::PersonalSeat => "seats for single persons are no place for sensitive data".to_owned(),
        Limit::TooSmall => "it does not carry the load".to_owned(),
        Limit::NotPriced => "not everything it needs has a price".to_owned(),
        Limit::NothingUpFront => "nothing may be spent up front".to_owned(),
        Limit::TooMuchUpFront { most } => {
            format!("at most {} may be spent up front", Currency::usd().show(most))
        }
        Limit::NoPeople => "nobody has the time to run it".to_owned(),
        Limit::TooWeak { wanted: 1, .. } => "the strongest models are rented only".to_owned(),
        Limit::TooWeak { has, wanted } => {
            let has = has.map_or_else(|| "has no tier".to_owned(), |has| format!("is tier {has}"));
            format!("its model {has}, and tier {wanted} or better is needed; 1 is the most capable")
        }
        Limit::MeasuredShort => "its model was measured to fall short on your prompts".to_owned(),
    }
}

/// The name of the matrix cell for these answers.
pub fn cell(answers: Answers) -> String {
    let volume = match answers.volume {
        Volume::Low => "low volume",
        Volume::Variable => "varying volume",
        Volume::High => "high volume",
    };
    let row = match (answers.privacy, answers.capability) {
        (Privacy::Strict, _) => "privacy required",
        (_, Capability::Maximum) => "highest capability",
        (_, Capability::Moderate) => "moderate capability",
        (_, Capability::Basic) => "basic capability",
    };
    format!("{row}, {volume}")
}
