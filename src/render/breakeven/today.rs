//! Today's bill compared with the same month under every option.

use crate::document::breakeven::today::Today;
use crate::money::Currency;
use crate::number::{grouped, percent};
use crate::render::view::{Block, Cell, Table, View};

/// What is paid today, and what the same month would have cost.
pub(super) fn show(today: &Today, money: &Currency, view: &mut View) {
    view.heading("Today");
    view.paragraph(records(today));
    let usd = |amount: f64| money.show(money.convert(amount));
    let part = if today.bill_partial { " for a part of the requests" } else { "" };
    let stated = today.bill_usd.map(|amount| format!("stated {}{part}", usd(amount)));
    let left_out = match today.unpriced.len() {
        0 => String::new(),
        1 => " without 1 model that has no price".to_owned(),
        n => format!(" without {n} models that have no price"),
    };
    let repriced =
        today.repriced_usd.map(|amount| format!("{} at the prices of those days{left_out}", usd(amount)));
    let bill: Vec<String> = stated.into_iter().chain(repriced).collect();
    view.paragraph(if bill.is_empty() {
        "The records state no bill, and their models have no price: today's cost is not known.".to_owned()
    } else {
        format!("The bill of these records: {}.", bill.join("; "))
    });
    let mut table = Table::new(&["a month of this", "#bill", "#of today's", "#with people"]);
    for (name, amount) in [
        ("today, as stated", today.monthly_bill_usd),
        ("today, at the prices of those days", today.monthly_repriced_usd),
    ] {
        if let Some(amount) = amount {
            table.row([
                name.into(),
                Cell::Number(money.convert(amount), usd(amount)),
                Cell::None,
                Cell::None,
            ]);
        }
    }
    for option in &today.options {
        let share = option.of_today.map(|share| Cell::Number(share, of_today(share)));
        table.row([
            option.name.as_str().into(),
            Cell::Number(money.convert(option.bill_usd), usd(option.bill_usd)),
            share.into(),
            Cell::Number(money.convert(option.monthly_usd), usd(option.monthly_usd)),
        ]);
    }
    let has_seats = today.options.iter().any(|o| o.kind == "seat");
    let bought = today.options.iter().any(|o| matches!(o.kind.as_str(), "owned" | "financed"));
    view.push(Block::Table(if bought {
        table.caption("Hardware: what it runs on, and its purchase spread over its life".to_owned())
    } else {
        table
    }));
    if has_seats {
        view.push(Block::Table(columns(today, &usd)));
        view.paragraph(
            "Seats are for people: programs may not ask through them, and providers seldom publish how much a \
             seat may use.",
        );
    }
}

/// Seats, APIs and machines in one table, each column sorted by cost.
fn columns(today: &Today, usd: &impl Fn(f64) -> String) -> Table {
    let column = |kinds: &[&str]| -> Vec<String> {
        let mut options: Vec<_> = today.options.iter().filter(|o| kinds.contains(&o.kind.as_str())).collect();
        options.sort_by(|a, b| a.bill_usd.total_cmp(&b.bill_usd));
        options.iter().map(|o| format!("{}: {}", o.name, usd(o.bill_usd))).collect()
    };
    let columns = [column(&["seat"]), column(&["api"]), column(&["owned", "financed", "rented"])];
    let mut table = Table::new(&["seats", "API", "own machine"]);
    for n in 0..columns.iter().map(Vec::len).max().unwrap_or(0) {
        let cell = |column: &Vec<String>| column.get(n).map_or(Cell::None, |text| text.as_str().into());
        table.row([cell(&columns[0]), cell(&columns[1]), cell(&columns[2])]);
    }
    table.caption("A month without people, cheapest first".to_owned())
}

/// A share of today's bill in percent; ten times it and more as `12 times`.
fn of_today(share: f64) -> String {
    if share < 10.0 { percent(share) } else { format!("{} times", grouped(share, 0)) }
}

fn records(today: &Today) -> String {
    let day = |time: &Option<String>| time.as_deref().and_then(|t| t.get(..10)).map(str::to_owned);
    let when = match (day(&today.first), day(&today.last)) {
        (Some(first), Some(last)) if first == last => format!(" of {first}"),
        (Some(first), Some(last)) => format!(" from {first} to {last}"),
        _ => String::new(),
    };
    let requests = today.requests.map_or_else(
        || "An unknown number of requests".to_owned(),
        |n| format!("{} request{}", grouped(n as f64, 0), if n == 1 { "" } else { "s" }),
    );
    let models: Vec<String> =
        today.models.iter().take(4).map(|m| format!("{} {}", m.name, percent(m.share_of_tokens))).collect();
    let more = today.models.len().saturating_sub(4);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{requests}{when} ({}); tokens by model: {}{more}.", today.usage, models.join(", "))
}
