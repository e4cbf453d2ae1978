//! The catalogue: hardware, prices and models, each figure with its source and date.
//!
//! `hardware-db/` (TOML, embedded in the binary) → [`Catalog`] ← the user's overlay files. A record of an
//! overlay replaces the shipped record with the same id. No I/O: texts are arguments.
//!
//! | module | |
//! |---|---|
//! | [`records`] | the types of all records |
//! | [`text`] | a TOML file → records with their places; [`text::Problem`] |
//! | [`check`] | rules that records must satisfy |
//! | [`overlay`] | the user's records laid over the shipped ones |
//! | [`purchase`] | what hardware costs today, and what a host with accelerators consists of |
//! | [`resolve`] | a typed name → one record, and whether an alias was involved |
//! | [`import`] | price files that other projects maintain → API models |
//! | [`device`] | names used by drivers and files → records |
//! | [`compare`] | the differences between two lists of API models |
//! | [`shipped_prices`] | how the shipped prices are made from two sources |
//! | [`mod@write`] | records → TOML |
//!
//! Nothing here guesses or completes figures: what is not known is `None`, and a calculation that needs it
//! stops.

#![warn(missing_docs)]

pub mod check;
pub mod compare;
pub mod device;
pub mod import;
pub mod overlay;
pub mod purchase;
pub mod records;
pub mod resolve;
pub mod shipped_prices;
pub mod text;
pub mod write;

pub use purchase::{Choice, Chosen, Misfit, Missing, Order};
pub use records::*;
pub use resolve::{NotResolved, Resolution};
pub use text::{Problem, Problems};

use jiff::civil::Date;

/// The TOML texts of `hardware-db/`, by file name.
mod embedded {
    include!(concat!(env!("OUT_DIR"), "/files.rs"));
}

/// All records, shipped and the user's. Lists are sorted by id.
#[derive(Debug, Clone, Default)]
pub struct Catalog {
    /// GPUs and other accelerators.
    pub accelerators: Vec<Accelerator>,
    /// Complete computers.
    pub machines: Vec<Machine>,
    /// Computers that accelerators are put into.
    pub hosts: Vec<Host>,
    /// GPUs rented by the hour.
    pub rentals: Vec<Rental>,
    /// Subscriptions paid by seat and month.
    pub subscriptions: Vec<Subscription>,
    /// Prices of electricity.
    pub tariffs: Vec<Tariff>,
    /// Models with open weights.
    pub open_models: Vec<OpenModel>,
    /// Models paid by the token.
    pub api_models: Vec<ApiModel>,
    /// Exchange rates.
    pub currencies: Vec<Currency>,
    /// Services that answer requests.
    pub providers: Vec<Provider>,
    /// Ranges of inputs that nobody has given.
    pub ranges: Vec<Range>,
}

/// Kinds of record; each has a table of its own in the files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// `[[gpu]]`: [`Accelerator`].
    Gpu,
    /// `[[machine]]`: [`Machine`].
    Machine,
    /// `[[host]]`: [`Host`].
    Host,
    /// `[[rental]]`: [`Rental`].
    Rental,
    /// `[[subscription]]`: [`Subscription`].
    Subscription,
    /// `[[tariff]]`: [`Tariff`].
    Tariff,
    /// `[[open_model]]`: [`OpenModel`].
    OpenModel,
    /// `[[api_model]]`: [`ApiModel`].
    ApiModel,
    /// `[[currency]]`: [`Currency`].
    Currency,
    /// `[[provider]]`: [`Provider`].
    Provider,
    /// `[[range]]`: [`Range`].
    Range,
}

impl Kind {
    /// Every kind, in the order of lists.
    pub const ALL: [Self; 11] = [
        Self::Gpu,
        Self::Machine,
        Self::Host,
        Self::Rental,
        Self::Subscription,
        Self::Tariff,
        Self::OpenModel,
        Self::ApiModel,
        Self::Currency,
        Self::Provider,
        Self::Range,
    ];
    /// Name of the table: `gpu` for `[[gpu]]`.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Gpu => "gpu",
            Self::Machine => "machine",
            Self::Host => "host",
            Self::Rental => "rental",
            Self::Subscription => "subscription",
            Self::Tariff => "tariff",
            Self::OpenModel => "open_model",
            Self::ApiModel => "api_model",
            Self::Currency => "currency",
            Self::Provider => "provider",
            Self::Range => "range",
        }
    }
    /// Name of a list of them: `open-models`.
    pub const fn plural(self) -> &'static str {
        match self {
            Self::Gpu => "gpus",
            Self::Machine => "machines",
            Self::Host => "hosts",
            Self::Rental => "rentals",
            Self::Subscription => "subscriptions",
            Self::Tariff => "electricity",
            Self::OpenModel => "open-models",
            Self::ApiModel => "api-models",
            Self::Currency => "currencies",
            Self::Provider => "providers",
            Self::Range => "ranges",
        }
    }
}

/// The shipped files: their names (`hardware-db/gpus.toml`) and texts.
pub fn shipped_files() -> &'static [(&'static str, &'static str)] {
    embedded::FILES
}

/// The place of a shipped record, by kind (`host`) and id: `hardware-db/hosts.toml:12`.
pub fn line_of(kind: &str, id: &str) -> Option<String> {
    let (header, own) = (format!("[[{kind}]]"), format!("id = \"{id}\""));
    embedded::FILES.iter().find_map(|(file, text)| {
        let mut inside = false;
        let at = text.lines().position(|line| {
            if line.starts_with('[') {
                inside = line.trim_end() == header;
            }
            inside && line.trim_end() == own
        })?;
        Some(format!("{file}:{}", at + 1))
    })
}

