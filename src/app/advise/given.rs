//! Options from a cost document: its offers, with prices of the user's own, replace the candidates that
//! would be looked up.

use super::fill::agreement;
use crate::advise::Placement;
use crate::advise::options::{Because, Choice, Kind, OptionCost, Priced, Terms, choose};
use crate::document::advice::{Flip, OptionRow, text};
use crate::document::breakeven::{
    BreakevenDocument, BreakevenResult, CloudOffer, Comparator, CostByVolume, CumulativeCost, LocalOffer,
};
use crate::money::Currency;
use crate::number;

/// The options of a document, and which of them to take.
#[derive(Debug)]
pub(super) struct Given {
    pub rows: Vec<OptionRow>,
    pub chosen: String,
    pub kind: Kind,
    /// The model of the chosen one that is paid by the token, with what it costs.
    pub api: Option<GivenApi>,
    /// Its own side runs on machines that are rented.
    pub own_is_rented: bool,
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

/// An API model of a cost document.
#[derive(Debug, Clone)]
pub(super) struct GivenApi {
    /// Its id in the catalogue; `None` where it was described by hand.
    pub id: Option<String>,
    /// US dollars a request; `None` where the document does not say it.
    pub usd_per_request: Option<f64>,
    /// What its provider would be paid for all requests, US dollars a month.
    pub usd_per_month: Option<f64>,
}

/// An offer of the document as an option.
struct Entry<'a> {
    option: Priced,
    name: String,
    api: Option<&'a CloudOffer>,
    own: Option<&'a LocalOffer>,
    /// Share of the requests that the own side serves, where there are two sides.
    share: Option<f64>,
}

/// `None` where the document has nothing that can be chosen. `tier_asked`: the user asks a tier of every
/// model, so that those named in the document are not exempt.
pub(super) fn options(document: &BreakevenDocument, terms: &Terms, tier_asked: bool) -> Option<Given> {
    let priced = |kind, cost, tier| priced(kind, cost, tier, !tier_asked);
    let r = &document.result;
    if r.ranking {
        return None;
    }
    let mut options: Vec<Entry<'_>> = Vec::new();
    for offer in &r.cloud {
        let kind = match offer.comparator {
            Comparator::SameModel => Kind::SameModel,
            _ if offer.units.is_some() => Kind::Rented,
            _ => Kind::Api,
        };
        let cost = OptionCost { monthly: offer.monthly_usd, tco: offer.tco_usd, capex: 0.0 };
        // The id of a baseline that is hardware is not that of a model.
        let api = offer.units.is_none().then_some(offer);
        let option = priced(kind, cost, offer.tier);
        options.push(Entry { option, name: offer.name.clone(), api, own: None, share: None });
    }
    for offer in &r.local {
        let kind = if offer.kind == "rented" { Kind::Rented } else { Kind::Owned };
        // A loan is paid monthly.
        let capex = if offer.kind == "financed" { 0.0 } else { offer.capex_usd };
        let cost = OptionCost { monthly: offer.monthly_usd, tco: r.total_usd(offer), capex };
        let option = priced(kind, cost, offer.tier);
        options.push(Entry { option, name: offer.name.clone(), api: None, own: Some(offer), share: None });
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
        options.push(Entry {
            option: priced(Kind::Routed, cost, None),
            name,
            api: r.cloud.iter().find(|c| c.name == h.cloud),
            own: r.local.iter().find(|l| l.name == h.local),
            share: Some(split.local_share),
        });
    }
    let all: Vec<Priced> = options.iter().map(|o| o.option.clone()).collect();
    let choice = choose(&all, None, terms)?;
    let head = r.comparisons.first();
    let p_local = r.uncertainty.as_ref().and_then(|u| u.probability_local_cheaper);
    let two = choice.excluded.iter().filter(|e| e.is_none()).count() == 2;
    let chance = |n: usize| {
        let (head, p) = (head?, p_local?);
        let name = &options[n].name;
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
    let rows = order.into_iter().map(|n| row(&options[n], &ids[n], &choice, n, chance(n), terms)).collect();
    let chosen = choice.chosen;
    let rival = choice.next.map(|n| (n, &options[n].name));
    // The draws compare the first two offers.
    let odds = rival.zip(head).zip(p_local).and_then(|(((_, other), head), p)| {
        let name = &options[chosen].name;
        match () {
            () if *name == head.local && *other == head.cloud => Some(p),
            () if *name == head.cloud && *other == head.local => Some(1.0 - p),
            () => None,
        }
    });
    let flips = rival.map_or_else(Vec::new, |(n, other)| {
        let gap = tco(n) - tco(chosen);
        turns(r, (&options[chosen].name, other), gap, all[n].kind.placement())
    });
    Some(Given {
        rows,
        chosen: ids[chosen].clone(),
        kind: all[chosen].kind,
        api: options[chosen].api.map(|offer| GivenApi {
            id: offer.id.clone(),
            usd_per_request: offer.usd_per_request,
            usd_per_month: offer.monthly_parts_usd.get("api").copied(),
        }),
        own_is_rented: options[chosen].own.is_some_and(|offer| offer.kind == "rented"),
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

fn priced(kind: Kind, cost: OptionCost, tier: Option<u8>, asked: bool) -> Priced {
    Priced {
        kind,
        cost: Some(cost),
        way: None,
        tier,
        predicted: false,
        open_model: false,
        too_small: false,
        personal: false,
        asked,
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
    entry: &Entry<'_>,
    id: &str,
    choice: &Choice,
    n: usize,
    chance: Option<f64>,
    terms: &Terms,
) -> OptionRow {
    let (option, excluded) = (&entry.option, choice.excluded[n]);
    OptionRow {
        id: id.to_owned(),
        placement: option.kind.placement(),
        name: entry.name.clone(),
        api_model: entry.api.and_then(|offer| offer.id.clone()),
        open_model: entry.own.and_then(|offer| offer.model.clone()),
        tier: option.tier,
        monthly_usd: option.cost.map(|c| c.monthly),
        monthly_parts_usd: std::collections::BTreeMap::new(),
        tco_usd: option.cost.map(|c| c.tco),
        capex_usd: option.cost.map(|c| c.capex),
        probability_cheapest: chance,
        expected_tco_usd: None,
        excluded_because: excluded.map(text::limit),
        excluded_by: excluded.map(|l| l.id().to_owned()),
        needs: agreement(option.kind, terms).into_iter().map(str::to_owned).collect(),
        against: Vec::new(),
        local_share: entry.share,
        plan: entry.own.and_then(|offer| offer.plan.as_deref().cloned()),
    }
}
