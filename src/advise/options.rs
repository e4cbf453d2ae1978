//! Decides between the priced options: which of them may be taken, and which one to take. Pure: prices and
//! draws come from the cost engine.

use super::evidence::QualityStanding;
use super::matrix::{CapabilityTier, Placement};
use crate::cost::Totals;
use crate::workload::{Answers, Budget, Capability, Modifier, Modifiers, Operations, Privacy};

/// The kind of an option.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A current API model that is capable enough.
    Api,
    /// The open model that would be run locally, paid by the token.
    SameModel,
    /// Seats for the people who use it.
    Seats,
    /// Hardware that is rented by the hour.
    Rented,
    /// Hardware that is bought.
    Owned,
    /// Hardware that is there already.
    Have,
    /// Routing: simple requests go to the local side, the others to the API.
    Routed,
    /// Overflow: the local side serves the base load, the API the rest.
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
    /// A stable name for documents.
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
    /// Does somebody have to look after machines?
    const fn has_machines(self) -> bool {
        !matches!(self, Self::Api | Self::SameModel | Self::Seats)
    }
    /// Does data go to somebody else's computer?
    pub const fn leaves(self) -> bool {
        !matches!(self, Self::Owned | Self::Have)
    }
}

/// One way to serve the need, with its price.
#[derive(Debug, Clone, PartialEq)]
pub struct Priced {
    /// Its kind.
    pub kind: Kind,
    /// What it costs; `None` where a price is not known.
    pub cost: Option<OptionCost>,
    /// Its index among the ways that were drawn; `None` where it was not.
    pub way: Option<usize>,
    /// Capability tier of its weakest model, 1 (highest) to 4; `None` where that model has none.
    pub tier: Option<u8>,
    /// Its speed was predicted, not measured.
    pub predicted: bool,
    /// It depends on the answers of an open model.
    pub open_model: bool,
    /// Its hardware is too small for the load.
    pub too_small: bool,
    /// Its seats are for single persons, not for organisations.
    pub personal: bool,
    /// The user named it, so that its tier is not checked.
    pub asked: bool,
}

/// What an option costs, US dollars.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct OptionCost {
    /// Running cost of the first month.
    pub monthly: f64,
    /// Total over the horizon, less what is left then.
    pub tco: f64,
    /// Purchase at the start.
    pub capex: f64,
}

/// Reasons why an option may not be taken.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Limit {
    /// The data may not leave the house.
    MayNotLeave,
    /// There is no network.
    Offline,
    /// The model ships inside a product.
    InProduct,
    /// The model's weights must be trained further.
    OwnWeights,
    /// Latency must be predictable, but the hardware is shared with others.
    SteadyLatency,
    /// A seat for a single person may not be used for sensitive data.
    PersonalSeat,
    /// The hardware that is there cannot carry the load.
    TooSmall,
    /// Some part of it has no price.
    NotPriced,
    /// Nothing may be bought.
    NothingUpFront,
    /// It costs more up front than may be spent.
    TooMuchUpFront {
        /// The most that may be spent, US dollars.
        most: f64,
    },
    /// Nobody has the time to run it.
    NoPeople,
    /// Its model's tier is below the required one.
    TooWeak {
        /// Its tier; `None` where it has none.
        has: Option<u8>,
        /// The required tier.
        wanted: u8,
    },
    /// Measured on the user's own prompts, its model is not good enough.
    MeasuredShort,
}

impl Limit {
    /// How hard the limit is. The hardest are never given up; of the others the softest is given up first.
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
    /// Can the limit be given up? It then comes from an answer of the user's, not from the option.
    const fn may_give(self) -> bool {
        self.hardness() < 4
    }
    /// A stable name for documents.
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

/// What the user's answers and the evidence require of options.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Terms {
    /// The five answers, after evidence and mandates replaced some.
    pub answers: Answers,
    /// Circumstances beyond the five answers.
    pub modifiers: Modifiers,
    /// The tiers that the capability answer requires.
    pub tiers: Option<CapabilityTier>,
    /// The most that may be spent up front, US dollars.
    pub up_front: Option<f64>,
    /// The result of a measurement on the user's own prompts.
    pub quality: Option<QualityStanding>,
}

