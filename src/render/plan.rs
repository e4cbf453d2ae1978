//! The view of a plan document.

use super::names::capital;
use super::view::{Block, Cell, Table, View};
use crate::document::envelope::Envelope;
use crate::document::fit::BandRow;
use crate::document::plan::{
    LaterRow, MissedRow, OwnedResult, PlanNeed, PlanResult, PlanRow, RejectedRow, TermRow, TogetherRow,
};
use crate::money::Currency;
use crate::number::{grouped, percent, short};
use std::collections::{BTreeMap, BTreeSet};

/// The most plans that are shown in full; the document has all of them.
const SHOWN: usize = 10;

impl Envelope<PlanResult> {
    /// The document for people: the plan as one would order it, the alternatives, and why other
    /// combinations were rejected.
    pub fn view(&self) -> View {
        let r = &self.result;
        let money = r.money();
        let mut view = View::new(match r.needs.len() {
            0 => format!("A plan for {}", r.model),
            number => format!("A plan for {number} needs"),
        });
        if r.needs.is_empty() {
            view.paragraph(need(&r.need));
        }
        for one in &r.needs {
            view.paragraph(format!("{} ({}). {}", capital(&one.name), one.model, need(&one.need)));
        }
        for owned in &r.owned {
            view.paragraph(owned_sentence(owned));
        }
        if !r.owned.is_empty() {
            view.push(Block::Table(owned_table(&r.owned)));
        }
        if r.together.is_empty() {
            self.one(&mut view, &money);
        } else {
            for line in r.together.first().map(|first| order_of_all(first, r, &money)).into_iter().flatten() {
                view.paragraph(line);
            }
            view.heading("All needs on the same machines");
            view.push(Block::Table(together(&r.together, &money)));
            if let Some(few) = &r.together_in_few_bits
                && r.together.first().is_some_and(|first| few.total_usd < first.total_usd)
            {
                view.paragraph(format!(
                    "With weights of fewer than eight bits that the model's maker did not release: {} ({}), {} over {} months. They lose some quality: measure it on your own prompts first.",
                    few.name,
                    formats(few),
                    money.show(few.total_usd),
                    r.horizon_months
                ));
            }
            view.paragraph(format!(
                "Over {} months, with power, place and people, less what the machines would then still fetch. Needs of one model share its copies; different models share machines, but no accelerator.",
                r.horizon_months
            ));
        }
        for line in rejected(&r.rejected) {
            view.paragraph(line);
        }
        if !r.skipped.is_empty() {
            view.paragraph(format!(
                "{} more combinations of computer and accelerator were left out, most of them because no price is known (the JSON has each with its reason).",
                grouped(r.skipped.len() as f64, 0)
            ));
        }
        if !self.warnings.is_empty() {
            view.push(Block::Warnings(self.warnings.clone()));
        }
        view
    }

