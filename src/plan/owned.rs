//! What load machines that are there already can carry, and several needs on the same machines.

use super::bill::{Bill, Cost};
use super::machine::Machine;
use super::need::Need;
use super::replica::{Allowed, Replica, copies};
use super::search::{Ask, candidates, few_bits, loss};
use super::staffing;
use crate::capacity::ModelShape;
use std::collections::BTreeMap;

/// Machines that are there already, as people write them: `4x nvidia-h100-sxm-80gb@dgx`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Named<'a> {
    /// How many, 1 to [`Named::MOST`].
    pub number: u32,
    /// Id of an accelerator or of a machine.
    pub id: &'a str,
    /// Id of the computer that the accelerators are in.
    pub place: Option<&'a str>,
}

impl<'a> Named<'a> {
    /// Most machines of one kind that can be named.
    pub const MOST: u32 = 4096;

    /// Reads `4x ID@PLACE`. Without a number it is one; `None` where the number is 0, too large or not a
    /// number.
    pub fn parse(text: &'a str) -> Option<Self> {
        let digits = |n: &str| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit());
        let (number, rest) = match text.split_once(['x', '×']) {
            Some((n, rest)) if digits(n.trim()) => (n.trim().parse().ok()?, rest.trim()),
            _ => match text.trim().split_once(' ') {
                Some((n, rest)) if digits(n) => (n.parse().ok()?, rest.trim()),
                _ => (1, text.trim()),
            },
        };
        let (id, place) = match rest.split_once('@') {
            Some((id, place)) => (id.trim(), Some(place.trim()).filter(|p| !p.is_empty())),
            None => (rest, None),
        };
        (1..=Self::MOST).contains(&number).then_some(Self { number, id, place })
    }
}

/// Machines of one kind that are there.
#[derive(Debug, Clone, PartialEq)]
pub struct Owned {
    pub machine: Machine,
    pub number: u32,
}

/// Copies of the model that machines of one kind run for a need.
#[derive(Debug, Clone, PartialEq)]
pub struct Placed {
    /// Index into the owned machines that were given.
    pub owned: usize,
    pub replica: Replica,
    /// Copies that run, and how many the machines have room for.
    pub replicas: u32,
    pub room: u32,
    /// Accelerators that stay free.
    pub free_accelerators: u32,
    /// Requests a second that these copies carry.
    pub carries: f64,
}

/// What owned machines carry of a need.
#[derive(Debug, Clone, PartialEq)]
pub struct Carried {
    pub placed: Vec<Placed>,
    /// Requests a second: asked for, carried by the copies that run, and carried if all machines were
    /// filled with copies.
    pub rate: f64,
    pub carries: f64,
    pub at_most: f64,
    /// Requests a second that are asked for beyond what all machines carry.
    pub short: f64,
    /// Share of what all machines can carry that stays free, 0 to 1: at the peak, and in each hour of the
    /// week.
    pub free_at_peak: f64,
    pub free_by_hour: Option<Vec<f64>>,
}

