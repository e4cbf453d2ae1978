//! Rules for accelerators, machines, hosts and rentals.

use super::common::{Report, currency_code, month, not_empty, reference, within};
use super::medians::Medians;
use crate::catalog::{
    Accelerator, Catalog, FormFactor, Host, Machine, Misfit, PurchasePrice, Rental, RentalTerms,
};

/// Rents for the same accelerator differ by terms and provider, but by no more than this factor.
const RENT_TIMES: f64 = 20.0;

fn prices(list: &[PurchasePrice], catalog: &Catalog, report: Report<'_>) {
    for (n, price) in list.iter().enumerate() {
        let at = |field: &str| format!("price.{n}.{field}");
        if !(price.amount.is_finite() && price.amount > 0.0 && price.amount < 50_000_000.0) {
            report(&at("amount"), format!("price {}", price.amount), "an amount above 0");
        }
        currency_code(&at("currency"), &price.currency, catalog, report);
        if price.source.trim().is_empty() {
            report(&at("source"), "price without a source".to_owned(), "where it was read");
        }
        not_empty(&at("place"), &price.place, report);
        within(&at("vat"), price.vat, 0.01, 0.5, "of the price without it, as a share", report);
        within(&at("install"), price.install, 0.01, 10_000_000.0, "in the price's currency", report);
    }
}

/// Only the price of a host can include accelerators.
fn nothing_fitted(list: &[PurchasePrice], report: Report<'_>) {
    for n in list.iter().enumerate().filter(|(_, p)| p.fitted.is_some()).map(|(n, _)| n) {
        report(
            &format!("price.{n}.fitted"),
            "accelerators in the price of something that has no slots".to_owned(),
            "no `fitted`, or a [[host]]",
        );
    }
}

pub(in crate::catalog::check) fn accelerator(r: &Accelerator, c: &Catalog, _: &Medians, report: Report<'_>) {
    not_empty("name", &r.name, report);
    within("memory_gib", r.memory_gib, 0.5, 2_048.0, "GiB", report);
    within("bandwidth_gb_s", r.bandwidth_gb_s, 10.0, 100_000.0, "GB/s", report);
    for (path, value) in [
        ("fp16_tflops", r.fp16_tflops),
        ("bf16_tflops", r.bf16_tflops),
        ("fp8_tflops", r.fp8_tflops),
        ("fp4_tflops", r.fp4_tflops),
        ("int8_tops", r.int8_tops),
    ] {
        within(path, value, 0.1, 100_000.0, "dense teraflops", report);
    }
    within("board_watts", r.board_watts, 1.0, 5_000.0, "W", report);
    within("idle_watts", r.idle_watts, 0.05, 1_000.0, "W", report);
    within("interconnect_gb_s", r.interconnect_gb_s, 1.0, 10_000.0, "GB/s", report);
    if let (Some(idle), Some(board)) = (r.idle_watts, r.board_watts)
        && idle > board
    {
        report(
            "idle_watts",
            format!("idle {idle} W is above the board's {board} W"),
            "less than board_watts",
        );
    }
    within("slot_width", r.slot_width, 1.0, 5.0, "places", report);
    month("discontinued", r.discontinued.as_deref(), report);
    nothing_fitted(&r.price, report);
    prices(&r.price, c, report);
}

pub(in crate::catalog::check) fn machine(r: &Machine, c: &Catalog, _: &Medians, report: Report<'_>) {
    not_empty("name", &r.name, report);
    if let Some(id) = &r.accelerator {
        let known = c.accelerators.iter().map(|a| a.id.as_str());
        reference("accelerator", id, "gpu", c.accelerator(id).is_some(), known, report);
    }
    within("memory_gib", r.memory_gib, 1.0, 65_536.0, "GiB", report);
    within("bandwidth_gb_s", r.bandwidth_gb_s, 5.0, 100_000.0, "GB/s", report);
    within("fp16_tflops", r.fp16_tflops, 0.01, 10_000.0, "dense teraflops", report);
    within("idle_watts", r.idle_watts, 0.5, 20_000.0, "W", report);
    within("load_watts", r.load_watts, 1.0, 200_000.0, "W", report);
    within("accelerators", Some(f64::from(r.accelerators)), 0.0, 1_024.0, "accelerators", report);
    if let (Some(idle), Some(load)) = (r.idle_watts, r.load_watts)
        && idle > load
    {
        report("idle_watts", format!("idle {idle} W is above load {load} W"), "less than load_watts");
    }
    within("rack_units", r.rack_units, 0.5, 60.0, "rack units", report);
    month("discontinued", r.discontinued.as_deref(), report);
    nothing_fitted(&r.price, report);
    prices(&r.price, c, report);
}