    fn one(&self, view: &mut View, money: &Currency) {
        let r = &self.result;
        let Some(first) = r.plans.first() else {
            view.paragraph("Nothing that can be ordered carries this.");
            return;
        };
        if first.misses.is_empty() {
            let enough = !r.owned.is_empty() && r.owned.iter().all(|o| o.short_requests_per_second <= 0.0);
            let sentence = order(first, r.horizon_months, money);
            view.paragraph(match (enough, r.planned_share) {
                (true, _) => format!("Bought new, all of it would take this. {sentence}"),
                (false, Some(_)) => {
                    format!("To add to what is there, for the part that is missing: {sentence}")
                }
                (false, None) => sentence,
            });
            if let Some(all) = &r.all_new {
                view.paragraph(format!(
                    "Bought new, all of it would take {} ({} in {}): {} up front and {} over {} months.",
                    all.name,
                    all.engine,
                    all.quantisation,
                    money.show(all.upfront()),
                    money.show(all.tco_usd),
                    r.horizon_months
                ));
            }
            view.paragraph(binds(first));
            if first.few_bits {
                view.paragraph(few_bits(first, &r.plans, r.horizon_months, money));
            }
            if first.unmeasured {
                view.paragraph(unmeasured(first, &r.plans, r.horizon_months, money));
            }
        } else {
            view.paragraph(nearest(first));
        }
        if let Some(late) = &r.with_later_limits {
            view.paragraph(format!(
                "What the limits cost: with both twice as long it would be {} ({} in {}), {} up front and {} over {} months.",
                late.name,
                late.engine,
                late.quantisation,
                money.show(late.upfront()),
                money.show(late.tco_usd),
                r.horizon_months
            ));
        }
        let chosen = chosen(r);
        view.push(Block::Table(side_by_side(&chosen, money)));
        view.paragraph(
            "TTFT and TPOT are means at the peak with the band that holds about four measurements of five; they are predicted, and `freehold bench` measures them. Requests a second are those that keep the limits.",
        );
        if r.plans.len() > 1 && first.misses.is_empty() {
            view.heading("The cheapest plans");
            // The same cards in a more expensive computer add nothing.
            let mut seen = BTreeSet::new();
            let differ: Vec<&PlanRow> = r
                .plans
                .iter()
                .filter(|p| seen.insert((&p.accelerator, p.accelerators)))
                .take(SHOWN)
                .collect();
            view.push(Block::Table(ranking(&differ, money)));
            if r.plans.len() > differ.len() {
                view.paragraph(match r.plans.len() - differ.len() {
                    1 => "The cheapest computer around each; one more plan is in the JSON.".to_owned(),
                    n => format!(
                        "The cheapest computer around each; {} more plans are in the JSON.",
                        grouped(n as f64, 0)
                    ),
                });
            }
        }
        if let Some(four) = r.in_four_bits.as_ref().filter(|f| f.tco_usd < first.tco_usd) {
            view.paragraph(format!(
                "With weights of four bits that the model's maker did not release: {} ({}, {}), {} over {} months. They lose some quality: measure it on your own prompts first.",
                four.name,
                four.engine,
                four.quantisation,
                money.show(four.tco_usd),
                r.horizon_months
            ));
        }
    }
}

impl PlanResult {
    /// The currency that amounts are shown in.
    pub fn money(&self) -> Currency {
        Currency::new(&self.currency, self.usd_rate)
    }
}

fn need(n: &PlanNeed) -> String {
    let limits: Vec<String> = [
        (n.ttft_limit_ms, "to the first token"),
        (n.tpot_limit_ms, "for each further one"),
        (n.e2e_limit_ms, "for the whole answer"),
    ]
    .into_iter()
    .filter_map(|(ms, what)| Some(format!("{} ms {what}", grouped(ms?, 0))))
    .collect();
    let limits = match (limits.is_empty(), n.deadline_hours) {
        (_, Some(hours)) => format!("done within {} hours", grouped(hours, 0)),
        (true, None) => "no limit on latency".to_owned(),
        (false, None) => format!("at most {} (95 of 100 requests)", list(&limits)),
    };
    let stay = if n.must_stay_up { "; one machine may fail" } else { "" };
    format!(
        "For {} ({} at the peak) of {} input and {} output tokens: {limits}{stay}.",
        per_second(n.requests_per_second_mean),
        per_second(n.requests_per_second_peak),
        grouped(n.input_tokens, 0),
        grouped(n.output_tokens, 0),
    )
}

/// `a, b and c`.
fn list(parts: &[String]) -> String {
    match parts {
        [] => String::new(),
        [one] => one.clone(),
        [rest @ .., last] => format!("{} and {last}", rest.join(", ")),
    }
}

impl PlanResult {
    /// The cheapest plan that keeps the limits, or else the one that comes nearest; `None` where nothing
    /// can be ordered.
    pub fn best(&self) -> Option<&PlanRow> {
        let cheapest = self.cheapest.and_then(|n| usize::try_from(n).ok());
        cheapest.and_then(|n| self.plans.get(n)).or_else(|| self.plans.first())
    }

    /// What would be ordered, in a sentence; `None` where no plan keeps the limits.
    pub(super) fn sentence(&self) -> Option<String> {
        let best = self.best().filter(|p| p.misses.is_empty())?;
        let sentence = order(best, self.horizon_months, &self.money());
        Some(match self.planned_share {
            Some(_) => format!("To add to what is there, for the part that is missing: {sentence}"),
            None => sentence,
        })
    }

    /// What the plan is for, in a sentence.
    pub(super) fn purpose(&self) -> String {
        need(&self.need)
    }
}

