//! What hardware costs today, and what a host with accelerators consists of.
//!
//! A record keeps every price that was read: the maker's list price, prices of shops, second-hand prices.
//! Only today's price can be paid, so [`choose`] prefers the newest market price over the list price of
//! something that is no longer made, and says which kind of price it chose.

use super::{Accelerator, Catalog, Condition, HardwareClass, Host, PurchasePrice};

/// Today's price, and why it was chosen.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Chosen<'a> {
    /// The price, as in the record.
    pub price: &'a PurchasePrice,
    /// Without value added tax, in US dollars.
    pub usd: f64,
    /// Why this price was chosen.
    pub why: Choice,
    /// The maker's list price, US dollars; `None` where it is not known, or is the chosen one.
    pub list_usd: Option<f64>,
}

/// Why a price was chosen among those of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Choice {
    /// Sold new: the newest price of a shop.
    New,
    /// Sold new, but no shop's price is known: the maker's list price.
    List,
    /// Still made, but no new price is known: the newest second-hand price.
    SecondHand,
    /// No longer made: the newest price on the market, including new ones from stock.
    Discontinued,
    /// No longer made, and only its former list price is known: it may not be for sale.
    LaunchPrice,
}

/// Today's price among those of a record; `None` where none is in a currency with a known rate.
///
/// - `discontinued`: the record says that it is no longer made.
/// - `to_usd`: converts an amount in a currency (by its code) to US dollars.
pub fn choose<'a>(
    prices: impl IntoIterator<Item = &'a PurchasePrice>,
    discontinued: bool,
    to_usd: impl Fn(f64, &str) -> Option<f64>,
) -> Option<Chosen<'a>> {
    let known: Vec<(&PurchasePrice, f64)> =
        prices.into_iter().filter_map(|p| Some((p, to_usd(p.net(), &p.currency)?))).collect();
    // Of two prices read on the same day the lower one: it can be had for that.
    let newest = |of: &dyn Fn(Condition) -> bool| {
        known
            .iter()
            .filter(|(p, _)| of(p.condition))
            .max_by(|a, b| a.0.as_of.cmp(&b.0.as_of).then_with(|| b.1.total_cmp(&a.1)))
            .copied()
    };
    let new = newest(&|c| c == Condition::New);
    let list = newest(&|c| c == Condition::Msrp);
    let second_hand = newest(&|c| matches!(c, Condition::Used | Condition::Refurbished));
    let market = newest(&|c| c != Condition::Msrp);
    let (found, why) = if discontinued {
        market.map(|p| (p, Choice::Discontinued)).or_else(|| list.map(|p| (p, Choice::LaunchPrice)))?
    } else {
        new.map(|p| (p, Choice::New))
            .or_else(|| list.map(|p| (p, Choice::List)))
            .or_else(|| second_hand.map(|p| (p, Choice::SecondHand)))?
    };
    let (price, usd) = found;
    let list_usd = list.filter(|_| price.condition != Condition::Msrp).map(|(_, usd)| usd);
    Some(Chosen { price, usd, why, list_usd })
}

/// Why an accelerator does not fit into a host.
#[allow(missing_docs)]
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
pub enum Misfit {
    #[error("the host has slots of another form")]
    Form,
    #[error("the host is made for other accelerators")]
    NotListed,
    #[error("the host does not cool accelerators of this class")]
    Class,
    #[error("{asked} are asked for, and there are {slots} slots")]
    TooMany { asked: u32, slots: u32 },
    #[error("its board is sold with {slots} modules, never with {asked}")]
    WholeBoard { asked: u32, slots: u32 },
    #[error("it draws {card} W, and a slot gives {slot} W")]
    SlotPower { card: f64, slot: f64 },
    #[error("together they draw {cards} W, and the host leaves {host} W for them")]
    HostPower { cards: f64, host: f64 },
    #[error("what it draws is not known")]
    PowerUnknown,
}

