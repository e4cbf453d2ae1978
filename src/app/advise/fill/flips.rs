//! What would flip a decision: other answers about the same options, and values at which it changes.

use super::decided::{Decided, requests_now, usd};
use super::option_rows::name;
use crate::advise::Placement;
use crate::advise::options::{Terms, choose};
use crate::document::advice::{Flip, text};
use crate::number;
use crate::workload::{Budget, Operations, Privacy};

/// What would flip the decision: other answers about the same options, and values.
pub(super) fn flips(decided: &Decided<'_>) -> Vec<Flip> {
    let Decided { pricing, choice, terms, .. } = decided;
    let here = pricing.options[choice.chosen].kind.placement();
    let mut found = numbers(decided);
    let mut consider = |what: &str, to: &str, changed: &Terms, condition: &str| {
        let Some(other) = choose(&pricing.options, Some(&pricing.totals), changed) else { return };
        let option = &pricing.options[other.chosen];
        let placement = option.kind.placement();
        if placement == here || found.iter().any(|f| f.what == what) {
            return;
        }
        let (Some(cost), Some(now)) = (option.cost, pricing.options[choice.chosen].cost) else { return };
        let change = cost.tco - now.tco;
        let change = if change < 0.0 {
            format!("{} less over {} months", usd(-change), pricing.case.need.horizon)
        } else {
            format!("{} more over {} months", usd(change), pricing.case.need.horizon)
        };
        found.push(Flip {
            what: what.to_owned(),
            to: Some(to.to_owned()),
            placement,
            settled_by: None,
            at: None,
            today: None,
            text: format!(
                "{condition}: {} ({}), {change}.",
                text::place(placement),
                name(decided, other.chosen)
            ),
        });
    };
    let with = |change: fn(&mut Terms)| {
        let mut changed = *terms;
        change(&mut changed);
        changed
    };
    for (privacy, condition) in [
        (Privacy::Sensitive, "If a provider with an agreement might see the data"),
        (Privacy::Standard, "If a provider might see the data"),
        (Privacy::Strict, "If the data had to stay in"),
    ] {
        let mut changed = *terms;
        changed.answers.privacy = privacy;
        if privacy != terms.answers.privacy {
            consider("privacy", privacy.key(), &changed, condition);
        }
    }
    if terms.answers.operations == Operations::Limited {
        consider(
            "operations",
            "available",
            &with(|t| t.answers.operations = Operations::Available),
            "If somebody had the time to run it",
        );
    } else {
        consider(
            "operations",
            "limited",
            &with(|t| t.answers.operations = Operations::Limited),
            "If nobody had the time to run it",
        );
    }
    if terms.answers.budget == Budget::Opex {
        consider(
            "budget",
            "capex",
            &with(|t| {
                t.answers.budget = Budget::Capex;
                t.up_front = None;
            }),
            "If money could be spent up front",
        );
    } else {
        consider(
            "budget",
            "opex",
            &with(|t| {
                t.answers.budget = Budget::Opex;
                t.up_front = None;
            }),
            "If nothing could be spent up front",
        );
    }
    if terms.answers.operations == Operations::Limited && terms.answers.budget == Budget::Opex {
        // A machine that somebody looks after needs both answers.
        consider(
            "operations",
            "available",
            &with(|t| {
                t.answers.operations = Operations::Available;
                t.answers.budget = Budget::Capex;
                t.up_front = None;
            }),
            "If somebody had the time to run it and money could be spent up front",
        );
    }
    consider(
        "capability",
        "measured",
        &with(|t| t.answers.capability = crate::workload::Capability::Moderate),
        "If the open model were measured to be good enough on your prompts",
    );
    for modifier in terms.modifiers.iter() {
        let changed = Terms { modifiers: terms.modifiers.without(modifier), ..*terms };
        consider(modifier.key(), "no", &changed, &format!("Without \"{}\"", text::modifier(modifier)));
    }
    found
}

/// A need is not expected to grow so many times.
const FAR: f64 = 100.0;

/// The values at which the decision changes: requests, US dollars, pass rate.
fn numbers(decided: &Decided<'_>) -> Vec<Flip> {
    let Decided { pricing, choice, .. } = decided;
    let Some((cloud, own)) = decided.rivals else { return Vec::new() };
    // Where privacy decides, no number changes the decision.
    if choice.next.is_none() {
        return Vec::new();
    }
    let turns = &decided.turns;
    let here = pricing.options[choice.chosen].kind.placement();
    let (cheap_cloud, cheap_own) = (name(decided, cloud), name(decided, own));
    let mut found = Vec::new();
    let mut add = |what: &str, at: f64, today: Option<f64>, placement: Placement, text: String| {
        found.push(Flip {
            what: what.to_owned(),
            to: Some(number::plain(at)),
            placement,
            settled_by: None,
            at: Some(at),
            today,
            text,
        });
    };
    let requests = requests_now(pricing);
    let but = match choice.excluded[own] {
        Some(limit) if here == Placement::Cloud => format!(" (but {})", text::limit(limit)),
        _ => String::new(),
    };
    // By the likely values alone the other one would be cheaper already: the matrix's paragraph says so.
    let already = |at: f64| requests.is_some_and(|now| at > 0.0 && (here == Placement::Cloud) == (at <= now));
    match turns.requests {
        Some(at) if already(at) => {}
        Some(at) if here == Placement::Cloud && requests.is_some_and(|now| at > now * FAR) => {
            add(
                "requests_per_month",
                at,
                requests,
                Placement::Local,
                format!(
                    "More requests do not change it: only from {} a month on would {cheap_own} cost less.",
                    number::short(at)
                ),
            );
        }
        Some(at) if at > 0.0 => {
            let dollars = turns
                .usd_per_month
                .zip(requests)
                .map(|(usd_now, now)| format!(", an API bill of about {} a month", usd(usd_now / now * at)))
                .unwrap_or_default();
            if here == Placement::Cloud {
                add(
                    "requests_per_month",
                    at,
                    requests,
                    Placement::Local,
                    format!(
                        "From about {} requests a month on{dollars}, {cheap_own} costs less{but}.",
                        number::short(at)
                    ),
                );
            } else {
                add(
                    "requests_per_month",
                    at,
                    requests,
                    Placement::Cloud,
                    format!(
                        "Below about {} requests a month{dollars}, {cheap_cloud} costs less.",
                        number::short(at)
                    ),
                );
            }
        }
        _ if here == Placement::Cloud => {
            found.push(Flip {
                what: "requests_per_month".to_owned(),
                to: None,
                placement: here,
                settled_by: None,
                at: None,
                today: requests,
                text: format!("More requests alone do not change it: {cheap_own} costs more at any volume."),
            });
            return with_price(decided, found, &cheap_cloud, here, &but);
        }
        _ => {}
    }
    with_price(decided, found, &cheap_cloud, here, &but)
}

fn with_price(
    decided: &Decided<'_>,
    mut found: Vec<Flip>,
    cheap_cloud: &str,
    here: Placement,
    but: &str,
) -> Vec<Flip> {
    let turns = &decided.turns;
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