impl PlanRow {
    /// What is paid before it works, US dollars.
    fn upfront(&self) -> f64 {
        self.upfront_usd.unwrap_or(self.capex_usd)
    }
}

impl TogetherRow {
    /// What is paid before it works, US dollars.
    fn upfront(&self) -> f64 {
        self.upfront_usd.unwrap_or(self.capex_usd)
    }
}

/// A rate in words, in the shortest time in which there is at least one: up to a month of 730 hours.
fn per_second(rate: f64) -> String {
    if rate >= 1.0 {
        format!("{} requests a second", short(rate))
    } else if rate * 60.0 >= 1.0 {
        format!("{} requests a minute", short(rate * 60.0))
    } else if rate * 3600.0 >= 1.0 {
        format!("{} requests an hour", short(rate * 3600.0))
    } else {
        format!("{} requests a month", short(rate * 3600.0 * 730.0))
    }
}

/// What would be ordered, in a sentence.
fn order(p: &PlanRow, months: u32, money: &Currency) -> String {
    let spare = match p.spare_hosts {
        0 => String::new(),
        1 => ", one of them a spare".to_owned(),
        n => format!(", {n} of them spares"),
    };
    let copies = if p.replicas == 1 { "one copy".to_owned() } else { format!("{} copies", p.replicas) };
    let it = if p.hosts > 1 { "They run" } else { "It runs" };
    let how = if p.capex_usd > 0.0 { "Order" } else { "Take" };
    let price = if p.capex_usd > 0.0 || p.upfront() > 0.0 {
        format!("{} up front and {} a month", money.show(p.upfront()), money.show(p.monthly_usd))
    } else {
        format!("{} a month", money.show(p.monthly_usd))
    };
    let at_once = match p.concurrency {
        1 => "one request at a time".to_owned(),
        n => format!("up to {n} requests at once"),
    };
    format!(
        "{how} {}{spare}. {it} {copies} of the model under {} in {} with {at_once}{}. {price}; {} over {months} months{}.{}",
        p.name,
        p.engine,
        p.quantisation,
        if p.replicas > 1 { " each" } else { "" },
        money.show(p.tco_usd),
        left(p.left_usd.unwrap_or(0.0), money),
        later(&p.later, p.running_usd, money),
    )
}

/// The most later purchases that a sentence names one by one.
const NAMED: usize = 4;

/// What is bought or rented later, and what recurs in all; empty where nothing is.
fn later(rows: &[LaterRow], running_usd: Option<f64>, money: &Currency) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let machines = |r: &LaterRow| match (r.added, r.replaced) {
        (added, 0) => format!("{added} more"),
        (0, replaced) => format!("{replaced} again"),
        (added, replaced) => format!("{added} more and {replaced} again"),
    };
    let paid = |usd: f64| if usd.abs() >= 0.5 { format!(" for {}", money.show(usd)) } else { String::new() };
    let what = if rows.len() <= NAMED {
        let each: Vec<String> =
            rows.iter().map(|r| format!("{} in month {}{}", machines(r), r.month, paid(r.usd))).collect();
        list(&each)
    } else {
        let (mut added, mut replaced) = (0, 0);
        for row in rows {
            (added, replaced) = (added + row.added, replaced + row.replaced);
        }
        let months = rows.first().zip(rows.last()).map_or((0, 0), |(a, b)| (a.month, b.month));
        let all = LaterRow { month: 0, added, replaced, usd: rows.iter().map(|r| r.usd).sum() };
        format!(
            "{} from month {} to month {}{} together (the JSON has each)",
            machines(&all),
            months.0,
            months.1,
            paid(all.usd)
        )
    };
    let running = running_usd
        .map_or_else(String::new, |usd| format!("; what recurs comes to {} in all", money.show(usd)));
    format!(" The total counts what follows later: {what}{running}.")
}

/// What is deducted from the total, or added to it.
fn left(usd: f64, money: &Currency) -> String {
    if usd >= 0.5 {
        format!(", less the {} that the machines would then still fetch", money.show(usd))
    } else if usd <= -0.5 {
        format!(", including {} that would then still be owed", money.show(-usd))
    } else {
        String::new()
    }
}

fn cards(p: &PlanRow) -> String {
    format!("{} × {}", p.accelerators, p.accelerator_name)
}

