//! What would flip a decision: other answers, and values at which it changes. Answers and volumes are tried:
//! the need is decided anew with each, so that whoever follows the advice finds what it says.

use super::decided::{Decided, requests_now, usd};
use super::option_rows::name;
use crate::advise::options::{Kind, OptionCost, Terms, choose};
use crate::advise::{Placement, QualityStanding};
use crate::app::advise::pricing::{DRAWING, Turns};
use crate::cost::Drawing;
use crate::document::advice::{Flip, text};
use crate::number;
use crate::workload::keys::{Key, answers, find, need};
use crate::workload::{Budget, Capability, Given, NeedDraft, Operations, Privacy, Range, Value};
use rayon::prelude::*;

/// What another need is decided to.
#[derive(Debug, Clone)]
pub(crate) struct Again {
    placement: Placement,
    /// The chosen option.
    name: String,
    cost: Option<OptionCost>,
    /// No option meets every answer.
    gives: bool,
}

impl Again {
    pub(crate) fn of(decided: &Decided<'_>) -> Self {
        let Decided { pricing, choice, .. } = decided;
        let option = &pricing.options[choice.chosen];
        Self {
            placement: option.kind.placement(),
            name: name(decided, choice.chosen),
            cost: option.cost,
            gives: !choice.gives.is_empty(),
        }
    }
}

/// Decides another need, on the same evidence; `None` where nothing can be chosen.
pub(crate) type Decide<'f> = dyn Fn(&NeedDraft, Drawing) -> Option<Again> + Sync + 'f;

/// What would flip the decision: values, and other answers.
pub(super) fn flips(decided: &Decided<'_>, draft: &NeedDraft, again: &Decide<'_>) -> Vec<Flip> {
    let mut found = volumes(decided, draft, again);
    found.extend(price_and_pass_rate(decided));
    let trials = trials(&decided.terms, draft);
    let tried: Vec<Option<Again>> =
        trials.par_iter().map(|trial| again(&trial.draft, DRAWING_OF_A_TRIAL)).collect();
    for (trial, other) in trials.iter().zip(tried) {
        if let Some(flip) = other.and_then(|other| trial.flip(decided, &other))
            && found.iter().all(|f| f.what != flip.what)
        {
            found.push(flip);
        }
    }
    if found.iter().all(|f| f.what != "capability") {
        found.extend(good_enough(decided));
    }
    found
}

/// A need with another answer.
struct Trial {
    what: String,
    to: String,
    draft: NeedDraft,
    condition: String,
    /// The most that may be spent up front now, US dollars, where this is what is lifted.
    limit: Option<f64>,
}

impl Trial {
    /// The change of the placement; `None` where it stays.
    fn flip(&self, decided: &Decided<'_>, other: &Again) -> Option<Flip> {
        let condition = match (self.limit, other.cost) {
            (Some(limit), Some(cost)) => {
                format!("If {} could be spent up front, not {}", usd(cost.capex), usd(limit))
            }
            _ => self.condition.clone(),
        };
        flip(decided, (&self.what, &self.to), other, &condition)
    }
}

/// The flip to another decision; `None` where the placement stays, or where something has no price.
fn flip(decided: &Decided<'_>, (what, to): (&str, &str), other: &Again, condition: &str) -> Option<Flip> {
    let Decided { pricing, choice, .. } = decided;
    let here = &pricing.options[choice.chosen];
    if other.placement == here.kind.placement() {
        return None;
    }
    let change = other.cost?.tco - here.cost?.tco;
    let horizon = pricing.case.need.horizon;
    let change = if change < 0.0 {
        format!("{} less over {horizon} months", usd(-change))
    } else {
        format!("{} more over {horizon} months", usd(change))
    };
    let gives = if other.gives { "; nothing would meet every answer then" } else { "" };
    Some(Flip {
        what: what.to_owned(),
        to: Some(to.to_owned()),
        placement: other.placement,
        settled_by: None,
        at: None,
        today: None,
        text: format!("{condition}: {} ({}), {change}{gives}.", text::place(other.placement), other.name),
    })
}

