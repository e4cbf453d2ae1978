//! The sentences of the breakeven document.

use super::{BreakevenResult, CloudOffer, Comparator, Comparison};
use crate::cost::case::Elsewhere;
use crate::cost::{Case, Never, Notice, Offer};
use crate::document::envelope::Warning;
use crate::money::Currency;
use crate::number::{grouped, percent};
use crate::units::Usd;
use std::collections::BTreeSet;
use std::fmt::Write as _;

/// A count in words: `1.2 billion`, `3.4 million`, `12,300`.
pub fn count(value: f64) -> String {
    match value.abs() {
        v if v >= 1e9 => format!("{:.1} billion", value / 1e9),
        v if v >= 1e6 => format!("{:.1} million", value / 1e6),
        v if v >= 10.0 => grouped(value.round(), 0),
        _ => format!("{value:.2}"),
    }
}

pub fn months(value: f64) -> String {
    if value < 0.05 { "at once".to_owned() } else { format!("{value:.1} months") }
}

pub fn never(reason: Never, money: &Currency) -> String {
    match reason {
        Never::RunningCost { cloud, local } if money.show(local.get()) == money.show(cloud.get()) => format!(
            "running it costs as much as the API, {} a month: there is no saving to pay back with",
            money.show(local.get())
        ),
        Never::RunningCost { cloud, local } => format!(
            "running it costs {} a month against {}: there is no saving to pay back with",
            money.show(local.get()),
            money.show(cloud.get())
        ),
        Never::SavingEnds { best_month, still_missing } => format!(
            "the monthly saving ends after month {} with {} still to be earned back",
            best_month + 1,
            money.show(still_missing.get())
        ),
        Never::Replacements { life_months } => {
            format!("the hardware wears out every {life_months} months, before it has paid for itself")
        }
        Never::TooFar { months } => format!("it would take more than {} years", months / 12),
    }
}

/// A price that changes on a date: `$0.40 instead of $0.20 for 1,000 requests (twice as much)`.
pub fn price_change(before: Usd, after: Usd, change: f64, money: &Currency) -> String {
    let by = match change {
        c if (c - 1.0).abs() < 0.005 => "twice as much".to_owned(),
        c if (c + 0.5).abs() < 0.005 => "half as much".to_owned(),
        c => format!("{} {}", percent(c.abs()), if c > 0.0 { "more" } else { "less" }),
    };
    format!(
        "{} instead of {} for 1,000 requests ({by})",
        money.show(after.get() * 1000.0),
        money.show(before.get() * 1000.0)
    )
}

/// A note that the two sides differ in capability, so that a payback compares unequal models; `None` where
/// they are equal.
pub fn quality(cloud: &Offer, local: &Offer) -> Option<String> {
    let (c, l) = (cloud.tier, local.tier);
    match (c, l) {
        (Some(c), Some(l)) if c < l => Some(format!(
            "not the same quality: {} is tier {c}, {} tier {l} (1 is the most capable)",
            cloud.name, local.name
        )),
        (Some(c), Some(l)) if c > l => {
            Some(format!("{} is the more capable model (tier {l} against {c})", local.name))
        }
        // Equal; or neither side names a model, so that there is nothing to compare.
        (Some(_), Some(_)) | (None, None) => None,
        _ => Some("capability of one side is not known: compare the answers before the prices".to_owned()),
    }
}

