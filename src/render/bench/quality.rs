//! Is one target good enough compared with another? The verdict on each pair, the split by kinds of work,
//! and the prompts on which the first one loses.

use crate::document::bench::judge::{Calibration, Judge};
use crate::document::bench::pair::{
    Finding, Move, Pair, PairAgreement, PairCategory, PairJudged, PairMethod, PairQuality, PairTokens,
    ShareOf, Split,
};
use crate::document::bench::sellers::{SameWeights, Seller};
use crate::document::bench::{BenchResult, Sample, Target};
use crate::money::Currency;
use crate::number;
use crate::quality::judge::Form;
use crate::render::view::{Block, Cell, Table, View};
use std::collections::BTreeSet;
use std::fmt::Write as _;

/// Characters of a text in the table of lost prompts.
const SHOWN: usize = 120;
/// Share of flipped verdicts above which a judge is doubtful.
const DOUBTFUL: f64 = crate::quality::judge::DOUBTFUL_FLIPS;

pub(super) fn pairs(view: &mut View, result: &BenchResult) {
    let pairs = &result.pairs;
    for pair in pairs {
        if pair.quality.is_none() && pair.judged.is_empty() && pairs.len() > 3 {
            // With many targets and no expectations, the agreement of each with each says little.
            continue;
        }
        view.heading(format!("{} beside {}", pair.a, pair.b));
        if let Some(quality) = &pair.quality {
            view.paragraph(verdict(pair, quality, asked(pair, &result.samples)));
            if let Some(text) = until_decided(quality) {
                view.paragraph(text);
            }
            if !quality.categories.is_empty() {
                view.push(Block::Table(categories(pair, quality)));
            }
            if let Some(split) = &quality.split {
                view.paragraph(split_sentence(pair, quality, split));
            }
        }
        for judged in &pair.judged {
            view.paragraph(judge_sentence(pair, judged));
        }
        if let Some(tokens) = &pair.tokens {
            view.paragraph(token_sentence(pair, tokens));
        }
        if let Some(agreement) = &pair.agreement {
            view.paragraph(agreement_sentence(agreement, lead(pair, &result.samples)));
        }
        if let Some(quality) = pair.quality.as_ref().filter(|q| !q.losing.is_empty()) {
            view.paragraph(format!(
                "Where {} loses: {} of {}{}.",
                pair.a,
                prompts(quality.losing_prompts),
                quality.prompts,
                if quality.losing.len() < quality.losing_prompts as usize {
                    format!(", the first {} of them", quality.losing.len())
                } else {
                    String::new()
                }
            ));
            view.push(Block::Table(losing(pair, quality)));
        }
    }
}

/// The same weights from several sellers.
pub(super) fn same_weights(view: &mut View, same: &SameWeights) {
    view.heading("The same weights, several sellers");
    view.paragraph(format!(
        "Held against {}. The same text can be expected as often as a target gives it twice itself; where a seller does \
         so clearly less often, it runs other weights, another format of them, or other settings.",
        same.reference
    ));
    let mut table = Table::beside(same.sellers.iter().map(|s| s.target.as_str()));
    let mut row =
        |name: &str, cell: &dyn Fn(&Seller) -> Cell| table.property(name, same.sellers.iter().map(cell));
    let share = |s: Option<&ShareOf>| s.map_or(Cell::None, |s| Cell::Number(s.rate, interval(s)));
    let rate = |r: Option<crate::document::bench::Rate>| {
        r.map_or(Cell::None, |r| {
            Cell::Number(r.rate, format!("{} of {} ({})", r.passed, r.n, percent(r.rate)))
        })
    };
    let number = |v: Option<f64>| v.map_or(Cell::None, |v| Cell::Number(v, number::measured(v)));
    let usd = |v: Option<f64>| v.map_or(Cell::None, |v| Cell::Number(v, Currency::usd().show(v)));
    row("prompts", &|s| Cell::Number(f64::from(s.prompts), s.prompts.to_string()));
    row("same text as the reference", &|s| {
        if s.target == same.reference { "(reference)".into() } else { share(s.equal_text.as_ref()) }
    });
    row("same text twice itself", &|s| share(s.equal_to_itself.as_ref()));
    row("tool calls that fit", &|s| rate(s.tool_calls_fit));
    row("pass rate", &|s| rate(s.pass_rate));
    row("difference from it, points (95 %)", &|s| {
        s.difference.map_or(Cell::None, |d| {
            Cell::Number(
                d.difference,
                format!("{} ({} to {})", points(d.difference), points(d.low), points(d.high)),
            )
        })
    });
    row("worse by more than the margin?", &|s| {
        s.difference.map_or(Cell::None, |d| {
            match d.finding {
                Finding::NonInferior => "no",
                Finding::Inferior => "yes",
                Finding::Undecided => "cannot be said yet",
            }
            .into()
        })
    });
    row("time to the first token, ms", &|s| number(s.ttft_ms));
    row("output tokens a second", &|s| number(s.decode_tps));
    row("per million input tokens", &|s| usd(s.input_usd_per_mtok));
    row("per million output tokens", &|s| usd(s.output_usd_per_mtok));
    row("1,000 of these requests", &|s| usd(s.usd_per_1000));
    view.push(Block::Table(table));
}