/// What keeps the plan from being smaller.
fn binds(p: &PlanRow) -> String {
    let words: Vec<&str> = p.binds.iter().map(|b| bind_words(b)).collect();
    let busy = format!(
        "The machines in service are busy {} of the time at the peak and {} on average.",
        percent(p.busy_peak),
        percent(p.busy_mean)
    );
    match words.as_slice() {
        [] => busy,
        [first, rest @ ..] => {
            let rest =
                if rest.is_empty() { String::new() } else { format!(", then {}", rest.join(", then ")) };
            format!("What binds: {first}{rest}. {busy}")
        }
    }
}

/// What binds, in words.
fn bind_words(word: &str) -> &str {
    match word {
        "compute" => "arithmetic and bandwidth of the accelerators",
        "kv-memory" => "memory for keys and values",
        "ttft" => "the limit on the first token",
        "tpot" => "the limit on each further token",
        "e2e" => "the limit on the whole answer",
        "granularity" => "machines come whole, and most of this one is idle",
        "spare" => "the spare machine",
        "asked" => "the requests at once that were asked for",
        other => other,
    }
}

/// What fewer bits cost in quality, and what would be ordered otherwise.
fn few_bits(p: &PlanRow, plans: &[PlanRow], months: u32, money: &Currency) -> String {
    let whole = plans.iter().find(|other| !other.few_bits && other.misses.is_empty());
    let instead = whole.map_or_else(
        || " No plan has more.".to_owned(),
        |w| {
            format!(
                " The cheapest with more is {} ({}): {} over {months} months.",
                w.name,
                w.quantisation,
                money.show(w.tco_usd)
            )
        },
    );
    format!(
        "{} has fewer than eight bits a weight, and the model's maker did not release it: it loses some quality, so measure it on your own prompts first.{instead}",
        p.quantisation
    )
}

/// A note that no run on such accelerators has been published, and what would be ordered otherwise.
fn unmeasured(p: &PlanRow, plans: &[PlanRow], months: u32, money: &Currency) -> String {
    let known = plans.iter().find(|other| !other.unmeasured && other.misses.is_empty());
    let instead = known.map_or_else(String::new, |k| {
        format!(
            " The cheapest on accelerators with published runs is {}: {} over {months} months.",
            k.name,
            money.show(k.tco_usd)
        )
    });
    format!(
        "No published run of {} on {} is known: measure one before you order, or rent it for a day.{instead}",
        p.engine, p.accelerator_name
    )
}

fn nearest(p: &PlanRow) -> String {
    let each = |of: &dyn Fn(&MissedRow) -> Option<String>| -> Vec<String> {
        p.misses.iter().filter_map(of).collect()
    };
    let what = |m: &MissedRow| match m.limit.as_str() {
        "ttft" => "the first token",
        "e2e" => "the whole answer",
        _ => "each further token",
    };
    let alone = each(&|m| {
        Some(format!("{} takes {} ms instead of {} ms", what(m), figure(m.alone_ms?), figure(m.limit_ms)))
    });
    let alone = if alone.is_empty() {
        String::new()
    } else {
        format!(": even for one request alone on the quickest accelerators {}", alone.join(" and "))
    };
    let gets = each(&|m| Some(format!("{} after {} ms", what(m), figure(m.ms))));
    format!(
        "No plan keeps these limits{alone}. The nearest is {} ({}, {} in {}): with it 95 requests of 100 have {}. A smaller model, a format with fewer bits or a later limit (--ttft-ms, --tpot-ms, --e2e-ms) would do.",
        p.name,
        cards(p),
        p.engine,
        p.quantisation,
        gets.join(" and ")
    )
}

/// The plans that have a column: the cheapest, and, if they differ, those with the fewest machines and the
/// lowest latency.
fn chosen(r: &PlanResult) -> Vec<(String, &PlanRow)> {
    let mut found: Vec<(Vec<&str>, usize)> = Vec::new();
    for (title, index) in
        [("cheapest", r.cheapest), ("fewest machines", r.fewest_hosts), ("quickest", r.lowest_latency)]
    {
        let Some(index) = index.and_then(|n| usize::try_from(n).ok()) else { continue };
        match found.iter_mut().find(|(_, i)| *i == index) {
            Some((titles, _)) => titles.push(title),
            None => found.push((vec![title], index)),
        }
    }
    if found.is_empty() && !r.plans.is_empty() {
        found.push((vec!["nearest"], 0));
    }
    found.into_iter().filter_map(|(t, i)| Some((t.join(", "), r.plans.get(i)?))).collect()
}