/// The summary in at most eight lines. The first six have what decides: payback, totals, what changes
/// before the horizon, both sides together where that is cheapest, the break-even volume, and the odds. The
/// other comparisons follow.
pub fn summary(case: &Case, result: &BreakevenResult) -> Vec<String> {
    let money = &case.finance.currency;
    let mut lines = Vec::new();
    let Some(head) = result.comparisons.first() else { return lines };
    lines.push(headline(head, money));
    lines.push(totals(head, result, money));
    lines.extend(on_the_way(case, head, result));
    lines.extend(both_together(result, money));
    lines.extend(volume_line(head, result));
    lines.extend(odds(result));
    let over =
        |c: &Comparison| format!("{} over {} months", money.show(c.tco_cloud_usd), result.horizon_months);
    let other = |wanted: Comparator| result.comparisons.iter().skip(1).find(|c| c.comparator == wanted);
    if let Some(same) = other(Comparator::SameModel) {
        lines.push(format!("The same model by the token costs {}: {}", over(same), headline(same, money)));
    }
    if let Some(capable) = other(Comparator::AsCapable) {
        let costs = over(capable);
        let pays = headline(capable, money);
        let months = result.horizon_months;
        lines.push(format!(
            "The cheapest other API of the same tier or a better one that is sold for all {months} months costs {costs}: {pays}"
        ));
    }
    if let Some(rented) = other(Comparator::RentedGpu) {
        lines.push(format!(
            "The same GPU rented by the hour costs {} over the horizon.",
            money.show(rented.tco_local_usd)
        ));
    }
    lines.truncate(8);
    lines
}

/// The totals of both sides, and how much of the local one is only a residual value.
fn totals(head: &Comparison, result: &BreakevenResult, money: &Currency) -> String {
    let mut line = format!(
        "Over {} months {} costs {}, {} {}: {} costs {} less",
        result.horizon_months,
        head.cloud,
        money.show(head.tco_cloud_usd),
        head.local,
        money.show(head.tco_local_usd),
        cheaper(head, result),
        money.show(head.saving_usd.abs()),
    );
    // Say so where local is cheaper only because the hardware is counted as sold at the horizon.
    let residual = result.local.iter().find(|l| l.name == head.local).map_or(0.0, |l| l.residual_usd);
    if head.saving_usd > 0.0 && residual > head.saving_usd {
        let _ = write!(
            line,
            ", but only if the hardware is then sold for {}; without that it costs {} more",
            money.show(residual),
            money.show(residual - head.saving_usd)
        );
    }
    line.push('.');
    line
}

/// What changes before the horizon and affects the answer: prices that change on a date, prices that drift,
/// units that are added, a model that is retired.
fn on_the_way(case: &Case, head: &Comparison, result: &BreakevenResult) -> Option<String> {
    let mut parts = Vec::new();
    let cloud = result.cloud.iter().find(|c| c.name == head.cloud);
    let local = result.local.iter().find(|l| l.name == head.local);
    if let Some(c) = cloud {
        if let Some(day) = &c.retires {
            parts.push(format!("{} is served until {day} only", c.name));
        }
        let changes = c.events.iter().filter(|e| e.kind == "price-change").take(2);
        parts.extend(changes.map(|e| format!("from {} {} charges {}", e.date, c.name, lower(&e.what))));
    }
    let drift = case.inputs.iter().find(|i| i.name == "cloud.price_change_per_year");
    if let Some(range) = drift.and_then(|i| i.value.range()).filter(|r| r.likely != 0.0) {
        let way = if range.likely < 0.0 { "fall" } else { "rise" };
        parts.push(format!("API prices are taken to {way} by {} a year", percent(range.likely.abs())));
    }
    if let Some(l) = local {
        if l.units_at_horizon > l.units {
            let steps: Vec<&str> =
                l.events.iter().filter(|e| e.kind == "units").map(|e| e.date.as_str()).collect();
            let (first, last) = (steps.first().unwrap_or(&""), steps.last().unwrap_or(&""));
            let when = if first == last { format!("in {first}") } else { format!("from {first} to {last}") };
            let become_so_many = if l.units == 1 { "unit becomes" } else { "units become" };
            parts.push(format!(
                "the load outgrows the hardware {when}: {} {become_so_many} {}",
                l.units, l.units_at_horizon
            ));
        }
        let replaced = l.events.iter().find(|e| e.kind == "replacement");
        parts.extend(replaced.map(|e| format!("worn-out hardware is bought again in {}", e.date)));
        let late = l.events.iter().find(|e| e.kind == "delivery");
        parts.extend(
            late.map(|e| format!("the hardware works from {} on, and until then the API is paid", e.date)),
        );
    }
    (!parts.is_empty()).then(|| format!("On the way: {}.", parts.join("; ")))
}

fn lower(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |c| c.to_lowercase().collect::<String>() + chars.as_str())
}

