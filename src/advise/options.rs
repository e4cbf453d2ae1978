//! The ways to serve the need, priced: which of them may be taken, and which one to take. Pure; prices
//! and draws come from the cost engine.

use super::evidence::QualityStanding;
use super::matrix::{CapabilityTier, Placement};
use crate::cost::Totals;
use crate::workload::{Answers, Budget, Capability, Modifier, Modifiers, Operations, Privacy};

/// What an option is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A current API model that is capable enough.
    Api,
    /// The open model that would be run, paid by the token.
    SameModel,
    /// Seats for the people who ask.
    Seats,
    /// Hardware rented by the hour.
    Rented,
    /// Hardware that is bought.
    Owned,
    /// Hardware that is there already.
    Have,
    /// Simple requests to the local side, the others to the API.
    Routed,
    /// The base load on the local side, what is above it to the API.
    Overflow,
}

impl Kind {
    /// Where it runs.
    pub const fn placement(self) -> Placement {
        match self {
            Self::Api | Self::SameModel | Self::Seats => Placement::Cloud,
            Self::Rented | Self::Owned | Self::Have => Placement::Local,
            Self::Routed | Self::Overflow => Placement::Hybrid,
        }
    }
    /// Stable, as documents have it.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Api => "api",
            Self::SameModel => "same-model",
            Self::Seats => "seats",
            Self::Rented => "rented",
            Self::Owned => "owned",
            Self::Have => "have",
            Self::Routed => "hybrid-routed",
            Self::Overflow => "hybrid-overflow",
        }
    }
    /// Somebody must look after machines.
    const fn has_machines(self) -> bool {
        !matches!(self, Self::Api | Self::SameModel | Self::Seats)
    }
    /// Data goes to somebody else's computer.
    const fn leaves(self) -> bool {
        !matches!(self, Self::Owned | Self::Have)
    }
}

/// One way to serve the need.
#[derive(Debug, Clone, PartialEq)]
pub struct Priced {
    /// What it is.
    pub kind: Kind,
    /// What it costs; `None` where a price is not known.
    pub cost: Option<OptionCost>,
    /// Its place among the ways of the draws; `None`: it is in none.
    pub way: Option<usize>,
    /// Capability tier of its weakest model, 1 (highest) to 4; `None`: nobody has rated it.
    pub tier: Option<u8>,
    /// Its speed is predicted, not measured.
    pub predicted: bool,
    /// It rests on an open model that answers in an API's place.
    pub open_model: bool,
    /// The hardware it runs on is too small for the load.
    pub too_small: bool,
    /// A seat of it is made for one person, not for an organisation.
    pub personal: bool,
}

/// What an option costs, US dollars.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct OptionCost {
    /// Running cost of the first month.
    pub monthly: f64,
    /// Everything to the horizon, less what is left then.
    pub tco: f64,
    /// What has to be bought at the start.
    pub capex: f64,
}

/// Why an option may not be taken.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Limit {
    /// The data may not leave.
    MayNotLeave,
    /// There is no network.
    Offline,
    /// It ships inside a product.
    InProduct,
    /// The weights must be trained further.
    OwnWeights,
    /// Latency must be steady, and this is shared with others.
    SteadyLatency,
    /// A seat for one person is no place for sensitive data.
    PersonalSeat,
    /// The hardware that is there does not carry the load.
    TooSmall,
    /// Not everything of it has a price.
    NotPriced,
    /// Nothing may be bought.
    NothingUpFront,
    /// It costs more up front than may be spent.
    TooMuchUpFront {
        /// What may be spent, US dollars.
        most: f64,
    },
    /// Nobody has the time to run it.
    NoPeople,
    /// Its model is rated below what was asked for.
    TooWeak {
        /// Its own tier; `None`: not rated.
        has: Option<u8>,
        /// The tier that was asked for.
        wanted: u8,
    },
    /// Its model was measured to fall short on the user's own prompts.
    MeasuredShort,
}