/// The judges: their verdicts by rubric, and how far these can be trusted.
pub(in crate::render) fn judges(view: &mut View, judges: &[Judge]) {
    for judge in judges {
        view.heading(format!("Judge: {}", judge.id));
        view.paragraph(judge_itself(judge));
        if judge.rubrics.iter().any(|r| r.judged + r.missing > 0) {
            let mut table = Table::new(&[
                "target",
                "#answers judged",
                "#without a verdict",
                "#meet the rubric",
                "#mean score",
            ]);
            for r in &judge.rubrics {
                table.row_of(vec![
                    r.target.clone().into(),
                    Cell::Number(f64::from(r.judged), r.judged.to_string()),
                    Cell::Number(f64::from(r.missing), r.missing.to_string()),
                    r.passed.as_ref().map_or(Cell::None, |p| Cell::Number(p.rate, interval(p))),
                    r.score.map_or(Cell::None, |s| Cell::Number(s, format!("{s:.2}"))),
                ]);
            }
            view.push(Block::Table(table));
        }
        if let Some(calibration) = &judge.calibration {
            view.paragraph(beside_a_person(calibration));
            if !calibration.targets.is_empty() || !calibration.pairs.is_empty() {
                view.push(Block::List(corrected(calibration)));
            }
        }
    }
}

fn judge_itself(judge: &Judge) -> String {
    let questions = |n: u32| format!("{n} question{}", if n == 1 { "" } else { "s" });
    let mut text = format!("It answered {}", questions(judge.answered));
    if judge.unusable > 0 {
        let _ = write!(
            text,
            ", {} of them without a verdict in the form that was asked for: those count as missing",
            judge.unusable
        );
    }
    text.push('.');
    if judge.form == Some(Form::Json) && judge.answered > judge.unusable {
        text.push_str(" It was held to a form, so it gave a verdict whether or not it understood.");
    }
    if judge.unanswered > 0 {
        let _ = write!(text, " {} got no answer.", questions(judge.unanswered));
    }
    if let Some(fault) = &judge.stopped {
        let _ = write!(text, " It was given up: {}.", fault.message);
    }
    match judge.spent_usd {
        Some(usd) if usd > 0.0 => {
            let _ = write!(text, " It cost {}.", Currency::usd().show(usd));
        }
        Some(_) => {}
        None => text.push_str(" What it cost is not known."),
    }
    if judge.calibration.is_none() && judge.answered > 0 {
        text.push_str(
            " No person has graded any of these answers beside it, so how often it is right is not known.",
        );
    }
    text
}

