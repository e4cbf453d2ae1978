//! `[[local]]`: hardware from the catalogue or described by hand; bought, financed or rented.

use super::hardware::Hardware;
use super::measured::Own;
use super::speed::Runs;
use super::{Found, ResolveError, Resolver, Table, database, default_of, impossible, near_ids};
use crate::catalog::device::model_of_file;
use crate::cost::case::{Loan, Machine, Need, Notice, Offer, Payment, Power, Role, Slot, Supply};
use crate::cost::keys::local;
use crate::provenance::Source;
use crate::units::Hours;
use crate::workload::evidence::{Figure, MeasuredTarget, TargetKind};
use crate::workload::keys::{Applies, Key, Section};
use crate::workload::{Fields, Value};

impl Machine {
    pub fn is_rented(&self) -> bool {
        matches!(self.payment, Payment::Rented { .. })
    }
}

impl Resolver<'_> {
    pub(super) fn local(
        &mut self,
        n: usize,
        fields: &Fields,
        need: &Need,
        role: Role,
    ) -> Result<Offer, ResolveError> {
        let prefix = if n == 0 { "local".to_owned() } else { format!("local.{}", n + 1) };
        self.machine_offer(Table { section: Section::Local, fields, prefix: &prefix }, need, role)
    }

    pub(super) fn machine_offer(
        &mut self,
        table: Table<'_>,
        need: &Need,
        role: Role,
    ) -> Result<Offer, ResolveError> {
        let first_slot = self.ranges.len();
        let target = self.target(TargetKind::Local);
        let hardware_id = self.text(table, local::HARDWARE_ID).or_else(|| {
            let described =
                table.has(local::PURCHASE) || table.has(local::USD_PER_HOUR) || table.has(local::NAME);
            target.filter(|_| !described).and_then(|t| t.hardware.clone())
        });
        let hardware = match &hardware_id {
            Some(id) => Some(self.hardware(&table.path(local::HARDWARE_ID), id)?),
            None => None,
        };
        let by_hand = hardware.is_none();
        let gpus = match hardware {
            Some(Hardware::Gpu(_)) => {
                let default = crate::cost::defaults::of("local.gpus_per_unit").map(|d| (1, d.source()));
                self.whole(table, local::GPUS_PER_UNIT, default).unwrap_or(1)
            }
            _ => self.whole(table, local::GPUS_PER_UNIT, None).unwrap_or(1),
        };
        let own = self.own(table, hardware, gpus)?;
        let open_model = self.open_model(table, target)?;
        let format = self.quantisation(table, target)?;
        let name = self.offer_name(table, hardware, gpus, open_model.as_deref(), target);
        let kind = self.kind(table, hardware)?;
        let elsewhere = self.note_elsewhere(table, &name);

        let payment = self.payment(table, &name, kind, hardware, gpus, need);
        let (service_hours, power) = self.hours_and_power(table, &payment, hardware, gpus, need, own);
        let runs = Runs { hardware, gpus, model: open_model.as_deref(), format };
        let speed = self.speed(table, &name, own.machine, need, runs)?;
        if speed.is_none()
            && let Some(p) = &power
            && self.ranges[p.idle.index()] != self.ranges[p.load.index()]
        {
            self.notices.push(Notice::AlwaysBusy { offer: name.clone() });
        }
        let staff = table.has(local::STAFF_HOURS);
        let staff_hours = self.part(table, local::STAFF_HOURS, by_hand);
        let staff_rate = self.part(table, local::STAFF_RATE, by_hand && !staff);
        let failures = self.measured(own.model.and_then(|t| t.failure_share.as_ref()));
        let ratio = self.tokeniser_ratio(own.model);
        let machine = Machine {
            payment,
            units: self.whole(table, local::UNITS, None),
            staff_hours,
            staff_rate,
            hosting: self.number(table, local::HOSTING, None, ""),
            licence: self.number(table, local::LICENCE, None, ""),
            other: self.number(table, local::OTHER, None, ""),
            speed,
            ceiling: self.ceiling(table, need),
            service_hours,
            tokeniser_ratio: self.number(table, local::TOKENISER_RATIO, ratio, ""),
            retry: self.number(table, local::RETRY_SHARE, failures, ""),
            power,
        };
        if machine.speed.is_none() && machine.units.is_none() {
            let why = "how fast one unit is: measure it with `freehold bench`, or give local.units to leave speed out";
            let why = elsewhere.map_or_else(|| why.to_owned(), |e| format!("{why} ({e})"));
            self.miss(&table.path(local::DECODE), &why);
        }
        if by_hand && !machine.is_rented() {
            self.left_out(table, &name, machine.power.is_some());
        }
        let tier =
            open_model.as_deref().and_then(|id| self.basis.catalog.open_model(id)).and_then(|m| m.tier);
        Ok(Offer {
            name,
            id: hardware_id,
            role,
            tier,
            open_model,
            supply: Supply::Machine(Box::new(machine)),
            slots: first_slot..self.ranges.len(),
        })
    }

    fn open_model(
        &mut self,
        table: Table<'_>,
        target: Option<&MeasuredTarget>,
    ) -> Result<Option<String>, ResolveError> {
        let catalog = self.basis.catalog;
        let Some(id) = self.text(table, local::MODEL) else {
            return Ok(target.and_then(|t| model_of_file(catalog, &t.model)).map(|m| m.id.clone()));
        };
        if catalog.open_model(&id).is_some() {
            return Ok(Some(id));
        }
        let ids = || catalog.open_models.iter().map(|m| m.id.as_str());
        let near = near_ids(&id, ids());
        Err(ResolveError::Unknown { key: table.path(local::MODEL), id, near, why: None })
    }

    fn offer_name(
        &mut self,
        table: Table<'_>,
        hardware: Option<Hardware<'_>>,
        gpus: u32,
        model: Option<&str>,
        target: Option<&MeasuredTarget>,
    ) -> String {
        if let Some(name) = self.text(table, local::NAME) {
            return name;
        }
        let machine = hardware.map(|h| match h {
            Hardware::Gpu(g) if gpus > 1 => format!("{gpus} × {}", g.name),
            h => h.name().to_owned(),
        });
        let model = model.map(str::to_owned).or_else(|| target.map(|t| t.model.clone()));
        match (machine, model) {
            // In a ranking every offer runs the same model.
            (Some(machine), _) if table.prefix.starts_with("all.") => machine,
            (Some(machine), Some(model)) => format!("{model} on {machine}"),
            (Some(machine), None) => machine,
            (None, Some(model)) => format!("{model}, measured"),
            (None, None) => table.prefix.to_owned(),
        }
    }

    fn kind(&mut self, table: Table<'_>, hardware: Option<Hardware<'_>>) -> Result<Kind, ResolveError> {
        let given = self.text(table, local::KIND);
        let kind = match given.as_deref() {
            Some("rented") => Kind::Rented,
            Some("financed") => Kind::Financed,
            Some(_) => Kind::Owned,
            None => {
                let listed = matches!(hardware, Some(Hardware::Rental(_)));
                let hourly = table.has(local::USD_PER_HOUR) && !table.has(local::PURCHASE);
                if listed || hourly { Kind::Rented } else { Kind::Owned }
            }
        };
        let wrong = |key: &Key, why: &str| Err(impossible(&table.path(key), why));
        match kind {
            Kind::Rented if table.has(local::PURCHASE) => {
                wrong(local::PURCHASE, "what is rented is not bought as well")
            }
            Kind::Owned | Kind::Financed if table.has(local::USD_PER_HOUR) => {
                wrong(local::USD_PER_HOUR, "what is bought is not rented as well")
            }
            Kind::Owned | Kind::Financed if matches!(hardware, Some(Hardware::Rental(_))) => {
                wrong(local::KIND, "this entry of the catalogue is a rental")
            }
            Kind::Owned if table.has(local::RATE) => {
                wrong(local::RATE, "only financed hardware has a loan: set kind to financed")
            }
            _ => {
                let (applies, what) = match kind {
                    Kind::Owned => (Applies::OWNED, "hardware that is bought"),
                    Kind::Financed => (Applies::FINANCED, "hardware bought with a loan"),
                    Kind::Rented => (Applies::RENTED, "hardware rented by the hour"),
                };
                Self::refuse_without_effect(table, applies, what)?;
                Ok(kind)
            }
        }
    }

    fn payment(
        &mut self,
        table: Table<'_>,
        name: &str,
        kind: Kind,
        hardware: Option<Hardware<'_>>,
        gpus: u32,
        need: &Need,
    ) -> Payment {
        if kind == Kind::Rented {
            let offer = hardware.and_then(|h| self.rental_price(h, gpus));
            let rent =
                self.number(table, local::USD_PER_HOUR, offer, "no rent is given, nor in the catalogue");
            self.check_rent(table, name, hardware, gpus);
            let billed = self.hours(table, local::BILLED_HOURS, need);
            return Payment::Rented { rent, billed, term: self.commitment(table, hardware) };
        }
        let listed = hardware.and_then(|h| self.purchase_price(h, gpus));
        if listed.is_some() && !table.has(local::PURCHASE) && matches!(hardware, Some(Hardware::Gpu(_))) {
            self.notices.push(Notice::HostNotIncluded { offer: name.to_owned() });
        }
        let price = self.number(
            table,
            local::PURCHASE,
            listed,
            "no price is given, nor a current one in the catalogue",
        );
        let life = if hardware.is_some() || table.has(local::LIFE) {
            Some(self.number(table, local::LIFE, None, ""))
        } else {
            None
        };
        let loan = if kind == Kind::Financed {
            Some(Loan {
                term: self.number(table, local::TERM_MONTHS, None, ""),
                rate: self.number(table, local::RATE, None, ""),
            })
        } else {
            None
        };
        Payment::Bought {
            price,
            install: self.number(table, local::INSTALL, None, ""),
            spares: self.number(table, local::SPARES, None, ""),
            maintenance: self.number(table, local::MAINTENANCE, None, ""),
            life,
            residual: self.number(table, local::RESIDUAL, None, ""),
            loan,
        }
    }

    /// Months of rent that are paid whatever happens: as given, else of the entry.
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

    /// Hours that default to the month's.
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

    #[allow(clippy::too_many_arguments)]
    fn hours_and_power(
        &mut self,
        table: Table<'_>,
        payment: &Payment,
        hardware: Option<Hardware<'_>>,
        gpus: u32,
        need: &Need,
        own: Own<'_>,
    ) -> (Slot<Hours>, Option<Power>) {
        if let Payment::Rented { billed, .. } = payment {
            return (*billed, None);
        }
        let powered = self.hours(table, local::POWERED_HOURS, need);
        let measured_idle = self.measured(own.machine.and_then(|t| t.idle_watts.as_ref()));
        let measured_load = self.measured(own.machine.and_then(|t| t.load_watts.as_ref()));
        let listed = |load: bool| hardware.and_then(|h| Self::watts(h, gpus, load));
        let (idle, load) = (measured_idle.or_else(|| listed(false)), measured_load.or_else(|| listed(true)));
        let mentioned = table.has(local::IDLE_WATTS) || table.has(local::LOAD_WATTS);
        if hardware.is_none() && !mentioned && load.is_none() {
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
            pue: self.number(table, local::PUE, None, ""),
        };
        (powered, Some(power))
    }

    fn tariff(&mut self, table: Table<'_>) -> Option<Found> {
        let id = self.text(table, local::TARIFF)?;
        let Some(tariff) = self.basis.catalog.tariff(&id) else {
            let near = near_ids(&id, self.basis.catalog.tariffs.iter().map(|t| t.id.as_str()));
            self.miss(
                &table.path(local::TARIFF),
                &format!("`{id}` is not in the catalogue; near: {}", near.join(", ")),
            );
            return None;
        };
        Some(database(tariff.usd_per_kwh, "tariff", &tariff.id, &tariff.cite("usd_per_kwh")))
    }

    /// A cost that offers from the catalogue have by default and offers described by hand do not.
    fn part<Q: crate::cost::case::Quantity>(
        &mut self,
        table: Table<'_>,
        key: &'static Key,
        by_hand: bool,
    ) -> Slot<Q> {
        let found = if by_hand && !table.has(key) { default_of("local.not_described") } else { None };
        self.number(table, key, found, "")
    }

    fn left_out(&mut self, table: Table<'_>, name: &str, power: bool) {
        let mut parts = Vec::new();
        if !power {
            parts.push("power");
        }
        if !table.has(local::STAFF_HOURS) {
            parts.push("staff");
        }
        if !table.has(local::LIFE) {
            parts.push("replacement");
        }
        if !parts.is_empty() {
            self.notices.push(Notice::LeftOut { offer: name.to_owned(), parts });
        }
    }

    fn ceiling(&mut self, table: Table<'_>, need: &Need) -> Slot<f64> {
        if matches!(need.volume, crate::cost::case::Volume::AtCapacity) {
            let all = default_of("local.utilisation_ceiling.at_capacity");
            return self.number_or(table, local::CEILING, all, "");
        }
        self.number(table, local::CEILING, None, "")
    }

    fn tokeniser_ratio(&self, local: Option<&MeasuredTarget>) -> Option<Found> {
        let local = local?;
        let api = self.target(TargetKind::Api)?;
        let here = local.input_tokens.as_ref()?;
        let there = api.input_tokens.as_ref().filter(|t| t.value > 0.0)?;
        let how = "input tokens here / input tokens at the API";
        self.measured(Figure::derived(Some(here.value / there.value), here.path.clone(), how).as_ref())
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Owned,
    Financed,
    Rented,
}
