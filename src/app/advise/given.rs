//! Options from a cost document: its offers, with prices of the user's own, replace the candidates that
//! would be looked up.

use crate::advise::Placement;
use crate::advise::options::{Because, Choice, Kind, OptionCost, Priced, Terms, choose};
use crate::document::advice::{Flip, OptionRow, text};
use crate::document::breakeven::{
    BreakevenDocument, BreakevenResult, Comparator, CostByVolume, CumulativeCost,
};
use crate::money::Currency;
use crate::number;

/// The options of a document, and which of them to take.
#[derive(Debug)]
pub(super) struct Given {
    pub rows: Vec<OptionRow>,
    pub chosen: String,
    pub placement: Placement,
    pub because: Because,
    pub horizon_months: u32,
    /// Share of the document's draws in which the chosen one costs less than the cheapest of another
    /// placement; `None` where the document did not draw these two.
    pub odds: Option<f64>,
    /// Where the calculation would turn.
    pub flips: Vec<Flip>,
    /// The document's series, for the charts of a page without it.
    pub cumulative: Vec<CumulativeCost>,
    pub by_volume: Option<CostByVolume>,
}

/// `None` where the document has nothing that can be chosen.
pub(super) fn options(document: &BreakevenDocument, terms: &Terms) -> Option<Given> {
    let r = &document.result;
    if r.ranking {
        return None;
    }
    let mut options: Vec<(Priced, String, Option<String>, Option<String>)> = Vec::new();
    for offer in &r.cloud {
        let kind = match offer.comparator {
            Comparator::SameModel => Kind::SameModel,
            _ if offer.units.is_some() => Kind::Rented,
            _ => Kind::Api,
        };
        let cost = OptionCost { monthly: offer.monthly_usd, tco: offer.tco_usd, capex: 0.0 };
        options.push((priced(kind, cost, offer.tier), offer.name.clone(), offer.id.clone(), None));
    }
    for offer in &r.local {
        let kind = if offer.kind == "rented" { Kind::Rented } else { Kind::Owned };
        // A loan is paid monthly.
        let capex = if offer.kind == "financed" { 0.0 } else { offer.capex_usd };
        let cost = OptionCost { monthly: offer.monthly_usd, tco: r.total_usd(offer), capex };
        options.push((priced(kind, cost, offer.tier), offer.name.clone(), None, offer.model.clone()));
    }
    if let Some(routed) = r.hybrid.as_ref().and_then(|h| Some((h, h.routed.as_ref()?))) {
        let (h, split) = routed;
        let cost = OptionCost { monthly: split.monthly_usd, tco: split.tco_usd, capex: split.capex_usd };
        let name = format!(
            "{:.0} % of the requests on {}, the others to {}",
            split.local_share * 100.0,
            h.local,
            h.cloud
        );
        options.push((priced(Kind::Routed, cost, None), name, None, None));
    }
    let all: Vec<Priced> = options.iter().map(|o| o.0.clone()).collect();
    let choice = choose(&all, None, terms)?;
    let head = r.comparisons.first();
    let p_local = r.uncertainty.as_ref().and_then(|u| u.probability_local_cheaper);
    let two = choice.excluded.iter().filter(|e| e.is_none()).count() == 2;
    let chance = |n: usize| {
        let (head, p) = (head?, p_local?);
        let name = &options[n].1;
        if !two || choice.excluded[n].is_some() {
            None
        } else if *name == head.local {
            Some(p)
        } else if *name == head.cloud {
            Some(1.0 - p)
        } else {
            None
        }
    };
    let ids = ids(&all);
    let mut order: Vec<usize> = (0..all.len()).collect();
    let tco = |n: usize| all[n].cost.map_or(f64::INFINITY, |c| c.tco);
    order.sort_by(|a, b| {
        let key = |n: usize| (n != choice.chosen, choice.excluded[n].is_some());
        key(*a).cmp(&key(*b)).then(tco(*a).total_cmp(&tco(*b)))
    });
    let rows = order.into_iter().map(|n| row(&options[n], &ids[n], &choice, n, chance(n))).collect();
    let chosen = choice.chosen;
    let rival = choice.next.map(|n| (n, &options[n].1));
    // The draws compare the first two offers.
    let odds = rival.zip(head).zip(p_local).and_then(|(((_, other), head), p)| {
        let name = &options[chosen].1;
        match () {
            () if *name == head.local && *other == head.cloud => Some(p),
            () if *name == head.cloud && *other == head.local => Some(1.0 - p),
            () => None,
        }
    });
    let flips = rival.map_or_else(Vec::new, |(n, other)| {
        let gap = tco(n) - tco(chosen);
        turns(r, (&options[chosen].1, other), gap, all[n].kind.placement())
    });
    Some(Given {
        rows,
        chosen: ids[chosen].clone(),
        placement: all[chosen].kind.placement(),
        because: choice.because,
        horizon_months: r.horizon_months,
        odds,
        flips,
        cumulative: r.cumulative.clone(),
        by_volume: r.by_volume.clone(),
    })
}