fn beside_a_person(c: &Calibration) -> String {
    let answers = |n: u32| format!("{n} answer{}", if n == 1 { "" } else { "s" });
    let mut text = format!("Beside a person, on {}:", answers(c.answers));
    let of = |share: &ShareOf, good: &str| {
        format!(" of the answers that the person {good}, it {good} {};", interval(share))
    };
    text.push_str(
        &c.sensitivity.as_ref().map_or_else(|| " the person passed none;".to_owned(), |s| of(s, "passes")),
    );
    text.push_str(
        &c.specificity.as_ref().map_or_else(|| " the person failed none;".to_owned(), |s| of(s, "fails")),
    );
    text.pop();
    text.push('.');
    if c.targets.is_empty() {
        text.push_str(
            " Its pass rates cannot be corrected by that: the sample has only one of the two verdicts, or the judge \
             is no better than chance.",
        );
    }
    text
}

fn corrected(c: &Calibration) -> Vec<String> {
    let rates = c.targets.iter().map(|t| {
        format!(
            "{}: the judge passes {}, a person would pass {} (95 %: {:.0} to {:.0} %).",
            t.target,
            percent(t.judge_rate),
            percent(t.rate),
            t.low * 100.0,
            t.high * 100.0
        )
    });
    let pairs = c.pairs.iter().map(|p| {
        format!(
            "{} less {}: the judge sees {} points, a person would see {} (95 %: {} to {}), from {} with {} graded by \
             the person.",
            p.a,
            p.b,
            points(p.judge_difference),
            points(p.difference),
            points(p.low),
            points(p.high),
            prompts(p.prompts),
            p.graded
        )
    });
    rates.chain(pairs).collect()
}

/// How often all repeats of a prompt pass.
pub(super) fn repeats(view: &mut View, targets: &[Target]) {
    let lines: Vec<String> = targets
        .iter()
        .filter_map(|t| {
            let p = t.pass_hat?;
            Some(format!(
                "{}: {} repeats of a prompt pass in {} of the {} (pass^{}); a single answer passes in {}.",
                t.id,
                if p.k == 2 { "both".to_owned() } else { format!("all {}", p.k) },
                percent(p.share),
                prompts(p.prompts),
                p.k,
                t.pass_rate.map_or_else(|| "?".to_owned(), |r| percent(r.rate)),
            ))
        })
        .collect();
    if !lines.is_empty() {
        view.heading("Agreement of repeats");
        view.push(Block::List(lines));
    }
}

fn prompts(n: u32) -> String {
    format!("{n} prompt{}", if n == 1 { "" } else { "s" })
}

fn percent(share: f64) -> String {
    format!("{:.0} %", share * 100.0)
}

fn points(share: f64) -> String {
    // A difference that rounds to zero has no sign.
    let value = (share * 100.0).round() + 0.0;
    format!("{value:+.0}").replace("+0", "0")
}

/// The same with as many decimals as it takes to see on which side of the margin, and of nothing, it lies: a verdict
/// must not rest on a bound of -9.7 that is printed as -10.
fn points_beside(share: f64, margin: f64) -> String {
    let exact = share * 100.0;
    for decimals in 0..=2 {
        let text = format!("{exact:+.decimals$}");
        let rounded: f64 = text.parse().unwrap_or(exact);
        let sides = [0.0, margin * -100.0];
        if sides.iter().all(|side| rounded.partial_cmp(side) == exact.partial_cmp(side)) {
            return if rounded == 0.0 { "0".to_owned() } else { text };
        }
    }
    points(share)
}

fn interval(share: &ShareOf) -> String {
    format!("{} ({:.0}–{:.0} %)", percent(share.rate), share.low * 100.0, share.high * 100.0)
}

