//! Derivations of units, staff hours and payments at the beginning of a month.

use super::Step;
use crate::cost::case::{Machine, Need, Payment, Peak, Serving, Staff, Values};
use crate::plan::staffing;
use crate::terms::{Derivation, Record, Term};
use crate::units::{Hours, RequestsPerSec, Seconds, Usd};

pub(super) fn units(
    machine: &Machine,
    need: &Need,
    v: Values<'_>,
    peak: RequestsPerSec,
    work: Seconds,
    units: u32,
    record: &mut impl Record,
) {
    record.add(|| {
        let mut terms = vec![
            Term::figure("peak", peak.get(), "requests/s", "peak_requests_per_second"),
            Term::figure("seconds_per_request", work.get(), "s", "seconds_per_request"),
        ];
        let spare = f64::from(machine.spare);
        let (formula, note) = match &machine.serving {
            Some(Serving::Copies(copies)) if copies.ceiling.is_none() => {
                terms.extend([
                    Term::plain("copies", f64::from(copies.per_unit), "per unit"),
                    Term::plain("at_once", copies.at_once, "requests"),
                    Term::plain("z", staffing::Z95, ""),
                ]);
                (
                    "ceil(ceil((peak × seconds_per_request × copies × at_once + z × (peak × seconds_per_request × copies × at_once) ^ 0.5) ÷ at_once) ÷ copies)",
                    "Places for 95 of 100 moments at the peak: what is in the system on average, and z times its root",
                )
            }
            Some(Serving::Copies(copies)) => {
                terms.push(Term::plain("copies", f64::from(copies.per_unit), "per unit"));
                terms.extend(copies.ceiling.map(|slot| v.term("ceiling", slot)));
                ("ceil(ceil(peak × seconds_per_request × copies ÷ ceiling) ÷ copies)", "")
            }
            _ => {
                terms.push(v.term("ceiling", machine.ceiling));
                ("max(ceil(peak × seconds_per_request ÷ ceiling), 1)", "")
            }
        };
        let (formula, terms) = if spare > 0.0 {
            terms.push(Term::plain("spare_units", spare, "units"));
            (format!("{formula} + spare_units"), terms)
        } else {
            (formula.to_owned(), terms)
        };
        Derivation::new("units", f64::from(units) + spare, "units", &formula, terms).note(note)
    });
    record.add(|| {
        let hours: Hours = v.get(need.hours);
        let (formula, terms) = match need.peak {
            Peak::Rate(slot) => ("peak_requests_per_second", vec![v.term("peak_requests_per_second", slot)]),
            Peak::ToMean(slot) => {
                let times = need.peak_over_mean(v.get(slot), v);
                let mean = peak.get() / times * hours.get() * 3600.0;
                let mut terms = vec![
                    Term::figure("requests", mean, "requests/month", "result.requests_per_month"),
                    v.term("hours_per_month", need.hours),
                    v.term("peak_to_mean", slot),
                ];
                if v.get::<f64>(need.batch) > 0.0 {
                    terms.push(v.term("batch_share", need.batch));
                    ("requests ÷ (hours_per_month × 3600) × max(peak_to_mean × (1 − batch_share), 1)", terms)
                } else {
                    ("requests ÷ (hours_per_month × 3600) × peak_to_mean", terms)
                }
            }
        };
        Derivation::new("peak_requests_per_second", peak.get(), "requests/s", formula, terms)
    });
}

pub(super) fn staff(v: Values<'_>, staff: &Staff, units: f64, usd: Usd, record: &mut impl Record) {
    record.add(|| {
        let mut terms = vec![v.term("staff_hours", staff.hours), v.term("staff_usd_per_hour", staff.rate)];
        let mut formula = "staff_hours × staff_usd_per_hour";
        if let Some(further) = staff.further.filter(|_| units > 1.0) {
            formula = "(staff_hours + further_units × staff_hours_per_further_unit) × staff_usd_per_hour";
            terms.push(Term::plain("further_units", units - 1.0, "units"));
            terms.push(v.term("staff_hours_per_further_unit", further));
        }
        Derivation::new("monthly_parts_usd.staff", usd.get(), "USD/month", formula, terms)
    });
}

/// Derivation of what is paid at the beginning of a month, from purchases to the surcharge. The tuple has
/// the month, the debt on each unit that is sold, and whether it is the first month.
pub(super) fn upfront(
    v: Values<'_>,
    machine: &Machine,
    (step, owed, first): (&Step, Usd, bool),
    record: &mut impl Record,
) {
    if step.upfront == Usd::ZERO {
        return;
    }
    record.add(|| {
        let (mut formula, mut terms) = (String::new(), Vec::new());
        let mut add = |part: &str| {
            let joint = if formula.is_empty() || part.starts_with('−') { "" } else { " + " };
            let gap = if !formula.is_empty() && part.starts_with('−') { " " } else { "" };
            formula = format!("{formula}{joint}{gap}{part}");
        };
        if let Payment::Bought { price, install, spares, residual, loan, .. } = &machine.payment {
            let (added, replaced) = (f64::from(step.added - step.had), f64::from(step.replaced));
            let sold = step.replaced - step.had_replaced;
            let financed = loan.is_some();
            if !financed {
                add("(added_units + replaced_units) × purchase_usd × (1 + spare_share)");
            }
            if step.added > step.had && v.get(*install) != Usd::ZERO {
                add("added_units × install_usd");
                terms.push(v.term("install_usd", *install));
            }
            if step.replaced > 0 {
                if sold > 0 {
                    let units = if sold == step.replaced { "replaced_units" } else { "sold_units" };
                    add(&format!("− {units} × purchase_usd × residual_share"));
                    terms.push(v.term("residual_share", *residual));
                    if sold != step.replaced {
                        terms.push(Term::plain("sold_units", f64::from(sold), "units"));
                    }
                }
                if owed != Usd::ZERO {
                    add("replaced_units × owed_on_each");
                    terms.push(Term::plain("owed_on_each", owed.get(), "USD"));
                }
            }
            if !financed || step.replaced > 0 {
                terms.push(v.term("purchase_usd", *price));
            }
            if !financed {
                terms.push(v.term("spare_share", *spares));
            }
            terms.insert(0, Term::plain("replaced_units", replaced, "units"));
            terms.insert(0, Term::plain("added_units", added, "units"));
        }
        if first && step.one_off != Usd::ZERO {
            add("one_off_usd");
            terms.push(v.term("one_off_usd", machine.one_off));
        }
        // The surcharge applies to payments, not to proceeds.
        if v.get(machine.uplift) > 0.0 && step.upfront > Usd::ZERO {
            formula = format!("({formula}) × (1 + uplift_share)");
            terms.push(v.term("uplift_share", machine.uplift));
        }
        Derivation::new("upfront_usd", step.upfront.get(), "USD", &formula, terms)
    });
}
