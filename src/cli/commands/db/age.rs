//! `db age` and `db path`: how old the figures are, and where records of one's own go.

use super::document;
use super::import::{SHOWN, more};
use crate::catalog::{ApiModel, Catalog, Kind, shipped_files};
use crate::cli::catalog::{load, toml_files, user_folder};
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::output::OutputArgs;
use crate::render::{Block, Cell, Table, View};
use jiff::civil::Date;
use serde::Serialize;
use std::collections::BTreeMap;

/// How old the figures are: the oldest of each kind, what is stale, what changes soon.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  freehold db age
  freehold db age --days 30 --json")]
pub struct Args {
    /// A record read longer ago than this is stale.
    #[arg(long, default_value_t = 90, value_name = "N")]
    days: u16,
    #[command(flatten)]
    output: OutputArgs,
}

/// Where the records are: shipped, your own, given by --catalog.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  freehold db path
  mkdir -p \"$(freehold db path --user)\"")]
pub struct PathArgs {
    /// Only the folder of your own records.
    #[arg(long)]
    user: bool,
    #[command(flatten)]
    output: OutputArgs,
}

#[derive(Debug, Serialize)]
struct Ages {
    stale_after_days: u16,
    kinds: Vec<KindAge>,
    stale: Vec<Stale>,
    soon: Vec<Soon>,
}

#[derive(Debug, Serialize)]
struct KindAge {
    kind: &'static str,
    records: usize,
    oldest: Option<String>,
    oldest_as_of: Option<Date>,
    newest_as_of: Option<Date>,
    stale: usize,
}

#[derive(Debug, Serialize)]
struct Stale {
    kind: &'static str,
    id: String,
    as_of: Date,
    age_days: i32,
    /// Where the record was read.
    source: String,
}

/// A price that changes, or a model that ends, within the same number of days.
#[derive(Debug, Serialize)]
struct Soon {
    id: String,
    on: Date,
    what: &'static str,
}

pub(super) fn run(args: &Args, context: &Context) -> Result<(), CliError> {
    let catalog = load(context)?;
    let ages = ages(&catalog, args.days, context.today);
    args.output.write(context, || document("age", &ages, context), || view(&ages), None)
}

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

/// Id, day and source of the price that each piece of hardware is bought for today. Older prices of the
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

/// How purchase prices are called beside the kinds of record.
const PURCHASE: &str = "purchase-prices";

fn ages(catalog: &Catalog, days: u16, today: Date) -> Ages {
    let mut out = Ages { stale_after_days: days, kinds: Vec::new(), stale: Vec::new(), soon: Vec::new() };
    for kind in Kind::ALL {
        out.count(kind.plural(), kind.key(), &dates(catalog, kind), today);
    }
    out.count(PURCHASE, "purchase_price", &purchase_dates(catalog), today);
    out.stale.sort_by_key(|s| (s.as_of, s.id.clone()));
    out.soon = catalog.api_models.iter().flat_map(|m| soon(m, days, today)).collect();
    out.soon.sort_by_key(|s| (s.on, s.id.clone()));
    out
}