impl Host {
    /// Does it hold this many of these accelerators?
    ///
    /// # Errors
    ///
    /// The first reason why it does not.
    pub fn carries(&self, card: &Accelerator, number: u32) -> Result<(), Misfit> {
        let slots = &self.slots;
        if card.form != slots.form {
            return Err(Misfit::Form);
        }
        if !self.accelerators.is_empty() && !self.accelerators.contains(&card.id) {
            return Err(Misfit::NotListed);
        }
        // If the host names accelerators by id, their class does not matter.
        if self.accelerators.is_empty() && !self.takes.is_empty() && !self.takes.contains(&card.class) {
            return Err(Misfit::Class);
        }
        if slots.always_full() && number != slots.number {
            return Err(Misfit::WholeBoard { asked: number, slots: slots.number });
        }
        if number > slots.number || number == 0 {
            return Err(Misfit::TooMany { asked: number, slots: slots.number });
        }
        let Some(watts) = card.board_watts else {
            return if slots.watts.is_some() || self.accelerator_watts.is_some() {
                Err(Misfit::PowerUnknown)
            } else {
                Ok(())
            };
        };
        if let Some(slot) = slots.watts.filter(|slot| watts > *slot) {
            return Err(Misfit::SlotPower { card: watts, slot });
        }
        let cards = watts * f64::from(number);
        match self.accelerator_watts.filter(|host| cards > *host) {
            Some(host) => Err(Misfit::HostPower { cards, host }),
            None => Ok(()),
        }
    }
}

/// Why a host with accelerators cannot be part of a plan.
#[allow(missing_docs)]
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
pub enum Missing {
    #[error(transparent)]
    Misfit(#[from] Misfit),
    #[error("what the host draws without accelerators is not known")]
    BaseWatts,
    #[error("what the accelerator draws is not known")]
    CardWatts,
    #[error("no price of the host is known")]
    HostPrice,
    #[error("no price of the accelerator is known")]
    CardPrice,
}

/// A host with accelerators, as it is ordered.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Order<'a> {
    /// The computer.
    pub host: &'a Host,
    /// The accelerator in it.
    pub accelerator: &'a Accelerator,
    /// Number of accelerators.
    pub accelerators: u32,
    /// Price of the host: without accelerators if [`Order::cards`] are bought separately, otherwise with
    /// them.
    pub host_price: Chosen<'a>,
    /// Price of one accelerator; `None` where the host is sold with them.
    pub cards: Option<Chosen<'a>>,
    /// Charge for setting it up, US dollars; `None` where there is none.
    pub install_usd: Option<f64>,
    /// Price of all parts, US dollars, without installation and value added tax.
    pub usd: f64,
    /// Power at the wall while serving, without that of the accelerators, W.
    pub base_watts: f64,
    /// The same power while idle, W; `None` where it is not known.
    pub idle_watts: Option<f64>,
    /// Power limit of one accelerator, W.
    pub card_watts: f64,
}

impl Catalog {
    /// An amount in US dollars; `None` where the currency's rate is not known.
    pub fn in_usd(&self, amount: f64, currency: &str) -> Option<f64> {
        if currency == "USD" { Some(amount) } else { Some(amount * self.currency(currency)?.usd) }
    }