/// `asked`: the prompts that either side was asked.
fn verdict(pair: &Pair, q: &PairQuality, asked: u32) -> String {
    let (a, b) = (&pair.a, &pair.b);
    let margin = number::points(q.margin);
    let said = match q.finding {
        Finding::NonInferior if q.equivalent == Some(true) => {
            format!("Non-inferior within {margin}: yes. No difference that matters either way.")
        }
        Finding::NonInferior if q.difference_low > 0.0 => {
            format!("Non-inferior within {margin}: yes, {a} is the better one.")
        }
        Finding::NonInferior => format!("Non-inferior within {margin}: yes."),
        Finding::Inferior => format!("Non-inferior within {margin}: no, {a} is worse by more than that."),
        Finding::Undecided => {
            let more = q.prompts_needed.map_or_else(String::new, |n| {
                format!(" (about {} more)", prompts(n.saturating_sub(q.prompts)))
            });
            let smoke = if q.smoke_only { " Fewer than 20 prompts: a smoke test only." } else { "" };
            format!("Non-inferior within {margin}: not yet{more}.{smoke}")
        }
    };
    let test = match (q.method, q.p) {
        (PairMethod::Counts, Some(p)) => format!("; McNemar's exact test: p {}", p_value(p)),
        (PairMethod::Shares, Some(p)) => format!("; Wilcoxon's signed-rank test: p {}", p_value(p)),
        _ => String::new(),
    };
    let scores = q.scores.as_ref().map_or_else(String::new, |s| {
        format!(
            " Mean scores: {:.2} and {:.2}, difference {:+.2} (95 %: {:+.2} to {:+.2}).",
            s.a_mean, s.b_mean, s.difference, s.difference_low, s.difference_high
        )
    });
    let difference = points_beside(q.difference, q.margin);
    let unit = if matches!(difference.as_str(), "+1" | "-1") { "point" } else { "points" };
    let left_out = match asked.saturating_sub(q.prompts) {
        0 => String::new(),
        1 => format!(" (1 of {asked} has no grade on both sides and is left out)"),
        n => format!(" ({n} of {asked} have no grade on both sides and are left out)"),
    };
    format!(
        "{said} On {}{left_out}: {a} passes {}, {b} {}; difference {difference} {unit} (95 %: {} to {}){test}.{scores} \
         Both pass {}, only {a} {}, only {b} {}, neither {}.",
        prompts(q.prompts),
        interval(&q.a_pass_rate),
        interval(&q.b_pass_rate),
        points_beside(q.difference_low, q.margin),
        points_beside(q.difference_high, q.margin),
        q.both_pass,
        q.a_only,
        q.b_only,
        q.neither,
    )
}

fn p_value(p: f64) -> String {
    if p < 0.001 { "< 0.001".to_owned() } else { format!("= {p:.3}") }
}

fn until_decided(q: &PairQuality) -> Option<String> {
    let u = q.until_decided.as_ref()?;
    let asked = u.asked.unwrap_or(u.prompts).max(u.prompts);
    let saved = u.planned.saturating_sub(asked);
    let end = if u.futile {
        "given up: that it is not worse would not be shown with a reasonable number of prompts"
    } else if q.finding == Finding::Undecided {
        "not decided with all of them"
    } else {
        "decided"
    };
    let planned = if asked > u.prompts {
        format!("; {asked} of {} planned were asked", u.planned)
    } else {
        format!(" of {} planned", u.planned)
    };
    Some(format!(
        "Asked until decided: {end} after {}{planned}, {saved} saved. It was looked at after every prompt; \
         a wrong verdict has a chance of {:.1} % at most.",
        prompts(u.prompts),
        u.error_rate * 100.0
    ))
}

fn categories(pair: &Pair, q: &PairQuality) -> Table {
    let mut table = Table::new(&[
        "kind of work",
        "#prompts",
        &format!("#{}", pair.a),
        &format!("#{}", pair.b),
        "#difference, points (95 %)",
        "can it move?",
    ]);
    for c in &q.categories {
        table.row_of(vec![
            if c.category.is_empty() { "(none)".into() } else { c.category.clone().into() },
            Cell::Number(f64::from(c.prompts), c.prompts.to_string()),
            Cell::Number(c.a_pass_rate.rate, percent(c.a_pass_rate.rate)),
            Cell::Number(c.b_pass_rate.rate, percent(c.b_pass_rate.rate)),
            Cell::Number(
                c.difference,
                format!(
                    "{} ({} to {})",
                    points_beside(c.difference, q.margin),
                    points_beside(c.difference_low, q.margin),
                    points_beside(c.difference_high, q.margin)
                ),
            ),
            place(c).into(),
        ]);
    }
    table
}

