//! `[[local]]`: hardware from the catalogue or described by hand; bought, financed or rented.

use super::blueprint::{Among, Built};
use super::error::ResolveError;
use super::hardware::Hardware;
use super::machine_class::{MachineClass, PaidBy};
use super::offer_inputs::{OfferInputs, OfferParts};
use super::resolver::{Resolver, SourcedRange, Table, default_of, near_ids};
use crate::capacity::Quantisation;
use crate::catalog::device::model_of_file;
use crate::catalog::{Accelerator, FormFactor, OpenModel, Rental};
use crate::cost::case::{
    Blueprint, Copies, Machine, Need, Notice, Offer, Payment, Role, Serving, Slot, Staff, Supply, Volume,
};
use crate::cost::keys::local;
use crate::plan;
use crate::provenance::Source;
use crate::workload::evidence::{Figure, MeasuredTarget, TargetKind};
use crate::workload::keys::{Key, Section};
use crate::workload::{Fields, Range, Value};

impl Machine {
    pub fn is_rented(&self) -> bool {
        matches!(self.payment, Payment::Rented { .. })
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
        if let Some(given) = table.fields.get(local::HOSTS.name) {
            self.echo(table.path(local::HOSTS), "", given.value.clone(), given.source.clone());
        }
        let mut asked = self.asked(table)?;
        self.choose_rental(table, need, &mut asked)?;
        let built = self.built(table, need, &asked)?;
        self.settle_number(table, &mut asked, built.as_ref());
        self.offer_of(table, need, role, &asked, built.as_ref())
    }

    /// If something is to be rented and the user did not say what: the rental on which a plan for the need
    /// costs least.
    fn choose_rental(
        &mut self,
        table: Table<'_>,
        need: &Need,
        asked: &mut OfferInputs<'a>,
    ) -> Result<(), ResolveError> {
        let described = [local::USD_PER_HOUR, local::DECODE, local::PREFILL, local::UNITS];
        let open = table.text(local::KIND) == Some("rented")
            && asked.hardware.is_none()
            && !described.iter().any(|key| table.has(key));
        let model = asked.open_model.as_deref().and_then(|id| self.basis.catalog.open_model(id));
        let Some(model) = model.filter(|_| open) else { return Ok(()) };
        let Some(rental) = self.cheapest_to_rent(table, need, model, asked.format)? else { return Ok(()) };
        let reason = "chosen by the plan: it costs the least to rent";
        let (id, source) = (Value::Text(rental.id.clone()), Source::assumed("plan", reason));
        self.echo(table.path(local::HARDWARE_ID), "", id, source);
        asked.hardware_id = Some(rental.id.clone());
        asked.hardware = Some(Hardware::Rental(rental));
        asked.own = self.own(table, asked.hardware, asked.gpus)?;
        Ok(())
    }