fn band_text(b: BandRow) -> String {
    format!("{} ({} to {})", figure(b.likely), figure(b.low), figure(b.high))
}

fn figure(value: f64) -> String {
    if value < 10.0 { format!("{value:.1}") } else { grouped(value, 0) }
}

fn side_by_side(chosen: &[(String, &PlanRow)], money: &Currency) -> Table {
    let mut table = Table::beside(chosen.iter().map(|(title, _)| title.as_str()));
    let mut line = |name: &str, cell: &dyn Fn(&PlanRow) -> Cell| {
        table.property(name, chosen.iter().map(|(_, p)| cell(p)));
    };
    line("machines", &|p| format!("{} × {}", p.hosts, p.host_name).into());
    line("accelerators", &|p| cards(p).into());
    line("engine, weights", &|p| format!("{}, {}", p.engine, p.quantisation).into());
    line("keys and values", &|p| p.kv_type.clone().into());
    line("each copy over", &|p| split(p).into());
    line("copies × requests at once", &|p| format!("{} × {}", p.replicas, p.concurrency).into());
    line("TTFT, ms", &|p| band_text(p.ttft_ms).into());
    line("TPOT, ms", &|p| band_text(p.tpot_ms).into());
    line("requests/s", &|p| Cell::Number(p.requests_per_second, short(p.requests_per_second)));
    line("busy at the peak", &|p| Cell::Number(p.busy_peak, percent(p.busy_peak)));
    line("from the prefix cache", &|p| Cell::Number(p.cached_input_share, percent(p.cached_input_share)));
    line("weights, GB a copy", &|p| Cell::Number(p.weights_bytes, grouped(p.weights_bytes / 1e9, 1)));
    line("room for keys and values, GB", &|p| {
        Cell::Number(p.kv_room_bytes, grouped(p.kv_room_bytes / 1e9, 1))
    });
    line("power on average, W", &|p| p.watts.map_or(Cell::None, |w| Cell::Number(w, grouped(w, 0))));
    line("rack units", &|p| p.rack_units.map_or(Cell::None, |u| Cell::Number(u, grouped(u, 0))));
    line("people, hours a month", &|p| {
        Cell::Number(p.staff_hours_per_month.likely, figure(p.staff_hours_per_month.likely))
    });
    line("up front", &|p| Cell::Number(p.upfront(), money.show(p.upfront())));
    line("a month", &|p| Cell::Number(p.monthly_usd, money.show(p.monthly_usd)));
    if chosen.iter().any(|(_, p)| p.left_usd.is_some()) {
        line("worth at the end", &|p| {
            p.left_usd.map_or(Cell::None, |usd| Cell::Number(usd, money.show(usd)))
        });
    }
    line("in all", &|p| Cell::Number(p.tco_usd, money.show(p.tco_usd)));
    table
}

fn split(p: &PlanRow) -> String {
    match (p.tensor_parallel, p.pipeline_parallel) {
        (1, 1) => "one accelerator".to_owned(),
        (t, 1) => format!("{t} accelerators"),
        (1, g) => format!("{g} accelerators, a share of the layers each"),
        (t, g) => format!("{g} groups of {t} accelerators"),
    }
}

fn ranking(plans: &[&PlanRow], money: &Currency) -> Table {
    let mut table = Table::new(&[
        "machines",
        "weights",
        "#at once",
        "#TTFT ms",
        "#TPOT ms",
        "#busy",
        "#up front",
        "#a month",
        "#in all",
    ]);
    for p in plans {
        let hosts = if p.hosts == 1 { "1 host".to_owned() } else { format!("{} hosts", p.hosts) };
        table.row([
            format!("{}, {hosts}", cards(p)).into(),
            p.quantisation.clone().into(),
            Cell::Number(f64::from(p.concurrency), format!("{} × {}", p.replicas, p.concurrency)),
            Cell::Number(p.ttft_ms.likely, figure(p.ttft_ms.likely)),
            Cell::Number(p.tpot_ms.likely, figure(p.tpot_ms.likely)),
            Cell::Number(p.busy_peak, percent(p.busy_peak)),
            Cell::Number(p.upfront(), money.show(p.upfront())),
            Cell::Number(p.monthly_usd, money.show(p.monthly_usd)),
            Cell::Number(p.tco_usd, money.show(p.tco_usd)),
        ]);
    }
    table
}