/// The sentence on using both sides together, where that is the cheapest.
fn both_together(result: &BreakevenResult, money: &Currency) -> Option<String> {
    let h = result.hybrid.as_ref()?;
    let months = result.horizon_months;
    match h.cheapest.as_str() {
        "routed" => h.routed.as_ref().map(|r| {
            format!(
                "Cheapest of all is both together: {} of the requests on {}, the rest and what it passes on through {}, {} over {months} months.",
                percent(r.local_share),
                h.local,
                h.cloud,
                money.show(r.tco_usd)
            )
        }),
        "overflow" => h.overflow.as_ref().map(|o| {
            let units = if o.best_units == 1 { "1 unit".to_owned() } else { format!("{} units", o.best_units) };
            format!(
                "Cheapest of all is both together: {units} of {} for the base load and {} for what exceeds it, {} over {months} months.",
                h.local,
                h.cloud,
                money.show(o.tco_usd)
            )
        }),
        _ => None,
    }
}

/// In how many draws local is cheaper, and when half of them have paid back.
fn odds(result: &BreakevenResult) -> Option<String> {
    let u = result.uncertainty.as_ref()?;
    let p = u.probability_local_cheaper?;
    let horizon = f64::from(result.horizon_months);
    let half = match u.payback_p50 {
        None => ". In fewer than half of all cases it ever pays back".to_owned(),
        Some(m) if m < 0.05 => "; in half of all cases or more it is so from the first month".to_owned(),
        Some(m) if m > horizon => {
            ". In fewer than half of all cases it pays back within that time".to_owned()
        }
        Some(m) => format!(". In half of all cases it pays back within {m:.1} months"),
    };
    // More have paid back than cost less in the end.
    let again = if u.payback_p50.is_some_and(|m| m <= horizon) && p < 0.5 {
        ", and in some of them falls behind again later"
    } else {
        ""
    };
    let head = result.comparisons.first()?;
    // A share that only rounds to 0 or 100 % is not called certain.
    let cases = match p {
        p if p >= 1.0 => format!("every one of {} draws", grouped(f64::from(u.draws), 0)),
        p if p <= 0.0 => format!("none of {} draws", grouped(f64::from(u.draws), 0)),
        p if p > 0.99 => "more than 99 of 100 cases".to_owned(),
        p if p < 0.01 => "fewer than 1 of 100 cases".to_owned(),
        p => format!("{:.0} of 100 cases", p * 100.0),
    };
    Some(format!(
        "Over the ranges of what is assumed, {} costs less than {} over {} months in {cases}{half}{again}.",
        head.local, head.cloud, result.horizon_months,
    ))
}

/// The cheaper side: "local" or "cloud" where these words are clear, otherwise its name.
fn cheaper<'a>(c: &'a Comparison, result: &BreakevenResult) -> &'a str {
    let bought = result.local.iter().any(|l| l.name == c.local);
    let paid_by_token = result.cloud.iter().any(|o| o.name == c.cloud && o.billed_hours_per_month.is_none());
    match (c.saving_usd >= 0.0, bought && paid_by_token) {
        (true, true) => "local",
        (false, true) => "cloud",
        (true, false) => &c.local,
        (false, false) => &c.cloud,
    }
}

/// The API models of a ranking that have a capability tier, and those that have none; the cheapest first.
pub fn by_rating(result: &BreakevenResult) -> (Vec<&CloudOffer>, Vec<&CloudOffer>) {
    let mut cloud: Vec<&CloudOffer> = result.cloud.iter().collect();
    cloud.sort_by(|a, b| a.tco_usd.total_cmp(&b.tco_usd));
    cloud.into_iter().partition(|c| c.tier.is_some())
}

