//! The machines a plan may use: those that can be ordered, with their price, and those that are there
//! already.

use crate::capacity::{HardwareShape, MemoryClass};
use crate::catalog::{Accelerator, Catalog, Chosen, FormFactor, HardwareClass, Missing, Order, Stands};
use crate::provenance::Source;

/// A whole computer with its accelerators: one line of an order.
#[derive(Debug, Clone, PartialEq)]
pub struct Machine {
    /// Id of the host or machine of the catalogue.
    pub id: String,
    pub name: String,
    /// Id of the accelerators in it; of the machine itself where its chip has no record of its own.
    pub accelerator: String,
    pub accelerator_name: String,
    pub accelerators: u32,
    /// One of its accelerators, as the predictor takes it.
    pub shape: HardwareShape,
    /// Modules on one board, joined by links of their own.
    pub board: bool,
    /// It is a host that cards are put into, not a computer that is sold with them.
    pub in_host: bool,
    pub stands: Stands,
    pub rack_units: Option<f64>,
    /// Watts at the wall: of the computer without its accelerators while serving, and of everything
    /// together at full load and idle.
    pub base_watts: f64,
    pub full_watts: f64,
    pub idle_watts: f64,
    /// US dollars without tax; `None` where the machine is there already or is rented.
    pub price_usd: Option<f64>,
    pub install_usd: f64,
    /// US dollars an hour where it is rented: power and place are the provider's.
    pub rent_usd_hour: Option<f64>,
    /// Where and when the price was read.
    pub price_source: Option<Source>,
    pub source: Source,
}

impl Machine {
    /// US dollars that one of them costs on the day it is bought, installation included.
    pub fn bought_usd(&self) -> f64 {
        self.price_usd.map_or(0.0, |price| price + self.install_usd)
    }
    /// What reports call it: by its cards where cards were put into a host, else by the name of the
    /// computer.
    pub fn label(&self) -> String {
        match self.accelerators {
            _ if !self.in_host || self.board => self.name.clone(),
            1 => self.accelerator_name.clone(),
            n => format!("{n} × {}", self.accelerator_name),
        }
    }
    /// Watts at the wall when it is busy for this share of the time (0 to 1).
    pub fn watts(&self, busy: f64) -> f64 {
        self.idle_watts + (self.full_watts - self.idle_watts) * busy.clamp(0.0, 1.0)
    }
    /// The same machine as something that is there already: it costs nothing to get.
    #[must_use]
    pub fn owned(mut self) -> Self {
        self.price_usd = None;
        self.install_usd = 0.0;
        self.price_source = None;
        self
    }
    /// `devices` of its accelerators as one shape for the predictor, in `pipeline` groups that share the
    /// layers.
    pub fn slice(&self, devices: u32, pipeline: u32) -> HardwareShape {
        HardwareShape { devices, pipeline, ..self.shape.clone() }
    }
}

/// A machine that no plan can use, and why.
#[derive(Debug, Clone, PartialEq)]
pub struct LeftOut {
    /// Ids of the host or machine, and of the accelerator in it.
    pub id: String,
    pub accelerator: Option<String>,
    pub why: NotBuyable,
}

/// Why a machine cannot be ordered as it stands in the catalogue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NotBuyable {
    NoPrice,
    NoWatts,
    /// A figure the predictor needs is not known.
    NoSpeed,
    /// A module without a board it is sold on.
    NotSoldSingly,
    /// A developer kit.
    ForDevelopment,
}

impl std::fmt::Display for NotBuyable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::NoPrice => "no price of it is known",
            Self::NoWatts => "what it draws is not known",
            Self::NoSpeed => "a figure that its speed is predicted from is not known",
            Self::NotSoldSingly => "it is not sold singly, and no board with it is known",
            Self::ForDevelopment => "its maker sells it to develop with, not to run a service on",
        })
    }
}