/// What was rejected, by reason, with the accelerators that came nearest.
fn rejected(rows: &[RejectedRow]) -> Vec<String> {
    let mut by: BTreeMap<&str, Vec<&RejectedRow>> = BTreeMap::new();
    for row in rows {
        by.entry(row.reason.as_str()).or_default().push(row);
    }
    let line = |(reason, rows): (&str, Vec<&RejectedRow>)| {
        let what = match reason {
            "too-slow" => "Too slow at the limits",
            "does-not-fit" => "Too small",
            "no-weights" => "Without weights in the format",
            _ => "Not run by the engine",
        };
        let mut shown: Vec<String> = Vec::new();
        for r in &rows {
            let one = format!("{} with {} in {}", r.accelerator, r.engine, r.quantisation);
            if shown.len() < 3 && !shown.contains(&one) {
                shown.push(one);
            }
        }
        let more = rows.len().saturating_sub(shown.len());
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let why = rows.first().filter(|_| rows.len() == 1).map_or(String::new(), |r| format!(" ({})", r.why));
        format!("{what}: {}{more}{why}.", shown.join("; "))
    };
    by.into_iter().map(line).collect()
}

fn owned_sentence(o: &OwnedResult) -> String {
    let fails = match o.survives_failure {
        Some(false) => {
            " When a machine fails the others do not carry it, and it must stay up: one more is needed."
        }
        Some(true) => " When a machine fails the others carry it.",
        None => "",
    };
    format!("{}{fails}", carried_sentence(o))
}

fn carried_sentence(o: &OwnedResult) -> String {
    if o.requests_per_second_at_most <= 0.0 {
        return format!("{} ({}): what is there cannot run it within the limits.", capital(&o.need), o.model);
    }
    let asked = per_second(o.requests_per_second_asked);
    if o.short_requests_per_second > 0.0 {
        format!(
            "{} ({}): what is there carries {} of the {asked} at the peak; {} are missing.",
            capital(&o.need),
            o.model,
            per_second(o.requests_per_second_at_most),
            per_second(o.short_requests_per_second)
        )
    } else {
        format!(
            "{} ({}): what is there carries the {asked} at the peak; {} of what it could carry stays free then{}.",
            capital(&o.need),
            o.model,
            percent(o.free_at_peak),
            over_the_week(o)
        )
    }
}

/// How much capacity is free outside the peak; empty where the hours are not known.
fn over_the_week(o: &OwnedResult) -> String {
    let Some(hours) = o.free_by_hour.as_deref().filter(|hours| !hours.is_empty()) else {
        return String::new();
    };
    let mean = hours.iter().sum::<f64>() / hours.len() as f64;
    format!(", {} over the week", percent(mean))
}

fn owned_table(all: &[OwnedResult]) -> Table {
    let mut table =
        Table::new(&["need", "what is there", "runs", "#copies", "#room for", "#at once", "#free"]);
    for o in all {
        for m in &o.machines {
            let runs = m.runs.as_ref();
            table.row([
                o.need.clone().into(),
                m.name.clone().into(),
                runs.map_or(Cell::None, |r| {
                    let engine = if r.engine.is_empty() { &r.backend } else { &r.engine };
                    format!(
                        "{} under {engine} in {} over {}",
                        o.model,
                        r.quantisation,
                        r.tensor_parallel * r.pipeline_parallel
                    )
                    .into()
                }),
                runs.map_or(Cell::None, |r| Cell::Number(f64::from(r.replicas), r.replicas.to_string())),
                runs.map_or(Cell::None, |r| Cell::Number(f64::from(r.room), r.room.to_string())),
                runs.map_or(Cell::None, |r| {
                    Cell::Number(f64::from(r.concurrency), r.concurrency.to_string())
                }),
                Cell::Number(
                    f64::from(m.free_accelerators),
                    format!("{} of {}", m.free_accelerators, m.accelerators),
                ),
            ]);
        }
    }
    table
}