/// What the owned machines carry of the need. Machines that need the fewest accelerators for it are filled
/// first. `ask.machines` is not used. `None` where the model runs on none of them within the limits.
pub fn carry(ask: &Ask<'_>, owned: &[Owned]) -> Option<Carried> {
    let need = ask.need;
    let rate = need.rate();
    let mut found: Vec<(usize, Replica, u32, f64)> = Vec::new();
    for (index, have) in owned.iter().enumerate() {
        let good = candidates(ask, std::slice::from_ref(&have.machine));
        let fitting: Vec<Replica> =
            good.into_iter().filter(|r| r.devices() <= have.machine.accelerators).collect();
        let Some(best) = kept_best(ask, have, fitting) else { continue };
        let room = have.machine.accelerators / best.devices() * have.number;
        let each = carried_by(need, ask.allowed, &best, 1);
        found.push((index, best, room, each));
    }
    if found.is_empty() {
        return None;
    }
    found.sort_by(|a, b| (b.3 / f64::from(b.1.devices())).total_cmp(&(a.3 / f64::from(a.1.devices()))));
    let at_most: f64 = found.iter().map(|(_, r, room, _)| carried_by(need, ask.allowed, r, *room)).sum();
    let mut left = rate;
    let mut placed = Vec::new();
    for (index, replica, room, _) in found {
        // As many copies as the rest of the load needs, but no more than there is room for.
        let wanted = if left > 0.0 {
            let rest = Need { peak_rate: left, mean_rate: left, batch: None, ..need.clone() };
            copies(&rest, &replica, ask.allowed).0.min(room)
        } else {
            0
        };
        let carries = carried_by(need, ask.allowed, &replica, wanted);
        left -= carries;
        let have = &owned[index];
        let free = have.machine.accelerators * have.number - wanted * replica.devices();
        placed.push(Placed {
            owned: index,
            replica,
            replicas: wanted,
            room,
            free_accelerators: free,
            carries,
        });
    }
    let carries = placed.iter().map(|p| p.carries).sum();
    let free = |used: f64| (1.0 - used / at_most).max(0.0);
    let free_by_hour = need.hours.as_ref().map(|_| (0..168).map(|h| free(need.rate_at(h))).collect());
    Some(Carried {
        placed,
        rate,
        carries,
        at_most,
        short: (rate - at_most).max(0.0),
        free_at_peak: free(rate),
        free_by_hour,
    })
}

/// The best setting for machines that are there. Among those that carry the whole need: weights of eight
/// bits before fewer, then what leaves the most accelerators free, then what loses least. Where none
/// carries it all, the one that carries most.
fn kept_best(ask: &Ask<'_>, have: &Owned, fitting: Vec<Replica>) -> Option<Replica> {
    let per_accelerator = |r: &Replica| r.rate() / f64::from(r.devices());
    let enough = |r: &Replica| {
        let room = have.machine.accelerators / r.devices() * have.number;
        copies(ask.need, r, ask.allowed).0 <= room
    };
    fitting.into_iter().min_by(|a, b| {
        let taken = |r: &Replica| copies(ask.need, r, ask.allowed).0 * r.devices();
        match (enough(a), enough(b)) {
            (true, true) => (few_bits(a).cmp(&few_bits(b)).then_with(|| taken(a).cmp(&taken(b))))
                .then_with(|| loss(a).cmp(&loss(b)))
                .then_with(|| per_accelerator(b).total_cmp(&per_accelerator(a))),
            (false, false) => per_accelerator(b).total_cmp(&per_accelerator(a)),
            (a, b) => b.cmp(&a),
        }
    })
}

/// Requests a second that `number` copies carry.
fn carried_by(need: &Need, allowed: &Allowed, replica: &Replica, number: u32) -> f64 {
    let number = f64::from(number);
    match (allowed.ceiling, need.batch) {
        (Some(ceiling), _) => replica.rate() * number * ceiling,
        (None, Some(_)) => replica.rate() * number * 0.9,
        (None, None) => staffing::carried(number * f64::from(replica.concurrency)) / replica.stay(),
    }
}

/// One need of several.
#[derive(Debug, Clone, Copy)]
pub struct Part<'a> {
    pub need: &'a Need,
    pub model: &'a ModelShape,
    pub heads: Option<u32>,
    pub allowed: &'a Allowed,
}

/// A plan for several needs on machines of one kind.
#[derive(Debug, Clone, PartialEq)]
pub struct Together<'a> {
    pub machine: &'a Machine,
    pub hosts: u32,
    pub spare_hosts: u32,
    /// For each model: its needs added up to one, the copy that serves them, and the number of copies.
    pub parts: Vec<(Need, Replica, u32)>,
    /// Accelerators that no copy uses, in the machines in service.
    pub free_accelerators: u32,
    pub bill: Bill<'a>,
    pub cost: Cost,
}

impl Together<'_> {
    /// Does some model run in few bits that its maker did not release ([`few_bits`])?
    pub fn few_bits(&self) -> bool {
        self.parts.iter().any(|(_, replica, _)| few_bits(replica))
    }
}

