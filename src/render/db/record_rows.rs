//! Catalogue records as rows of tables, with columns for each kind, and the text that searches look at.

use crate::catalog::{
    Accelerator, ApiModel, Catalog, Chosen, Currency, FormFactor, Host, Kind, Machine, OpenModel, Provider,
    Range, Rental, Subscription, Tariff,
};
use crate::render::view::{Cell, Table};
use jiff::civil::Date;
use serde::Serialize;

/// A record as a row of a list.
pub struct Row<'a> {
    /// The text that searches look at, in lower case.
    pub words: String,
    pub tier: Option<u8>,
    pub provider: Option<String>,
    pub cells: Vec<Cell>,
    /// Makes the record as JSON, if it is asked for.
    pub json: Box<dyn Fn() -> serde_json::Value + 'a>,
}

impl std::fmt::Debug for Row<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Row").field("cells", &self.cells).finish_non_exhaustive()
    }
}

/// All records of a kind.
pub fn of(kind: Kind, catalog: &Catalog, today: Date) -> Vec<Row<'_>> {
    match kind {
        Kind::Gpu => catalog.accelerators.iter().map(|r| gpu(r, catalog)).collect(),
        Kind::Machine => catalog.machines.iter().map(|r| machine(r, catalog)).collect(),
        Kind::Host => catalog.hosts.iter().map(|r| host(r, catalog)).collect(),
        Kind::Rental => catalog.rentals.iter().map(rental).collect(),
        Kind::Subscription => catalog.subscriptions.iter().map(subscription).collect(),
        Kind::Tariff => catalog.tariffs.iter().map(tariff).collect(),
        Kind::OpenModel => catalog.open_models.iter().map(open_model).collect(),
        Kind::ApiModel => catalog.api_models.iter().map(|m| api_model(m, today)).collect(),
        Kind::Currency => catalog.currencies.iter().map(currency).collect(),
        Kind::Provider => catalog.providers.iter().map(provider).collect(),
        Kind::Range => catalog.ranges.iter().map(range).collect(),
    }
}

/// An empty table with the columns of a kind.
pub fn table(kind: Kind) -> Table {
    Table::new(match kind {
        Kind::Gpu => &["!Id", "#GiB", "#GB/s", "#BF16 TFLOPS", "#Board W", "#Price", "Read"],
        Kind::Machine => &["!Id", "Accelerators", "#GiB", "#GB/s", "#Load W", "#Price", "Read"],
        Kind::Host => &["!Id", "Slots", "#Base W", "#Card W", "#Rack units", "#Price", "Read"],
        Kind::Rental => &["!Id", "Accelerators", "Terms", "#Per hour", "Region", "Read"],
        Kind::Subscription => {
            &["!Id", "Buyer", "#By the month", "#By the year", "#Seats from", "Allowance", "Read"]
        }
        Kind::Tariff => &["!Id", "Name", "#USD/kWh", "#g CO2/kWh", "Read"],
        Kind::OpenModel => {
            &["!Id", "#Parameters", "#Active", "#Layers", "#KV heads", "#Context", "#Tier", "Licence"]
        }
        Kind::ApiModel => &["!Id", "#Input", "#Output", "#Cache read", "#Batch", "#Context", "#Tier", "Also"],
        Kind::Currency => &["!Id", "#USD", "Read"],
        Kind::Provider => &["!Id", "Address", "!Key variable", "Read"],
        Kind::Range => &["!Id", "#Low", "#Likely", "#High", "Unit", "Read"],
    })
    .caption(match kind {
        Kind::ApiModel => "US dollars per million tokens, today's price",
        Kind::Rental => "Price of the whole instance",
        Kind::Gpu | Kind::Host => "Prices are what one pays today, with or without tax as the record says",
        Kind::Subscription => "Price of one seat and month",
        Kind::Machine => "Memory of the system, or the unified memory; what one pays today",
        _ => "",
    })
}

fn words(parts: &[Option<&str>]) -> String {
    parts.iter().flatten().copied().collect::<Vec<_>>().join(" ").to_lowercase()
}

fn json(record: &impl Serialize) -> serde_json::Value {
    serde_json::to_value(record).unwrap_or_default()
}

fn number(value: Option<f64>) -> Cell {
    value.map_or(Cell::None, |v| Cell::Number(v, trimmed(v)))
}

fn whole(value: Option<u64>) -> Cell {
    value.map_or(Cell::None, |v| Cell::Number(v as f64, v.to_string()))
}

