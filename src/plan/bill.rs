//! What a plan is made of, for the cost engine: machines, power, space, people.

use super::machine::Machine;
use crate::catalog::Stands;

/// Machines that one looks after under desks beside other work; more are a machine room, with its people,
/// cooling and place.
const OFFICE_MOST: u32 = 3;

/// Where so many machines of a kind stand: more than a few that could each stand in an office are a room of
/// their own.
pub const fn stands(one: Stands, hosts: u32) -> Stands {
    match one {
        Stands::Office if hosts > OFFICE_MOST => Stands::Rack,
        one => one,
    }
}

/// Hours a month that somebody looks after it: (low, likely, high), by class and size. An office box
/// 2, 4, 10; in production 10, 20, 60; a tenth of that for each further one (reference: published estimates
/// of 33 to 66 hours, `ConfigIQ`'s quarter of a person).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct People {
    pub low: f64,
    pub likely: f64,
    pub high: f64,
}

impl People {
    /// For so many hosts of one kind.
    pub fn of(stands: Stands, hosts: u32) -> Self {
        let (low, likely, high) = match self::stands(stands, hosts) {
            Stands::Office => (2.0, 4.0, 10.0),
            Stands::Rack => (10.0, 20.0, 60.0),
        };
        // A further one of the same kind is a tenth of the first.
        let times = 1.0 + 0.1 * f64::from(hosts.saturating_sub(1));
        Self { low: low * times, likely: likely * times, high: high * times }
    }
}

/// A bill of materials: what the cost engine needs to price a plan.
#[derive(Debug, Clone, PartialEq)]
pub struct Bill<'a> {
    pub machine: &'a Machine,
    /// All of them, the spare ones included.
    pub hosts: u32,
    pub spare_hosts: u32,
    pub accelerators: u32,
    /// Share of the time that the hosts are busy on average, the spare ones counted.
    pub busy_mean: f64,
    /// At the wall: at the mean load, and with every host at full load.
    pub mean_watts: f64,
    pub full_watts: f64,
    pub rack_units: Option<f64>,
    pub people: People,
    /// Machines and their installation, US dollars.
    pub purchase_usd: f64,
}

impl<'a> Bill<'a> {
    /// `busy_mean`: share of the time that the hosts in service are busy.
    pub fn of(machine: &'a Machine, hosts: u32, spare_hosts: u32, busy_mean: f64) -> Self {
        let number = f64::from(hosts);
        let busy = busy_mean.clamp(0.0, 1.0) * f64::from(hosts.saturating_sub(spare_hosts)) / number.max(1.0);
        Self {
            machine,
            hosts,
            spare_hosts,
            accelerators: hosts * machine.accelerators,
            busy_mean: busy,
            mean_watts: number * machine.watts(busy),
            full_watts: number * machine.full_watts,
            rack_units: machine.rack_units.map(|u| u * number),
            people: People::of(machine.stands, hosts),
            purchase_usd: number * machine.bought_usd(),
        }
    }
}

/// What a bill costs: the answer of the cost engine.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cost {
    pub capex_usd: f64,
    /// Everything that recurs, a month: power, people, place.
    pub monthly_usd: f64,
    /// Over the horizon, what is left at its end taken off.
    pub total_usd: f64,
}