fn place(c: &PairCategory) -> String {
    match (c.place, c.prompts_needed) {
        (Move::CanMove, _) => "yes".to_owned(),
        (Move::MustStay, _) => "no".to_owned(),
        (Move::Unknown, Some(n)) => format!("not yet (about {} more)", n.saturating_sub(c.prompts)),
        (Move::Unknown, None) => "not yet".to_owned(),
    }
}

fn split_sentence(pair: &Pair, q: &PairQuality, split: &Split) -> String {
    const HOLM: &str = "corrected by Holm, unlike the intervals of each kind: the chance of moving even one that is worse by the margin is at most 2.5 %";
    if split.moved.is_empty() {
        return format!("No kind of work is shown to be safe with {} by itself ({HOLM}).", pair.a);
    }
    let usd = Currency::usd();
    let saves = match (split.b_usd_per_1000, split.split_usd_per_1000) {
        (Some(before), Some(after)) if before > 0.0 => format!(
            " The bill of APIs for 1,000 requests falls from {} to {} ({:.0} % less; hardware is not in it).",
            usd.show(before),
            usd.show(after),
            (1.0 - after / before) * 100.0
        ),
        _ => String::new(),
    };
    let rest = if split.moved.len() == q.categories.len() {
        String::new()
    } else {
        format!("; the rest stays with {}", pair.b)
    };
    format!(
        "Split: {} can answer {} ({} of the prompts){rest}. Pass rate with the split: {} ({HOLM}).{saves}",
        pair.a,
        split.moved.iter().map(|m| if m.is_empty() { "(none)" } else { m }).collect::<Vec<_>>().join(", "),
        percent(split.moved_share),
        percent(split.pass_rate),
    )
}

pub(in crate::render) fn judge_sentence(pair: &Pair, j: &PairJudged) -> String {
    let (a, b) = (&pair.a, &pair.b);
    let judged = j.prompts.saturating_sub(j.missing + j.identical);
    let test = j.p.map_or_else(String::new, |p| format!("; sign test: p {}", p_value(p)));
    let mut text = format!(
        "Judge {}: of {}, {a} wins {}, {b} wins {}, ties {}{test}.",
        j.judge,
        prompts(j.prompts),
        j.a_wins,
        j.b_wins,
        j.ties
    );
    if j.identical > 0 {
        let _ = write!(
            text,
            " On {} both answers are the same, which is a tie without asking.",
            prompts(j.identical)
        );
    }
    if j.missing > 0 {
        let _ = write!(text, " {} without a usable verdict, left out.", prompts(j.missing));
    }
    if let Some(flips) = &j.flips {
        let _ = write!(text, " The other order changed the verdict in {} of {judged}", interval(flips));
        text.push_str(if flips.rate > DOUBTFUL { ": this judge is doubtful." } else { "." });
    }
    if let Some(first) = &j.first_position {
        let _ = write!(text, " It chose the answer shown first in {}.", interval(first));
    }
    if let Some(longer) = &j.longer_wins {
        let _ = write!(text, " The longer answer won in {} of the decided pairs.", interval(longer));
    }
    if let Some(equal) = &j.a_wins_equal_length {
        let _ = write!(text, " Of pairs of equal length {a} won {}.", interval(equal));
    }
    if !j.own_family.is_empty() {
        let _ = write!(
            text,
            " {} of the judge's own family of models, which it may prefer.",
            match &j.own_family[..] {
                [one] => format!("{one} is"),
                more => format!("{} are", more.join(" and ")),
            }
        );
    }
    text
}

fn token_sentence(pair: &Pair, t: &PairTokens) -> String {
    let band = match (t.ratio_low, t.ratio_high) {
        (Some(low), Some(high)) => {
            format!(" (95 %: {} to {})", number::measured(low), number::measured(high))
        }
        _ => String::new(),
    };
    format!(
        "Tokens per answer: {} writes {}, {} writes {}: {} times as many{band}. Each counts its own tokens.",
        pair.a,
        number::measured(t.a_output),
        pair.b,
        number::measured(t.b_output),
        number::measured(t.ratio),
    )
}