impl Ages {
    /// Add the figures of one kind.
    fn count(&mut self, plural: &'static str, key: &'static str, dates: &[(&str, Date, &str)], today: Date) {
        let age = |date: Date| date.until(today).map_or(0, |span| span.get_days());
        let limit = i32::from(self.stale_after_days);
        let before = self.stale.len();
        self.stale.extend(dates.iter().filter(|(_, d, _)| age(*d) > limit).map(|(id, d, source)| Stale {
            kind: key,
            id: (*id).to_owned(),
            as_of: *d,
            age_days: age(*d),
            source: (*source).to_owned(),
        }));
        let oldest = dates.iter().min_by_key(|(_, d, _)| *d);
        self.kinds.push(KindAge {
            kind: plural,
            records: dates.len(),
            oldest: oldest.map(|(id, _, _)| (*id).to_owned()),
            oldest_as_of: oldest.map(|(_, d, _)| *d),
            newest_as_of: dates.iter().map(|(_, d, _)| *d).max(),
            stale: self.stale.len() - before,
        });
    }
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

fn view(ages: &Ages) -> View {
    let mut view = View::new("");
    let count = |n: usize| Cell::Number(n as f64, n.to_string());
    let date = |d: Option<Date>| Cell::from(d.map(|d| d.to_string()));
    let mut table = Table::new(&["Kind", "#Records", "Oldest", "Read", "Newest read", "#Stale"])
        .caption(format!("Stale: read more than {} days ago", ages.stale_after_days));
    for k in &ages.kinds {
        table.row([
            k.kind.replace('-', " ").into(),
            count(k.records),
            k.oldest.clone().into(),
            date(k.oldest_as_of),
            date(k.newest_as_of),
            count(k.stale),
        ]);
    }
    view.push(Block::Table(table));
    if !ages.soon.is_empty() {
        view.heading(format!("Within {} days", ages.stale_after_days));
        let mut table = Table::new(&["Day", "Model", "What"]);
        for s in &ages.soon {
            table.row([s.on.to_string().into(), s.id.as_str().into(), s.what.into()]);
        }
        view.push(Block::Table(table));
    }
    if !ages.stale.is_empty() {
        view.heading("Stale, by where they were read");
        view.push(Block::Table(by_source(&ages.stale)));
        view.paragraph(
            "Specifications of gpus and machines do not change after their release: their day is that of the source's \
             edition. Prices of hardware, rents and electricity prices do change: look them up before you decide, and put your own into a \
             record (`freehold db path`) or the scenario.",
        );
        view.heading("Stale");
        let mut table = Table::new(&["Id", "Kind", "Read", "#Days ago"]);
        for s in ages.stale.iter().take(SHOWN) {
            table.row([
                s.id.as_str().into(),
                s.kind.replace('_', " ").into(),
                s.as_of.to_string().into(),
                Cell::Number(f64::from(s.age_days), s.age_days.to_string()),
            ]);
        }
        view.push(Block::Table(table));
        more(&mut view, ages.stale.len());
    }
    view
}

/// How many stale records of each kind come from each source, the most first.
fn by_source(stale: &[Stale]) -> Table {
    let mut groups: BTreeMap<(&str, &str), (usize, Date)> = BTreeMap::new();
    for record in stale {
        let group = groups.entry((record.kind, short(&record.source))).or_insert((0, record.as_of));
        group.0 += 1;
        group.1 = group.1.min(record.as_of);
    }
    let mut groups: Vec<_> = groups.into_iter().collect();
    groups.sort_by_key(|(_, (count, oldest))| (std::cmp::Reverse(*count), *oldest));
    let mut table = Table::new(&["Kind", "#Records", "Oldest", "Source"]);
    for ((kind, source), (count, oldest)) in groups {
        table.row([
            kind.replace('_', " ").into(),
            Cell::Number(count as f64, count.to_string()),
            oldest.to_string().into(),
            source.into(),
        ]);
    }
    table
}

/// A source without the page of the single record.
fn short(source: &str) -> &str {
    let ends = [", http", ", ", " (", ": "];
    let end = ends.iter().filter_map(|e| source.find(e)).min().unwrap_or(source.len());
    &source[..end]
}

pub(super) fn path(args: &PathArgs, context: &Context) -> Result<(), CliError> {
    let folder = user_folder(context);
    if args.user {
        return args.output.write_text(&format!("{}\n", folder.display()));
    }
    let own: Vec<String> = toml_files(&folder)?.into_iter().map(|(name, _)| name).collect();
    let given: Vec<String> = context.catalog_files.iter().map(|p| p.display().to_string()).collect();
    let shipped: Vec<&str> = shipped_files().iter().map(|(name, _)| *name).collect();
    let json = || {
        let result = serde_json::json!({
            "shipped": shipped, "user_folder": folder.display().to_string(), "user": own, "given": given,
        });
        document("path", result, context)
    };
    let view = || {
        let mut view = View::new("");
        view.paragraph(format!("Your own records: {} (each *.toml in it)", folder.display()));
        view.push(Block::List(if own.is_empty() { vec!["none yet".to_owned()] } else { own.clone() }));
        if !given.is_empty() {
            view.paragraph("Over these, by --catalog:");
            view.push(Block::List(given.clone()));
        }
        view.paragraph("Under these, in the binary:");
        view.push(Block::List(shipped.iter().map(|s| (*s).to_owned()).collect()));
        view
    };
    args.output.write(context, json, view, None)
}
