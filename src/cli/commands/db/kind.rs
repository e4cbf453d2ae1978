//! The kinds of record as the command line names them.

use crate::catalog::Kind;

/// The kinds of record as the command line names them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum KindArg {
    Gpus,
    Machines,
    Hosts,
    Rentals,
    Subscriptions,
    Electricity,
    OpenModels,
    ApiModels,
    Currencies,
    Providers,
    Ranges,
}

impl KindArg {
    pub const fn kind(self) -> Kind {
        match self {
            Self::Gpus => Kind::Gpu,
            Self::Machines => Kind::Machine,
            Self::Hosts => Kind::Host,
            Self::Rentals => Kind::Rental,
            Self::Subscriptions => Kind::Subscription,
            Self::Electricity => Kind::Tariff,
            Self::OpenModels => Kind::OpenModel,
            Self::ApiModels => Kind::ApiModel,
            Self::Currencies => Kind::Currency,
            Self::Providers => Kind::Provider,
            Self::Ranges => Kind::Range,
        }
    }
}