/// The summary of a ranking: the cheapest offer on each side, and how many pairs pay back.
pub fn ranking_summary(case: &Case, result: &BreakevenResult) -> Vec<String> {
    let money = &case.finance.currency;
    let months = result.horizon_months;
    let mut lines = Vec::new();
    if let Some(l) = result.local.iter().min_by(|a, b| result.total_usd(a).total_cmp(&result.total_usd(b))) {
        lines.push(format!(
            "Cheapest hardware over {months} months: {} ({}), {}.",
            l.name,
            l.kind,
            money.show(result.total_usd(l))
        ));
    }
    let (rated, unrated) = by_rating(result);
    let (cheapest, name) = match (rated.first(), unrated.first()) {
        (Some(c), _) => (Some(c), c.name.clone()),
        (None, Some(c)) => (Some(c), format!("{} (not rated)", c.name)),
        (None, None) => (None, String::new()),
    };
    if let Some(c) = cheapest {
        lines.push(format!("Cheapest API over {months} months: {name}, {}.", money.show(c.tco_usd)));
    }
    if !rated.is_empty() && !unrated.is_empty() {
        lines.push(format!(
            "API models without a capability tier are ranked last: {}. Whether they are capable enough is not known.",
            unrated.len()
        ));
    }
    // A computer is tried with several numbers of a card.
    let skipped: BTreeSet<&str> = result.skipped.iter().map(|s| s.id.as_str()).collect();
    lines.push(format!(
        "In {} of {} pairs the hardware costs less by then; {} entries of the catalogue (API models, machines and computers with a card) cannot be compared.",
        grouped(result.pairs_local_cheaper as f64, 0),
        grouped(result.pairs as f64, 0),
        grouped(skipped.len() as f64, 0)
    ));
    lines
}

fn headline(c: &Comparison, money: &Currency) -> String {
    let mut line = match (c.payback_months, &c.never_because) {
        (Some(m), _) if m < 0.05 => format!("{} is cheaper than {} from the first month", c.local, c.cloud),
        (Some(m), _) => format!("{} pays back against {} after {m:.1} months", c.local, c.cloud),
        (None, Some(why)) => format!("{} never pays back against {}: {why}", c.local, c.cloud),
        (None, None) => format!("{} against {}", c.local, c.cloud),
    };
    if let Some(best) = c.best_point_months.filter(|_| c.payback_months.is_some()) {
        let _ = write!(
            line,
            "; its lead peaks in month {best:.0} at {}",
            money.show(c.best_point_usd.unwrap_or(0.0))
        );
    }
    if let Some(note) = &c.quality_note {
        let _ = write!(line, " ({note})");
    }
    line.push('.');
    line
}

fn volume_line(c: &Comparison, result: &BreakevenResult) -> Option<String> {
    let months = result.horizon_months;
    let now = match result.requests_per_month {
        Some(requests) => format!("{} requests", count(requests)),
        None => format!("{} tokens", count(result.tokens_per_month)),
    };
    let windows: Vec<String> = c
        .breakeven_windows
        .iter()
        .filter_map(|w| {
            let from = count(w.from_requests_per_month?);
            Some(match w.to_requests_per_month {
                Some(to) => format!("from {from} to {}", count(to)),
                None => format!("from {from} on"),
            })
        })
        .collect();
    if windows.len() > 1 || c.breakeven_windows.iter().any(|w| w.to_requests_per_month.is_some()) {
        return Some(format!(
            "Local costs less over {months} months {} requests a month, since hardware comes in whole units; the need is {now}.",
            windows.join(", ")
        ));
    }
    let even = match (c.breakeven_requests_per_month, c.breakeven_tokens_per_month) {
        (Some(r), Some(t)) if r > 0.0 => format!("{} requests ({} tokens)", count(r), count(t)),
        (None, Some(t)) if t > 0.0 => format!("{} tokens", count(t)),
        (_, Some(_)) => return None,
        _ => return Some(format!("At no volume do both cost the same over {months} months.")),
    };
    Some(format!("Both cost the same over {months} months at {even} a month; the need is {now}."))
}

