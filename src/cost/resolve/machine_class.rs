//! The kind of machine, and what it costs for being of that kind.

use super::hardware::Hardware;
use super::resolver::{Resolver, Table, default_of};
use crate::catalog::{Accelerator, RangeCase, RangeInput, Stands};
use crate::cost::case::Slot;
use crate::cost::keys::local;
use crate::workload::keys::Key;

/// How hardware is paid for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PaidBy {
    Owned,
    Financed,
    Rented,
}

/// The kind of machine, as far as its costs depend on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum MachineClass {
    /// In an office, or in a rack; a card alone or a whole machine.
    Bought { rack: bool, card: bool },
    /// Somebody else's; with accelerators that, bought, would stand in a rack.
    Rented { rack: bool },
}

impl MachineClass {
    /// `card`: of the hardware, where that has one.
    pub(super) fn of(
        kind: PaidBy,
        stands: Option<Stands>,
        hardware: Option<Hardware<'_>>,
        card: Option<&Accelerator>,
    ) -> Self {
        let rack = |card: &Accelerator| crate::plan::machine::stands(card) == Stands::Rack;
        let rented = Self::Rented { rack: stands == Some(Stands::Rack) || card.is_none_or(rack) };
        let card = matches!(hardware, Some(Hardware::Gpu(_))) && stands.is_none();
        match kind {
            PaidBy::Rented => rented,
            PaidBy::Owned | PaidBy::Financed => Self::Bought { rack: stands == Some(Stands::Rack), card },
        }
    }
    /// Which of the ranges of a key holds for it.
    pub(super) fn case(self, key: &Key) -> RangeCase {
        match self {
            Self::Rented { rack: true } => RangeCase::Rented,
            Self::Rented { rack: false } => RangeCase::RentedOffice,
            Self::Bought { .. } if key == local::RESIDUAL => RangeCase::Any,
            Self::Bought { rack: true, .. } => RangeCase::Rack,
            Self::Bought { rack: false, .. } => RangeCase::Office,
        }
    }
    /// How it is sold.
    pub(super) fn sold(self) -> RangeCase {
        match self {
            Self::Bought { card: true, .. } => RangeCase::Card,
            _ => RangeCase::Server,
        }
    }
}

impl Resolver<'_> {
    /// A cost that depends on the kind of machine and where it stands: as given, else the range of its
    /// class. Of offers described by hand nothing is assumed.
    pub(super) fn by_class<Q: crate::cost::case::Quantity>(
        &mut self,
        table: Table<'_>,
        key: &'static Key,
        by_hand: bool,
        class: MachineClass,
    ) -> Slot<Q> {
        if by_hand && !table.has(key) {
            let found = default_of("local.not_described").filter(|_| key != local::PUE);
            return self.number(table, key, found, "");
        }
        let found = range_input(key).and_then(|input| self.range_of(input, class.case(key)));
        self.number(table, key, found, "")
    }
}

/// The range that stands in for a key.
fn range_input(key: &Key) -> Option<RangeInput> {
    Some(match key {
        k if k == local::STAFF_HOURS => RangeInput::StaffHours,
        k if k == local::STAFF_FURTHER => RangeInput::StaffHoursFurther,
        k if k == local::PUE => RangeInput::Pue,
        k if k == local::MAINTENANCE => RangeInput::Maintenance,
        k if k == local::RESIDUAL => RangeInput::Residual,
        k if k == local::HOSTING => RangeInput::FacilityPerServer,
        k if k == local::OTHER => RangeInput::FacilityShared,
        _ => return None,
    })
}