/// What would be ordered for several needs, and what each of them gets.
fn order_of_all(first: &TogetherRow, r: &PlanResult, money: &Currency) -> Vec<String> {
    let spare = match first.spare_hosts {
        0 => String::new(),
        1 => ", one of them a spare".to_owned(),
        n => format!(", {n} of them spares"),
    };
    let enough = !r.owned.is_empty() && r.owned.iter().all(|o| o.short_requests_per_second <= 0.0);
    let how = match (enough, r.planned_share, first.capex_usd > 0.0) {
        (true, _, true) => "Bought new, all of it would take",
        (true, _, false) => "Rented, all of it would take",
        (false, Some(_), true) => "To add to what is there, for the part that is missing: order",
        (false, Some(_), false) => "To add to what is there, for the part that is missing: take",
        (false, None, true) => "Order",
        (false, None, false) => "Take",
    };
    let mut lines = vec![format!(
        "{how} {}{spare}. {} up front and {} a month; {} over {} months{}.{}",
        first.name,
        money.show(first.upfront()),
        money.show(first.monthly_usd),
        money.show(first.total_usd),
        r.horizon_months,
        left(first.left_usd.unwrap_or(0.0), money),
        later(&first.later, first.running_usd, money),
    )];
    if first.few_bits {
        lines.push(format!(
            "{}: fewer than eight bits a weight, which the model's maker did not release. They lose some quality, so measure it on your own prompts first; no plan on the same machines has more.",
            formats(first)
        ));
    }
    lines.extend(first.parts.iter().map(|p| {
        let copies = if p.replicas == 1 { "one copy".to_owned() } else { format!("{} copies", p.replicas) };
        let latency = match (p.ttft_p95_ms, p.tpot_p95_ms) {
            (Some(ttft), Some(tpot)) => format!(
                "; with every place taken 95 of 100 requests have the first token within {} ms and each further one within {} ms",
                figure(ttft),
                figure(tpot)
            ),
            _ => String::new(),
        };
        format!(
            "{}: {copies} of {} under {} in {}, {}over {}, with up to {} requests at once{latency}.",
            capital(&p.needs),
            p.model,
            p.engine,
            p.quantisation,
            if p.replicas == 1 { "" } else { "each " },
            if p.accelerators == 1 { "one accelerator".to_owned() } else { format!("{} accelerators", p.accelerators) },
            p.concurrency,
        )
    }));
    lines
}

/// The formats in which the models of a row run, each once: those of few bits where there are any.
fn formats(row: &TogetherRow) -> String {
    let of = |few: bool| -> BTreeSet<&str> {
        row.parts.iter().filter(|p| p.few_bits || !few).map(|p| p.quantisation.as_str()).collect()
    };
    of(row.few_bits).into_iter().collect::<Vec<_>>().join(", ")
}

fn together(rows: &[TogetherRow], money: &Currency) -> Table {
    let mut table = Table::new(&["machines", "runs", "#free", "#up front", "#a month", "#in all"]);
    for t in rows {
        let hosts = if t.hosts == 1 { "1 host".to_owned() } else { format!("{} hosts", t.hosts) };
        let parts: Vec<String> = t
            .parts
            .iter()
            .map(|p| {
                format!(
                    "{}: {} × {} in {} over {}",
                    p.needs, p.replicas, p.model, p.quantisation, p.accelerators
                )
            })
            .collect();
        table.row([
            format!("{} × {}, {hosts}", t.accelerators, t.accelerator_name).into(),
            parts.join("; ").into(),
            Cell::Number(f64::from(t.free_accelerators), t.free_accelerators.to_string()),
            Cell::Number(t.upfront(), money.show(t.upfront())),
            Cell::Number(t.monthly_usd, money.show(t.monthly_usd)),
            Cell::Number(t.total_usd, money.show(t.total_usd)),
        ]);
    }
    table
}

/// The figures on the way to a plan, with the source of each.
pub fn terms(terms: &[&TermRow]) -> Table {
    let mut table = Table::new(&["figure", "#value", "unit", "from"]);
    for t in terms {
        table.row([
            t.name.clone().into(),
            Cell::Number(t.value, crate::number::measured(t.value)),
            t.unit.clone().into(),
            t.source.describe().into(),
        ]);
    }
    table
}