/// A model with its whole need, and by index of the machine the settings that keep its limits.
type Tried<'a> = (Part<'a>, &'a Need, Vec<(usize, Vec<Replica>)>);

/// Plans for several needs on the same machines, the cheapest first. Needs of one model share its
/// copies, their loads added up hour by hour; different models share machines, but no accelerator.
pub fn together<'a>(
    parts: &[Part<'_>],
    machines: &'a [Machine],
    cost: &dyn Fn(&Bill<'_>) -> Cost,
) -> Vec<Together<'a>> {
    let mut by_model: BTreeMap<&str, (Part<'_>, Need)> = BTreeMap::new();
    for part in parts {
        by_model
            .entry(part.model.id.as_str())
            .and_modify(|(_, need)| *need = need.and(part.need))
            .or_insert_with(|| (*part, part.need.clone()));
    }
    let tried: Vec<Tried<'_>> = by_model
        .values()
        .map(|(part, need)| {
            let ask =
                Ask { need, model: part.model, heads: part.heads, machines, allowed: part.allowed, cost };
            let good = super::search::by_machine(&ask);
            (*part, need, good)
        })
        .collect();
    let mut found: Vec<Together<'a>> = machines
        .iter()
        .enumerate()
        .filter_map(|(index, machine)| {
            let mut chosen = Vec::new();
            for (part, need, good) in &tried {
                let here = good.iter().find(|(i, _)| *i == index).map(|(_, g)| g)?;
                let sized = here.iter().map(|r| (r, copies(need, r, part.allowed).0));
                // Weights of enough bits; then the fewest accelerators, so that the rest is free for
                // another model.
                let best = sized.min_by(|a, b| {
                    (few_bits(a.0).cmp(&few_bits(b.0)))
                        .then((a.0.devices() * a.1).cmp(&(b.0.devices() * b.1)))
                        .then(a.1.cmp(&b.1))
                })?;
                chosen.push(((*need).clone(), best.0.clone(), best.1));
            }
            Some(packed(machine, chosen, cost))
        })
        .collect();
    found.sort_by(|a, b| a.cost.total_usd.total_cmp(&b.cost.total_usd).then(a.hosts.cmp(&b.hosts)));
    found
}

/// Packs copies of several models into machines of one kind, those on the most accelerators first.
fn packed<'a>(
    machine: &'a Machine,
    parts: Vec<(Need, Replica, u32)>,
    cost: &dyn Fn(&Bill<'_>) -> Cost,
) -> Together<'a> {
    let mut sizes: Vec<u32> = parts
        .iter()
        .flat_map(|(_, r, n)| std::iter::repeat_n(r.devices(), usize::try_from(*n).unwrap_or(0)))
        .collect();
    sizes.sort_unstable_by(|a, b| b.cmp(a));
    let mut free: Vec<u32> = Vec::new();
    for size in sizes {
        match free.iter_mut().find(|f| **f >= size) {
            Some(room) => *room -= size,
            None => free.push(machine.accelerators.saturating_sub(size)),
        }
    }
    let in_service = u32::try_from(free.len()).unwrap_or(u32::MAX).max(1);
    let spare = u32::from(parts.iter().any(|(need, ..)| need.must_stay_up));
    let used = f64::from(machine.accelerators * in_service - free.iter().sum::<u32>());
    let busy: f64 = parts
        .iter()
        .map(|(need, r, n)| {
            let share = need.mean_rate.min(need.rate()) / (r.rate() * f64::from(*n));
            share * f64::from(r.devices() * n) / used.max(1.0)
        })
        .sum();
    let whole = f64::from(machine.accelerators * in_service);
    let bill = Bill::of(machine, in_service + spare, spare, busy * used / whole.max(1.0));
    let cost = cost(&bill);
    Together {
        machine,
        hosts: in_service + spare,
        spare_hosts: spare,
        free_accelerators: free.iter().sum(),
        parts,
        bill,
        cost,
    }
}