/// The other answers that are tried, those that matter most to people first.
fn trials(terms: &Terms, draft: &NeedDraft) -> Vec<Trial> {
    let mut all = Vec::new();
    let mut add =
        |what: &str, to: &str, condition: &str, limit: Option<f64>, change: &dyn Fn(&mut NeedDraft)| {
            let mut draft = draft.clone();
            change(&mut draft);
            all.push(Trial {
                what: what.to_owned(),
                to: to.to_owned(),
                draft,
                condition: condition.to_owned(),
                limit,
            });
        };
    let word = |draft: &mut NeedDraft, key: &'static Key, word: &str| {
        draft.set(key, Given::chosen(Value::Text(word.to_owned()), "tried", "another answer"));
    };
    for (privacy, condition) in [
        (Privacy::Sensitive, "If a provider with an agreement might see the data"),
        (Privacy::Standard, "If a provider might see the data"),
        (Privacy::Strict, "If the data had to stay in"),
    ] {
        if privacy != terms.answers.privacy {
            add("privacy", privacy.key(), condition, None, &|draft| {
                draft.unset(answers::PRIVACY_REASON);
                word(draft, answers::PRIVACY, privacy.key());
            });
        }
    }
    let spend = |draft: &mut NeedDraft, budget: Budget| {
        word(draft, answers::BUDGET, budget.key());
        draft.unset(answers::UP_FRONT);
    };
    let limited = terms.answers.operations == Operations::Limited;
    let (to, condition) = if limited {
        (Operations::Available, "If somebody had the time to run it")
    } else {
        (Operations::Limited, "If nobody had the time to run it")
    };
    add("operations", to.key(), condition, None, &|draft| word(draft, answers::OPERATIONS, to.key()));
    let nothing = terms.answers.budget == Budget::Opex && terms.up_front.is_none();
    if let Some(limit) = terms.up_front {
        let what = answers::UP_FRONT.name;
        add(what, "", "", Some(limit), &|draft| spend(draft, Budget::Capex));
    }
    if nothing {
        let condition = "If money could be spent up front";
        add("budget", Budget::Capex.key(), condition, None, &|draft| spend(draft, Budget::Capex));
    } else {
        let condition = "If nothing could be spent up front";
        add("budget", Budget::Opex.key(), condition, None, &|draft| spend(draft, Budget::Opex));
    }
    if limited && nothing {
        // A machine that somebody looks after needs both answers.
        let condition = "If somebody had the time to run it and money could be spent up front";
        add("operations", Operations::Available.key(), condition, None, &|draft| {
            word(draft, answers::OPERATIONS, Operations::Available.key());
            spend(draft, Budget::Capex);
        });
    }
    for modifier in terms.modifiers.iter() {
        let name = format!("{}{}", answers::MODIFIER, modifier.key());
        if let Some(key) = find(answers::KEYS, &name) {
            let condition = format!("Without \"{}\"", text::modifier(modifier));
            add(modifier.key(), "no", &condition, None, &|draft| draft.unset(key));
        }
    }
    all
}

/// The decision if the open model were measured to be good enough, where it would then be used.
fn good_enough(decided: &Decided<'_>) -> Option<Flip> {
    let Decided { pricing, terms, .. } = decided;
    let mut changed = *terms;
    changed.answers.capability = changed.answers.capability.min(Capability::Moderate);
    changed.quality = Some(QualityStanding::NonInferior);
    let other = choose(&pricing.options, Some(&pricing.totals), &changed)?;
    let option = &pricing.options[other.chosen];
    if !option.open_model {
        return None;
    }
    let other = Again {
        placement: option.kind.placement(),
        name: name(decided, other.chosen),
        cost: option.cost,
        gives: !other.gives.is_empty(),
    };
    let condition = "If the open model were measured to be good enough on your prompts";
    flip(decided, ("capability", "measured"), &other, condition)
}

/// How many times as many requests, or as few, are tried.
const FAR: f64 = 100.0;

/// Draws behind each need that is tried.
const DRAWING_OF_A_TRIAL: Drawing = Drawing { count: 2_000, ..DRAWING };

/// The need with this many times the requests.
fn scaled(draft: &NeedDraft, factor: f64) -> NeedDraft {
    let mut scaled = draft.clone();
    for key in [need::REQUESTS_PER_MONTH, need::TOKENS_PER_MONTH, need::PEAK_REQUESTS_PER_SECOND] {
        if let Some(given) = draft.fields().get(key.name)
            && let Some(range) = given.value.range()
        {
            let range =
                Range { low: range.low * factor, likely: range.likely * factor, high: range.high * factor };
            scaled.set(key, Given { value: Value::Number(range), source: given.source.clone() });
        }
    }
    scaled
}