/// With at most four decimals, without trailing zeros.
fn trimmed(value: f64) -> String {
    let text = format!("{value:.4}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "0" && value > 0.0 { value.to_string() } else { text.to_owned() }
}

/// Parameters and context lengths in short: 70B, 128k.
fn rough(value: Option<u64>) -> Cell {
    let Some(value) = value else { return Cell::None };
    let v = value as f64;
    let text = match value {
        1_000_000_000.. => format!("{}B", trimmed_to(v / 1e9)),
        1_000_000.. => format!("{}M", trimmed_to(v / 1e6)),
        1_000.. => format!("{}k", trimmed_to(v / 1e3)),
        _ => value.to_string(),
    };
    Cell::Number(v, text)
}

fn trimmed_to(value: f64) -> String {
    if value >= 100.0 { format!("{value:.0}") } else { trimmed((value * 10.0).round() / 10.0) }
}

/// Today's price, in the currency in which it was read.
fn price(chosen: Option<&Chosen<'_>>) -> Cell {
    chosen.map_or(Cell::None, |c| {
        Cell::Number(c.price.amount, format!("{:.0} {}", c.price.amount, c.price.currency))
    })
}

fn times(count: u32, id: &str) -> String {
    if count == 1 { id.to_owned() } else { format!("{count} × {id}") }
}

fn gpu<'a>(r: &'a Accelerator, catalog: &Catalog) -> Row<'a> {
    Row {
        words: words(&[Some(&r.id), Some(&r.name)]),
        tier: None,
        provider: None,
        cells: vec![
            r.id.as_str().into(),
            number(r.memory_gib),
            number(r.bandwidth_gb_s),
            number(r.bf16_tflops.or(r.fp16_tflops)),
            number(r.board_watts),
            price(catalog.price_of_accelerator(r).as_ref()),
            r.as_of.to_string().into(),
        ],
        json: Box::new(|| json(r)),
    }
}

fn machine<'a>(r: &'a Machine, catalog: &Catalog) -> Row<'a> {
    Row {
        words: words(&[Some(&r.id), Some(&r.name), r.accelerator.as_deref(), r.cpu.as_deref()]),
        tier: None,
        provider: None,
        cells: vec![
            r.id.as_str().into(),
            r.accelerator.as_deref().map(|a| times(r.accelerators, a)).into(),
            number(r.memory_gib),
            number(r.bandwidth_gb_s),
            number(r.load_watts),
            price(catalog.price_of_machine(r).as_ref()),
            r.as_of.to_string().into(),
        ],
        json: Box::new(|| json(r)),
    }
}

fn host<'a>(r: &'a Host, catalog: &Catalog) -> Row<'a> {
    let form = match r.slots.form {
        FormFactor::Pcie => "PCIe",
        FormFactor::Sxm => "SXM",
        FormFactor::Oam => "OAM",
        FormFactor::Mxm => "MXM",
        FormFactor::Soc => "soldered",
    };
    let carried = r.accelerators.join(" ");
    Row {
        words: words(&[Some(&r.id), Some(&r.name), Some(form), Some(&carried), r.cpu.as_deref()]),
        tier: None,
        provider: None,
        cells: vec![
            r.id.as_str().into(),
            format!("{} {form}", r.slots.number).into(),
            number(r.base_watts),
            number(r.accelerator_watts),
            number(r.rack_units),
            price(catalog.price_of_host(r).as_ref()),
            r.as_of.to_string().into(),
        ],
        json: Box::new(|| json(r)),
    }
}

fn rental(r: &Rental) -> Row<'_> {
    let terms = json(&r.terms).as_str().unwrap_or_default().to_owned();
    Row {
        words: words(&[
            Some(&r.id),
            Some(&r.provider),
            Some(&r.instance),
            Some(&r.accelerator),
            r.region.as_deref(),
        ]),
        tier: None,
        provider: Some(r.provider.clone()),
        cells: vec![
            r.id.as_str().into(),
            times(r.accelerators, &r.accelerator).into(),
            match r.term_months {
                Some(months) => format!("{terms}, {months} months").into(),
                None => terms.into(),
            },
            Cell::Number(r.per_hour, format!("{:.2} {}", r.per_hour, r.currency)),
            r.region.clone().into(),
            r.as_of.to_string().into(),
        ],
        json: Box::new(|| json(r)),
    }
}

fn subscription(r: &Subscription) -> Row<'_> {
    let text = |value: serde_json::Value| value.as_str().unwrap_or_default().replace('-', " ");
    let price = |value: Option<f64>| {
        value.map_or(Cell::None, |v| Cell::Number(v, format!("{} {}", trimmed(v), r.currency)))
    };
    let allowances = r.allowance.iter().map(|a| {
        let of = a.of.as_ref().or(a.model.as_ref()).map(|of| format!(" {of}")).unwrap_or_default();
        format!("{} {}{of} per {}", trimmed(a.amount), text(json(&a.unit)), text(json(&a.per)))
    });
    Row {
        words: words(&[Some(&r.id), Some(&r.name), Some(&r.provider), r.note.as_deref()]),
        tier: None,
        provider: Some(r.provider.clone()),
        cells: vec![
            r.id.as_str().into(),
            text(json(&r.buyer)).into(),
            price(r.per_month),
            price(r.per_month_of_year),
            whole(r.seats_from.map(u64::from)),
            Some(allowances.collect::<Vec<_>>().join(", ")).filter(|a| !a.is_empty()).into(),
            r.as_of.to_string().into(),
        ],
        json: Box::new(|| json(r)),
    }
}

