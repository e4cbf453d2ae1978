//! Hardware that the user already has: an offer whose first units cost nothing.

use super::error::{ResolveError, impossible};
use super::resolver::near_ids;
use crate::catalog::Catalog;
use crate::cost::keys::local;
use crate::provenance::Source;
use crate::workload::keys::Key;
use crate::workload::{Fields, Given, Range, Value};

/// The rule of what follows from `local.hosts`, without having been said.
const RULE: &str = "owned-already";

/// Is this the price of nothing that stands for hardware that is there already? What replaces it one day
/// has a price.
pub(super) fn costs_nothing(given: Option<&Given>) -> bool {
    given.is_some_and(|g| matches!(&g.source, Source::Assumed { rule, .. } if rule == RULE))
}

/// The fields of an offer for hardware that is there already (`local.hosts`): its first units cost nothing,
/// and there are only so many. Refused where another key says another number or another hardware, which
/// would be had for nothing.
pub(super) fn owned(n: usize, fields: &Fields, catalog: &Catalog) -> Result<Fields, ResolveError> {
    let mut fields = fields.clone();
    let Some(given) = fields.get(local::HOSTS.name).cloned() else { return Ok(fields) };
    let key = local_prefix(n, local::HOSTS.name);
    let Value::Texts(texts) = &given.value else { return Ok(fields) };
    let [text] = texts.as_slice() else {
        return Err(impossible(
            &key,
            "machines of one kind are one offer: give each kind a [[local]] of its own",
        ));
    };
    let Some(named) = crate::plan::Named::parse(text) else {
        return Err(impossible(&key, format!("`{text}`: the number is 1 to {}", crate::plan::Named::MOST)));
    };
    if let (Some(place), Some(card)) = (named.place, catalog.accelerator(named.id)) {
        inside(place, card, named.number, catalog)
            .map_err(|why| impossible(&key, format!("`{text}`: {why}")))?;
    }
    let said = |value| crate::workload::Given { value, source: given.source.clone() };
    let number = |n: u32| said(Value::Number(Range::exactly(f64::from(n))));
    let assumed =
        |n: u32, reason: &str| Given::chosen(Value::Number(Range::exactly(f64::from(n))), RULE, reason);
    let id = named.id;
    let agrees = |other: &Key, wanted: u32| match fields.get(other.name) {
        Some(Given { value: Value::Number(range), .. }) if *range != Range::exactly(f64::from(wanted)) => {
            let why = format!(
                "local.hosts says that there are {wanted}; more hardware is an offer of its own, with a price"
            );
            Err(impossible(&local_prefix(n, other.name), why))
        }
        _ => Ok(()),
    };
    if let Some(Given { value: Value::Text(hardware), .. }) = fields.get(local::HARDWARE_ID.name)
        && hardware != id
    {
        let why = format!("local.hosts says that the hardware is {id}: leave one of the two out");
        return Err(impossible(&local_prefix(n, local::HARDWARE_ID.name), why));
    }
    if catalog.machine(id).is_some() {
        agrees(local::UNITS, named.number)?;
    } else if catalog.accelerator(id).is_some() {
        agrees(local::UNITS, 1)?;
        agrees(local::GPUS_PER_UNIT, named.number)?;
    }
    if catalog.machine(id).is_some() {
        fields.entry(local::UNITS.name).or_insert_with(|| number(named.number));
    } else if catalog.accelerator(id).is_some() {
        fields.entry(local::GPUS_PER_UNIT.name).or_insert_with(|| number(named.number));
        fields
            .entry(local::UNITS.name)
            .or_insert_with(|| assumed(1, "the accelerators of local.hosts are in one computer"));
    } else {
        let ids = catalog.accelerators.iter().map(|a| a.id.as_str());
        let near = near_ids(id, ids.chain(catalog.machines.iter().map(|m| m.id.as_str())));
        return Err(ResolveError::Unknown { key, id: id.to_owned(), near, why: None });
    }
    fields.entry(local::HARDWARE_ID.name).or_insert_with(|| said(Value::Text(id.to_owned())));
    fields.entry(local::PURCHASE.name).or_insert_with(|| assumed(0, "it is there already: local.hosts"));
    Ok(fields)
}

/// Does the computer that was named hold this many of the cards? If not, why.
fn inside(
    place: &str,
    card: &crate::catalog::Accelerator,
    number: u32,
    catalog: &Catalog,
) -> Result<(), String> {
    let complete = |m: &crate::catalog::Machine| {
        m.id.contains(place) && m.accelerator.as_deref() == Some(card.id.as_str())
    };
    if catalog.machines.iter().any(complete) {
        return Ok(());
    }
    let mut why = format!("no host like `{place}` takes {}", card.id);
    for (n, host) in catalog.hosts.iter().filter(|h| h.id.contains(place)).enumerate() {
        let slots = host.slots.number;
        let each = if host.slots.always_full() { slots } else { number.min(slots) };
        match host.carries(card, each) {
            Ok(()) => return Ok(()),
            Err(misfit) if n == 0 => {
                let at = crate::catalog::line_of("host", &host.id);
                let at = at.map_or_else(String::new, |at| format!(" ({at})"));
                why = format!("`{}`{at} takes no {}: {misfit}", host.id, card.id);
            }
            Err(_) => {}
        }
    }
    Err(why)
}

/// Path of a key of the n-th local offer, from 0: `local.units`, or `local.2.units` for the second.
pub(super) fn local_prefix(n: usize, key: &str) -> String {
    if n == 0 { format!("local.{key}") } else { format!("local.{}.{key}", n + 1) }
}
