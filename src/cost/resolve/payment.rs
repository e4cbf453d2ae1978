//! The cost of having hardware: purchase, loan or rent, and power.

use super::error::{ResolveError, impossible};
use super::hardware::Hardware;
use super::machine_class::PaidBy;
use super::offer_inputs::{OfferInputs, OfferParts};
use super::resolver::{Resolver, SourcedRange, Table, database, default_of, near_ids};
use crate::catalog::{Catalog, RangeCase, RangeInput};
use crate::cost::case::{Loan, Need, Notice, Payment, Power, Slot};
use crate::cost::keys::local;
use crate::provenance::Source;
use crate::units::{Hours, Usd};
use crate::workload::keys::{Applies, Key};
use crate::workload::{Range, Value};

impl Resolver<'_> {
    pub(super) fn kind(
        &mut self,
        table: Table<'_>,
        hardware: Option<Hardware<'_>>,
    ) -> Result<PaidBy, ResolveError> {
        let given = self.text(table, local::KIND);
        let kind = match given.as_deref() {
            Some("rented") => PaidBy::Rented,
            Some("financed") => PaidBy::Financed,
            Some(_) => PaidBy::Owned,
            None => {
                let listed = matches!(hardware, Some(Hardware::Rental(_)));
                let hourly = table.has(local::USD_PER_HOUR) && !table.has(local::PURCHASE);
                if listed || hourly { PaidBy::Rented } else { PaidBy::Owned }
            }
        };
        let wrong = |key: &Key, why: &str| Err(impossible(&table.path(key), why));
        match kind {
            PaidBy::Rented | PaidBy::Financed if table.has(local::HOSTS) => wrong(
                local::KIND,
                "what is there already (local.hosts) is neither rented nor paid for with a loan",
            ),
            PaidBy::Rented if table.has(local::PURCHASE) => {
                wrong(local::PURCHASE, "what is rented is not bought as well")
            }
            PaidBy::Owned | PaidBy::Financed if table.has(local::USD_PER_HOUR) => {
                wrong(local::USD_PER_HOUR, "what is bought is not rented as well")
            }
            PaidBy::Owned | PaidBy::Financed if matches!(hardware, Some(Hardware::Rental(_))) => {
                wrong(local::KIND, "this entry of the catalogue is a rental")
            }
            PaidBy::Owned if table.has(local::RATE) => {
                wrong(local::RATE, "only financed hardware has a loan: set kind to financed")
            }
            _ => {
                let (applies, what) = match kind {
                    PaidBy::Owned => (Applies::OWNED, "hardware that is bought"),
                    PaidBy::Financed => (Applies::FINANCED, "hardware bought with a loan"),
                    PaidBy::Rented => (Applies::RENTED, "hardware rented by the hour"),
                };
                Self::refuse_without_effect(table, applies, what)?;
                Ok(kind)
            }
        }
    }

    pub(super) fn payment(
        &mut self,
        table: Table<'_>,
        name: &str,
        kind: PaidBy,
        about: &OfferParts<'_>,
    ) -> Payment {
        let OfferParts { asked: &OfferInputs { hardware, gpus, .. }, host, class, need } = *about;
        if kind == PaidBy::Rented {
            let offer = hardware.and_then(|h| self.rental_price(h, gpus));
            let offer = self.spread(offer, RangeInput::Rent, RangeCase::Any);
            let rent =
                self.number(table, local::USD_PER_HOUR, offer, "no rent is given, nor in the catalogue");
            self.check_rent(table, name, hardware, gpus);
            let billed = self.hours(table, local::BILLED_HOURS, need);
            return Payment::Rented { rent, billed, term: self.commitment(table, hardware) };
        }
        let ordered = host.and_then(|m| Some((Range::exactly(m.price_usd?), m.price_source.clone()?)));
        let listed = ordered.or_else(|| hardware.and_then(|h| self.purchase_price(h, gpus)));
        let listed = self.spread(listed, RangeInput::Purchase, class.sold());
        let install = host
            .filter(|m| m.install_usd > 0.0)
            .and_then(|m| Some((Range::exactly(m.install_usd), m.price_source.clone()?)));
        let price = self.price(table, name, listed);
        // Of hardware that is there already, as many units as were named.
        let owned = if table.has(local::HOSTS) { Self::number_of_units(table) } else { 0 };
        let by_hand = hardware.is_none() && host.is_none();
        let life = if !by_hand || table.has(local::LIFE) {
            Some(self.number(table, local::LIFE, None, ""))
        } else {
            None
        };
        let loan = if kind == PaidBy::Financed {
            Some(Loan {
                term: self.number(table, local::TERM_MONTHS, None, ""),
                rate: self.number(table, local::RATE, None, ""),
            })
        } else {
            None
        };
        Payment::Bought {
            price,
            owned,
            install: self.number(table, local::INSTALL, install, ""),
            spares: self.number(table, local::SPARES, None, ""),
            maintenance: self.by_class(table, local::MAINTENANCE, by_hand, class),
            life,
            residual: self.by_class(table, local::RESIDUAL, by_hand, class),
            loan,
        }
    }

    /// The price of a unit; for hardware that is there already, of the one that replaces it.
    fn price(&mut self, table: Table<'_>, name: &str, listed: Option<SourcedRange>) -> Slot<Usd> {
        let why = "no price is given, nor a current one in the catalogue";
        if !super::already_owned::costs_nothing(table.fields.get(local::PURCHASE.name)) {
            return self.number(table, local::PURCHASE, listed, why);
        }
        if listed.is_none() {
            self.notices.push(Notice::NoReplacementPrice { offer: name.to_owned() });
            return self.number(table, local::PURCHASE, None, why);
        }
        let mut fields = table.fields.clone();
        fields.remove(local::PURCHASE.name);
        self.number(Table { fields: &fields, ..table }, local::PURCHASE, listed, why)
    }

    /// The number of units that was given; 1 where none was.
    fn number_of_units(table: Table<'_>) -> u32 {
        match table.fields.get(local::UNITS.name).map(|g| &g.value) {
            // Checked against its key: a whole number of units.
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
            Some(Value::Number(range)) => range.likely.clamp(1.0, f64::from(u32::MAX)) as u32,
            _ => 1,
        }
    }

    /// Months of rent that must be paid in any case: as given, or else as the catalogue entry says.
    fn commitment(&mut self, table: Table<'_>, hardware: Option<Hardware<'_>>) -> Option<Slot<f64>> {
        let listed = match hardware {
            Some(Hardware::Rental(r)) => {
                r.term_months.map(|m| database(f64::from(m), "rental", &r.id, &r.cite("term_months")))
            }
            _ => None,
        };
        let wanted = table.has(local::TERM_MONTHS) || listed.is_some();
        wanted.then(|| self.number_or(table, local::TERM_MONTHS, listed, ""))
    }

    /// Hours a month, with all hours of the month as the default.
    fn hours(&mut self, table: Table<'_>, key: &'static Key, need: &Need) -> Slot<Hours> {
        if table.has(key) {
            return self.number(table, key, None, "");
        }
        let month = self.ranges[need.hours.index()];
        let source = Source::Assumed {
            rule: "all-hours".to_owned(),
            reason: "switched on around the clock: need.hours_per_month".to_owned(),
        };
        self.echo(table.path(key), "h/month", Value::Number(month), source);
        need.hours
    }

    pub(super) fn hours_and_power(
        &mut self,
        table: Table<'_>,
        payment: &Payment,
        about: &OfferParts<'_>,
    ) -> (Slot<Hours>, Option<Power>) {
        let OfferParts { asked: &OfferInputs { hardware, gpus, own, .. }, host, class, need } = *about;
        if let Payment::Rented { billed, .. } = payment {
            return (*billed, None);
        }
        let powered = self.hours(table, local::POWERED_HOURS, need);
        let measured_idle = self.measured(own.machine.and_then(|t| t.idle_watts.as_ref()));
        let measured_load = self.measured(own.machine.and_then(|t| t.load_watts.as_ref()));
        let listed = |load: bool| match host {
            Some(m) => {
                let watts = if load { m.full_watts } else { m.idle_watts };
                Some((Range::exactly(watts), m.source.clone()))
            }
            None => hardware.and_then(|h| Self::watts(h, gpus, load)),
        };
        let (idle, load) = (measured_idle.or_else(|| listed(false)), measured_load.or_else(|| listed(true)));
        let mentioned = table.has(local::IDLE_WATTS) || table.has(local::LOAD_WATTS);
        if hardware.is_none() && host.is_none() && !mentioned && load.is_none() {
            return (powered, None);
        }
        let load: Slot<_> =
            self.number(table, local::LOAD_WATTS, load, "power of one unit under load, at the wall");
        let idle = idle.or_else(|| {
            let share = default_of("local.idle_watts")?;
            Some((self.ranges[load.index()].map(|w| w * share.0.likely), share.1))
        });
        let idle =
            self.number_or(table, local::IDLE_WATTS, idle, "power of one unit without load, at the wall");
        let tariff = self.tariff(table);
        let power = Power {
            idle,
            load,
            tariff: self.number(table, local::USD_PER_KWH, tariff, ""),
            pue: self.by_class(table, local::PUE, hardware.is_none() && host.is_none(), class),
        };
        (powered, Some(power))
    }

    /// Refuse a tariff that the catalogue does not have, before hundreds of offers are priced with it.
    pub(super) fn known_tariff(&self, table: Table<'_>) -> Result<(), ResolveError> {
        let given = table.fields.get(local::TARIFF.name).and_then(|g| g.value.text());
        match given.filter(|id| self.basis.catalog.tariff(id).is_none()) {
            Some(id) => Err(impossible(&table.path(local::TARIFF), unknown_tariff(id, self.basis.catalog))),
            None => Ok(()),
        }
    }

    fn tariff(&mut self, table: Table<'_>) -> Option<SourcedRange> {
        let id = self.text(table, local::TARIFF)?;
        let Some(tariff) = self.basis.catalog.tariff(&id) else {
            self.miss(&table.path(local::TARIFF), &unknown_tariff(&id, self.basis.catalog));
            return None;
        };
        Some(database(tariff.usd_per_kwh, "tariff", &tariff.id, &tariff.cite("usd_per_kwh")))
    }
}

/// Why a tariff cannot be used: the catalogue does not have it.
fn unknown_tariff(id: &str, catalog: &Catalog) -> String {
    let near = near_ids(id, catalog.tariffs.iter().map(|t| t.id.as_str()));
    if near.is_empty() {
        format!("`{id}` is not in the catalogue; `freehold db list` shows all tariffs")
    } else {
        format!("`{id}` is not in the catalogue; did you mean {}?", near.join(" or "))
    }
}
