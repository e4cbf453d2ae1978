//! The local side as one would build it. For an offer whose speeds were neither given nor measured, the
//! plan engine chooses the machine, engine, formats and the number of requests at once.

use super::error::{ResolveError, impossible};
use super::hardware::Hardware;
use super::resolver::{Resolver, Table};
use crate::capacity::{Engine, KvType, ModelShape, Quantisation};
use crate::catalog::{Accelerator, OpenModel, Rental, RentalTerms, Stands};
use crate::cost::case::{Blueprint, Need, Notice, Peak, Portion};
use crate::cost::keys::local;
use crate::plan::{self, Allowed, Ask, Bill, Cost, Limits, Machine, Tokens};
use crate::provenance::Source;
use crate::units::{Hours, RequestsPerSec};
use std::sync::Arc;

/// Estimates the cost of machines during the search from power, people and purchase price; the cost engine
/// then computes it exactly.
#[derive(Debug, Clone, Copy)]
pub struct Weighing {
    usd_per_kwh: f64,
    pue_rack: f64,
    staff_rate: f64,
    hours: f64,
    months: f64,
}

impl Weighing {
    /// Estimated cost of a bill of materials over the horizon, US dollars.
    pub fn cost(&self, bill: &Bill<'_>) -> Cost {
        let pue =
            if plan::stands(bill.machine.stands, bill.hosts) == Stands::Rack { self.pue_rack } else { 1.0 };
        let power = bill.mean_watts / 1000.0 * self.hours * pue * self.usd_per_kwh;
        let monthly_usd = power + bill.people.likely * self.staff_rate;
        Cost {
            capex_usd: bill.purchase_usd,
            monthly_usd,
            total_usd: bill.purchase_usd + self.months * monthly_usd,
        }
    }
}

/// The machines that a search considers.
#[derive(Clone, Copy)]
pub(super) enum Among<'r> {
    /// Everything that can be ordered.
    Everything,
    /// Every GPU that is rented on demand.
    Rentals,
    /// Only machines with this hardware, and so many accelerators; with any number of them where it is
    /// `None`.
    This(Hardware<'r>, Option<u32>),
}

/// The result of a search.
#[derive(Debug, Default)]
pub(super) struct Searched {
    /// Plans, the cheapest first; where none keeps the limits, only the one that comes nearest.
    pub plans: Vec<Blueprint>,
    /// The same for weights of four bits that the model's maker did not release.
    pub in_four_bits: Vec<Blueprint>,
    pub rejected: Vec<plan::Rejected>,
    /// The need that was planned for; `None` where the model's shape is not known.
    pub need: Option<plan::Need>,
    pub machines: Vec<Machine>,
}

/// 95th percentile of the input as a multiple of its mean; `None` where all requests are alike.
fn long_input(mix: &[Portion]) -> Option<f64> {
    let mut sizes: Vec<(f64, f64)> = mix.iter().map(|p| (p.input, p.share)).collect();
    sizes.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut below = 0.0;
    let reached = sizes.iter().find(|(_, share)| {
        below += share;
        below >= 0.95 - 1e-9
    });
    reached.or(sizes.last()).map(|(times, _)| *times)
}

