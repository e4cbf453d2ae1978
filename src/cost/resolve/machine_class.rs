//! Classes of machine, which decide ranges of cost such as staff hours and residual value.

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

/// The class of a machine, as far as costs depend on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum MachineClass {
    /// Bought: for a rack or an office; a card alone or a whole machine.
    Bought { rack: bool, card: bool },
    /// Rented; `rack` says whether its accelerators, if bought, would go into a rack.
    Rented { rack: bool },
}

impl MachineClass {
    /// The class of this hardware. `card` is the accelerator in it, where it has one.
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
    /// The case of a key's ranges that applies to this class.
    pub(super) fn case(self, key: &Key) -> RangeCase {
        match self {
            Self::Rented { rack: true } => RangeCase::Rented,
            Self::Rented { rack: false } => RangeCase::RentedOffice,
            Self::Bought { .. } if key == local::RESIDUAL => RangeCase::Any,
            Self::Bought { rack: true, .. } => RangeCase::Rack,
            Self::Bought { rack: false, .. } => RangeCase::Office,
        }
    }
    /// Whether it is sold as a card or as a whole machine.
    pub(super) fn sold(self) -> RangeCase {
        match self {
            Self::Bought { card: true, .. } => RangeCase::Card,
            _ => RangeCase::Server,
        }
    }
}

impl Resolver<'_> {
    /// A cost that depends on the class: as given, or else the range of the class. Nothing is assumed for
    /// offers described by hand.
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

/// The catalogue's range that serves as the default of a key.
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