/// Prompts that either side of a pair was asked.
fn asked(pair: &Pair, samples: &[Sample]) -> u32 {
    let of_pair = samples.iter().filter(|s| s.target == pair.a || s.target == pair.b);
    let ids: BTreeSet<&str> = of_pair.map(|s| s.prompt_id.as_str()).collect();
    u32::try_from(ids.len()).unwrap_or(u32::MAX)
}

/// What an agreement is beside: a verdict, expectations that no answer could be held against, or neither.
fn lead(pair: &Pair, samples: &[Sample]) -> &'static str {
    let of_pair = |s: &&Sample| s.target == pair.a || s.target == pair.b;
    if pair.quality.is_some() {
        "Agreement of the answers"
    } else if samples.iter().filter(of_pair).any(|s| s.not_graded.is_some()) {
        "No prompt has a grade on both sides (the warnings say why), so this is agreement, not quality: both can be wrong alike. The answers"
    } else {
        "Nothing is expected of these prompts, so this is agreement, not quality: both can be wrong alike. The answers"
    }
}

fn agreement_sentence(agreement: &PairAgreement, lead: &str) -> String {
    format!(
        "{lead}: the same text on {} of {}; chrF {:.2}, ROUGE-L {:.2} (1 is the same text).",
        interval(&agreement.equal),
        prompts(agreement.prompts),
        agreement.chrf,
        agreement.rouge_l
    )
}

/// For the memo: the split between the two sides, and the first prompts that the local side loses.
pub(in crate::render) fn in_short(view: &mut View, pair: &Pair) {
    const MOST: usize = 5;
    let Some(quality) = &pair.quality else { return };
    if let Some(split) = &quality.split {
        view.paragraph(split_sentence(pair, quality, split));
    }
    if quality.losing.is_empty() {
        return;
    }
    let shown = quality.losing.len().min(MOST);
    let part = if shown < quality.losing_prompts as usize {
        format!("; the first {shown} of them")
    } else {
        String::new()
    };
    view.paragraph(format!(
        "Where {} loses to {}: {} of {}{part}.",
        pair.a,
        pair.b,
        prompts(quality.losing_prompts),
        quality.prompts
    ));
    let first = PairQuality { losing: quality.losing[..shown].to_vec(), ..quality.clone() };
    view.push(Block::Table(losing(pair, &first)));
}

fn losing(pair: &Pair, q: &PairQuality) -> Table {
    let shown = |text: &str| {
        let one_line = text.split_whitespace().collect::<Vec<_>>().join(" ");
        if one_line.chars().count() > SHOWN {
            one_line.chars().take(SHOWN).chain(['…']).collect()
        } else {
            one_line
        }
    };
    let mut table = Table::new(&["prompt", "asked", &pair.a, &pair.b, "failed"]);
    for l in &q.losing {
        let times = |[passed, graded]: [u32; 2]| {
            if graded > 1 { format!("[{passed} of {graded}] ") } else { String::new() }
        };
        table.row_of(vec![
            l.prompt_id.clone().into(),
            shown(&l.prompt).into(),
            format!("{}{}", times(l.a_passed), shown(&l.a_text)).into(),
            format!("{}{}", times(l.b_passed), shown(&l.b_text)).into(),
            l.a_failed.join(", ").into(),
        ]);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::points_beside;

    #[test]
    fn a_bound_is_printed_on_its_own_side_of_the_margin_and_of_nothing() {
        for (share, text) in [
            (-0.097, "-9.7"),
            (-0.1, "-10"),
            (-0.104, "-10.4"),
            (-0.12, "-12"),
            (0.003, "+0.3"),
            (-0.0004, "-0.04"),
            (0.0, "0"),
            (-0.0733, "-7"),
        ] {
            assert_eq!(points_beside(share, 0.1), text, "{share}");
        }
    }
}