    /// Today's price of one accelerator.
    pub fn price_of_accelerator<'a>(&self, card: &'a Accelerator) -> Option<Chosen<'a>> {
        choose(&card.price, card.discontinued.is_some(), |a, c| self.in_usd(a, c))
    }

    /// Today's price of a machine.
    pub fn price_of_machine<'a>(&self, machine: &'a super::Machine) -> Option<Chosen<'a>> {
        choose(&machine.price, machine.discontinued.is_some(), |a, c| self.in_usd(a, c))
    }

    /// Today's price of a host without accelerators; for a host that is only sold with accelerators, the
    /// price with them.
    pub fn price_of_host<'a>(&self, host: &'a Host) -> Option<Chosen<'a>> {
        let of = |fitted: bool| {
            let prices = host.price.iter().filter(move |p| p.fitted.is_some() == fitted);
            choose(prices, false, |a, c| self.in_usd(a, c))
        };
        of(false).or_else(|| of(true))
    }

    /// A host with this many accelerators: its parts, prices and power.
    ///
    /// A price that includes exactly these accelerators takes precedence over the sum of host and cards.
    ///
    /// # Errors
    ///
    /// What is missing in the records.
    pub fn order<'a>(
        &self,
        host: &'a Host,
        card: &'a Accelerator,
        number: u32,
    ) -> Result<Order<'a>, Missing> {
        host.carries(card, number)?;
        let base_watts = host.base_watts.ok_or(Missing::BaseWatts)?;
        let card_watts = card.board_watts.ok_or(Missing::CardWatts)?;
        let rate = |amount: f64, currency: &str| self.in_usd(amount, currency);
        let with_these = |p: &&PurchasePrice| {
            p.fitted.as_ref().is_some_and(|f| f.accelerator == card.id && f.number == number)
        };
        let whole = choose(host.price.iter().filter(with_these), false, rate);
        let (host_price, cards) = if let Some(price) = whole {
            (price, None)
        } else {
            let alone = choose(host.price.iter().filter(|p| p.fitted.is_none()), false, rate);
            let card = self.price_of_accelerator(card).ok_or(Missing::CardPrice);
            (alone.ok_or(Missing::HostPrice)?, Some(card?))
        };
        let install = host_price.price.install;
        Ok(Order {
            host,
            accelerator: card,
            accelerators: number,
            host_price,
            cards,
            install_usd: install.and_then(|amount| rate(amount, &host_price.price.currency)),
            usd: host_price.usd + cards.map_or(0.0, |c| c.usd * f64::from(number)),
            base_watts,
            idle_watts: host.idle_watts,
            card_watts,
        })
    }

    /// All ways to fill hosts with accelerators, ordered by host, accelerator and number: as an order, or
    /// with what is missing. Accelerators that do not fit are left out.
    pub fn orders(&self) -> impl Iterator<Item = (&Host, &Accelerator, u32, Result<Order<'_>, Missing>)> {
        self.hosts.iter().flat_map(move |host| {
            self.accelerators.iter().filter(|c| c.class != HardwareClass::Cpu).flat_map(move |card| {
                counts(host).filter_map(move |n| match self.order(host, card, n) {
                    Err(Missing::Misfit(misfit)) if misfit != Misfit::PowerUnknown => None,
                    found => Some((host, card, n, found)),
                })
            })
        })
    }
}

