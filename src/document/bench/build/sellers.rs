//! The comparison of sellers of the same weights, from the figures of each target and each pair.

use super::basis::Basis;
use crate::document::bench::pair::{Finding, Pair, PairQuality, ShareOf};
use crate::document::bench::sample::Sample;
use crate::document::bench::sellers::{SameWeights, Seller, SellerDifference};
use crate::document::bench::target::{Kind, Target};
use crate::stats;
use std::collections::BTreeMap;

/// `None` where the user did not say that the targets are the same weights, or where there is only one.
pub(super) fn same_weights(
    basis: &Basis,
    targets: &[Target],
    pairs: &[Pair],
    samples: &[Sample],
) -> Option<SameWeights> {
    basis.inputs.get("same_weights").filter(|input| input.value == true)?;
    let reference = targets.iter().find(|t| t.kind == Kind::Local).or_else(|| targets.first())?;
    if targets.len() < 2 {
        return None;
    }
    let others = targets.iter().filter(|t| t.id != reference.id);
    let sellers = std::iter::once(reference).chain(others).map(|t| seller(t, reference, pairs, samples));
    Some(SameWeights { reference: reference.id.clone(), sellers: sellers.collect() })
}

fn seller(target: &Target, reference: &Target, pairs: &[Pair], samples: &[Sample]) -> Seller {
    let is_pair =
        |p: &&Pair| (p.a == target.id && p.b == reference.id) || (p.b == target.id && p.a == reference.id);
    let pair = pairs.iter().find(is_pair);
    let agreement = pair.and_then(|p| p.agreement);
    let price = target.price.as_ref();
    let paid: Vec<f64> = samples
        .iter()
        .filter(|s| s.target == target.id && s.error.is_none())
        .filter_map(|s| s.metrics.cost_usd)
        .collect();
    Seller {
        target: target.id.clone(),
        prompts: agreement.map_or_else(|| answered(target, samples), |a| a.prompts),
        equal_text: agreement.map(|a| a.equal),
        equal_to_itself: itself(target, samples),
        tool_calls_fit: target.tool_calls_fit,
        pass_rate: target.pass_rate,
        difference: pair.and_then(|p| Some(beside(target, p, p.quality.as_ref()?))),
        ttft_ms: target.metrics.ttft_ms.median,
        decode_tps: target.metrics.decode_tps.median,
        input_usd_per_mtok: price.and_then(|p| p.input_usd_per_mtok),
        output_usd_per_mtok: price.and_then(|p| p.output_usd_per_mtok),
        usd_per_1000: (!paid.is_empty()).then(|| paid.iter().sum::<f64>() / paid.len() as f64 * 1000.0),
    }
}

fn answered(target: &Target, samples: &[Sample]) -> u32 {
    let mine = samples.iter().filter(|s| s.target == target.id && s.error.is_none());
    let prompts: std::collections::BTreeSet<&str> = mine.map(|s| s.prompt_id.as_str()).collect();
    u32::try_from(prompts.len()).unwrap_or(u32::MAX)
}

/// A seller's pass rate less the reference's; turned round where the pair lists them the other way.
fn beside(target: &Target, pair: &Pair, quality: &PairQuality) -> SellerDifference {
    let (difference, low, high) = (quality.difference, quality.difference_low, quality.difference_high);
    if pair.a == target.id {
        return SellerDifference { difference, low, high, finding: quality.finding };
    }
    let (difference, low, high) = (-difference, -high, -low);
    let finding = match () {
        () if quality.smoke_only => Finding::Undecided,
        () if low > -quality.margin => Finding::NonInferior,
        () if high < -quality.margin => Finding::Inferior,
        () => Finding::Undecided,
    };
    SellerDifference { difference, low, high, finding }
}

/// How often the first two answers of a target to the same prompt are equal.
fn itself(target: &Target, samples: &[Sample]) -> Option<ShareOf> {
    let mut answers: BTreeMap<(&str, u32), [Option<&str>; 2]> = BTreeMap::new();
    for s in samples.iter().filter(|s| s.target == target.id && s.error.is_none() && s.repeat < 2) {
        answers.entry((&s.prompt_id, s.turn)).or_default()[s.repeat as usize] = Some(s.text.trim());
    }
    let both: Vec<bool> = answers.values().filter_map(|[a, b]| Some((*a)? == (*b)?)).collect();
    let (n, equal) = (both.len(), both.iter().filter(|e| **e).count());
    let (n, equal) = (u32::try_from(n).ok()?, u32::try_from(equal).ok()?);
    let interval = stats::wilson(equal, n)?;
    Some(ShareOf { rate: f64::from(equal) / f64::from(n), low: interval.low, high: interval.high })
}