/// Share of its power limit that a card draws while idle, where its record does not say: half of the 19
/// cards of the catalogue that have both figures are below 17 %, nine of ten between 5 and 29 %.
pub const IDLE_SHARE: f64 = 0.17;

/// Every machine that can be ordered: hosts filled with accelerators, and complete computers. And what
/// is left out, with the reason.
pub fn machines(catalog: &Catalog) -> (Vec<Machine>, Vec<LeftOut>) {
    let (mut found, mut out) = (Vec::new(), Vec::new());
    for (host, card, _, order) in catalog.orders() {
        let left = |why| LeftOut { id: host.id.clone(), accelerator: Some(card.id.clone()), why };
        match order.map(|order| from_order(&order)) {
            Ok(Some(machine)) => found.push(machine),
            Ok(None) => out.push(left(NotBuyable::NoSpeed)),
            Err(Missing::HostPrice | Missing::CardPrice) => out.push(left(NotBuyable::NoPrice)),
            Err(_) => out.push(left(NotBuyable::NoWatts)),
        }
    }
    for machine in &catalog.machines {
        let left = |why| LeftOut { id: machine.id.clone(), accelerator: machine.accelerator.clone(), why };
        match from_machine(catalog, machine) {
            Ok(_) if machine.for_development => out.push(left(NotBuyable::ForDevelopment)),
            Ok(machine) => found.push(machine),
            Err(why) => out.push(left(why)),
        }
    }
    let boards = [FormFactor::Sxm, FormFactor::Oam];
    for card in catalog.accelerators.iter().filter(|c| boards.contains(&c.form)) {
        let sold = |m: &Machine| m.accelerator == card.id;
        let known = |l: &LeftOut| l.accelerator.as_deref() == Some(&card.id);
        if !found.iter().any(sold) && !out.iter().any(known) {
            out.push(LeftOut {
                id: card.id.clone(),
                accelerator: Some(card.id.clone()),
                why: NotBuyable::NotSoldSingly,
            });
        }
    }
    (found, out)
}

fn read(entry: &str, chosen: &Chosen<'_>) -> Source {
    Source::Database {
        entry: entry.to_owned(),
        source: chosen.price.source.clone(),
        as_of: chosen.price.as_of,
    }
}

/// A host with accelerators in it, as it is ordered; `None` where the predictor lacks a figure.
pub fn from_order(order: &Order<'_>) -> Option<Machine> {
    let (host, card) = (order.host, order.accelerator);
    let mut shape = HardwareShape::from_accelerator(card, 1).ok()?;
    // The host's links join the cards, where its record says how fast they are.
    shape.link = host.slots.link_gb_s.map(|g| g * 1e9).or(shape.link);
    let number = f64::from(order.accelerators);
    let full = order.base_watts + number * order.card_watts;
    let idle =
        order.idle_watts.unwrap_or(order.base_watts * 0.7) + number * idle_watts(card, order.card_watts);
    // Shows the older of the two prices' dates: the newer one would hide it.
    let dated = match &order.cards {
        Some(cards) if cards.price.as_of < order.host_price.price.as_of => cards,
        _ => &order.host_price,
    };
    Some(Machine {
        id: host.id.clone(),
        name: host.name.clone(),
        accelerator: card.id.clone(),
        accelerator_name: card.name.clone(),
        accelerators: order.accelerators,
        shape,
        board: host.slots.always_full(),
        in_host: true,
        stands: host.stands,
        rack_units: host.rack_units,
        base_watts: order.base_watts,
        full_watts: full,
        idle_watts: idle.min(full),
        price_usd: Some(order.usd),
        install_usd: order.install_usd.unwrap_or(0.0),
        rent_usd_hour: None,
        price_source: Some(read(&format!("host {}", host.id), dated)),
        source: Source::Database {
            entry: format!("host {}", host.id),
            source: host.source.clone(),
            as_of: host.as_of,
        },
    })
}