impl Limit {
    /// How hard it is: of the hardest nothing is given away, of the others the softest first.
    const fn hardness(self) -> u8 {
        match self {
            Self::NotPriced => 5,
            Self::MayNotLeave
            | Self::Offline
            | Self::InProduct
            | Self::OwnWeights
            | Self::TooSmall
            | Self::PersonalSeat => 4,
            Self::TooWeak { .. } | Self::MeasuredShort => 3,
            Self::SteadyLatency | Self::NoPeople => 2,
            Self::NothingUpFront | Self::TooMuchUpFront { .. } => 1,
        }
    }
    /// Somebody could lift it: an answer, not the option, stands in the way.
    const fn may_give(self) -> bool {
        self.hardness() < 4
    }
    /// Stable, as documents have it.
    pub const fn id(self) -> &'static str {
        match self {
            Self::MayNotLeave => "may-not-leave",
            Self::Offline => "offline",
            Self::InProduct => "in-product",
            Self::OwnWeights => "own-weights",
            Self::SteadyLatency => "steady-latency",
            Self::PersonalSeat => "personal-seat",
            Self::TooSmall => "too-small",
            Self::NotPriced => "not-priced",
            Self::NothingUpFront => "nothing-up-front",
            Self::TooMuchUpFront { .. } => "too-much-up-front",
            Self::NoPeople => "no-people",
            Self::TooWeak { .. } => "too-weak",
            Self::MeasuredShort => "measured-short",
        }
    }
}

/// What the answers allow, as far as it concerns options.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Terms {
    /// The five answers, after evidence and mandates.
    pub answers: Answers,
    /// What else holds.
    pub modifiers: Modifiers,
    /// The tiers that the capability answer asks for.
    pub tiers: Option<CapabilityTier>,
    /// The most that may be spent up front, US dollars.
    pub up_front: Option<f64>,
    /// What was measured on the user's own prompts.
    pub quality: Option<QualityStanding>,
}

impl Terms {
    fn has(&self, modifier: Modifier) -> bool {
        self.modifiers.contains(modifier)
    }
    /// The data or the network leaves only hardware of one's own.
    const fn stays(&self) -> bool {
        matches!(self.answers.privacy, Privacy::Strict)
    }
}

/// Everything that stands in an option's way, the hardest first.
pub fn limits(option: &Priced, terms: &Terms) -> Vec<Limit> {
    let kind = option.kind;
    let mut found = Vec::new();
    let mut add = |holds: bool, limit: Limit| {
        if holds {
            found.push(limit);
        }
    };
    add(option.cost.is_none(), Limit::NotPriced);
    add(terms.stays() && kind.leaves(), Limit::MayNotLeave);
    add(terms.has(Modifier::Offline) && kind.leaves(), Limit::Offline);
    let alone = kind.placement() != Placement::Hybrid;
    // One requirement needs weights one holds, another models that are rented only: then both.
    let both = terms.answers.capability == Capability::Maximum && !alone;
    add(terms.has(Modifier::Embedded) && kind.leaves() && !both, Limit::InProduct);
    let shared = kind.placement() != Placement::Local && !both;
    add(terms.has(Modifier::FineTuning) && shared, Limit::OwnWeights);
    let steady = terms.has(Modifier::PredictableLatency) && terms.answers.operations == Operations::Available;
    add(steady && shared, Limit::SteadyLatency);
    let sensitive = terms.answers.privacy != Privacy::Standard;
    add(sensitive && kind == Kind::Seats && option.personal, Limit::PersonalSeat);
    add(option.too_small, Limit::TooSmall);
    add(kind.has_machines() && terms.answers.operations == Operations::Limited, Limit::NoPeople);
    let capex = option.cost.map_or(0.0, |c| c.capex);
    match terms.up_front {
        Some(most) => add(capex > most, Limit::TooMuchUpFront { most }),
        None => add(capex > 0.0 && terms.answers.budget == Budget::Opex, Limit::NothingUpFront),
    }
    let short = option.open_model && alone && terms.quality == Some(QualityStanding::Inferior);
    add(short, Limit::MeasuredShort);
    // The strongest models are rented only: what runs on one's own hardware is held against them, too.
    let strongest = terms.answers.capability == Capability::Maximum;
    let wanted = terms
        .tiers
        .map_or(1, |t| if kind.placement() == Placement::Local && !strongest { t.local } else { t.cloud });
    let weaker = alone && kind != Kind::Seats && option.tier.is_none_or(|has| has > wanted);
    add(weaker && !short, Limit::TooWeak { has: option.tier, wanted });
    found.sort_by_key(|l| std::cmp::Reverse(l.hardness()));
    found
}