/// How many accelerators a host can be ordered with: a full board of modules; of cards 1, 2, 4, 8 and as
/// many as fit.
fn counts(host: &Host) -> impl Iterator<Item = u32> + use<> {
    let slots = host.slots.number;
    let full = host.slots.always_full();
    let powers = [1, 2, 4, 8, 16].into_iter().filter(move |n| !full && *n < slots);
    powers.chain(std::iter::once(slots))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::float_cmp)]
    use super::*;
    use crate::catalog::{FormFactor, Stands};
    use jiff::civil::date;

    fn price(amount: f64, condition: Condition, month: i8) -> PurchasePrice {
        PurchasePrice {
            amount,
            currency: "USD".to_owned(),
            place: "US".to_owned(),
            condition,
            vat: None,
            install: None,
            fitted: None,
            source: "test".to_owned(),
            as_of: date(2026, month, 1),
            note: None,
        }
    }

    fn chosen(prices: &[PurchasePrice], discontinued: bool) -> Option<(f64, Choice)> {
        choose(prices, discontinued, |a, _| Some(a)).map(|c| (c.usd, c.why))
    }

    #[test]
    fn what_one_can_pay_today_beats_what_it_once_cost() {
        use Condition::{Msrp, New, Refurbished, Used};
        let card = [price(1599.0, Msrp, 11), price(2264.0, Used, 7), price(2200.0, Refurbished, 6)];
        assert_eq!(chosen(&card, true), Some((2264.0, Choice::Discontinued)));
        // While it is made, it can be had for its list price.
        assert_eq!(chosen(&card, false), Some((1599.0, Choice::List)));
        let asked =
            [price(1999.0, Msrp, 9), price(3500.0, New, 6), price(3766.0, New, 7), price(900.0, Used, 8)];
        assert_eq!(chosen(&asked, false), Some((3766.0, Choice::New)));
        let list = choose(&asked, false, |a, _| Some(a)).and_then(|c| c.list_usd);
        assert_eq!(list, Some(1999.0));
        assert_eq!(chosen(&[price(1599.0, Msrp, 2)], true), Some((1599.0, Choice::LaunchPrice)));
        assert_eq!(chosen(&[price(700.0, Used, 2)], false), Some((700.0, Choice::SecondHand)));
        // Read on the same day: it can be had for the lower price.
        assert_eq!(chosen(&[price(9.0, New, 2), price(8.0, New, 2)], false), Some((8.0, Choice::New)));
        assert_eq!(chosen(&[], false), None);
    }

    #[test]
    fn shipped_cards_cost_what_one_can_pay() {
        let catalog = Catalog::embedded();
        let chosen = |id: &str| {
            let card = catalog.accelerator(id).expect("shipped");
            catalog.price_of_accelerator(card).unwrap_or_else(|| panic!("{id} has no price"))
        };
        // Shops no longer sell it new; used ones cost more than it once did.
        let card = chosen("nvidia-rtx-4090");
        assert_eq!(card.why, Choice::Discontinued);
        assert!(card.usd > card.list_usd.expect("listed"), "{card:?}");
        // Still made, but sold for far more than its list price.
        let card = chosen("nvidia-rtx-5090");
        assert_eq!((card.why, card.list_usd), (Choice::New, Some(1999.0)));
        assert!(card.usd > 3_000.0, "{card:?}");
        // A price that includes tax is compared without it.
        let card = chosen("nvidia-rtx-pro-5000-blackwell");
        assert_eq!(card.price.vat, Some(0.24));
        let rate = catalog.currency("EUR").expect("quoted").usd;
        assert!((card.usd - card.price.amount * rate / 1.24).abs() < 0.01, "{card:?}");
        let once = catalog
            .accelerators
            .iter()
            .filter(|c| catalog.price_of_accelerator(c).is_some_and(|p| p.why == Choice::LaunchPrice));
        assert!(once.count() < 10, "launch prices of what nobody sells");
    }

    #[test]
    fn tax_is_no_part_of_a_price_and_a_currency_without_rate_is_none() {
        let greek = PurchasePrice {
            vat: Some(0.24),
            currency: "EUR".to_owned(),
            ..price(1240.0, Condition::New, 10)
        };
        let usd = |a: f64, c: &str| (c == "EUR").then_some(a * 1.1);
        let found = choose([&greek], false, usd).expect("a price");
        assert!((found.usd - 1100.0).abs() < 1e-9);
        assert!(choose([&price(1.0, Condition::New, 1)], false, usd).is_none());
    }

    #[test]
    fn a_host_says_why_it_does_not_carry_a_card() {
        let catalog = Catalog::embedded();
        let board = catalog.host("hgx-h100").expect("shipped");
        let h100 = catalog.accelerator("nvidia-h100-sxm-80gb").expect("shipped");
        let l40s = catalog.accelerator("nvidia-l40s").expect("shipped");
        assert_eq!(board.carries(h100, 8), Ok(()));
        assert_eq!(board.carries(h100, 4), Err(Misfit::WholeBoard { asked: 4, slots: 8 }));
        assert_eq!(board.carries(l40s, 8), Err(Misfit::Form));
        let mut server = catalog.host("rack-l40s").expect("shipped").clone();
        assert_eq!(server.carries(l40s, 9), Err(Misfit::TooMany { asked: 9, slots: 8 }));
        server.slots.watts = Some(300.0);
        assert_eq!(server.carries(l40s, 1), Err(Misfit::SlotPower { card: 350.0, slot: 300.0 }));
        server.slots.watts = Some(600.0);
        server.accelerator_watts = Some(2_000.0);
        assert_eq!(server.carries(l40s, 4), Ok(()));
        assert_eq!(server.carries(l40s, 8), Err(Misfit::HostPower { cards: 2_800.0, host: 2_000.0 }));
        server.accelerators.clear();
        server.takes = vec![HardwareClass::Consumer];
        assert_eq!(server.carries(l40s, 1), Err(Misfit::Class));
    }

    #[test]
    fn an_order_is_the_whole_or_its_parts_or_what_is_missing() {
        let catalog = Catalog::embedded();
        let mut host = catalog.host("hgx-h100").expect("shipped").clone();
        let h100 = catalog.accelerator("nvidia-h100-sxm-80gb").expect("shipped");
        let whole = catalog.order(&host, h100, 8).expect("priced");
        assert!(whole.cards.is_none() && whole.usd == whole.host_price.usd && whole.install_usd.is_some());
        host.price[0].fitted = None;
        let parts = catalog.order(&host, h100, 8).expect("priced");
        let card = parts.cards.expect("bought one by one");
        assert_eq!(parts.usd, parts.host_price.usd + 8.0 * card.usd);
        host.base_watts = None;
        assert_eq!(catalog.order(&host, h100, 8), Err(Missing::BaseWatts));
        host.base_watts = Some(1_000.0);
        host.price.clear();
        assert_eq!(catalog.order(&host, h100, 8), Err(Missing::HostPrice));
    }

    /// Every shipped host can be ordered with something or says what is missing, and all forms occur.
    #[test]
    fn shipped_hosts_are_ordered_or_kept_out_by_name() {
        let catalog = Catalog::embedded();
        let mut ordered: std::collections::BTreeMap<&str, bool> =
            catalog.hosts.iter().map(|h| (h.id.as_str(), false)).collect();
        let mut missing = std::collections::BTreeSet::new();
        for (host, card, n, order) in catalog.orders() {
            match order {
                Ok(order) => {
                    *ordered.get_mut(host.id.as_str()).expect("a host") = true;
                    assert!(order.usd > 300.0 && order.base_watts > 0.0, "{} {n} × {}", host.id, card.id);
                    // More than its cards alone cost, where they are bought one by one.
                    assert!(order.cards.is_none_or(|c| order.usd > c.usd * f64::from(n)), "{}", host.id);
                }
                Err(_) => {
                    missing.insert(host.id.as_str());
                }
            }
        }
        assert!(ordered.len() >= 30, "{} hosts", ordered.len());
        assert!(ordered.values().filter(|o| **o).count() >= 22, "{ordered:?}");
        for (id, _) in ordered.iter().filter(|(_, ordered)| !**ordered) {
            assert!(missing.contains(id), "{id} is neither ordered nor said to lack something");
        }
        for (form, number) in
            [(FormFactor::Pcie, 1), (FormFactor::Pcie, 2), (FormFactor::Pcie, 4), (FormFactor::Pcie, 8)]
                .into_iter()
                .chain([(FormFactor::Sxm, 4), (FormFactor::Sxm, 8), (FormFactor::Oam, 8)])
        {
            let found = catalog.hosts.iter().any(|h| h.slots.form == form && h.slots.number == number);
            assert!(found, "no host with {number} slots of {form:?}");
        }
        for stands in [Stands::Office, Stands::Rack] {
            assert!(catalog.hosts.iter().any(|h| h.stands == stands && ordered[h.id.as_str()]));
        }
    }
}