    /// What the table asks for (hardware, model, format), and what was measured of them.
    pub(super) fn asked(&mut self, table: Table<'_>) -> Result<OfferInputs<'a>, ResolveError> {
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
        let usual = self.usual_number(table, hardware);
        let gpus = match &usual {
            Some((number, _)) if !table.has(local::GPUS_PER_UNIT) => *number,
            _ => self.whole(table, local::GPUS_PER_UNIT, None).unwrap_or(1),
        };
        let own = self.own(table, hardware, gpus)?;
        let open_model = self.open_model(table, target)?;
        let format = self.quantisation(table, target)?;
        let mut asked = OfferInputs {
            hardware_id,
            hardware,
            gpus,
            number_is_open: false,
            own,
            open_model,
            format,
            target,
        };
        asked.number_is_open = usual.is_some() && Self::number_is_open(table, &asked);
        if !asked.number_is_open && !table.has(local::GPUS_PER_UNIT) {
            asked.gpus = self.whole(table, local::GPUS_PER_UNIT, usual).unwrap_or(1);
        }
        Ok(asked)
    }

    /// Number of accelerators in one unit where nobody gives one: one, or a whole board.
    fn usual_number(&self, table: Table<'_>, hardware: Option<Hardware<'_>>) -> Option<(u32, Source)> {
        let Some(Hardware::Gpu(card)) = hardware else { return None };
        let one = || crate::cost::defaults::of("local.gpus_per_unit").map(|d| (1, d.source()));
        self.on_its_board(table, card).or_else(one)
    }

    /// Is the number of accelerators in one computer the plan's to choose? Not where it was given, nor where
    /// something else was said or measured of one unit.
    fn number_is_open(table: Table<'_>, asked: &OfferInputs<'_>) -> bool {
        let of_one_unit = [
            local::GPUS_PER_UNIT,
            local::PURCHASE,
            local::USD_PER_HOUR,
            local::UNITS,
            local::CONCURRENCY,
            local::DECODE,
            local::PREFILL,
            local::IDLE_WATTS,
            local::LOAD_WATTS,
        ];
        asked.open_model.is_some()
            && table.text(local::KIND) != Some("rented")
            && !asked.speed_is_measured()
            && !of_one_unit.iter().any(|key| table.has(key))
    }

    /// Write down the number of accelerators that the plan chose, or the usual one where there is no plan.
    fn settle_number(&mut self, table: Table<'_>, asked: &mut OfferInputs<'_>, built: Option<&Built>) {
        if !asked.number_is_open {
            return;
        }
        let chosen = built.filter(|b| b.plan.is_some() && !b.bare).map(|b| {
            let reason = "chosen by the plan: computers with so many cost the least over the horizon";
            (b.machine.accelerators, Source::assumed("plan", reason))
        });
        let number = chosen.or_else(|| self.usual_number(table, asked.hardware));
        asked.gpus = self.whole(table, local::GPUS_PER_UNIT, number).unwrap_or(1);
        asked.number_is_open = false;
    }

    /// Number of accelerators on a board, for one that is sold on boards only: that of the smallest machine
    /// that has it. Not used where the user says what is there, what it costs or how many requests one
    /// accelerator serves at once, nor for rent.
    fn on_its_board(&self, table: Table<'_>, card: &Accelerator) -> Option<(u32, Source)> {
        let rented = table.fields.get(local::KIND.name).and_then(|g| g.value.text()) == Some("rented");
        let said = [local::PURCHASE, local::USD_PER_HOUR, local::UNITS, local::CONCURRENCY];
        let described = said.iter().any(|k| table.has(k));
        if rented || described || !matches!(card.form, FormFactor::Sxm | FormFactor::Oam) {
            return None;
        }
        let orders = self.basis.catalog.orders().filter(|(_, c, _, order)| c.id == card.id && order.is_ok());
        let number = orders.map(|(_, _, n, _)| n).min()?;
        let reason = format!("it is sold on boards: the smallest machine with it has {number}");
        Some((number, Source::assumed("sold-on-boards", &reason)))
    }

    /// The rental on demand on which a plan for the need costs least per hour. If no rental keeps the
    /// limits, the notice comes when the offer itself is made.
    fn cheapest_to_rent(
        &mut self,
        table: Table<'_>,
        need: &Need,
        model: &OpenModel,
        format: Option<&'static Quantisation>,
    ) -> Result<Option<&'a Rental>, ResolveError> {
        let (inputs, notices) = (self.inputs.len(), self.notices.len());
        let plans = self.blueprints(table, need, model, format, Among::Rentals, false)?;
        self.inputs.truncate(inputs);
        self.notices.truncate(notices);
        let catalog = self.basis.catalog;
        let priced = plans.iter().filter_map(|plan| {
            let rental = catalog.rental(&plan.machine.id)?;
            let hour = self.to_usd(rental.per_hour, &rental.currency)?;
            Some((hour * f64::from(plan.hosts), rental))
        });
        Ok(priced.min_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, rental)| rental))
    }

    /// The machine that the hardware is bought as, and the plan for it where its speed is neither given nor
    /// measured.
    fn built(
        &mut self,
        table: Table<'_>,
        need: &Need,
        asked: &OfferInputs<'_>,
    ) -> Result<Option<Built>, ResolveError> {
        let by_hand = table.has(local::DECODE) || table.has(local::PREFILL);
        let described = table.has(local::PURCHASE) || table.has(local::USD_PER_HOUR);
        let among = match asked.hardware {
            Some(hardware) => Among::This(hardware, asked.number()),
            None if described || by_hand || table.has(local::UNITS) => return Ok(None),
            None => Among::Everything,
        };
        let speed_known = by_hand || asked.speed_is_measured();
        let at_capacity = matches!(need.volume, Volume::AtCapacity) && speed_known;
        let model = asked.open_model.as_deref().and_then(|id| self.basis.catalog.open_model(id));
        if let Some(model) = model.filter(|_| !at_capacity) {
            let found = self.blueprints(table, need, model, asked.format, among, speed_known)?;
            if let Some(plan) = found.into_iter().next() {
                return Ok(Some(Built {
                    machine: plan.machine.clone(),
                    bare: plan.bare,
                    plan: (!speed_known).then_some(plan),
                }));
            }
        }
        match asked.hardware {
            Some(Hardware::Gpu(_)) => Ok(self.cheapest_around(among)),
            _ => Ok(None),
        }
    }

    /// The offer: what the table asks for, completed by its plan where it has one.
    pub(super) fn offer_of(
        &mut self,
        table: Table<'_>,
        need: &Need,
        role: Role,
        asked: &OfferInputs<'_>,
        built: Option<&Built>,
    ) -> Result<Offer, ResolveError> {
        let first_slot = self.ranges.len();
        let OfferInputs { hardware, own, .. } = *asked;
        let bare = built.is_some_and(|b| b.bare);
        let host = built.map(|b| &b.machine);
        let plan = built.and_then(|b| b.plan.as_ref());
        let by_hand = hardware.is_none() && host.is_none();
        let name = self.offer_name(table, asked, host);
        let kind = self.kind(table, hardware)?;
        let elsewhere = self.note_elsewhere(table, &name);
        let stands = host.map(|m| crate::plan::stands(m.stands, plan.map_or(1, |p| p.hosts)));
        let class = MachineClass::of(kind, stands, hardware, self.card(hardware));
        if let Some(plan) = plan {
            self.echo_plan(table, asked, plan);
        }
        if bare && kind != PaidBy::Rented && !table.has(local::PURCHASE) {
            self.notices.push(Notice::HostNotIncluded { offer: name.clone() });
        }
        let about = OfferParts { asked, host, class, need };
        let payment = self.payment(table, &name, kind, &about);
        let (service_hours, power) = self.hours_and_power(table, &payment, &about);
        let serving = match plan {
            Some(plan) => Some(Serving::Copies(self.copies(table, &name, plan, need))),
            None => self.speed(table, &name, own.machine, need)?.map(Serving::Speed),
        };
        if serving.is_none()
            && let Some(p) = &power
            && self.ranges[p.idle.index()] != self.ranges[p.load.index()]
        {
            self.notices.push(Notice::AlwaysBusy { offer: name.clone() });
        }
        let counted = table.has(local::STAFF_HOURS);
        let staff = Staff {
            hours: self.by_class(table, local::STAFF_HOURS, by_hand, class),
            further: Some(self.by_class(table, local::STAFF_FURTHER, by_hand, class)),
            rate: self.part(table, local::STAFF_RATE, by_hand && !counted),
        };
        let failures = self.measured(own.model.and_then(|t| t.failure_share.as_ref()));
        let ratio = self.tokeniser_ratio(own.model);
        let spare = plan.map(|p| p.spare_hosts).filter(|s| *s > 0).map(|spare| {
            (
                spare,
                Source::assumed("plan", "one stands by, since the need must stay up when a machine fails"),
            )
        });
        let machine = Machine {
            payment,
            units: self.whole(table, local::UNITS, None),
            staff,
            one_off: self.number(table, local::ONE_OFF, None, ""),
            uplift: self.number(table, local::UPLIFT, None, ""),
            spare: self.whole(table, local::SPARE_UNITS, spare).unwrap_or(0),
            delivery: self.whole(table, local::DELIVERY, None).unwrap_or(0),
            overlap: self.whole(table, local::OVERLAP, None).unwrap_or(0),
            hosting: self.by_class(table, local::HOSTING, by_hand, class),
            licence: self.number(table, local::LICENCE, None, ""),
            other: self.by_class(table, local::OTHER, by_hand, class),
            serving,
            cached: self.cached_share(table, need, plan),
            ceiling: self.ceiling(table, need),
            service_hours,
            tokeniser_ratio: self.number(table, local::TOKENISER_RATIO, ratio, ""),
            retry: self.number(table, local::RETRY_SHARE, failures, ""),
            power,
        };
        if machine.serving.is_none() && machine.units.is_none() {
            let why = "how fast one unit is: measure it with `freehold bench`, or give local.units to leave speed out";
            let why = elsewhere.map_or_else(|| why.to_owned(), |e| format!("{why} ({e})"));
            self.miss(&table.path(local::DECODE), &why);
        }
        if by_hand && !machine.is_rented() {
            self.left_out(table, &name, machine.power.is_some());
        }
        let model = asked.open_model.as_deref().and_then(|id| self.basis.catalog.open_model(id));
        Ok(Offer {
            name,
            id: asked.hardware_id.clone().or_else(|| host.map(|m| m.id.clone())),
            role,
            tier: model.and_then(|m| m.tier),
            open_model: asked.open_model.clone(),
            supply: Supply::Machine(Box::new(machine)),
            pass_rate: self.passes(own.model),
            plan: plan.cloned().map(Box::new),
            slots: first_slot..self.ranges.len(),
        })
    }

    /// List what the plan chose among the inputs: engine, formats, parallelism, requests at once.
    fn echo_plan(&mut self, table: Table<'_>, asked: &OfferInputs<'_>, plan: &Blueprint) {
        let r = &plan.replica;
        let source = || {
            let reason = "chosen by the plan: the fewest machines within the limits, then what keeps most of the model";
            Source::assumed("plan", reason)
        };
        let text = |t: &str| Value::Text(t.to_owned());
        let number = |n: u32| Value::Number(Range::exactly(f64::from(n)));
        if asked.hardware.is_none() {
            let reason = "chosen by the plan: it costs the least over the horizon";
            self.echo(
                table.path(local::HARDWARE_ID),
                "",
                text(&plan.machine.id),
                Source::assumed("plan", reason),
            );
        }
        if !table.has(local::QUANTISATION) {
            self.echo(table.path(local::QUANTISATION), "", text(r.format.id), source());
        }
        if !table.has(local::BACKEND) {
            self.echo(table.path(local::BACKEND), "", text(r.backend.engine().label()), source());
        }
        if !table.has(local::KV_TYPE) {
            self.echo(table.path(local::KV_TYPE), "", text(r.kv.label()), source());
        }
        for (key, value) in [(local::TENSOR_PARALLEL, r.tensor), (local::CONCURRENCY, r.concurrency)] {
            match table.fields.get(key.name) {
                Some(given) => {
                    self.echo(table.path(key), key.unit, given.value.clone(), given.source.clone());
                }
                None => self.echo(table.path(key), key.unit, number(value), source()),
            }
        }
    }

    /// The plan's copies: how many requests each serves at once, and how fast.
    fn copies(&mut self, table: Table<'_>, name: &str, plan: &Blueprint, need: &Need) -> Copies {
        let r = &plan.replica;
        let rate = r.served.requests_per_second;
        let range = Range { low: rate.low, likely: rate.likely, high: rate.high };
        let shape = &plan.machine.shape;
        let mut reason = "bytes and operations over the hardware's peaks, docs/predictor.md; with so many requests at once".to_owned();
        if shape.rate_is_guessed() {
            reason = format!("{reason}; {}", crate::capacity::guessed(&shape.name));
            if !["comparator", "all."].iter().any(|of| table.prefix.starts_with(of)) {
                self.note_guessed_rate(name, plan);
            }
        }
        let source = Source::assumed(format!("predictor {}", r.backend.label()), &reason);
        self.uncertain = true;
        if !table.prefix.starts_with("comparator") {
            self.notices.push(Notice::PredictedSpeed { offer: name.to_owned() });
        }
        let slot = self.slot(format!("{}.requests_per_second", table.prefix), "requests/s", (range, source));
        let tokens = self.likely_request(need);
        // The plan was made for tokens of its own model.
        let own = table.fields.get(local::TOKENISER_RATIO.name).and_then(|g| g.value.range());
        let ratio = own.map_or(1.0, |r| r.likely);
        let ceiling = if table.has(local::CEILING) || need.asks.purpose == crate::workload::Use::Batch {
            let batch = (
                Range::exactly(0.9),
                Source::assumed("batch-ceiling", "nobody waits: the rest is for restarts"),
            );
            Some(self.number_or(table, local::CEILING, Some(batch), ""))
        } else {
            None
        };
        Copies {
            at_once: f64::from(r.concurrency),
            per_unit: plan.replicas_per_host,
            rate: slot,
            reading: r.served.reading_share.clamp(0.0, 1.0),
            input: tokens.input.get() * (1.0 - r.cached_share) * ratio,
            output: tokens.written().get() * ratio,
            ceiling,
        }
    }

    /// Say that the arithmetic rate of a plan's accelerator is not known, where it is not.
    pub(super) fn note_guessed_rate(&mut self, offer: &str, plan: &Blueprint) {
        let shape = &plan.machine.shape;
        if shape.rate_is_guessed() {
            let accelerator = shape.name.clone();
            self.notices.push(Notice::RateGuessed { offer: offer.to_owned(), accelerator });
        }
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
        asked: &OfferInputs<'_>,
        host: Option<&plan::Machine>,
    ) -> String {
        if let Some(name) = self.text(table, local::NAME) {
            return name;
        }
        let machine = match (host, asked.hardware) {
            (Some(host), _) => Some(host.label()),
            (None, Some(Hardware::Gpu(g))) if asked.gpus > 1 => Some(format!("{} × {}", asked.gpus, g.name)),
            (None, hardware) => hardware.map(Hardware::name),
        };
        let model = asked.open_model.clone().or_else(|| asked.target.map(|t| t.model.clone()));
        match (machine, model) {
            // In a ranking every offer runs the same model.
            (Some(machine), _) if table.prefix.starts_with("all.") => machine,
            (Some(machine), Some(model)) => format!("{model} on {machine}"),
            (Some(machine), None) => machine,
            (None, Some(model)) => format!("{model}, measured"),
            (None, None) => table.prefix.to_owned(),
        }
    }

    /// A cost that offers from the catalogue have by default, and offers described by hand only if it is
    /// given.
    pub(super) fn part<Q: crate::cost::case::Quantity>(
        &mut self,
        table: Table<'_>,
        key: &'static Key,
        by_hand: bool,
    ) -> Slot<Q> {
        let found = if by_hand && !table.has(key) { default_of("local.not_described") } else { None };
        self.number(table, key, found, "")
    }

    /// The accelerator in the hardware, where the catalogue has one.
    fn card(&self, hardware: Option<Hardware<'a>>) -> Option<&'a Accelerator> {
        match hardware? {
            Hardware::Gpu(card) => Some(card),
            Hardware::Rental(rental) => self.basis.catalog.accelerator(&rental.accelerator),
            Hardware::Machine(_) => None,
        }
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

    /// Share of the input that the machine's own prefix cache supplies: at most the share that repeats at
    /// all.
    fn cached_share(&mut self, table: Table<'_>, need: &Need, plan: Option<&Blueprint>) -> Slot<f64> {
        let most = self.ranges[need.cached.index()];
        let found = (most.high > 0.0).then(|| {
            if let Some(plan) = plan {
                let held = plan.cached_share;
                let reason = "of what repeats, as much as the plan's memory still holds at the peak when it comes again";
                let range = Range { low: held.min(most.low), likely: held, high: most.high.max(held) };
                (range, Source::assumed("prefix-cache", reason))
            } else {
                let reason =
                    "as much as repeats: servers keep prefixes, and its memory is taken to hold them";
                (most, Source::assumed("local-prefix-cache", reason))
            }
        });
        self.number(table, local::CACHED_INPUT_SHARE, found, "")
    }

    fn tokeniser_ratio(&self, local: Option<&MeasuredTarget>) -> Option<SourcedRange> {
        let local = local?;
        let api = self.target(TargetKind::Api)?;
        let here = local.input_tokens.as_ref()?;
        let there = api.input_tokens.as_ref().filter(|t| t.value > 0.0)?;
        let how = "input tokens here / input tokens at the API";
        self.measured(Figure::derived(Some(here.value / there.value), here.path.clone(), how).as_ref())
    }
}