impl Resolver<'_> {
    /// The load that a plan must carry, at the likely values.
    pub(super) fn plan_need(&self, need: &Need) -> plan::Need {
        let values: Vec<f64> = self.ranges.iter().map(|r| r.likely).collect();
        let v = crate::cost::case::Values::of(&values);
        let tokens = need.tokens(v);
        let hours = v.get::<Hours>(need.hours).get();
        let mean = need.requests(v, None).get() / (hours * 3600.0).max(1e-9);
        let peak = match need.peak {
            Peak::Rate(slot) => v.get::<RequestsPerSec>(slot).get(),
            Peak::ToMean(slot) => mean * need.peak_over_mean(v.get(slot), v),
        };
        let asks = &need.asks;
        let (input, output) = (tokens.input.get(), tokens.written().get());
        // A long request has a longer input; its output is not longer.
        let long = asks.context.map_or_else(
            || long_input(&need.mix).map_or(input, |times| (times * input).max(input)),
            |c| (c - output).max(input),
        );
        let mut wanted = plan::Need::new(
            asks.purpose,
            mean,
            peak,
            Tokens { mean: input, p95: long },
            Tokens { mean: output, p95: output },
        );
        wanted.repeated_share = v.get(need.cached);
        let given = Limits { ttft_ms: asks.ttft_ms, tpot_ms: asks.tpot_ms, e2e_ms: asks.e2e_ms };
        wanted.limits = given.or(plan::limits(asks.purpose));
        wanted.must_stay_up = asks.must_stay_up;
        if asks.purpose == crate::workload::Use::Batch {
            wanted.limits = given;
            let requests = need.requests(v, None).get();
            wanted.batch = Some(plan::Batch { requests, deadline_hours: hours });
        }
        wanted
    }

    /// The same as the machines of an offer see it: in tokens of its own model, with the requests that are
    /// run again, in the hours in which they are switched on.
    fn need_of_machines(&self, table: Table<'_>, need: &Need) -> plan::Need {
        let given = |key: &crate::workload::keys::Key| {
            table.fields.get(key.name).and_then(|g| g.value.range()).map(|r| r.likely)
        };
        let mut wanted = self.plan_need(need);
        let ratio = given(local::TOKENISER_RATIO).unwrap_or(1.0);
        for tokens in [&mut wanted.input, &mut wanted.output] {
            *tokens = Tokens { mean: tokens.mean * ratio, p95: tokens.p95 * ratio };
        }
        let runs = 1.0 + given(local::RETRY_SHARE).unwrap_or(0.0);
        wanted.mean_rate *= runs;
        wanted.peak_rate *= runs;
        if let Some(batch) = &mut wanted.batch {
            batch.requests *= runs;
        }
        let hours = self.ranges[need.hours.index()].likely;
        if let Some(on) = given(local::POWERED_HOURS).filter(|on| *on < hours) {
            wanted.peak_rate = wanted.peak_rate.max(wanted.mean_rate * hours / on);
            if let Some(batch) = &mut wanted.batch {
                batch.deadline_hours = batch.deadline_hours.min(on);
            }
        }
        wanted
    }

    /// What the user has fixed: formats, engine, parallelism and the like.
    pub(super) fn allowed(
        &mut self,
        table: Table<'_>,
        format: Option<&'static Quantisation>,
    ) -> Result<Allowed, ResolveError> {
        let engine = match self.text(table, local::BACKEND) {
            Some(name) => Some(vec![Engine::find(&name).ok_or_else(|| {
                impossible(&table.path(local::BACKEND), format!("`{name}` is no engine that is predicted"))
            })?]),
            None => None,
        };
        let kv = match self.text(table, local::KV_TYPE) {
            Some(name) => Some(KvType::find(&name).ok_or_else(|| {
                impossible(
                    &table.path(local::KV_TYPE),
                    format!("`{name}` is no known format; for example F16, Q8_0, FP8"),
                )
            })?),
            None => None,
        };
        let whole = |value: Option<f64>| {
            // A whole number, as checked when it was read.
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
            value.map(|v| v as u32)
        };
        let number = |key: &crate::workload::keys::Key| {
            table.fields.get(key.name).and_then(|g| g.value.range()).map(|r| r.likely)
        };
        Ok(Allowed {
            engines: engine,
            formats: format.map(|f| vec![f]),
            kv,
            tensor_parallel: whole(number(local::TENSOR_PARALLEL)),
            concurrency: whole(number(local::CONCURRENCY)),
            ceiling: number(local::CEILING),
            cached_share: number(local::CACHED_INPUT_SHARE),
        })
    }

    /// The machines to consider, and whether one of them is included without a computer because none is
    /// known for its card.
    pub(super) fn machines(&self, among: Among<'_>) -> (Vec<Machine>, bool) {
        let catalog = self.basis.catalog;
        match among {
            Among::Everything => (plan::machines(catalog).0, false),
            Among::Rentals => {
                let rentals = catalog.rentals.iter().filter(|r| r.terms == RentalTerms::OnDemand);
                (rentals.filter_map(|r| self.rented(r)).collect(), false)
            }
            Among::This(Hardware::Machine(m), _) => {
                // Machines without a price are included, too: the user states it, or none is needed.
                let priced = plan::machine::from_machine(catalog, m);
                let machine = priced.or_else(|_| plan::machine::already_there(catalog, m));
                (machine.into_iter().collect(), false)
            }
            Among::This(Hardware::Rental(r), _) => (self.rented(r).into_iter().collect(), false),
            Among::This(Hardware::Gpu(card), count) => {
                let wanted = |n: u32| count.is_none_or(|count| n == count);
                let orders = catalog.orders().filter(|(_, c, n, _)| c.id == card.id && wanted(*n));
                let found: Vec<Machine> =
                    orders.filter_map(|(.., order)| plan::machine::from_order(&order.ok()?)).collect();
                if !found.is_empty() {
                    return (found, false);
                }
                let (source, count) = (self.price_source(card), count.unwrap_or(1));
                let machine = plan::machine::bare(card, count, &card.id, source).map(|mut machine| {
                    let price = catalog.price_of_accelerator(card);
                    machine.price_usd = price.map(|p| p.usd * f64::from(count));
                    machine
                });
                (machine.into_iter().collect(), true)
            }
        }
    }

    /// The cheapest machine that carries what was named; only the accelerators where no computer for them
    /// is known.
    pub(super) fn cheapest_around(&self, among: Among<'_>) -> Option<Built> {
        let (machines, bare) = self.machines(among);
        let price = |m: &Machine| m.price_usd.unwrap_or(f64::INFINITY);
        let machine = machines.into_iter().min_by(|a, b| price(a).total_cmp(&price(b)))?;
        Some(Built { machine, bare, plan: None })
    }

    /// A rented instance as a machine for planning.
    fn rented(&self, rental: &Rental) -> Option<Machine> {
        let card = self.basis.catalog.accelerator(&rental.accelerator)?;
        let cite = rental.cite("per_hour");
        let source = Source::Database {
            entry: format!("rental {}", rental.id),
            source: cite.source,
            as_of: cite.as_of,
        };
        let mut machine = plan::machine::bare(card, rental.accelerators, &rental.id, source)?;
        machine.name = rental.name();
        machine.stands = plan::machine::stands(card);
        Some(machine)
    }

    fn price_source(&self, card: &Accelerator) -> Source {
        let price = self.basis.catalog.price_of_accelerator(card);
        let cite = card.cite("board_watts");
        price.map_or(
            Source::Database { entry: format!("gpu {}", card.id), source: cite.source, as_of: cite.as_of },
            |p| Source::Database {
                entry: format!("gpu {}", card.id),
                source: p.price.source.clone(),
                as_of: p.price.as_of,
            },
        )
    }

    /// The plans for an offer, the cheapest first. Empty where a figure that the prediction needs is not
    /// known. Where no plan keeps the limits, the one that comes nearest, with a notice.
    pub(super) fn blueprints(
        &mut self,
        table: Table<'_>,
        need: &Need,
        model: &OpenModel,
        format: Option<&'static Quantisation>,
        among: Among<'_>,
        speed_known: bool,
    ) -> Result<Vec<Blueprint>, ResolveError> {
        let Searched { plans, rejected, machines, .. } = self.searched(table, need, model, format, among)?;
        if let (Some(first), false) = (plans.first(), speed_known || table.prefix == "all") {
            for miss in &first.missed {
                self.notices.push(Notice::MissesLimit {
                    offer: first.machine.name.clone(),
                    limit: match miss.limit {
                        plan::Bind::Ttft => "first token",
                        plan::Bind::EndToEnd => "the whole answer",
                        _ => "each further token",
                    },
                    limit_ms: miss.limit_seconds * 1e3,
                    ms: miss.seconds * 1e3,
                });
            }
        }
        if plans.is_empty() && matches!(among, Among::This(..)) {
            self.refuse_what_does_not_fit(table, &rejected, model, &machines)?;
        }
        Ok(plans)
    }

    /// Every plan for the need, and what was rejected.
    pub(super) fn searched(
        &mut self,
        table: Table<'_>,
        need: &Need,
        model: &OpenModel,
        format: Option<&'static Quantisation>,
        among: Among<'_>,
    ) -> Result<Searched, ResolveError> {
        let Ok(shape) = ModelShape::from_catalogue(model) else { return Ok(Searched::default()) };
        let allowed = self.allowed(table, format)?;
        let wanted = self.need_of_machines(table, need);
        let (machines, bare) = self.machines(among);
        let weighing = self.weighing(table, need);
        let cost = |bill: &Bill<'_>| weighing.cost(bill);
        let found = plan::search(&Ask {
            need: &wanted,
            model: &shape,
            heads: model.heads,
            machines: &machines,
            allowed: &allowed,
            cost: &cost,
        });
        let shared = Arc::new(wanted.clone());
        let of = |plans: &[plan::Plan<'_>]| -> Vec<Blueprint> {
            plans.iter().map(|p| Blueprint::of(p, &shared, Vec::new(), bare)).collect()
        };
        let (mut plans, in_four_bits) = (of(&found.plans), of(&found.in_four_bits));
        if let (true, Some((nearest, missed))) = (plans.is_empty(), &found.nearest) {
            plans.push(Blueprint::of(nearest, &shared, missed.clone(), bare));
        }
        Ok(Searched { plans, in_four_bits, rejected: found.rejected, need: Some(wanted), machines })
    }

    /// Refuse a model that is too large for the hardware that was named, even if speeds were given.
    pub(super) fn refuse_what_does_not_fit(
        &self,
        table: Table<'_>,
        rejected: &[plan::Rejected],
        model: &OpenModel,
        machines: &[Machine],
    ) -> Result<(), ResolveError> {
        let _ = self;
        let least = rejected
            .iter()
            .filter_map(|r| match r.why {
                plan::Why::DoesNotFit { weights, memory } => Some((weights, memory, r)),
                _ => None,
            })
            .min_by(|a, b| a.0.total_cmp(&b.0).then(b.1.total_cmp(&a.1)));
        let Some((needed, usable, r)) = least else { return Ok(()) };
        let largest = machines.iter().max_by_key(|m| m.accelerators);
        let hardware = largest.map_or_else(|| r.accelerator.clone(), |m| m.name.clone());
        let error = crate::capacity::CannotPredict::DoesNotFit {
            model: model.id.clone(),
            hardware,
            format: r.format.id,
            needed,
            usable,
        };
        Err(ResolveError::DoesNotFit { key: table.path(local::HARDWARE_ID), error: Box::new(error) })
    }

    pub(super) fn weighing(&self, table: Table<'_>, need: &Need) -> Weighing {
        let number = |key: &crate::workload::keys::Key| {
            let given = table.fields.get(key.name).and_then(|g| g.value.range()).map(|r| r.likely);
            given.or_else(|| {
                crate::cost::defaults::of(&key.path()).map(crate::cost::defaults::Default::number)
            })
        };
        Weighing {
            usd_per_kwh: number(local::USD_PER_KWH).unwrap_or(0.2),
            pue_rack: 1.4,
            staff_rate: number(local::STAFF_RATE).unwrap_or(60.0),
            hours: self.ranges[need.hours.index()].likely,
            months: f64::from(need.horizon),
        }
    }
}

/// What hardware is bought as, and the plan for it.
#[derive(Debug, Clone)]
pub(super) struct Built {
    /// A whole machine; only the accelerators where no computer for them is known.
    pub machine: plan::Machine,
    pub bare: bool,
    /// The plan; `None` where speeds were given or measured.
    pub plan: Option<Blueprint>,
}

impl From<Blueprint> for Built {
    fn from(plan: Blueprint) -> Self {
        Self { machine: plan.machine.clone(), bare: plan.bare, plan: Some(plan) }
    }
}