/// The nearest volumes, above and below today's, at which another placement is decided: each volume tried is
/// planned, priced and decided anew.
fn volumes(decided: &Decided<'_>, draft: &NeedDraft, again: &Decide<'_>) -> Vec<Flip> {
    let Decided { pricing, choice, .. } = decided;
    let here = pricing.options[choice.chosen].kind.placement();
    // Where the answers leave one place, no volume changes it.
    let Some(now) = requests_now(pricing).filter(|_| choice.next.is_some()) else { return Vec::new() };
    let at = |factor: f64| again(&scaled(draft, factor), DRAWING_OF_A_TRIAL).filter(|a| a.placement != here);
    let steps = [2.0, 5.0, 10.0, 30.0, FAR];
    let mut found = Vec::new();
    // With fewer requests a machine of one's own is no cheaper beside the cloud.
    let directions: &[bool] = if here == Placement::Cloud { &[true] } else { &[true, false] };
    for &up in directions {
        let factor = |step: f64| if up { step } else { 1.0 / step };
        let tried: Vec<Option<Again>> = steps.par_iter().map(|step| at(factor(*step))).collect();
        let first = tried.into_iter().enumerate().find_map(|(n, turned)| Some((n, turned?)));
        let Some((n, mut turned)) = first else {
            if up && here == Placement::Cloud {
                found.push(Flip {
                    what: need::REQUESTS_PER_MONTH.name.to_owned(),
                    to: None,
                    placement: here,
                    settled_by: None,
                    at: None,
                    today: Some(now),
                    text: format!(
                        "More requests alone do not change it: up to {FAR} times as many were tried."
                    ),
                });
            }
            continue;
        };
        let (mut stays, mut turns) = (if n == 0 { 1.0 } else { steps[n - 1] }, steps[n]);
        for _ in 0..5 {
            let middle = (stays * turns).sqrt();
            match at(factor(middle)) {
                Some(other) => (turns, turned) = (middle, other),
                None => stays = middle,
            }
        }
        let requests = now * factor(turns);
        let bill = decided.turns.usd_per_month.filter(|bill| *bill > 0.0);
        let bill = bill.map_or_else(String::new, |bill| {
            format!(" (an API bill of about {} a month)", usd(bill * factor(turns)))
        });
        found.push(Flip {
            what: need::REQUESTS_PER_MONTH.name.to_owned(),
            to: Some(number::plain(requests)),
            placement: turned.placement,
            settled_by: None,
            at: Some(requests),
            today: Some(now),
            text: format!(
                "At about {} requests a month{bill}: {} ({}).",
                number::short(requests),
                text::place(turned.placement),
                turned.name
            ),
        });
    }
    found
}

/// The price of the API, and the share of good answers, at which the cheapest of the other side costs the same.
fn price_and_pass_rate(decided: &Decided<'_>) -> Vec<Flip> {
    let Decided { pricing, choice, .. } = decided;
    let Some((cloud, own)) = decided.rivals.filter(|_| choice.next.is_some()) else { return Vec::new() };
    let here = &pricing.options[choice.chosen].kind;
    // Both prices of a split change with that of the API: there is no such pair.
    if matches!(here, Kind::Routed | Kind::Overflow) {
        return Vec::new();
    }
    let tco = |n: usize| pricing.options[n].cost.map(|c| c.tco);
    // A dearer API gives way to another cloud option first, where one is cheaper than the own machine.
    let cheaper = |n: usize| {
        n != cloud
            && choice.excluded[n].is_none()
            && pricing.options[n].kind.placement() == Placement::Cloud
            && tco(n) < tco(own)
    };
    let another = here.placement() == Placement::Cloud && (0..pricing.options.len()).any(cheaper);
    let but = match choice.excluded[own] {
        Some(limit) if here.placement() == Placement::Cloud => format!(" (but {})", text::limit(limit)),
        _ => String::new(),
    };
    let mut turns = decided.turns;
    turns.api_usd_per_mtok = turns.api_usd_per_mtok.filter(|_| !another);
    with_price(&turns, &name(decided, cloud), here.placement(), &but)
}

fn with_price(turns: &Turns, cheap_cloud: &str, here: Placement, but: &str) -> Vec<Flip> {
    let mut found = Vec::new();
    let turned = turns.api_usd_per_mtok.filter(|(at, today)| (here == Placement::Cloud) == (at > today));
    if let Some((at, today)) = turned {
        let (placement, text) = if here == Placement::Cloud {
            let times = if today > 0.0 {
                format!(", {} times today's", number::measured(at / today))
            } else {
                String::new()
            };
            (
                Placement::Local,
                format!(
                    "If {cheap_cloud} cost more than {} per million tokens{times}, running it yourself would cost less{but}.",
                    usd(at)
                ),
            )
        } else {
            (
                Placement::Cloud,
                format!(
                    "If {cheap_cloud} cost less than {} per million tokens (today {}), it would be the cheaper one.",
                    usd(at),
                    usd(today)
                ),
            )
        };
        if at.is_finite() && (at - today).abs() > 1e-12 {
            found.push(Flip {
                what: "api_usd_per_mtok".to_owned(),
                to: Some(number::plain(at)),
                placement,
                settled_by: None,
                at: Some(at),
                today: Some(today),
                text,
            });
        }
    }
    if let Some(rate) = turns.pass_rate.filter(|r| here != Placement::Cloud && *r > 0.0) {
        found.push(Flip {
            what: "pass_rate".to_owned(),
            to: Some(number::plain(rate)),
            placement: Placement::Cloud,
            settled_by: None,
            at: Some(rate),
            today: None,
            text: format!(
                "If fewer than {} of the open model's answers were good enough, and the others went on to the API, the API alone would cost less.",
                number::percent(rate)
            ),
        });
    }
    found
}
