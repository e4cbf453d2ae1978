//! Two targets, paired by prompt: ratios of speed, equal texts, and the verdict on their answers.

use super::basis::Basis;
use super::decide::sequential_test;
use crate::document::bench::pair::{
    Finding, LosingPrompt, Move, Pair, PairAgreement, PairCategory, PairMethod, PairQuality, PairScores,
    PairTokens, ShareOf, Split, UntilDecided,
};
use crate::document::bench::sample::for_speed;
use crate::document::bench::target::PassHat;
use crate::document::bench::{Comparison, Kind, Quality, Rate, Sample, Target};
use crate::document::metrics::{PER_REQUEST, Shown};
use crate::measure::stats;
use crate::prompts::Prompt;
use crate::quality::{self, CategoryCompared, Compared, Method, PairedPrompt, Place, Side};
use crate::stats::{Decision, Interval, TAIL, ratio_of_means, sequence_interval};
use std::collections::{BTreeSet, HashMap};

/// The most prompts that are shown in full where A does worse than B.
const MOST_LOSING: usize = 20;
/// Characters of each prompt and answer that are shown there.
const SHOWN: usize = 400;
/// Agreement is computed from the first characters of two answers only, since its cost grows with the
/// square of their length.
const LONGEST_COMPARED: usize = 2_000;

/// The samples by target and prompt; of conversations, their last turn.
pub(super) struct Rows<'a> {
    of: HashMap<(&'a str, &'a str), Vec<&'a Sample>>,
    /// Ids of prompts in the order in which they were asked.
    order: Vec<&'a str>,
}

impl<'a> Rows<'a> {
    pub(super) fn of(samples: &'a [Sample]) -> Self {
        let mut of: HashMap<(&str, &str), Vec<&Sample>> = HashMap::new();
        let (mut order, mut seen) = (Vec::new(), BTreeSet::new());
        for sample in samples {
            of.entry((&sample.target, &sample.prompt_id)).or_default().push(sample);
            if seen.insert(sample.prompt_id.as_str()) {
                order.push(sample.prompt_id.as_str());
            }
        }
        Self { of, order }
    }

    fn get<'k>(&'k self, target: &'k str, prompt: &'k str) -> &'k [&'a Sample] {
        self.of.get(&(target, prompt)).map_or(&[], Vec::as_slice)
    }

    /// The grades of a target's answers to a prompt, without failed requests and answers that have no
    /// grade.
    fn side(&self, target: &str, prompt: &str) -> Side {
        let mut side = Side::default();
        for sample in self.get(target, prompt) {
            if let Some(pass) = sample.pass {
                side.count(pass, sample.score.unwrap_or(f64::from(u8::from(pass))));
            }
        }
        side
    }

    /// A target's answer to the last turn of a prompt, in its first repeat.
    fn first_answer(&self, target: &str, prompt: &str) -> Option<&'a Sample> {
        let whole = self.get(target, prompt).iter().filter(|s| s.repeat == 0 && s.error.is_none());
        whole.max_by_key(|s| s.turn).copied()
    }
}

pub(super) fn pass_rate(target: &str, rows: &Rows<'_>, prompts: &[Prompt]) -> Option<Rate> {
    let sides = prompts.iter().map(|p| rows.side(target, &p.id));
    let sides: Vec<Side> = sides.filter(|s| s.share().is_some()).collect();
    let n = u32::try_from(sides.len()).ok().filter(|n| *n > 0)?;
    let rate = sides.iter().filter_map(Side::share).sum::<f64>() / f64::from(n);
    let interval = crate::stats::wilson_share(rate.clamp(0.0, 1.0), n)?;
    let passed = u32::try_from(sides.iter().filter(|s| s.mostly()).count()).ok()?;
    Some(Rate { n, passed, rate, low: interval.low, high: interval.high })
}