/// Which option to take.
#[derive(Debug, Clone, PartialEq)]
pub struct Choice {
    /// Its index.
    pub chosen: usize,
    /// Why this one.
    pub because: Because,
    /// What stands in its way all the same, where nothing is free of limits.
    pub gives: Vec<Limit>,
    /// For each option, of what stands in its way the hardest; `None`: it may be taken.
    pub excluded: Vec<Option<Limit>>,
    /// For each option, the share of draws in which it is the cheapest of those that may be taken.
    pub chances: Vec<Option<f64>>,
    /// The cheapest of those that may be taken and are of another placement.
    pub next: Option<usize>,
    /// Share of draws in which the chosen one costs less than everything of another placement that may
    /// be taken.
    pub odds: Option<f64>,
}

/// Why an option was chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Because {
    /// Nothing else may be taken.
    OnlyPlacement,
    /// It costs the least.
    Cheapest,
    /// Another costs less at the likely values, but more in the mean of all draws.
    CheapestOnAverage,
    /// Nothing is free of limits, and this one gives up the least.
    GivesLeast,
}

/// Choose. `None` where there is nothing to choose from.
///
/// Hard limits first, then the total over the horizon in the mean of all draws. A cheaper API therefore
/// never moves the choice toward local: it lowers the cloud's mean by as much as a hybrid's or by more,
/// and nobody else's.
pub fn choose(options: &[Priced], totals: Option<&Totals>, terms: &Terms) -> Option<Choice> {
    let all: Vec<Vec<Limit>> = options.iter().map(|o| limits(o, terms)).collect();
    let excluded: Vec<Option<Limit>> = all.iter().map(|l| l.first().copied()).collect();
    let free: Vec<usize> = (0..options.len()).filter(|n| all[*n].is_empty()).collect();
    let tco = |n: usize| options[n].cost.map_or(f64::INFINITY, |c| c.tco);
    let cheapest = |among: &[usize]| among.iter().copied().min_by(|a, b| tco(*a).total_cmp(&tco(*b)));
    if free.is_empty() {
        let hardest = |n: usize| all[n].first().map_or(0, |l| l.hardness());
        let chosen = (0..options.len()).filter(|n| options[*n].cost.is_some()).min_by(|a, b| {
            hardest(*a)
                .cmp(&hardest(*b))
                .then(all[*a].len().cmp(&all[*b].len()))
                .then(tco(*a).total_cmp(&tco(*b)))
        })?;
        let possible = all[chosen].iter().all(|l| l.may_give());
        return possible.then(|| Choice {
            chosen,
            because: Because::GivesLeast,
            gives: all[chosen].clone(),
            excluded,
            chances: vec![None; options.len()],
            next: None,
            odds: None,
        });
    }
    let ways = |among: &[usize]| -> Vec<usize> { among.iter().filter_map(|n| options[*n].way).collect() };
    let cheaper = |some: &[usize], others: &[usize]| {
        let (some, others) = (ways(some), ways(others));
        totals.filter(|_| !some.is_empty() && !others.is_empty()).map(|t| t.cheaper(&some, &others))
    };
    let expected = |n: usize| totals.zip(options[n].way).map_or_else(|| tco(n), |(t, way)| t.mean(way));
    let chosen = free.iter().copied().min_by(|a, b| expected(*a).total_cmp(&expected(*b)))?;
    let placement = options[chosen].kind.placement();
    let others: Vec<usize> =
        free.iter().copied().filter(|n| options[*n].kind.placement() != placement).collect();
    let because = if others.is_empty() {
        Because::OnlyPlacement
    } else if cheapest(&others).is_some_and(|n| tco(n) < tco(chosen)) {
        Because::CheapestOnAverage
    } else {
        Because::Cheapest
    };
    let drawn: Vec<usize> = free.iter().copied().filter(|n| options[*n].way.is_some()).collect();
    let mut chances = vec![None; options.len()];
    if let Some(totals) = totals {
        for (n, chance) in drawn.iter().zip(totals.cheapest(&ways(&drawn))) {
            chances[*n] = Some(chance);
        }
    }
    Some(Choice {
        chosen,
        because,
        gives: Vec::new(),
        excluded,
        chances,
        next: cheapest(&others),
        odds: cheaper(&[chosen], &others),
    })
}
