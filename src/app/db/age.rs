//! How old the figures are.

use crate::catalog::{ApiModel, Catalog, Kind};
use crate::document::db::{Ages, KindAge, Soon, Stale};
use jiff::civil::Date;

/// Id, day and source of each record.
fn dates(catalog: &Catalog, kind: Kind) -> Vec<(&str, Date, &str)> {
    macro_rules! list {
        ($list:expr) => {
            $list.iter().map(|r| (r.id.as_str(), r.as_of, r.source.as_str())).collect()
        };
    }
    match kind {
        Kind::Gpu => list!(catalog.accelerators),
        Kind::Machine => list!(catalog.machines),
        Kind::Host => list!(catalog.hosts),
        Kind::Rental => list!(catalog.rentals),
        Kind::Subscription => list!(catalog.subscriptions),
        Kind::Tariff => list!(catalog.tariffs),
        Kind::OpenModel => list!(catalog.open_models),
        Kind::ApiModel => list!(catalog.api_models),
        Kind::Currency => list!(catalog.currencies),
        Kind::Provider => list!(catalog.providers),
        Kind::Range => list!(catalog.ranges),
    }
}

/// Id, day and source of the price at which each piece of hardware can be bought today. Older prices of the
/// same record are its history and do not count.
fn purchase_dates(catalog: &Catalog) -> Vec<(&str, Date, &str)> {
    let gpus = catalog.accelerators.iter().map(|r| (r.id.as_str(), catalog.price_of_accelerator(r)));
    let machines = catalog.machines.iter().map(|r| (r.id.as_str(), catalog.price_of_machine(r)));
    let hosts = catalog.hosts.iter().map(|r| (r.id.as_str(), catalog.price_of_host(r)));
    gpus.chain(machines)
        .chain(hosts)
        .filter_map(|(id, chosen)| chosen.map(|c| (id, c.price.as_of, c.price.source.as_str())))
        .collect()
}

/// The name of purchase prices among the kinds of record.
const PURCHASE: &str = "purchase-prices";

/// How old the figures are: the oldest of each kind, those read more than `days` days ago, and prices that
/// change within `days` days.
pub fn age(catalog: &Catalog, days: u16, today: Date) -> Ages {
    let mut out = Ages { stale_after_days: days, kinds: Vec::new(), stale: Vec::new(), soon: Vec::new() };
    for kind in Kind::ALL {
        count(&mut out, kind.plural(), kind.key(), &dates(catalog, kind), today);
    }
    count(&mut out, PURCHASE, "purchase_price", &purchase_dates(catalog), today);
    out.stale.sort_by_key(|s| (s.as_of, s.id.clone()));
    out.soon = catalog.api_models.iter().flat_map(|m| soon(m, days, today)).collect();
    out.soon.sort_by_key(|s| (s.on, s.id.clone()));
    out
}

/// Adds the figures of one kind.
fn count(
    ages: &mut Ages,
    plural: &'static str,
    key: &'static str,
    dates: &[(&str, Date, &str)],
    today: Date,
) {
    let age = |date: Date| date.until(today).map_or(0, |span| span.get_days());
    let limit = i32::from(ages.stale_after_days);
    let before = ages.stale.len();
    ages.stale.extend(dates.iter().filter(|(_, d, _)| age(*d) > limit).map(|(id, d, source)| Stale {
        kind: key,
        id: (*id).to_owned(),
        as_of: *d,
        age_days: age(*d),
        source: (*source).to_owned(),
    }));
    let oldest = dates.iter().min_by_key(|(_, d, _)| *d);
    ages.kinds.push(KindAge {
        kind: plural,
        records: dates.len(),
        oldest: oldest.map(|(id, _, _)| (*id).to_owned()),
        oldest_as_of: oldest.map(|(_, d, _)| *d),
        newest_as_of: dates.iter().map(|(_, d, _)| *d).max(),
        stale: ages.stale.len() - before,
    });
}

fn soon(model: &ApiModel, days: u16, today: Date) -> Vec<Soon> {
    let until = today.checked_add(jiff::Span::new().days(i64::from(days))).unwrap_or(Date::MAX);
    let within = |date: &Date| *date > today && *date <= until;
    let changes = model.price.iter().filter_map(|p| p.from).filter(within);
    let ends = model.retires.into_iter().filter(within);
    changes
        .map(|on| Soon { id: model.id.clone(), on, what: "price changes" })
        .chain(ends.map(|on| Soon { id: model.id.clone(), on, what: "provider switches it off" }))
        .collect()
}