/// pass^k: the chance that all repeats of a prompt pass; `None` where prompts were asked once.
pub(super) fn pass_hat(target: &str, rows: &Rows<'_>, prompts: &[Prompt]) -> Option<PassHat> {
    let counts: Vec<(u32, u32)> =
        prompts.iter().map(|p| rows.side(target, &p.id)).map(|s| (s.passed, s.graded)).collect();
    let k = counts.iter().map(|c| c.1).max().filter(|k| *k > 1)?;
    let share = quality::pass_hat(&counts, k)?;
    let prompts = u32::try_from(counts.iter().filter(|c| c.1 >= k).count()).ok()?;
    Some(PassHat { k, share, prompts })
}

fn share(rate: (f64, Interval)) -> ShareOf {
    ShareOf { rate: rate.0, low: rate.1.low, high: rate.1.high }
}

fn finding(non_inferior: Option<bool>) -> Finding {
    match non_inferior {
        Some(true) => Finding::NonInferior,
        Some(false) => Finding::Inferior,
        None => Finding::Undecided,
    }
}

fn size(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

/// Everything the document says about two targets.
pub(super) fn pair(a: &Target, b: &Target, rows: &Rows<'_>, basis: &Basis) -> Pair {
    let prompts = &basis.prompts;
    let sides: Vec<(&Prompt, Side, Side)> =
        prompts.iter().map(|p| (p, rows.side(&a.id, &p.id), rows.side(&b.id, &p.id))).collect();
    let paired: Vec<PairedPrompt<'_>> = sides
        .iter()
        .map(|(p, a, b)| PairedPrompt { category: p.category.as_deref(), a: *a, b: *b })
        .collect();
    let compared = quality::compare(&paired, basis.margin, basis.seed);
    Pair {
        a: a.id.clone(),
        b: b.id.clone(),
        quality: compared.map(|found| verdict(a, b, &found, &sides, rows, basis)),
        agreement: agreement(a, b, rows, prompts),
        tokens: tokens(a, b, rows, basis),
        judged: Vec::new(),
    }
}

fn verdict(
    a: &Target,
    b: &Target,
    found: &Compared,
    sides: &[(&Prompt, Side, Side)],
    rows: &Rows<'_>,
    basis: &Basis,
) -> PairQuality {
    let v = &found.verdict;
    let mut quality = PairQuality {
        prompts: v.pairs.total(),
        a_pass_rate: share(found.a),
        b_pass_rate: share(found.b),
        both_pass: v.pairs.both,
        a_only: v.pairs.only_a,
        b_only: v.pairs.only_b,
        neither: v.pairs.neither,
        method: match found.method {
            Method::Counts => PairMethod::Counts,
            Method::Shares => PairMethod::Shares,
        },
        difference: v.difference,
        difference_low: v.interval.low,
        difference_high: v.interval.high,
        p: v.p,
        margin: basis.margin,
        finding: finding(v.non_inferior),
        equivalent: found.equivalent,
        prompts_needed: v.prompts_needed,
        smoke_only: v.smoke_only,
        scores: found.scores.map(|(a_mean, b_mean, s)| PairScores {
            a_mean,
            b_mean,
            difference: s.difference,
            difference_low: s.interval.low,
            difference_high: s.interval.high,
            p: s.p,
            finding: finding(s.non_inferior),
        }),
        categories: found.categories.iter().map(category).collect(),
        split: (!found.categories.is_empty()).then(|| split(a, b, found, rows, basis)),
        losing_prompts: 0,
        losing: Vec::new(),
        until_decided: None,
    };
    (quality.losing_prompts, quality.losing) = losing(a, b, sides, rows);
    if basis.until_decided {
        sequential(&mut quality, a, b, rows, basis);
    }
    quality
}

fn category(found: &CategoryCompared) -> PairCategory {
    let part = &found.part;
    PairCategory {
        category: part.category.clone(),
        prompts: part.verdict.pairs.total(),
        a_pass_rate: share(found.a),
        b_pass_rate: share(found.b),
        difference: part.verdict.difference,
        difference_low: part.verdict.interval.low,
        difference_high: part.verdict.interval.high,
        move_p: part.move_p,
        stay_p: part.stay_p,
        place: match part.place {
            Place::CanMove => Move::CanMove,
            Place::MustStay => Move::MustStay,
            Place::Unknown => Move::Unknown,
        },
        prompts_needed: (part.place == Place::Unknown).then_some(part.verdict.prompts_needed).flatten(),
    }
}

/// Quality and API costs if A takes over the kinds of work that can move.
fn split(a: &Target, b: &Target, found: &Compared, rows: &Rows<'_>, basis: &Basis) -> Split {
    let moved: BTreeSet<&str> = found
        .categories
        .iter()
        .filter(|c| c.part.place == Place::CanMove)
        .map(|c| c.part.category.as_str())
        .collect();
    let moves = |category: &str| moved.contains(category);
    let (mut all, mut over, mut passed, mut own) = (0.0, 0.0, 0.0, 0.0);
    for c in &found.categories {
        let n = f64::from(c.part.verdict.pairs.total());
        all += n;
        over += if moves(&c.part.category) { n } else { 0.0 };
        own += if moves(&c.part.category) { n * c.a.0 } else { 0.0 };
        passed += n * if moves(&c.part.category) { c.a.0 } else { c.b.0 };
    }
    // API cost of a prompt on one side, all turns together. Hardware costs nothing per request.
    let cost = |target: &Target, prompt: &Prompt| -> Option<f64> {
        if target.kind == Kind::Local {
            return Some(0.0);
        }
        let whole: Vec<&Sample> =
            rows.get(&target.id, &prompt.id).iter().filter(|s| s.error.is_none()).copied().collect();
        let passes = whole.iter().filter(|s| s.turn == 0).count();
        let sum = whole.iter().map(|s| s.metrics.cost_usd).sum::<Option<f64>>()?;
        (passes > 0).then(|| sum / passes as f64)
    };
    let graded: Vec<&Prompt> = basis
        .prompts
        .iter()
        .filter(|p| rows.side(&a.id, &p.id).graded > 0 && rows.side(&b.id, &p.id).graded > 0)
        .collect();
    let per_1000 = |pick: &dyn Fn(&Prompt) -> Option<f64>| {
        graded.iter().map(|p| pick(p)).sum::<Option<f64>>().map(|usd| usd / graded.len() as f64 * 1000.0)
    };
    let is_moved = |p: &Prompt| moves(p.category.as_deref().unwrap_or(""));
    let of_api = |usd: Option<f64>| usd.filter(|_| b.kind == Kind::Api);
    Split {
        moved: moved.iter().map(|m| (*m).to_owned()).collect(),
        moved_share: if all > 0.0 { over / all } else { 0.0 },
        moved_pass_rate: (over > 0.0).then(|| own / over),
        pass_rate: if all > 0.0 { passed / all } else { 0.0 },
        b_usd_per_1000: of_api(per_1000(&|p| cost(b, p))),
        split_usd_per_1000: of_api(per_1000(&|p| cost(if is_moved(p) { a } else { b }, p))),
    }
}

/// Prompts that A passes less often than B, the clearest first.
fn losing(
    a: &Target,
    b: &Target,
    sides: &[(&Prompt, Side, Side)],
    rows: &Rows<'_>,
) -> (u32, Vec<LosingPrompt>) {
    let mut lost: Vec<(f64, &(&Prompt, Side, Side))> = sides
        .iter()
        .filter_map(|row| Some((row.1.share()? - row.2.share()?, row)))
        .filter(|(difference, _)| *difference < 0.0)
        .collect();
    lost.sort_by(|x, y| x.0.total_cmp(&y.0));
    let begin = |text: &str| text.chars().take(SHOWN).collect::<String>();
    let of = |target: &Target, prompt: &Prompt, pass: bool| {
        let mut all = rows.get(&target.id, &prompt.id).iter().filter(|s| s.pass == Some(pass));
        all.next().map_or(String::new(), |s| begin(&s.text))
    };
    let shown = lost.iter().take(MOST_LOSING).map(|(_, (prompt, of_a, of_b))| {
        let failed = rows.get(&a.id, &prompt.id).iter().flat_map(|s| s.failed_graders.iter().cloned());
        LosingPrompt {
            prompt_id: prompt.id.clone(),
            category: prompt.category.clone(),
            prompt: begin(&prompt.prompt),
            a_passed: [of_a.passed, of_a.graded],
            b_passed: [of_b.passed, of_b.graded],
            a_failed: failed.collect::<BTreeSet<String>>().into_iter().collect(),
            a_text: of(a, prompt, false),
            b_text: of(b, prompt, true),
        }
    });
    (size(lost.len()), shown.collect())
}

/// Replace the verdict by that of the sequential test, where the run could end early: the other tests are
/// valid only if they are looked at once.
fn sequential(quality: &mut PairQuality, a: &Target, b: &Target, rows: &Rows<'_>, basis: &Basis) {
    let differences: Vec<f64> = rows
        .order
        .iter()
        .filter_map(|id| Some(rows.side(&a.id, id).share()? - rows.side(&b.id, id).share()?))
        .collect();
    let mut test = sequential_test(basis.margin);
    let decided = differences.iter().find_map(|d| test.push(*d));
    let interval = sequence_interval(&differences, TAIL);
    (quality.difference_low, quality.difference_high) = (interval.low, interval.high);
    quality.method = PairMethod::Sequential;
    quality.p = None;
    quality.finding = match decided {
        Some(Decision::NonInferior) => Finding::NonInferior,
        Some(Decision::Inferior) => Finding::Inferior,
        Some(Decision::Futile) | None => Finding::Undecided,
    };
    if quality.finding != Finding::Undecided {
        quality.prompts_needed = None;
    }
    let margin = quality.margin;
    quality.equivalent = (!quality.smoke_only).then_some(interval.low > -margin && interval.high < margin);
    quality.until_decided = Some(UntilDecided {
        prompts: test.prompts(),
        planned: size(basis.prompts.len()),
        asked: Some(size(rows.order.len())),
        futile: decided == Some(Decision::Futile),
        p: test.p(),
        error_rate: TAIL,
    });
}

fn agreement(a: &Target, b: &Target, rows: &Rows<'_>, prompts: &[Prompt]) -> Option<PairAgreement> {
    let begin = |text: &str| text.chars().take(LONGEST_COMPARED).collect::<String>();
    let answers: Vec<(String, String)> = prompts
        .iter()
        .filter_map(|p| {
            let (a, b) = (rows.first_answer(&a.id, &p.id)?, rows.first_answer(&b.id, &p.id)?);
            Some((begin(&a.text), begin(&b.text)))
        })
        .collect();
    let found = quality::agreement(answers.iter().map(|(a, b)| (a.as_str(), b.as_str())))?;
    Some(PairAgreement {
        prompts: found.prompts,
        equal: share((f64::from(found.equal) / f64::from(found.prompts), found.equal_interval)),
        chrf: found.chrf,
        rouge_l: found.rouge_l,
    })
}

fn tokens(a: &Target, b: &Target, rows: &Rows<'_>, basis: &Basis) -> Option<PairTokens> {
    let mean = |target: &Target, prompt: &Prompt| -> Option<f64> {
        let counts: Vec<u64> = rows
            .get(&target.id, &prompt.id)
            .iter()
            .filter(|s| s.error.is_none())
            .filter_map(|s| s.output_tokens)
            .collect();
        (!counts.is_empty()).then(|| counts.iter().sum::<u64>() as f64 / counts.len() as f64)
    };
    let paired: Vec<(f64, f64)> =
        basis.prompts.iter().filter_map(|p| Some((mean(a, p)?, mean(b, p)?))).collect();
    let (ratio, interval) = ratio_of_means(&paired, basis.seed)?;
    let n = paired.len() as f64;
    Some(PairTokens {
        prompts: size(paired.len()),
        a_output: paired.iter().map(|p| p.0).sum::<f64>() / n,
        b_output: paired.iter().map(|p| p.1).sum::<f64>() / n,
        ratio,
        ratio_low: interval.map(|i| i.low),
        ratio_high: interval.map(|i| i.high),
    })
}

/// The short form of a local-against-API verdict that older readers of the document know.
pub(super) fn local_beside_api(pair: &Pair) -> Option<Quality> {
    let q = pair.quality.as_ref()?;
    Some(Quality {
        local: pair.a.clone(),
        api: pair.b.clone(),
        prompts: q.prompts,
        local_pass_rate: q.a_pass_rate.rate,
        api_pass_rate: q.b_pass_rate.rate,
        both_pass: q.both_pass,
        local_only: q.a_only,
        api_only: q.b_only,
        neither: q.neither,
        mcnemar_p: q.p.filter(|_| q.method == PairMethod::Counts),
        difference: q.difference,
        difference_low: Some(q.difference_low),
        difference_high: Some(q.difference_high),
        margin: q.margin,
        non_inferior: match q.finding {
            Finding::NonInferior => Some(true),
            Finding::Inferior => Some(false),
            Finding::Undecided => None,
        },
        prompts_needed: q.prompts_needed,
        smoke_only: q.smoke_only,
    })
}

pub(super) fn compare(
    local: &Target,
    api: &Target,
    samples: &[Sample],
    prompts: &[Prompt],
    seed: u64,
) -> Vec<Comparison> {
    let all: Vec<&Sample> = samples.iter().collect();
    let speed = for_speed(&all);
    let equal = equal_text(&local.id, &api.id, samples, prompts);
    PER_REQUEST
        .iter()
        .filter(|m| m.shown >= Shown::Compared)
        .filter_map(|m| {
            let side = |id: &str, prompt: &str| -> Vec<f64> {
                speed
                    .iter()
                    .filter(|s| s.target == id && s.prompt_id == prompt)
                    .filter_map(|s| *m.of(&s.metrics))
                    .collect()
            };
            let paired: Vec<stats::PromptPair> = prompts
                .iter()
                .map(|p| (side(&local.id, &p.id), side(&api.id, &p.id)))
                .filter(|(l, a)| !l.is_empty() && !a.is_empty())
                .collect();
            let ratio = stats::ratio_of_medians(&paired, seed)?;
            Some(Comparison {
                local: local.id.clone(),
                api: api.id.clone(),
                metric: m.metric.id.to_owned(),
                prompts: u32::try_from(paired.len()).unwrap_or(u32::MAX),
                ratio: Some(ratio.ratio),
                low: ratio.interval.map(|i| i.low),
                high: ratio.interval.map(|i| i.high),
                equal_text: equal,
            })
        })
        .collect()
}

/// Prompts on which both sides gave the same text in their first repeat.
fn equal_text(local: &str, api: &str, samples: &[Sample], prompts: &[Prompt]) -> Option<u32> {
    let text = |id: &str, prompt: &str| {
        samples
            .iter()
            .find(|s| s.target == id && s.prompt_id == prompt && s.repeat == 0 && s.error.is_none())
            .map(|s| s.text.trim())
    };
    let pairs: Vec<bool> =
        prompts.iter().filter_map(|p| Some(text(local, &p.id)? == text(api, &p.id)?)).collect();
    (!pairs.is_empty()).then(|| u32::try_from(pairs.iter().filter(|e| **e).count()).unwrap_or(u32::MAX))
}