pub(in crate::catalog::check) fn host(r: &Host, c: &Catalog, _: &Medians, report: Report<'_>) {
    not_empty("name", &r.name, report);
    within("slots.number", Some(f64::from(r.slots.number)), 1.0, 32.0, "slots", report);
    within("slots.watts", r.slots.watts, 25.0, 3_000.0, "W for one slot", report);
    within("slots.link_gb_s", r.slots.link_gb_s, 1.0, 10_000.0, "GB/s", report);
    within("accelerator_watts", r.accelerator_watts, 25.0, 50_000.0, "W for all accelerators", report);
    within("base_watts", r.base_watts, 5.0, 20_000.0, "W", report);
    within("idle_watts", r.idle_watts, 1.0, 10_000.0, "W", report);
    within("rack_units", r.rack_units, 0.5, 60.0, "rack units", report);
    within("memory_gib", r.memory_gib, 1.0, 65_536.0, "GiB", report);
    within("bandwidth_gb_s", r.bandwidth_gb_s, 5.0, 10_000.0, "GB/s", report);
    if let (Some(idle), Some(base)) = (r.idle_watts, r.base_watts)
        && idle > base
    {
        report("idle_watts", format!("idle {idle} W is above base {base} W"), "at most base_watts");
    }
    if !matches!(r.slots.form, FormFactor::Pcie | FormFactor::Sxm | FormFactor::Oam) {
        report(
            "slots.form",
            "such accelerators are not put into slots".to_owned(),
            "pcie, sxm or oam; a computer with its accelerator soldered in is a [[machine]]",
        );
    } else if r.slots.always_full() && r.accelerators.is_empty() {
        report(
            "accelerators",
            "a board of modules is made for certain ones, and none is named".to_owned(),
            "the ids of the accelerators it is sold with",
        );
    }
    for (n, id) in r.accelerators.iter().enumerate() {
        let number = if r.slots.always_full() { r.slots.number } else { 1 };
        fits(&format!("accelerators.{n}"), r, id, number, c, report);
    }
    prices(&r.price, c, report);
    for (n, fitted) in r.price.iter().enumerate().filter_map(|(n, p)| Some((n, p.fitted.as_ref()?))) {
        let at = format!("price.{n}.fitted");
        fits(&at, r, &fitted.accelerator, fitted.number, c, report);
    }
}

/// Accelerators that a host is said to hold must fit into it.
fn fits(path: &str, host: &Host, id: &str, number: u32, c: &Catalog, report: Report<'_>) {
    let Some(card) = c.accelerator(id) else {
        let known = c.accelerators.iter().map(|a| a.id.as_str());
        return reference(path, id, "gpu", false, known, report);
    };
    // A figure that is not known keeps the host out of plans, but is no mistake in the record.
    if let Err(misfit) = host.carries(card, number)
        && !matches!(misfit, Misfit::PowerUnknown)
    {
        report(path, format!("{id} does not go into it: {misfit}"), "an accelerator that fits the slots");
    }
}

pub(in crate::catalog::check) fn rental(r: &Rental, c: &Catalog, _: &Medians, report: Report<'_>) {
    not_empty("provider", &r.provider, report);
    let known = c.accelerators.iter().map(|a| a.id.as_str());
    reference("accelerator", &r.accelerator, "gpu", c.accelerator(&r.accelerator).is_some(), known, report);
    currency_code("currency", &r.currency, c, report);
    within("accelerators", Some(f64::from(r.accelerators)), 1.0, 1_024.0, "accelerators", report);
    if r.per_hour > 0.0 && r.per_hour < 10_000.0 {
        let each = r.per_hour / f64::from(r.accelerators.max(1));
        let mut same: Vec<f64> = c
            .rentals
            .iter()
            .filter(|o| o.accelerator == r.accelerator && o.currency == r.currency && o.id != r.id)
            .map(|o| o.per_hour / f64::from(o.accelerators.max(1)))
            .collect();
        same.sort_by(f64::total_cmp);
        if let Some(middle) = same.get(same.len() / 2)
            && (each > middle * RENT_TIMES || each * RENT_TIMES < *middle)
        {
            report(
                "per_hour",
                format!("{each:.3} per accelerator-hour, others of {} cost {middle:.3}", r.accelerator),
                "the price of one hour of the whole instance",
            );
        }
    } else {
        report("per_hour", format!("per_hour is {}", r.per_hour), "the price of one hour, above 0");
    }
    if r.term_months.is_some() && r.terms != RentalTerms::Reserved {
        report("term_months", "a commitment on terms that have none".to_owned(), "terms = \"reserved\"");
    }
}