macro_rules! find {
    ($list:expr, $id:expr) => {
        $list.iter().find(|r| r.id == $id)
    };
}

impl Catalog {
    /// The shipped catalogue.
    ///
    /// # Panics
    ///
    /// If a shipped record does not match its type; tests check every shipped file.
    pub fn embedded() -> Self {
        macro_rules! parse {
            ($kind:literal) => {
                serde_json::from_str(include_str!(concat!(env!("OUT_DIR"), "/", $kind, ".json")))
                    .unwrap_or_else(|e| panic!("hardware-db, kind {}: {e}", $kind))
            };
        }
        let mut catalog = Self {
            accelerators: parse!("gpu"),
            machines: parse!("machine"),
            hosts: parse!("host"),
            rentals: parse!("rental"),
            subscriptions: parse!("subscription"),
            tariffs: parse!("tariff"),
            open_models: parse!("open_model"),
            api_models: parse!("api_model"),
            currencies: parse!("currency"),
            providers: parse!("provider"),
            ranges: parse!("range"),
        };
        catalog.sort();
        catalog
    }

    fn sort(&mut self) {
        self.accelerators.sort_by(|a, b| a.id.cmp(&b.id));
        self.machines.sort_by(|a, b| a.id.cmp(&b.id));
        self.hosts.sort_by(|a, b| a.id.cmp(&b.id));
        self.rentals.sort_by(|a, b| a.id.cmp(&b.id));
        self.subscriptions.sort_by(|a, b| a.id.cmp(&b.id));
        self.tariffs.sort_by(|a, b| a.id.cmp(&b.id));
        self.open_models.sort_by(|a, b| a.id.cmp(&b.id));
        self.api_models.sort_by(|a, b| a.id.cmp(&b.id));
        self.currencies.sort_by(|a, b| a.id.cmp(&b.id));
        self.providers.sort_by(|a, b| a.id.cmp(&b.id));
        self.ranges.sort_by(|a, b| a.id.cmp(&b.id));
    }

    /// The accelerator with this id.
    pub fn accelerator(&self, id: &str) -> Option<&Accelerator> {
        find!(self.accelerators, id)
    }
    /// The machine with this id.
    pub fn machine(&self, id: &str) -> Option<&Machine> {
        find!(self.machines, id)
    }
    /// The host with this id.
    pub fn host(&self, id: &str) -> Option<&Host> {
        find!(self.hosts, id)
    }
    /// The rental offer with this id.
    pub fn rental(&self, id: &str) -> Option<&Rental> {
        find!(self.rentals, id)
    }
    /// The subscription with this id.
    pub fn subscription(&self, id: &str) -> Option<&Subscription> {
        find!(self.subscriptions, id)
    }
    /// The electricity tariff with this id.
    pub fn tariff(&self, id: &str) -> Option<&Tariff> {
        find!(self.tariffs, id)
    }
    /// The open model with this id.
    pub fn open_model(&self, id: &str) -> Option<&OpenModel> {
        find!(self.open_models, id)
    }
    /// The API model with this id (`provider/dated-model-id`). Aliases are not ids: see
    /// [`Self::resolve_api_model`].
    pub fn api_model(&self, id: &str) -> Option<&ApiModel> {
        find!(self.api_models, id)
    }
    /// The currency with this ISO 4217 code.
    pub fn currency(&self, code: &str) -> Option<&Currency> {
        find!(self.currencies, code)
    }
    /// The provider with this id, which is the part before the colon of an API target.
    pub fn provider(&self, id: &str) -> Option<&Provider> {
        find!(self.providers, id)
    }
    /// The provider that serves an API model. If it has several wire formats, the one that most tools use.
    pub fn provider_of(&self, model: &ApiModel) -> Option<&Provider> {
        let of = |p: &&Provider| p.prices.as_deref() == Some(model.provider.as_str());
        self.providers.iter().filter(of).min_by_key(|p| p.wire != ApiWire::OpenAiChat)
    }
    /// The range with this id; [`Self::range`] finds the one that applies.
    pub fn range_by_id(&self, id: &str) -> Option<&Range> {
        find!(self.ranges, id)
    }
    /// The range of an input: that of the case, or else the general one.
    pub fn range(&self, input: RangeInput, case: RangeCase) -> Option<&Range> {
        let of = |case| self.ranges.iter().find(|r| r.input == input && r.case == case);
        of(case).or_else(|| of(RangeCase::Any))
    }
    /// Every id of a kind, in order.
    pub fn ids(&self, kind: Kind) -> Vec<&str> {
        macro_rules! ids {
            ($list:expr) => {
                $list.iter().map(|r| r.id.as_str()).collect()
            };
        }
        match kind {
            Kind::Gpu => ids!(self.accelerators),
            Kind::Machine => ids!(self.machines),
            Kind::Host => ids!(self.hosts),
            Kind::Rental => ids!(self.rentals),
            Kind::Subscription => ids!(self.subscriptions),
            Kind::Tariff => ids!(self.tariffs),
            Kind::OpenModel => ids!(self.open_models),
            Kind::ApiModel => ids!(self.api_models),
            Kind::Currency => ids!(self.currencies),
            Kind::Provider => ids!(self.providers),
            Kind::Range => ids!(self.ranges),
        }
    }
    /// API models that are this open model, hosted by others.
    pub fn api_models_of<'a>(&'a self, open_model: &'a str) -> impl Iterator<Item = &'a ApiModel> {
        self.api_models.iter().filter(move |m| m.open_model.as_deref() == Some(open_model))
    }
}

/// The oldest date on which any of these figures was read.
pub fn oldest<'a>(sources: impl IntoIterator<Item = &'a crate::provenance::Source>) -> Option<Date> {
    sources.into_iter().filter_map(crate::provenance::Source::as_of).min()
}