impl Terms {
    fn has(&self, modifier: Modifier) -> bool {
        self.modifiers.contains(modifier)
    }
    /// Does privacy require that the data stays on the user's own hardware?
    const fn stays(&self) -> bool {
        matches!(self.answers.privacy, Privacy::Strict)
    }
}

/// All limits that an option violates, the hardest first.
pub fn limits(option: &Priced, terms: &Terms) -> Vec<Limit> {
    let kind = option.kind;
    let mut found = Vec::new();
    let mut add = |holds: bool, limit: Limit| {
        if holds {
            found.push(limit);
        }
    };
    add(option.cost.is_none() && !option.too_small, Limit::NotPriced);
    add(terms.stays() && kind.leaves(), Limit::MayNotLeave);
    add(terms.has(Modifier::Offline) && kind.leaves(), Limit::Offline);
    let alone = kind.placement() != Placement::Hybrid;
    // If one requirement needs own weights and another one models that are only rented, a hybrid satisfies
    // both.
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
    // The most capable models can only be rented, so that local options are measured against those.
    let strongest = terms.answers.capability == Capability::Maximum;
    let wanted = terms
        .tiers
        .map_or(1, |t| if kind.placement() == Placement::Local && !strongest { t.local } else { t.cloud });
    let good = option.open_model && terms.quality == Some(QualityStanding::NonInferior);
    let rated = kind != Kind::Seats && !option.asked && !good;
    let weaker = alone && rated && option.tier.is_none_or(|has| has > wanted);
    add(weaker && !short, Limit::TooWeak { has: option.tier, wanted });
    found.sort_by_key(|l| std::cmp::Reverse(l.hardness()));
    found
}

/// The chosen option, and why.
#[derive(Debug, Clone, PartialEq)]
pub struct Choice {
    /// Its index among the options.
    pub chosen: usize,
    /// The reason for the choice.
    pub because: Because,
    /// The limits that it violates, where every option violates some.
    pub gives: Vec<Limit>,
    /// For each option the hardest limit that it violates; `None` where it may be taken.
    pub excluded: Vec<Option<Limit>>,
    /// For each option the share of draws in which it is the cheapest of those that may be taken.
    pub chances: Vec<Option<f64>>,
    /// The cheapest option of another placement that may be taken.
    pub next: Option<usize>,
    /// Share of the draws in which the chosen option costs less than every option of another placement that
    /// may be taken.
    pub odds: Option<f64>,
}

/// The reason why an option was chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Because {
    /// No option of another placement may be taken.
    OnlyPlacement,
    /// It costs the least.
    Cheapest,
    /// Another option costs less at the likely values, but more in the mean of all draws.
    CheapestOnAverage,
    /// Another option of the same placement costs slightly less, but would have to be measured first.
    NearlyTheSame,
    /// Every option violates a limit, and this one the softest.
    GivesLeast,
}

/// Totals whose ratio is below this count as equal.
const NEARLY_THE_SAME: f64 = 1.1;

/// Choose an option; `None` where there is none.
///
/// Limits come first, then the mean of the total over all draws. A cheaper API therefore never moves the
/// choice toward local: it lowers the mean of the cloud option by at least as much as that of a hybrid, and
/// that of no other option.
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
    let least = free.iter().copied().min_by(|a, b| expected(*a).total_cmp(&expected(*b)))?;
    // At nearly the same cost a maker's own model is preferred, because an open model by the token would
    // still have to be measured.
    let makers = free.iter().copied().find(|n| options[*n].kind == Kind::Api);
    let near = makers.filter(|api| expected(*api) <= expected(least) * NEARLY_THE_SAME);
    let chosen = near.filter(|_| options[least].kind == Kind::SameModel).unwrap_or(least);
    let placement = options[chosen].kind.placement();
    let others: Vec<usize> =
        free.iter().copied().filter(|n| options[*n].kind.placement() != placement).collect();
    let because = if chosen != least {
        Because::NearlyTheSame
    } else if others.is_empty() {
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
