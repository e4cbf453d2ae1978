//! Hardware in the catalogue: what it costs to buy, to rent and to run.

use super::error::ResolveError;
use super::resolver::{Resolver, SourcedRange, Table, database, near_ids};
use crate::catalog::{Accelerator, Machine as CatalogMachine, Rental, RentalTerms};
use crate::cost::case::{Need, Notice, Offer, Role, Supply};
use crate::cost::keys::local;
use crate::provenance::Cite;
use crate::workload::keys::{Key, Section};
use crate::workload::{Fields, Given, Value};
use std::ops::Range as Span;

/// An entry of the catalogue that can carry a model.
#[derive(Debug, Clone, Copy)]
pub(super) enum Hardware<'c> {
    Gpu(&'c Accelerator),
    Machine(&'c CatalogMachine),
    Rental(&'c Rental),
}

impl<'c> Hardware<'c> {
    pub(super) fn name(self) -> String {
        match self {
            Self::Gpu(g) => g.name.clone(),
            Self::Machine(m) => m.name.clone(),
            Self::Rental(r) => r.name(),
        }
    }
    /// Id of its GPU, and how many there are in a unit.
    pub(super) fn gpus(self, per_unit: u32) -> Option<(&'c str, u32)> {
        match self {
            Self::Gpu(g) => Some((&g.id, per_unit)),
            Self::Machine(m) => Some((m.accelerator.as_deref()?, m.accelerators)),
            Self::Rental(r) => Some((&r.accelerator, r.accelerators)),
        }
    }
}

impl<'a> Resolver<'a> {
    pub(super) fn hardware(&self, key: &str, id: &str) -> Result<Hardware<'a>, ResolveError> {
        let c = self.basis.catalog;
        c.machine(id)
            .map(Hardware::Machine)
            .or_else(|| c.accelerator(id).map(Hardware::Gpu))
            .or_else(|| c.rental(id).map(Hardware::Rental))
            .ok_or_else(|| {
                let ids = || {
                    let machines = c.machines.iter().map(|m| m.id.as_str());
                    let gpus = c.accelerators.iter().map(|g| g.id.as_str());
                    machines.chain(gpus).chain(c.rentals.iter().map(|r| r.id.as_str()))
                };
                let near = near_ids(id, ids());
                ResolveError::Unknown { key: key.to_owned(), id: id.to_owned(), near, why: None }
            })
    }

    /// Price of one unit today, US dollars without tax.
    pub(super) fn purchase_price(&self, hardware: Hardware<'_>, gpus: u32) -> Option<SourcedRange> {
        let catalog = self.basis.catalog;
        let (kind, id, chosen, factor) = match hardware {
            Hardware::Gpu(g) => ("gpu", &g.id, catalog.price_of_accelerator(g), f64::from(gpus)),
            Hardware::Machine(m) => ("machine", &m.id, catalog.price_of_machine(m), 1.0),
            Hardware::Rental(_) => return None,
        };
        let chosen = chosen?;
        let cite = Cite { source: chosen.price.source.clone(), as_of: chosen.price.as_of, derived: None };
        Some(database(chosen.usd * factor, kind, id, &cite))
    }

    pub(super) fn watts(hardware: Hardware<'_>, gpus: u32, load: bool) -> Option<SourcedRange> {
        match hardware {
            Hardware::Gpu(g) => {
                let (value, field) =
                    if load { (g.board_watts, "board_watts") } else { (g.idle_watts, "idle_watts") };
                Some(database(value? * f64::from(gpus), "gpu", &g.id, &g.cite(field)))
            }
            Hardware::Machine(m) => {
                let (value, field) =
                    if load { (m.load_watts, "load_watts") } else { (m.idle_watts, "idle_watts") };
                Some(database(value?, "machine", &m.id, &m.cite(field)))
            }
            Hardware::Rental(_) => None,
        }
    }

    /// Rent of one unit: that of the entry itself, or the cheapest on demand with this many GPUs; US
    /// dollars per hour.
    pub(super) fn rental_price(&self, hardware: Hardware<'_>, gpus: u32) -> Option<SourcedRange> {
        let rental = match hardware {
            Hardware::Rental(r) => r,
            other => self.cheapest_rental(other, gpus)?,
        };
        let usd = self.to_usd(rental.per_hour, &rental.currency)?;
        Some(database(usd, "rental", &rental.id, &rental.cite("per_hour")))
    }

    fn cheapest_rental(&self, hardware: Hardware<'_>, gpus: u32) -> Option<&'a Rental> {
        let (gpu, count) = hardware.gpus(gpus)?;
        let offers = self.basis.catalog.rentals.iter();
        offers
            .filter(|r| r.accelerator == gpu && r.accelerators == count && r.terms == RentalTerms::OnDemand)
            .filter_map(|r| Some((self.to_usd(r.per_hour, &r.currency)?, r)))
            .min_by(|a, b| a.0.total_cmp(&b.0))
            .map(|(_, r)| r)
    }

    /// Warn if a rent that was given is below all known offers for that GPU.
    pub(super) fn check_rent(
        &mut self,
        table: Table<'_>,
        name: &str,
        hardware: Option<Hardware<'_>>,
        gpus: u32,
    ) {
        let Some(rent) = table.fields.get(local::USD_PER_HOUR.name).and_then(|g| g.value.range()) else {
            return;
        };
        let Some((gpu, count)) = hardware.and_then(|h| h.gpus(gpus)) else { return };
        let lowest = self
            .basis
            .catalog
            .rentals
            .iter()
            .filter(|r| r.accelerator == gpu)
            .filter_map(|r| {
                Some((self.to_usd(r.per_hour, &r.currency)? / f64::from(r.accelerators.max(1)), r))
            })
            .min_by(|a, b| a.0.total_cmp(&b.0));
        let usd_per_gpu_hour = rent.likely / f64::from(count.max(1));
        if let Some((lowest, rental)) = lowest.filter(|(lowest, _)| usd_per_gpu_hour < *lowest) {
            self.notices.push(Notice::RentBelowMarket {
                offer: name.to_owned(),
                usd_per_gpu_hour,
                lowest,
                entry: rental.id.clone(),
            });
        }
    }

    /// Comparators: for every local offer that is bought, the same GPU rented by the hour.
    pub(super) fn rented_gpus(
        &mut self,
        offers: &mut Vec<Offer>,
        locals: &[Fields],
        asked: Span<usize>,
        need: &Need,
    ) {
        let rented = |o: &Offer| matches!(&o.supply, Supply::Machine(m) if m.is_rented());
        if asked.clone().any(|i| rented(&offers[i])) {
            return;
        }
        for (index, fields) in asked.zip(locals) {
            let Some(id) = offers[index].id.clone() else { continue };
            let given = fields.get(local::GPUS_PER_UNIT.name).and_then(|g| g.value.range()).map(|r| {
                // A whole number, as checked when it was read.
                #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
                let number = r.likely as u32;
                number
            });
            let planned = || offers[index].plan.as_ref().map(|plan| plan.machine.accelerators);
            let gpus = given.or_else(planned).unwrap_or(1);
            let Ok(hardware) = self.hardware("", &id) else { continue };
            let Some(rental) = self.cheapest_rental(hardware, gpus) else { continue };
            let chosen = Given::chosen(
                Value::Text(rental.id.clone()),
                "same-gpu-rented",
                "the same GPU, rented by the hour",
            );
            let mut own = Fields::from([(local::HARDWARE_ID.name, chosen)]);
            for key in COMMON {
                if let Some((key, value)) = fields.get_key_value(key.name) {
                    own.insert(key, value.clone());
                }
            }
            let prefix = format!("comparator.{}", offers.len() + 1);
            let offer = self.attempt(
                |r| {
                    let table = Table { section: Section::Local, fields: &own, prefix: &prefix };
                    let offer = r.machine_offer(table, need, Role::RentedGpu).ok()?;
                    r.missing.is_empty().then_some(offer)
                },
                true,
            );
            offers.extend(offer);
        }
    }
}

/// Keys that the rented GPU takes over from the same GPU bought.
const COMMON: [&Key; 15] = [
    local::MODEL,
    local::QUANTISATION,
    local::UNITS,
    local::STAFF_HOURS,
    local::STAFF_RATE,
    local::LICENCE,
    local::PREFILL,
    local::DECODE,
    local::CONCURRENCY,
    local::CEILING,
    local::SAME_AS_MEASURED,
    local::TOKENISER_RATIO,
    local::RETRY_SHARE,
    local::PREFILL_FREE,
    local::INPUT_AS_OUTPUT,
];
