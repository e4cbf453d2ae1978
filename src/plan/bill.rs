//! What a plan is made of, for the cost engine: machines, power, space, people.

use super::machine::Machine;
use crate::catalog::Stands;

/// Most machines that are looked after in an office beside other work; more need a machine room, with its
/// people, cooling and space.
const OFFICE_MOST: u32 = 3;

/// Where `hosts` machines of a kind stand. More office machines than an office has room for go into
/// racks.
pub const fn stands(one: Stands, hosts: u32) -> Stands {
    match one {
        Stands::Office if hosts > OFFICE_MOST => Stands::Rack,
        one => one,
    }
}

/// Hours a month that somebody spends on the machines: an office machine takes 2 to 10, likely 4; one in a
/// rack 10 to 60, likely 20; each further one a tenth of the first. Published estimates for production are
/// 33 to 66 hours; `ConfigIQ` counts a quarter of a person.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct People {
    pub low: f64,
    pub likely: f64,
    pub high: f64,
}

impl People {
    /// The hours for `hosts` machines of one kind.
    pub fn of(stands: Stands, hosts: u32) -> Self {
        let (low, likely, high) = match self::stands(stands, hosts) {
            Stands::Office => (2.0, 4.0, 10.0),
            Stands::Rack => (10.0, 20.0, 60.0),
        };
        // A further one of the same kind takes a tenth of the first.
        let times = 1.0 + 0.1 * f64::from(hosts.saturating_sub(1));
        Self { low: low * times, likely: likely * times, high: high * times }
    }
}

/// A bill of materials: what the cost engine needs to price a plan.
#[derive(Debug, Clone, PartialEq)]
pub struct Bill<'a> {
    pub machine: &'a Machine,
    /// All machines, the spare ones included.
    pub hosts: u32,
    pub spare_hosts: u32,
    pub accelerators: u32,
    /// Share of the time that the hosts are busy on average, the spare ones counted.
    pub busy_mean: f64,
    /// Watts at the wall for all hosts: at the mean load, and with every host at full load.
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
    /// US dollars a month for everything that recurs: power, people, space.
    pub monthly_usd: f64,
    /// US dollars over the horizon, less what the machines are worth at its end.
    pub total_usd: f64,
}
