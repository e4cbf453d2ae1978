//! The types of all catalogue records. Field names are the TOML keys and contain the unit. Each record has
//! a source; `cite` gives another one for single fields.

use crate::provenance::Cite;
use std::collections::BTreeMap;

/// Sources of single fields, by field name; other fields have the source of the record.
pub type CiteByField = BTreeMap<String, Cite>;

macro_rules! cited {
    ($record:ident) => {
        impl $record {
            /// The citation for one field of this record.
            pub fn cite(&self, field: &str) -> $crate::provenance::Cite {
                self.cite.get(field).cloned().unwrap_or_else(|| $crate::provenance::Cite {
                    source: self.source.clone(),
                    as_of: self.as_of,
                    derived: None,
                })
            }
        }
    };
}

mod accelerator;
mod api_model;
mod currency;
mod host;
mod machine;
mod open_model;
mod provider;
mod purchase_price;
mod range;
mod rental;
mod subscription;
mod tariff;

pub use accelerator::{Accelerator, FormFactor, HardwareClass, MemoryType, Vendor};
pub use api_model::{ApiModel, ContextTier, PricePeriod, Rates, ReasoningRule, TimeWindow};
pub use currency::Currency;
pub use host::{Host, Slots};
pub use machine::{Machine, Stands};
pub use open_model::{Attention, OpenModel};
pub use provider::{ApiWire, KeyHeader, LimitField, Provider};
pub use purchase_price::{Condition, Fitted, PurchasePrice};
pub use range::{Range, RangeCase, RangeInput};
pub use rental::{Rental, RentalTerms};
pub use subscription::{Allowance, AllowancePeriod, AllowanceUnit, Buyer, Overage, Subscription};
pub use tariff::Tariff;

const fn one() -> u32 {
    1
}