fn range(r: &Range) -> Row<'_> {
    Row {
        words: words(&[Some(&r.id), Some(&r.unit), Some(&r.reason)]),
        tier: None,
        provider: None,
        cells: vec![
            r.id.as_str().into(),
            number(Some(r.low)),
            number(Some(r.likely)),
            number(Some(r.high)),
            r.unit.as_str().into(),
            r.as_of.to_string().into(),
        ],
        json: Box::new(|| json(r)),
    }
}

fn tariff(r: &Tariff) -> Row<'_> {
    Row {
        words: words(&[Some(&r.id), Some(&r.name), Some(&r.country)]),
        tier: None,
        provider: None,
        cells: vec![
            r.id.as_str().into(),
            r.name.as_str().into(),
            number(Some(r.usd_per_kwh)),
            number(r.grams_co2_per_kwh),
            r.as_of.to_string().into(),
        ],
        json: Box::new(|| json(r)),
    }
}

fn currency(r: &Currency) -> Row<'_> {
    Row {
        words: r.id.to_lowercase(),
        tier: None,
        provider: None,
        cells: vec![r.id.as_str().into(), number(Some(r.usd)), r.as_of.to_string().into()],
        json: Box::new(|| json(r)),
    }
}

fn provider(r: &Provider) -> Row<'_> {
    Row {
        words: words(&[Some(&r.id), Some(&r.name), r.base_url.as_deref()]),
        tier: None,
        provider: Some(r.id.clone()),
        cells: vec![
            r.id.as_str().into(),
            r.base_url
                .as_ref()
                .or(r.hosts.first())
                .map(|url| url.trim_start_matches("https://").to_owned())
                .into(),
            r.key_variable.clone().into(),
            r.as_of.to_string().into(),
        ],
        json: Box::new(|| json(r)),
    }
}

fn open_model(r: &OpenModel) -> Row<'_> {
    let mixture = r.active_parameters.filter(|a| Some(*a) != r.parameters);
    Row {
        words: words(&[Some(&r.id), Some(&r.name), r.repository.as_deref(), r.family.as_deref()]),
        tier: r.tier,
        provider: None,
        cells: vec![
            r.id.as_str().into(),
            rough(r.parameters),
            rough(mixture),
            whole(r.layers.map(u64::from)),
            whole(r.kv_heads.map(u64::from)),
            rough(r.context_tokens),
            whole(r.tier.map(u64::from)),
            r.licence.clone().into(),
        ],
        json: Box::new(|| json(r)),
    }
}

fn api_model(r: &ApiModel, today: Date) -> Row<'_> {
    let aliases = r.aliases.join(" ");
    let now = r.price_on(today);
    let rate = |f: fn(&crate::catalog::Rates) -> Option<f64>| number(now.and_then(|p| f(&p.rates)));
    Row {
        words: words(&[
            Some(&r.id),
            Some(&r.model),
            r.name.as_deref(),
            Some(&aliases),
            r.open_model.as_deref(),
        ]),
        tier: r.tier,
        provider: Some(r.provider.clone()),
        cells: vec![
            r.id.as_str().into(),
            rate(|r| r.input_per_mtok),
            rate(|r| r.output_per_mtok),
            rate(|r| r.cache_read_per_mtok),
            now.and_then(|p| p.batch_multiplier)
                .map_or(Cell::None, |b| Cell::Number(b, format!("× {}", trimmed(b)))),
            rough(r.context_tokens),
            whole(r.tier.map(u64::from)),
            also(r, today).into(),
        ],
        json: Box::new(|| json(r)),
    }
}

/// Notes beside the list price.
fn also(r: &ApiModel, today: Date) -> Option<String> {
    let mut notes = Vec::new();
    if let Some(now) = r.price_on(today) {
        notes.extend(now.tiers.iter().map(|t| match rough(Some(t.above_input_tokens)) {
            Cell::Number(_, tokens) => format!("dearer above {tokens}"),
            _ => String::new(),
        }));
        if !now.windows.is_empty() {
            notes.push("by time of day".to_owned());
        }
    }
    notes
        .extend(r.price.iter().filter_map(|p| p.from).filter(|f| *f > today).map(|f| format!("changes {f}")));
    notes.extend(r.retires.map(|d| if d > today { format!("ends {d}") } else { format!("ended {d}") }));
    (!notes.is_empty()).then(|| notes.join(", "))
}
