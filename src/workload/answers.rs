//! The answers to the five questions about a need, and the modifiers of these answers.

use super::word::Word;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// An answer that is one of a list of words.
pub trait Answer: Copy + 'static {
    /// The words as they are written in profiles and flags, with their meaning.
    const WORDS: &'static [Word];
    /// The answer that a word stands for; `None` for an unknown word.
    fn from_word(word: &str) -> Option<Self>;
}

macro_rules! answers {
    ($(#[$meta:meta])* $name:ident { $($variant:ident = $word:literal, $means:literal;)+ }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
        pub enum $name {
            $(#[doc = $means] #[serde(rename = $word)] $variant),+
        }
        impl $name {
            /// All answers, in the order in which they are offered.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];
            /// The word in profiles and flags.
            pub const fn key(self) -> &'static str {
                match self {
                    $(Self::$variant => $word),+
                }
            }
        }
        impl Answer for $name {
            const WORDS: &'static [Word] = &[$(Word { word: $word, means: $means }),+];
            fn from_word(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|a| a.key() == word)
            }
        }
    };
}

answers! {
    /// 1. May a provider see the data?
    Privacy {
        Standard = "standard", "a provider may process the data";
        Sensitive = "sensitive", "only under an agreement (no training, no retention, region)";
        Strict = "strict", "the data may not leave";
    }
}
answers! {
    /// Who requires that the data stays in the house.
    PrivacyReason {
        Hipaa = "hipaa", "health data";
        AttorneyClient = "attorney-client", "legal privilege";
        Classified = "classified", "classified or government work";
        TradeSecrets = "trade-secrets", "own algorithms, trade secrets";
        Jurisdiction = "jurisdiction", "data residency rules";
        None = "none", "no law or contract asks for it";
    }
}
answers! {
    /// 2. How many requests are there?
    Volume {
        Low = "low", "little, or not known yet";
        Variable = "variable", "comes and goes: bursts between quiet times";
        High = "high", "much, every month";
    }
}
answers! {
    /// 3. How capable must the model be?
    Capability {
        Basic = "basic", "simple, well-defined tasks";
        Moderate = "moderate", "good enough is enough";
        Maximum = "maximum", "the strongest there is";
    }
}
answers! {
    /// 4. Who would run servers?
    Operations {
        Limited = "limited", "nobody has the time";
        Available = "available", "there are people for it";
    }
}
answers! {
    /// 5. How may it be paid for?
    Budget {
        Opex = "opex", "running costs only";
        Capex = "capex", "money up front is possible";
    }
}
answers! {
    /// A circumstance that the five questions do not ask for.
    Modifier {
        Offline = "offline", "it must work without a network";
        FineTuning = "fine-tuning", "the weights must be trained further on own data";
        Embedded = "embedded", "it ships inside a product";
        PredictableLatency = "predictable-latency", "latency must be steady";
        Prototype = "prototype", "starting out, or a prototype";
        Bursts = "bursts", "occasional heavy use between quiet times";
        SmallTeam = "small-team", "few people, none of them for operations";
        Redundancy = "redundancy", "one system must take over when the other fails";
        GradualMigration = "gradual-migration", "a move from the cloud to own hardware, step by step";
        MixedComplexity = "mixed-complexity", "simple and complex tasks arrive side by side";
        CostOptimization = "cost-optimization", "every request should go where it is cheapest";
    }
}
answers! {
    /// What the requests are for, which decides the limits on latency where none are given.
    Use {
        Chat = "chat", "people wait for each answer";
        Code = "code", "completion while somebody types";
        Rag = "rag", "an assistant that looks things up";
        Documents = "documents", "long documents, read by people";
        Agent = "agent", "a program works step by step";
        Batch = "batch", "nobody waits; there is a deadline";
    }
}

/// The five answers, before any number is computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Answers {
    /// Whether the data may leave the house.
    pub privacy: Privacy,
    /// How many requests there are, and how evenly they come.
    pub volume: Volume,
    /// How capable the model must be.
    pub capability: Capability,
    /// Who could run it.
    pub operations: Operations,
    /// How money can be spent: up front, or as running cost.
    pub budget: Budget,
}

/// A set of modifiers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(from = "Vec<Modifier>", into = "Vec<Modifier>")]
pub struct Modifiers(u16);

impl Modifiers {
    /// Number of possible sets; [`Self::nth`] enumerates them.
    pub const SETS: u16 = 1 << Modifier::ALL.len();
    /// The empty set.
    pub const EMPTY: Self = Self(0);

    /// The n-th of all possible sets.
    pub const fn nth(n: u16) -> Self {
        Self(n % Self::SETS)
    }
    /// Is this modifier in the set?
    pub const fn contains(self, modifier: Modifier) -> bool {
        self.0 & (1 << modifier as u16) != 0
    }
    /// Do the two sets have a modifier in common?
    pub const fn intersects(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
    /// Is the set empty?
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }
    /// The set with this modifier added.
    #[must_use]
    pub const fn with(self, modifier: Modifier) -> Self {
        Self(self.0 | (1 << modifier as u16))
    }
    /// The set without this modifier.
    #[must_use]
    pub const fn without(self, modifier: Modifier) -> Self {
        Self(self.0 & !(1 << modifier as u16))
    }
    /// The modifiers in the set, in the order of [`Modifier::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Modifier> {
        Modifier::ALL.iter().copied().filter(move |m| self.contains(*m))
    }
}

impl FromIterator<Modifier> for Modifiers {
    fn from_iter<I: IntoIterator<Item = Modifier>>(items: I) -> Self {
        items.into_iter().fold(Self::default(), Self::with)
    }
}
impl From<Vec<Modifier>> for Modifiers {
    fn from(items: Vec<Modifier>) -> Self {
        items.into_iter().collect()
    }
}
impl From<Modifiers> for Vec<Modifier> {
    fn from(set: Modifiers) -> Self {
        set.iter().collect()
    }
}
