//! `[[local]]`: hardware from the catalogue or described by hand; bought, financed or rented.

use super::{Found, ResolveError, Resolver, Table, database, default_of, impossible, near_ids};
use crate::capacity::{
    CannotPredict, HardwareShape, Load as CapacityLoad, ModelShape, Placement, Quantisation, fits, predict,
};
use crate::catalog::{Accelerator, Condition, Machine as CatalogMachine, PurchasePrice, Rental, RentalTerms};
use crate::cost::keys::Section;
use crate::cost::plan::{
    Loan, Machine, Need, Notice, Offer, Payment, Power, Prefill, Role, Slot, Speed, Way,
};
use crate::cost::scenario::{Fields, Given, Range, Value};
use crate::provenance::{Cite, Source};
use crate::units::Hours;
use crate::workload::{MeasuredTarget, TargetKind};
use std::ops::Range as Span;

impl Machine {
    pub fn is_rented(&self) -> bool {
        matches!(self.payment, Payment::Rented { .. })
    }
}

/// An entry of the catalogue that can carry a model.
#[derive(Debug, Clone, Copy)]
enum Hardware<'c> {
    Gpu(&'c Accelerator),
    Machine(&'c CatalogMachine),
    Rental(&'c Rental),
}

impl<'c> Hardware<'c> {
    fn name(self) -> &'c str {
        match self {
            Self::Gpu(g) => &g.name,
            Self::Machine(m) => &m.name,
            Self::Rental(r) => &r.id,
        }
    }
    /// The GPU in it, and how many.
    fn gpus(self, per_unit: u32) -> Option<(&'c str, u32)> {
        match self {
            Self::Gpu(g) => Some((&g.id, per_unit)),
            Self::Machine(m) => Some((m.accelerator.as_deref()?, m.accelerators)),
            Self::Rental(r) => Some((&r.accelerator, r.accelerators)),
        }
    }
}

impl<'a> Resolver<'a> {
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
        let target = self.target(TargetKind::Local);
        let hardware_id = self.text(table, "hardware").or_else(|| {
            let described = table.has("purchase_usd") || table.has("usd_per_hour") || table.has("name");
            target.filter(|_| !described).and_then(|t| t.hardware.clone())
        });
        let hardware = match &hardware_id {
            Some(id) => Some(self.hardware(&table.path("hardware"), id)?),
            None => None,
        };
        let by_hand = hardware.is_none();
        let gpus = match hardware {
            Some(Hardware::Gpu(_)) => {
                let default = crate::cost::defaults::of("local.gpus_per_unit").map(|d| (1, d.source()));
                self.whole(table, "gpus_per_unit", default).unwrap_or(1)
            }
            _ => self.whole(table, "gpus_per_unit", None).unwrap_or(1),
        };
        let open_model = self.open_model(table, target)?;
        let format = self.quantisation(table)?;
        let name = self.offer_name(table, hardware, gpus, open_model.as_deref(), target);
        let kind = self.kind(table, hardware)?;

        let payment = self.payment(table, &name, kind, hardware, gpus, need);
        let (service_hours, power) =
            self.hours_and_power(table, &name, &payment, hardware, gpus, need, by_hand);
        let runs = Runs { hardware, gpus, model: open_model.as_deref(), format };
        let speed = self.speed(table, &name, target, need, runs)?;
        if speed.is_none()
            && let Some(p) = &power
            && self.ranges[p.idle.index()] != self.ranges[p.load.index()]
        {
            self.notices.push(Notice::AlwaysBusy { offer: name.clone() });
        }
        let staff = table.has("staff_hours_per_month");
        let staff_hours = self.part(table, "staff_hours_per_month", by_hand);
        let staff_rate = self.part(table, "staff_usd_per_hour", by_hand && !staff);
        let failures = target.and_then(|t| self.measured(t, "failure_share", t.failure_share));
        let ratio = self.tokeniser_ratio(target);
        let machine = Machine {
            payment,
            units: self.whole(table, "units", None),
            install: self.number(table, "install_usd", None, ""),
            staff_hours,
            staff_rate,
            hosting: self.number(table, "hosting_usd_per_month", None, ""),
            licence: self.number(table, "licence_usd_per_month", None, ""),
            other: self.number(table, "other_usd_per_month", None, ""),
            speed,
            ceiling: self.ceiling(table, need),
            service_hours,
            tokeniser_ratio: self.number(table, "tokeniser_ratio", ratio, ""),
            retry: self.number(table, "retry_share", failures, ""),
            power,
        };
        if machine.speed.is_none() && machine.units.is_none() {
            let why = "how fast one unit is: measure it with `freehold bench`, or give local.units to leave speed out";
            self.miss(&table.path("decode_tokens_per_second"), why);
        }
        if by_hand && !machine.is_rented() {
            self.left_out(table, &name, machine.power.is_some());
        }
        let tier =
            open_model.as_deref().and_then(|id| self.known.catalog.open_model(id)).and_then(|m| m.tier);
        Ok(Offer { name, id: hardware_id, role, tier, open_model, way: Way::Machine(Box::new(machine)) })
    }

    fn hardware(&self, key: &str, id: &str) -> Result<Hardware<'a>, ResolveError> {
        let c = self.known.catalog;
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

    fn open_model(
        &mut self,
        table: Table<'_>,
        target: Option<&MeasuredTarget>,
    ) -> Result<Option<String>, ResolveError> {
        let catalog = self.known.catalog;
        let Some(id) = self.text(table, "model") else {
            return Ok(target.and_then(|t| catalog.open_model(&t.model)).map(|m| m.id.clone()));
        };
        if catalog.open_model(&id).is_some() {
            return Ok(Some(id));
        }
        let ids = || catalog.open_models.iter().map(|m| m.id.as_str());
        let near = near_ids(&id, ids());
        Err(ResolveError::Unknown { key: table.path("model"), id, near, why: None })
    }

    fn offer_name(
        &mut self,
        table: Table<'_>,
        hardware: Option<Hardware<'_>>,
        gpus: u32,
        model: Option<&str>,
        target: Option<&MeasuredTarget>,
    ) -> String {
        if let Some(name) = self.text(table, "name") {
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
        let given = self.text(table, "kind");
        let kind = match given.as_deref() {
            Some("rented") => Kind::Rented,
            Some("financed") => Kind::Financed,
            Some(_) => Kind::Owned,
            None => {
                let listed = matches!(hardware, Some(Hardware::Rental(_)));
                let hourly = table.has("usd_per_hour") && !table.has("purchase_usd");
                if listed || hourly { Kind::Rented } else { Kind::Owned }
            }
        };
        let wrong = |key: &str, why: &str| Err(impossible(&table.path(key), why));
        match kind {
            Kind::Rented if table.has("purchase_usd") => {
                wrong("purchase_usd", "what is rented is not bought as well")
            }
            Kind::Owned | Kind::Financed if table.has("usd_per_hour") => {
                wrong("usd_per_hour", "what is bought is not rented as well")
            }
            Kind::Owned | Kind::Financed if matches!(hardware, Some(Hardware::Rental(_))) => {
                wrong("kind", "this entry of the catalogue is a rental")
            }
            Kind::Owned if table.has("rate_per_year") => {
                wrong("rate_per_year", "only financed hardware has a loan: set kind to financed")
            }
            _ => Ok(kind),
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
            let rent = self.number(table, "usd_per_hour", offer, "the rent of one unit by the hour");
            self.check_rent(table, name, hardware, gpus);
            let billed = self.hours(table, "billed_hours_per_month", need);
            self.whole(table, "term_months", None);
            return Payment::Rented { rent, billed };
        }
        let listed = hardware.and_then(|h| self.purchase_price(h, gpus));
        if listed.is_some() && !table.has("purchase_usd") && matches!(hardware, Some(Hardware::Gpu(_))) {
            self.notices.push(Notice::HostNotIncluded { offer: name.to_owned() });
        }
        let price = self.number(
            table,
            "purchase_usd",
            listed,
            "the purchase price; no current price is in the catalogue",
        );
        let life = if hardware.is_some() || table.has("life_months") {
            Some(self.number(table, "life_months", None, ""))
        } else {
            None
        };
        let loan = if kind == Kind::Financed {
            Some(Loan {
                term: self.number(table, "term_months", None, ""),
                rate: self.number(table, "rate_per_year", None, ""),
            })
        } else {
            None
        };
        Payment::Bought {
            price,
            spares: self.number(table, "spare_share", None, ""),
            maintenance: self.number(table, "maintenance_share_per_year", None, ""),
            life,
            residual: self.number(table, "residual_share", None, ""),
            loan,
        }
    }

    /// Hours that default to the month's.
    fn hours(&mut self, table: Table<'_>, key: &'static str, need: &Need) -> Slot<Hours> {
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
        _name: &str,
        payment: &Payment,
        hardware: Option<Hardware<'_>>,
        gpus: u32,
        need: &Need,
        by_hand: bool,
    ) -> (Slot<Hours>, Option<Power>) {
        if let Payment::Rented { billed, .. } = payment {
            return (*billed, None);
        }
        let powered = self.hours(table, "powered_hours_per_month", need);
        let target = self.target(TargetKind::Local);
        let measured_idle = target.and_then(|t| self.measured(t, "idle_watts", t.idle_watts));
        let measured_load = target.and_then(|t| self.measured(t, "load_watts", t.load_watts));
        let listed = |load: bool| hardware.and_then(|h| Self::watts(h, gpus, load));
        let (idle, load) = (measured_idle.or_else(|| listed(false)), measured_load.or_else(|| listed(true)));
        let mentioned = table.has("idle_watts") || table.has("load_watts");
        if by_hand && !mentioned && load.is_none() {
            return (powered, None);
        }
        let load: Slot<_> =
            self.number(table, "load_watts", load, "power of one unit under load, at the wall");
        let idle = idle.or_else(|| {
            let share = default_of("local.idle_watts")?;
            Some((self.ranges[load.index()].map(|w| w * share.0.likely), share.1))
        });
        let idle = self.number_or(table, "idle_watts", idle, "power of one unit without load, at the wall");
        let tariff = self.tariff(table);
        let power = Power {
            idle,
            load,
            tariff: self.number(table, "usd_per_kwh", tariff, ""),
            pue: self.number(table, "pue", None, ""),
        };
        (powered, Some(power))
    }

    fn tariff(&mut self, table: Table<'_>) -> Option<Found> {
        let id = self.text(table, "tariff")?;
        let Some(tariff) = self.known.catalog.tariff(&id) else {
            let near = near_ids(&id, self.known.catalog.tariffs.iter().map(|t| t.id.as_str()));
            self.miss(
                &table.path("tariff"),
                &format!("`{id}` is not in the catalogue; near: {}", near.join(", ")),
            );
            return None;
        };
        Some(database(tariff.usd_per_kwh, "tariff", &tariff.id, &tariff.cite("usd_per_kwh")))
    }

    /// A cost that offers from the catalogue have by default and offers described by hand do not.
    fn part<Q: crate::cost::plan::Quantity>(
        &mut self,
        table: Table<'_>,
        key: &'static str,
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
        if !table.has("staff_hours_per_month") {
            parts.push("staff");
        }
        if !table.has("life_months") {
            parts.push("replacement");
        }
        if !parts.is_empty() {
            self.notices.push(Notice::LeftOut { offer: name.to_owned(), parts });
        }
    }

    fn ceiling(&mut self, table: Table<'_>, need: &Need) -> Slot<f64> {
        if matches!(need.volume, crate::cost::plan::Volume::AtCapacity) {
            let all = default_of("local.utilisation_ceiling.at_capacity");
            return self.number_or(table, "utilisation_ceiling", all, "");
        }
        self.number(table, "utilisation_ceiling", None, "")
    }

    fn tokeniser_ratio(&self, local: Option<&MeasuredTarget>) -> Option<Found> {
        let local = local?;
        let api = self.target(TargetKind::Api)?;
        let ratio = local.input_tokens? / api.input_tokens.filter(|t| *t > 0.0)?;
        self.measured(local, "input_tokens", Some(ratio))
    }

    fn speed(
        &mut self,
        table: Table<'_>,
        name: &str,
        target: Option<&MeasuredTarget>,
        need: &Need,
        runs: Runs<'_>,
    ) -> Result<Option<Speed>, ResolveError> {
        let (free, as_output) = (table.flag("prefill_free"), table.flag("charge_input_as_output"));
        if free && as_output {
            return Err(impossible(
                &table.path("prefill_free"),
                "input is either free or charged as output, not both",
            ));
        }
        for (on, key) in [(free, "prefill_free"), (as_output, "charge_input_as_output")] {
            if let Some(given) = table.fields.get(key).filter(|_| on) {
                let source = Source::User { via: given.via.clone() };
                self.echo(table.path(key), "", Value::Flag(true), source);
            }
        }
        let by_hand = table.has("decode_tokens_per_second");
        let level = if by_hand { None } else { self.level(table, name, target) };
        let measured = |r: &Self, field: &str, value: Option<f64>| {
            level.and_then(|(path, _)| {
                let t = target?;
                let file = r.known.evidence.map_or_else(String::new, |e| e.file.clone());
                let source = Source::Measured { file, path: format!("{}.levels[{path}].{field}", t.path) };
                value.map(|v| (Range::exactly(v), source))
            })
        };
        self.whole(
            table,
            "concurrency",
            level.map(|(_, l)| {
                let file = self.known.evidence.map_or_else(String::new, |e| e.file.clone());
                (
                    l.concurrency,
                    Source::Measured { file, path: target.map_or_else(String::new, |t| t.path.clone()) },
                )
            }),
        );
        let decode = measured(self, "decode_tps", level.and_then(|(_, l)| l.decode_tps));
        let predicted =
            if decode.is_none() { self.predicted(table, name, need, runs, by_hand)? } else { None };
        let decode = decode.or_else(|| predicted.as_ref().map(|p| p.0.clone()));
        if !by_hand && decode.is_none() {
            if table.has("prefill_tokens_per_second")
                || matches!(need.volume, crate::cost::plan::Volume::AtCapacity)
            {
                self.miss(&table.path("decode_tokens_per_second"), "how fast one unit writes");
            }
            return Ok(None);
        }
        let decode = self.number(table, "decode_tokens_per_second", decode, "");
        let prefill = if free {
            self.notices.push(Notice::PrefillFree { offer: name.to_owned() });
            Prefill::Free
        } else if as_output {
            self.notices.push(Notice::InputAsOutput { offer: name.to_owned() });
            Prefill::AsOutput
        } else {
            let found = measured(self, "prefill_tps", level.and_then(|(_, l)| l.prefill_tps));
            let found = found.or_else(|| predicted.map(|p| p.1));
            let highs: Vec<f64> = self.ranges.iter().map(|r| r.high).collect();
            let no_input = need.tokens(crate::cost::plan::Values(&highs)).input.get() <= 0.0;
            if no_input && found.is_none() && !table.has("prefill_tokens_per_second") {
                Prefill::Free
            } else {
                Prefill::Speed(self.number(
                    table,
                    "prefill_tokens_per_second",
                    found,
                    "how fast one unit reads the input; reading is not free",
                ))
            }
        };
        Ok(Some(Speed { prefill, decode }))
    }

    /// The format named, or the declared default.
    fn quantisation(&mut self, table: Table<'_>) -> Result<Option<&'static Quantisation>, ResolveError> {
        let Some(name) = self.text(table, "quantisation") else { return Ok(None) };
        match Quantisation::find(&name) {
            Some(format) => Ok(Some(format)),
            None => Err(impossible(
                &table.path("quantisation"),
                format!("`{name}` is no known format; for example Q4_K_M, Q8_0, F16"),
            )),
        }
    }

    /// Speeds from the predictor, where hardware and model are in the catalogue. Stops where the
    /// model does not fit, whoever gave the speeds.
    fn predicted(
        &mut self,
        table: Table<'_>,
        name: &str,
        need: &Need,
        runs: Runs<'_>,
        by_hand: bool,
    ) -> Result<Option<(Found, Found)>, ResolveError> {
        let (Some(hardware), Some(model)) = (runs.hardware, runs.model) else { return Ok(None) };
        let Some(model) = self.known.catalog.open_model(model) else { return Ok(None) };
        let (Ok(shape), Some(hardware)) =
            (ModelShape::from_catalogue(model), self.shape_of(hardware, runs.gpus))
        else {
            return Ok(None);
        };
        let declared = crate::cost::defaults::of("local.quantisation");
        let format = runs.format.or_else(|| declared.and_then(|d| Quantisation::find(d.value.as_str()?)));
        let Some(format) = format else { return Ok(None) };
        let tokens = {
            let likely: Vec<f64> = self.ranges.iter().map(|r| r.likely).collect();
            need.tokens(crate::cost::plan::Values(&likely))
        };
        // Positive and far below the limit by the checks of the scenario.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let whole = |t: f64| t.ceil().clamp(1.0, 1e9) as u64;
        let given = table.fields.get("concurrency").and_then(|g| g.value.range()).map(|r| r.likely);
        let declared_concurrency = crate::cost::defaults::of("local.concurrency");
        let wanted =
            given.or_else(|| declared_concurrency.map(crate::cost::defaults::Default::number)).unwrap_or(1.0);
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let mut concurrency = wanted as u32;
        let load = |concurrency: u32| CapacityLoad {
            prompt_tokens: whole(tokens.input.get()),
            ..CapacityLoad::new(whole(tokens.total().get()), concurrency)
        };
        // As many at once as memory holds, up to the default; a number that was asked for stays.
        while given.is_none()
            && concurrency > 1
            && fits(&shape, &hardware, format, &load(concurrency)).placement != Placement::Fits
        {
            concurrency /= 2;
        }
        let prediction = match predict(&shape, &hardware, format, &load(concurrency)) {
            Ok(prediction) => prediction,
            Err(error @ CannotPredict::DoesNotFit { .. }) => {
                return Err(ResolveError::DoesNotFit { key: table.path("hardware"), error: Box::new(error) });
            }
            Err(CannotPredict::Unknown(_)) => return Ok(None),
        };
        if by_hand {
            return Ok(None);
        }
        if let (None, Some(d)) = (runs.format, declared) {
            self.echo(table.path("quantisation"), "", Value::Text(format.id.to_owned()), d.source());
        }
        if let (None, Some(d)) = (given, declared_concurrency) {
            let value = Value::Number(Range::exactly(f64::from(concurrency)));
            self.echo(table.path("concurrency"), "requests", value, d.source());
        }
        if !table.prefix.starts_with("comparator") {
            self.notices.push(Notice::PredictedSpeed { offer: name.to_owned() });
        }
        self.uncertain = true;
        let source = prediction.basis.source();
        let found = |band: crate::capacity::Band| {
            (Range { low: band.low.get(), likely: band.likely.get(), high: band.high.get() }, source.clone())
        };
        Ok(Some((found(prediction.decode_tps), found(prediction.prefill_tps))))
    }

    fn shape_of(&self, hardware: Hardware<'_>, gpus: u32) -> Option<HardwareShape> {
        let catalog = self.known.catalog;
        match hardware {
            Hardware::Gpu(g) => HardwareShape::from_accelerator(g, gpus).ok(),
            Hardware::Machine(m) => {
                HardwareShape::from_machine(m, m.accelerator.as_deref().and_then(|a| catalog.accelerator(a)))
                    .ok()
            }
            Hardware::Rental(r) => {
                HardwareShape::from_accelerator(catalog.accelerator(&r.accelerator)?, r.accelerators).ok()
            }
        }
    }

    /// The measured level to plan with: the concurrency asked for, else the one with the highest
    /// throughput.
    fn level(
        &mut self,
        table: Table<'_>,
        name: &str,
        target: Option<&MeasuredTarget>,
    ) -> Option<(usize, crate::workload::evidence::MeasuredLevel)> {
        let levels = &target?.levels;
        let asked = table.fields.get("concurrency").and_then(|g| g.value.range()).map(|r| r.likely);
        let usable = levels.iter().enumerate().filter(|(_, l)| l.decode_tps.is_some_and(|d| d > 0.0));
        let chosen = match asked {
            Some(c) => {
                usable.filter(|(_, l)| f64::from(l.concurrency) <= c).max_by_key(|(_, l)| l.concurrency)
            }
            None => usable.max_by(|a, b| {
                a.1.decode_tps.partial_cmp(&b.1.decode_tps).unwrap_or(std::cmp::Ordering::Equal)
            }),
        };
        let (n, level) = chosen?;
        if level.concurrency <= 1 {
            self.notices.push(Notice::SpeedAtOne { offer: name.to_owned() });
        }
        Some((n, *level))
    }

    /// Purchase price of one unit in USD: new before list price before used; the newest figure first.
    fn purchase_price(&self, hardware: Hardware<'_>, gpus: u32) -> Option<Found> {
        let (kind, id, prices, factor) = match hardware {
            Hardware::Gpu(g) => ("gpu", &g.id, &g.price, f64::from(gpus)),
            Hardware::Machine(m) => ("machine", &m.id, &m.price, 1.0),
            Hardware::Rental(_) => return None,
        };
        let rank = |p: &PurchasePrice| match p.condition {
            Condition::New => 0,
            Condition::Msrp => 1,
            Condition::Refurbished => 2,
            Condition::Used => 3,
        };
        let mut usable: Vec<(&PurchasePrice, f64)> =
            prices.iter().filter_map(|p| Some((p, self.to_usd(p.amount, &p.currency)?))).collect();
        usable.sort_by_key(|(p, _)| (rank(p), std::cmp::Reverse(p.as_of)));
        let (price, usd) = usable.first()?;
        let cite = Cite { source: price.source.clone(), as_of: price.as_of, derived: None };
        Some(database(usd * factor, kind, id, &cite))
    }

    fn watts(hardware: Hardware<'_>, gpus: u32, load: bool) -> Option<Found> {
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

    /// Rent of one unit: the entry's own, or the cheapest on demand with as many of these GPUs.
    fn rental_price(&self, hardware: Hardware<'_>, gpus: u32) -> Option<Found> {
        let rental = match hardware {
            Hardware::Rental(r) => r,
            other => self.cheapest_rental(other, gpus)?,
        };
        let usd = self.to_usd(rental.per_hour, &rental.currency)?;
        Some(database(usd, "rental", &rental.id, &rental.cite("per_hour")))
    }

    fn cheapest_rental(&self, hardware: Hardware<'_>, gpus: u32) -> Option<&'a Rental> {
        let (gpu, count) = hardware.gpus(gpus)?;
        let offers = self.known.catalog.rentals.iter();
        offers
            .filter(|r| r.accelerator == gpu && r.accelerators == count && r.terms == RentalTerms::OnDemand)
            .filter_map(|r| Some((self.to_usd(r.per_hour, &r.currency)?, r)))
            .min_by(|a, b| a.0.total_cmp(&b.0))
            .map(|(_, r)| r)
    }

    /// Warn where a rent given by hand is below every offer known for that GPU.
    fn check_rent(&mut self, table: Table<'_>, name: &str, hardware: Option<Hardware<'_>>, gpus: u32) {
        let Some(rent) = table.fields.get("usd_per_hour").and_then(|g| g.value.range()) else { return };
        let Some((gpu, count)) = hardware.and_then(|h| h.gpus(gpus)) else { return };
        let lowest = self
            .known
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

    /// The rented-GPU column: the same GPU by the hour for every local offer that is bought.
    pub(super) fn rented_gpus(
        &mut self,
        offers: &mut Vec<Offer>,
        locals: &[Fields],
        asked: Span<usize>,
        need: &Need,
    ) {
        let rented = |o: &Offer| matches!(&o.way, Way::Machine(m) if m.is_rented());
        if asked.clone().any(|i| rented(&offers[i])) {
            return;
        }
        for (index, fields) in asked.zip(locals) {
            let Some(id) = offers[index].id.clone() else { continue };
            let gpus = fields.get("gpus_per_unit").and_then(|g| g.value.range()).map_or(1.0, |r| r.likely);
            // Checked to be a whole number when it was read.
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
            let gpus = gpus as u32;
            let Ok(hardware) = self.hardware("", &id) else { continue };
            let Some(rental) = self.cheapest_rental(hardware, gpus) else { continue };
            let given = |text: &str| Given {
                value: Value::Text(text.to_owned()),
                via: "the same GPU, rented".to_owned(),
            };
            let mut own = Fields::from([("hardware", given(&rental.id))]);
            for key in COMMON {
                if let Some((key, value)) = fields.get_key_value(key) {
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

/// What a rented GPU shares with the same GPU bought.
const COMMON: [&str; 14] = [
    "model",
    "quantisation",
    "units",
    "staff_hours_per_month",
    "staff_usd_per_hour",
    "licence_usd_per_month",
    "prefill_tokens_per_second",
    "decode_tokens_per_second",
    "concurrency",
    "utilisation_ceiling",
    "tokeniser_ratio",
    "retry_share",
    "prefill_free",
    "charge_input_as_output",
];

/// What runs on what.
#[derive(Clone, Copy)]
struct Runs<'r> {
    hardware: Option<Hardware<'r>>,
    gpus: u32,
    model: Option<&'r str>,
    format: Option<&'static Quantisation>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Owned,
    Financed,
    Rented,
}