/// The points at which the other placement would cost less: the difference of the totals, and the volume.
fn turns(r: &BreakevenResult, (chosen, other): (&str, &str), gap: f64, placement: Placement) -> Vec<Flip> {
    let months = r.horizon_months;
    let flip = |what: &str, at: f64, today: Option<f64>, text: String| Flip {
        what: what.to_owned(),
        to: Some(number::plain(at)),
        placement,
        settled_by: Some("calculation".to_owned()),
        at: Some(at),
        today,
        text,
    };
    let mut found = Vec::new();
    if gap > 0.0 {
        let less = Currency::usd().show(gap);
        let text = format!("If {other} cost {less} less over {months} months, it would be the cheaper one.");
        found.push(flip("tco_usd", gap, None, text));
    }
    let pair = r
        .comparisons
        .iter()
        .find(|c| (c.cloud == chosen && c.local == other) || (c.cloud == other && c.local == chosen));
    let at = pair.and_then(|c| c.breakeven_requests_per_month).filter(|at| *at > 0.0);
    if let Some(at) = at {
        let now = r.requests_per_month;
        let beyond = now.is_some_and(|now| at > now);
        let text = format!(
            "{} about {} requests a month{}, {other} costs less.",
            if beyond { "From" } else { "Below" },
            number::short(at),
            if beyond { " on" } else { "" }
        );
        found.push(flip("requests_per_month", at, now, text));
    }
    found
}

fn priced(kind: Kind, cost: OptionCost, tier: Option<u8>) -> Priced {
    Priced {
        kind,
        cost: Some(cost),
        way: None,
        tier,
        predicted: false,
        open_model: false,
        too_small: false,
        personal: false,
        asked: true,
    }
}

/// Ids of options: `api`, `owned`; `api-2` for the second of a kind.
fn ids(options: &[Priced]) -> Vec<String> {
    let id = |n: usize| {
        let kind = options[n].kind;
        let before = options[..n].iter().filter(|o| o.kind == kind).count();
        if before == 0 { kind.id().to_owned() } else { format!("{}-{}", kind.id(), before + 1) }
    };
    (0..options.len()).map(id).collect()
}

fn row(
    (option, name, api, open): &(Priced, String, Option<String>, Option<String>),
    id: &str,
    choice: &Choice,
    n: usize,
    chance: Option<f64>,
) -> OptionRow {
    let excluded = choice.excluded[n];
    OptionRow {
        id: id.to_owned(),
        placement: option.kind.placement(),
        name: name.clone(),
        api_model: api.clone(),
        open_model: open.clone(),
        tier: option.tier,
        monthly_usd: option.cost.map(|c| c.monthly),
        monthly_parts_usd: std::collections::BTreeMap::new(),
        tco_usd: option.cost.map(|c| c.tco),
        capex_usd: option.cost.map(|c| c.capex),
        probability_cheapest: chance,
        expected_tco_usd: None,
        excluded_because: excluded.map(text::limit),
        excluded_by: excluded.map(|l| l.id().to_owned()),
        needs: Vec::new(),
        against: Vec::new(),
        local_share: None,
        plan: None,
    }
}
