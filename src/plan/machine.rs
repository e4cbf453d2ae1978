//! The machines a plan may use: what can be ordered, with its price, or what is there already.

use crate::capacity::{HardwareShape, MemoryClass};
use crate::catalog::{Accelerator, Catalog, Chosen, FormFactor, HardwareClass, Missing, Order, Stands};
use crate::provenance::Source;

/// A whole computer with its accelerators: one line of an order.
#[derive(Debug, Clone, PartialEq)]
pub struct Machine {
    /// Id of the host or machine of the catalogue.
    pub id: String,
    pub name: String,
    /// Of the accelerators in it; for a complete computer without a record of its own chip, the machine.
    pub accelerator: String,
    pub accelerator_name: String,
    pub accelerators: u32,
    /// One accelerator, as the predictor takes it.
    pub shape: HardwareShape,
    /// Modules on one board, joined by links of their own.
    pub board: bool,
    /// A host that cards are put into, and not a computer that is sold with them.
    pub in_host: bool,
    pub stands: Stands,
    pub rack_units: Option<f64>,
    /// At the wall: of the computer alone while serving, and of everything at full load and idle.
    pub base_watts: f64,
    pub full_watts: f64,
    pub idle_watts: f64,
    /// US dollars without tax; `None` where it is there already.
    pub price_usd: Option<f64>,
    pub install_usd: f64,
    /// US dollars an hour where it is rented: power and place are the provider's.
    pub rent_usd_hour: Option<f64>,
    /// Where and when the price was read.
    pub price_source: Option<Source>,
    pub source: Source,
}

impl Machine {
    /// Everything that one of them costs on the day it is bought.
    pub fn bought_usd(&self) -> f64 {
        self.price_usd.map_or(0.0, |price| price + self.install_usd)
    }
    /// What reports call it: the cards where it is the cards that matter, else the computer.
    pub fn label(&self) -> String {
        match self.accelerators {
            _ if !self.in_host || self.board => self.name.clone(),
            1 => self.accelerator_name.clone(),
            n => format!("{n} × {}", self.accelerator_name),
        }
    }
    /// At the wall with this share of the time busy.
    pub fn watts(&self, busy: f64) -> f64 {
        self.idle_watts + (self.full_watts - self.idle_watts) * busy.clamp(0.0, 1.0)
    }
    /// The same machine as property: it costs nothing to have.
    #[must_use]
    pub fn owned(mut self) -> Self {
        self.price_usd = None;
        self.install_usd = 0.0;
        self.price_source = None;
        self
    }
    /// So many of its accelerators as one shape for the predictor, in groups that share the layers.
    pub fn slice(&self, devices: u32, pipeline: u32) -> HardwareShape {
        HardwareShape { devices, pipeline, ..self.shape.clone() }
    }
}

/// What keeps something out of plans.
#[derive(Debug, Clone, PartialEq)]
pub struct LeftOut {
    /// The host or machine, and the accelerator in it.
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

/// Of its limit a card draws so much while idle, where nothing else is known: half of the 19 cards of the
/// catalogue that have both figures are below 17 %, nine of ten between 5 and 29 %.
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
    // What joins them is the host's, where it says so.
    shape.link = host.slots.link_gb_s.map(|g| g * 1e9).or(shape.link);
    let number = f64::from(order.accelerators);
    let full = order.base_watts + number * order.card_watts;
    let idle =
        order.idle_watts.unwrap_or(order.base_watts * 0.7) + number * idle_watts(card, order.card_watts);
    // The newer price would hide an older one of the other part.
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

/// The same as property: nobody needs to sell it.
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

/// Accelerators without a computer around them.
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
