//! The catalogue: hardware, prices and models, each figure with its source and date.
//!
//! `hardware-db/` (TOML, embedded in the binary) → [`Catalog`] ← the user's overlay files. A
//! record of an overlay replaces the shipped record with the same id. Pure once the text is given.
//!
//! The types are in [`records`]. Nothing here converts, guesses or completes: a figure that is not
//! known is `None`, and the calculation that needs it stops.

pub mod records;

pub use records::*;

/// Everything known, shipped and overlaid. Lists are sorted by id.
#[derive(Debug, Clone, Default)]
pub struct Catalog {
    pub accelerators: Vec<Accelerator>,
    pub machines: Vec<Machine>,
    pub rentals: Vec<Rental>,
    pub tariffs: Vec<Tariff>,
    pub open_models: Vec<OpenModel>,
    pub api_models: Vec<ApiModel>,
}

impl Catalog {
    /// The shipped catalogue.
    pub fn embedded() -> Self {
        Self::default()
    }
    /// The accelerator with this id.
    pub fn accelerator(&self, id: &str) -> Option<&Accelerator> {
        self.accelerators.iter().find(|r| r.id == id)
    }
    /// The machine with this id.
    pub fn machine(&self, id: &str) -> Option<&Machine> {
        self.machines.iter().find(|r| r.id == id)
    }
    /// The rental offer with this id.
    pub fn rental(&self, id: &str) -> Option<&Rental> {
        self.rentals.iter().find(|r| r.id == id)
    }
    /// The electricity tariff with this id.
    pub fn tariff(&self, id: &str) -> Option<&Tariff> {
        self.tariffs.iter().find(|r| r.id == id)
    }
    /// The open model with this id.
    pub fn open_model(&self, id: &str) -> Option<&OpenModel> {
        self.open_models.iter().find(|r| r.id == id)
    }
    /// The API model with this id (`provider/dated-model-id`). Aliases are not ids: see
    /// [`ApiModel::aliases`].
    pub fn api_model(&self, id: &str) -> Option<&ApiModel> {
        self.api_models.iter().find(|r| r.id == id)
    }
}