/// The typed warning of a notice.
pub fn warning(notice: &Notice, money: &Currency) -> Warning {
    let percent = |share: f64| format!("{:.0} %", share * 100.0);
    match notice {
        Notice::PrefillFree { offer } => Warning::new(
            "prefill-free",
            format!("{offer}: reading the input is counted as free, which it is not; only for reproducing published models."),
        )
        .about(offer),
        Notice::InputAsOutput { offer } => Warning::new(
            "input-charged-as-output",
            format!("{offer}: input is counted at the speed of output, far too slow; only for reproducing published models."),
        )
        .about(offer),
        Notice::AtCapacity => Warning::new(
            "at-capacity",
            "The volume is everything the hardware can generate, not a need: at a tenth of it payback takes about ten times as long, or never comes.",
        ),
        Notice::LeftOut { offer, parts } => Warning::new(
            "costs-left-out",
            format!("{offer} is described by hand; not counted because not mentioned: {}.", parts.join(", ")),
        )
        .about(offer),
        Notice::OldPrices { oldest, days, entry } => Warning::new(
            "prices-older-than-90-days",
            format!("The oldest price used is of {oldest}, {days} days old ({entry})."),
        )
        .about(entry),
        Notice::RentBelowMarket { offer, usd_per_gpu_hour, lowest, entry } => Warning::new(
            "rent-below-known-offers",
            format!("{offer}: {} per GPU-hour is below every offer in the catalogue; the lowest is {} ({entry}).", money.show(*usd_per_gpu_hour), money.show(*lowest)),
        )
        .about(offer),
        Notice::CurrencyWithoutRate { currency } => Warning::new(
            "currency-without-rate",
            format!("No exchange rate for {currency}: amounts are shown in {currency} as if they were given in it (set finance.usd_rate)."),
        ),
        Notice::RateLooksInverted { currency, given, known } => Warning::new(
            "rate-looks-inverted",
            format!("finance.usd_rate is {given}, but one US dollar buys {known:.4} {currency}: it looks written the wrong way round (dollars for one {currency})."),
        )
        .about("finance.usd_rate"),
        Notice::RateFarOff { currency, given, known } => Warning::new(
            "rate-far-off",
            format!("finance.usd_rate is {given}, but one US dollar buys {known:.4} {currency} by the catalogue: look at it once more."),
        )
        .about("finance.usd_rate"),
        Notice::SeatLimitsUnknown { offer, covers_its_price } => Warning::new(
            "seat-limits-unknown",
            format!(
                "{offer}: the provider does not publish how much a seat may use. {} Seats are for people: programs may not ask through them.",
                if *covers_its_price {
                    "It is taken to cover as much use as it costs at the API's prices; what goes beyond is paid."
                } else {
                    "It is taken to cover everything; with cloud.model only as much as it costs at that API's prices."
                }
            ),
        )
        .about(offer),
        Notice::AliasUsed { alias, model } => Warning::new(
            "priced-by-alias",
            format!("`{alias}` is an alias; it is priced as {model}, which is what it means today."),
        )
        .about(model),
        Notice::StandIn { target } => {
            Warning::new("stand-in", format!("{target} is a stand-in for a cloud API: its measurements say nothing about a provider's."))
                .about(target)
        }
        Notice::SpeedAtOne { offer } => Warning::new(
            "speed-at-concurrency-1",
            format!("{offer}: speed was measured with one request at a time; a server that batches carries several times as much, so units and cost may be too high."),
        )
        .about(offer),
        Notice::MeasuredElsewhere { offer, file, elsewhere } => {
            Warning::new("measured-elsewhere", elsewhere_words(offer, file, elsewhere)).about(offer)
        }
        Notice::BelowNeed { offer, has, wanted } => Warning::new(
            "below-the-need",
            format!("{offer} is tier {has}; the need names tier {wanted} or better (1 is the most capable)."),
        )
        .about(offer),
        Notice::PredictedSpeed { offer } => Warning::new(
            "predicted-speed",
            format!("{offer}: speed is predicted, not measured; `freehold bench` measures it."),
        )
        .about(offer),
        Notice::RateGuessed { offer, accelerator } => Warning::new(
            "arithmetic-rate-guessed",
            format!(
                "{offer}: {}; a record of your own with `bf16_tflops` says it (`freehold db path`).",
                crate::capacity::guessed(accelerator)
            ),
        )
        .about(offer),
        Notice::HostNotIncluded { offer } => Warning::new(
            "host-not-included",
            format!("{offer}: price and power are of the GPU alone; the computer around it is not in them (set local.purchase_usd and the watts, or name a machine)."),
        )
        .about(offer),
        Notice::MissesLimit { offer, limit, limit_ms, ms } => Warning::new(
            "limit-not-kept",
            format!("{offer}: no plan keeps the limit of {} ms for {limit}; the nearest takes {} ms (95 of 100 requests are faster). Raise the limit, or take other hardware or a smaller model.", grouped(*limit_ms, 0), grouped(*ms, 0)),
        )
        .about(offer),
        Notice::AlwaysBusy { offer } => Warning::new(
            "power-as-if-always-busy",
            format!("{offer}: no speed is known, so power is charged as if under load in every hour it is switched on."),
        )
        .about(offer),
        Notice::NoReplacementPrice { offer } => Warning::new(
            "no-replacement-price",
            format!("{offer}: it is there already, and no price is known for what replaces it at the end of its life, which is taken to cost nothing (set local.purchase_usd)."),
        )
        .about(offer),
        Notice::ListPricesReplaced { model, keys } => Warning::new(
            "list-prices-replaced",
            format!(
                "{model} has other prices from a day on, for long requests or at times of the day; {} stand{} for all of them.",
                keys.join(" and "),
                if keys.len() == 1 { "s" } else { "" }
            ),
        )
        .about(model),
        Notice::ModelRetires { offer, day } => {
            Warning::new("model-retires", format!("{offer} is served until {day}.")).about(offer)
        }
        Notice::OwedAtHorizon { offer, horizon, owed } => Warning::new(
            "owed-at-horizon",
            format!("{offer}: its loan or commitment runs on after month {horizon}; the {} still owed then is in the total.", money.show(owed.get())),
        )
        .about(offer),
        Notice::NoSameModel { model, instead } => Warning::new(
            "no-same-model-comparator",
            match instead {
                Some(api) => format!("No API of the catalogue offers {model}; {api}, the cheapest other API of the same tier or a better one, takes its place in the comparison."),
                None => format!("No API of the catalogue offers {model}, so local is not compared with the same model behind an API."),
            },
        )
        .about(model),
        Notice::UtilisationAboveCeiling { offer, utilisation, ceiling } => Warning::new(
            "utilisation-above-ceiling",
            format!("{offer} would be busy {} of the time, above the ceiling of {}: requests will queue.", percent(*utilisation), percent(*ceiling)),
        )
        .about(offer),
        Notice::PeakAboveCapacity { offer, units, needed } => Warning::new(
            "peak-above-capacity",
            format!("{offer}: the peak needs {needed} units; the plan has {units}."),
        )
        .about(offer),
        Notice::UnitForTheTip { offer, units, utilisation, ceiling } => Warning::new(
            "unit-for-the-tip",
            format!(
                "{offer}: the last of its {units} units is needed at the peak only; without it {} would be busy {} of the time then, just above the ceiling of {}. A little more speed or a lower peak saves it: measure before you count on either.",
                if *units == 2 { "the other" } else { "the others" },
                percent(*utilisation),
                percent(*ceiling)
            ),
        )
        .about(offer),
        Notice::WeakerModel { cloud, local } => Warning::new(
            "payback-against-weaker-model",
            format!("{local} pays back against {cloud}, but it is the less capable model: compare the answers first."),
        )
        .about(local),
        Notice::PaybackUndone { cloud, local, month } => Warning::new(
            "payback-undone",
            format!("{local} is behind {cloud} again at the end of month {}: hardware has to be bought, or what was saved is used up.", month + 1),
        )
        .about(local),
    }
}

/// What was measured, why it does not apply here, and what to do about it.
fn elsewhere_words(offer: &str, file: &str, elsewhere: &Elsewhere) -> String {
    let (measured, wanted) = elsewhere.both();
    let what = if elsewhere.is_of_hardware() { "on" } else { "with" };
    if elsewhere.is_doubt() {
        format!(
            "{offer}: {file} was measured {what} {measured}, which may or may not be {wanted}, so its speed and power are not used; say --same-as-measured if it is."
        )
    } else {
        format!(
            "{offer}: {file} was measured {what} {measured}, not {what} {wanted}, so its speed and power are not used."
        )
    }
}