fn idle_watts(card: &Accelerator, full: f64) -> f64 {
    card.idle_watts.unwrap_or(full * IDLE_SHARE).min(full)
}

/// A complete computer of the catalogue, as it can be ordered.
pub fn from_machine(catalog: &Catalog, machine: &crate::catalog::Machine) -> Result<Machine, NotBuyable> {
    let chosen = catalog.price_of_machine(machine).ok_or(NotBuyable::NoPrice);
    let there = already_there(catalog, machine)?;
    let chosen = chosen?;
    Ok(Machine {
        price_usd: Some(chosen.usd),
        price_source: Some(read(&format!("machine {}", machine.id), &chosen)),
        ..there
    })
}

/// A complete computer of the catalogue that is there already, so that it needs no price.
pub fn already_there(catalog: &Catalog, machine: &crate::catalog::Machine) -> Result<Machine, NotBuyable> {
    let card = machine.accelerator.as_deref().and_then(|id| catalog.accelerator(id));
    let mut shape = HardwareShape::from_machine(machine, card).map_err(|_| NotBuyable::NoSpeed)?;
    let accelerators = shape.devices;
    shape.devices = 1;
    let number = f64::from(accelerators);
    let cards = card.and_then(|c| c.board_watts).map(|w| w * number);
    let full = machine
        .load_watts
        .or(cards.filter(|_| shape.class == MemoryClass::Unified))
        .ok_or(NotBuyable::NoWatts)?;
    let idle = machine.idle_watts.unwrap_or(full * 0.25);
    Ok(Machine {
        id: machine.id.clone(),
        name: machine.name.clone(),
        accelerator: card.map_or(machine.id.clone(), |c| c.id.clone()),
        accelerator_name: card.map_or(machine.name.clone(), |c| c.name.clone()),
        accelerators,
        board: card.is_some_and(|c| matches!(c.form, FormFactor::Sxm | FormFactor::Oam)),
        shape,
        in_host: false,
        stands: machine.stands(),
        rack_units: machine.rack_units,
        base_watts: (full - cards.unwrap_or(0.0)).max(0.0),
        full_watts: full,
        idle_watts: idle.min(full),
        price_usd: None,
        install_usd: 0.0,
        rent_usd_hour: None,
        price_source: None,
        source: Source::Database {
            entry: format!("machine {}", machine.id),
            source: machine.source.clone(),
            as_of: machine.as_of,
        },
    })
}

/// Where a computer with such an accelerator stands: data-centre cards and modules need a rack.
pub const fn stands(card: &Accelerator) -> Stands {
    match card.class {
        HardwareClass::Datacentre => Stands::Rack,
        HardwareClass::Consumer
        | HardwareClass::Workstation
        | HardwareClass::Integrated
        | HardwareClass::Cpu => Stands::Office,
    }
}

/// Accelerators that are there already, with nothing known of the computer around them. `None` where the
/// predictor or the power lacks a figure.
pub fn bare(card: &Accelerator, count: u32, id: &str, source: Source) -> Option<Machine> {
    let shape = HardwareShape::from_accelerator(card, 1).ok()?;
    let watts = card.board_watts? * f64::from(count);
    Some(Machine {
        id: id.to_owned(),
        name: if count > 1 { format!("{count} × {}", card.name) } else { card.name.clone() },
        accelerator: card.id.clone(),
        accelerator_name: card.name.clone(),
        accelerators: count,
        board: matches!(card.form, FormFactor::Sxm | FormFactor::Oam),
        shape,
        in_host: false,
        stands: stands(card),
        rack_units: None,
        base_watts: 0.0,
        full_watts: watts,
        idle_watts: card.idle_watts.map_or(watts * IDLE_SHARE, |w| w * f64::from(count)),
        price_usd: None,
        install_usd: 0.0,
        rent_usd_hour: None,
        price_source: Some(source.clone()),
        source,
    })
}
