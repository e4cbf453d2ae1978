//! Scenario and need keys as flags: `--need.requests-per-month`, and `--requests-per-month` where only one
//! section has the key. They are generated from the same tables that files are read with.

use super::error::CliError;
use crate::cost::{Scenario, keys};
use crate::provenance::UserInput;
use crate::workload::given::value_from_text;
use crate::workload::keys::{Key, Kind, Section, answers, need};
use crate::workload::{Answer as _, Given, Modifier, NeedDraft, Value};
use clap::builder::{PossibleValue, PossibleValuesParser};
use clap::{Arg, ArgAction, ArgMatches, Command, FromArgMatches};
use std::sync::LazyLock;

/// The names of one key's flags.
struct Flag {
    key: &'static Key,
    /// `need.requests-per-month`: also the argument's id.
    long: String,
    /// The same with underscores, as in the file; hidden.
    alias: Option<String>,
    /// Another name, shorter or longer, that help shows too.
    also: Option<String>,
}

impl Flag {
    fn of_scenario(key: &'static Key) -> Self {
        let kebab = key.name.replace('_', "-");
        let also = match (key.section, key.name) {
            (Section::Cloud, "model") => Some("cloud".to_owned()),
            (
                Section::Local,
                "model" | "kind" | "name" | "units" | "usd_per_hour" | "billed_hours_per_month",
            ) => Some(kebab),
            // `change`, `profile`, `use` and `seats` mean other things on a command line.
            (_, "change" | "discount" | "profile" | "name" | "kind" | "use" | "backend" | "seats") => None,
            _ => (keys::all().filter(|k| k.name == key.name).count() == 1).then_some(kebab),
        };
        Self { key, long: key.flag(), alias: key.name.contains('_').then(|| key.path()), also }
    }

    /// The flag of a key where only a need can be meant: the short name comes first.
    fn of_need(key: &'static Key) -> Self {
        match key.section {
            Section::Answers => Self { key, long: key.flag(), alias: None, also: None },
            _ => Self {
                key,
                long: key.name.replace('_', "-"),
                alias: Some(key.path()),
                also: Some(key.flag()),
            },
        }
    }

    fn argument(&'static self, heading: &'static str) -> Arg {
        let mut arg = Arg::new(self.long.as_str())
            .long(self.long.as_str())
            .help(self.key.help)
            .help_heading(heading)
            .action(ArgAction::Append)
            .allow_negative_numbers(true)
            .aliases(self.alias.as_deref());
        if let Some(also) = &self.also {
            arg = arg.visible_alias(also.as_str());
        }
        match self.key.kind {
            Kind::Flag => arg
                .num_args(0..=1)
                .default_missing_value("true")
                .value_name("true|false")
                .require_equals(false),
            Kind::Choice(words) => {
                let values = words.iter().map(|w| PossibleValue::new(w.word).help(w.means));
                arg.value_name("WORD").value_parser(PossibleValuesParser::new(values))
            }
            Kind::Text => arg.value_name(if self.key.name == "name" { "NAME" } else { "ID" }),
            Kind::Texts => arg.value_name("LIST"),
            Kind::Month => arg.value_name("YYYY-MM"),
            Kind::Profile => arg.value_name("PROFILE"),
            Kind::Changes(_) | Kind::Sizes | Kind::Discounts => arg.value_name("TOML"),
            // A range may begin with a minus: `-0.3:-0.1:0`.
            Kind::Number { min, .. } if min < 0.0 => arg.value_name("N").allow_hyphen_values(true),
            Kind::Whole { .. } | Kind::Number { .. } | Kind::Positive | Kind::Months => arg.value_name("N"),
        }
    }
}

static SCENARIO: LazyLock<Vec<Flag>> = LazyLock::new(|| keys::all().map(Flag::of_scenario).collect());
static NEED: LazyLock<Vec<Flag>> = LazyLock::new(|| {
    let answers = answers::KEYS.iter().filter(|k| !k.name.starts_with(answers::MODIFIER));
    answers.chain(need::KEYS).map(|key| Flag::of_need(key)).collect()
});

/// The flags of `fit --plan`: the short names of the need's keys, and the full names of the other sections'
/// keys, whose short names mean other things to `fit`.
static PLAN: LazyLock<Vec<Flag>> = LazyLock::new(|| {
    let of = |section: Section| keys::of(section).iter().copied();
    let need = of(Section::Need).map(Flag::of_need);
    let others = of(Section::Local).chain(of(Section::Finance));
    need.chain(others.map(|key| Flag { also: None, ..Flag::of_scenario(key) })).collect()
});

/// The flags that were given, in the order of the command line: position, key, flag and text.
type GivenFlags = Vec<(usize, &'static Key, String, String)>;

fn given(flags: &'static [Flag], matches: &ArgMatches) -> GivenFlags {
    let mut found = GivenFlags::new();
    for flag in flags {
        let (Some(values), Some(at)) =
            (matches.get_many::<String>(&flag.long), matches.indices_of(&flag.long))
        else {
            continue;
        };
        for (text, at) in values.zip(at) {
            found.push((at, flag.key, format!("--{}", flag.long), text.clone()));
        }
    }
    found.sort_by_key(|g| g.0);
    found
}

fn read(key: &'static Key, flag: &str, text: &str) -> Result<Given, CliError> {
    value_from_text(key, UserInput::flag(flag), text).map_err(|e| CliError::usage(e.to_string()))
}

/// The flags of every key of a scenario.
#[derive(Debug, Clone, Default)]
pub struct ScenarioFlags {
    given: GivenFlags,
}

impl ScenarioFlags {
    /// Was any key given?
    pub fn is_empty(&self) -> bool {
        self.given.is_empty()
    }

    /// Applies the flags to a scenario. Where the file has offers, a flag changes all of them; otherwise a
    /// key that is given again begins the next offer.
    pub fn apply(&self, scenario: &mut Scenario) -> Result<(), CliError> {
        let from_file = [scenario.cloud.len(), scenario.local.len()];
        let mut current = [0_usize, 0];
        for (_, key, flag, text) in &self.given {
            let given = read(key, flag, text)?;
            let repeated = match key.section {
                Section::Cloud => Some((0, &scenario.cloud)),
                Section::Local => Some((1, &scenario.local)),
                _ => None,
            };
            let offer = repeated.filter(|(side, _)| from_file[*side] == 0).map(|(side, offers)| {
                let at = &mut current[side];
                if offers.get(*at).is_some_and(|fields| fields.contains_key(key.name)) {
                    *at += 1;
                }
                *at
            });
            scenario.set(key, offer, &given);
        }
        Ok(())
    }
}

impl clap::Args for ScenarioFlags {
    fn augment_args(command: Command) -> Command {
        let heading = |section: Section| match section {
            Section::Answers | Section::Need => "Need (keys of [need] in a scenario file)",
            Section::Cloud => "Cloud (keys of [[cloud]])",
            Section::Local => "Local (keys of [[local]])",
            Section::Hybrid => "Hybrid (keys of [hybrid])",
            Section::Finance => "Finance (keys of [finance])",
        };
        SCENARIO
            .iter()
            .fold(command, |c, flag| c.arg(flag.argument(heading(flag.key.section)).hide_short_help(true)))
    }
    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for ScenarioFlags {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        Ok(Self { given: given(&SCENARIO, matches) })
    }
    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        self.given = given(&SCENARIO, matches);
        Ok(())
    }
}

/// The flags of a plan's need and hardware: a scenario without a cloud side.
#[derive(Debug, Clone, Default)]
pub struct PlanFlags(ScenarioFlags);

impl PlanFlags {
    /// Was any key given?
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
    /// Applies the flags to a scenario.
    pub fn apply(&self, scenario: &mut Scenario) -> Result<(), CliError> {
        self.0.apply(scenario)
    }
}

impl clap::Args for PlanFlags {
    fn augment_args(command: Command) -> Command {
        PLAN.iter().fold(command, |c, flag| {
            let heading = match flag.key.section {
                Section::Need => "With --plan: the need",
                Section::Local => "With --plan: the hardware and what it costs (keys of [[local]])",
                _ => "With --plan: money (keys of [finance])",
            };
            let long = flag.key.section != Section::Need;
            let hidden = crate::app::plan::keys::is_without_effect(flag.key);
            c.arg(flag.argument(heading).hide_short_help(long).hide(hidden))
        })
    }
    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for PlanFlags {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        Ok(Self(ScenarioFlags { given: given(&PLAN, matches) }))
    }
    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        self.0.given = given(&PLAN, matches);
        Ok(())
    }
}

/// The flags of every key of a need; modifiers are given by `--with`.
#[derive(Debug, Clone, Default)]
pub struct NeedFlags {
    given: GivenFlags,
    with: Vec<String>,
}

impl NeedFlags {
    /// The need that the flags give; of a flag given twice the last counts.
    pub fn draft(&self) -> Result<NeedDraft, CliError> {
        let mut draft = NeedDraft::default();
        for (_, key, flag, text) in &self.given {
            draft.set(key, read(key, flag, text)?);
        }
        for word in &self.with {
            let name = format!("{}{word}", answers::MODIFIER);
            if let Some(key) = crate::workload::keys::find(answers::KEYS, &name) {
                draft.set(
                    key,
                    Given { value: Value::Flag(true), source: crate::provenance::Source::flag("--with") },
                );
            }
        }
        Ok(draft)
    }
}

impl clap::Args for NeedFlags {
    fn augment_args(command: Command) -> Command {
        let command = NEED.iter().fold(command, |command, flag| match flag.key.section {
            Section::Answers => command.arg(flag.argument("Answers")),
            _ => command.arg(flag.argument("The requests").hide_short_help(!COMMON.contains(&flag.key.name))),
        });
        let words = Modifier::WORDS.iter().map(|w| PossibleValue::new(w.word).help(w.means));
        command.arg(
            Arg::new("with")
                .long("with")
                .help("What also applies; may be repeated or separated by commas")
                .help_heading("Answers")
                .value_name("CIRCUMSTANCE")
                .value_delimiter(',')
                .action(ArgAction::Append)
                .value_parser(PossibleValuesParser::new(words)),
        )
    }
    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

/// Keys that `-h` shows; the others are shown by `--help`.
const COMMON: [&str; 5] = [
    need::USE.name,
    need::REQUESTS_PER_MONTH.name,
    need::INPUT_TOKENS.name,
    need::OUTPUT_TOKENS.name,
    need::CACHED_INPUT_SHARE.name,
];

impl FromArgMatches for NeedFlags {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let with = matches.get_many::<String>("with").into_iter().flatten().cloned().collect();
        Ok(Self { given: given(&NEED, matches), with })
    }
    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

/// A draft as words of a command line: every key with its flag.
pub fn words(draft: &NeedDraft) -> Vec<String> {
    let mut words = Vec::new();
    for flag in NEED.iter() {
        let Some(given) = draft.fields().get(flag.key.name) else { continue };
        match &given.value {
            Value::Flag(true) => words.push(format!("--{}", flag.long)),
            Value::Flag(false) => {}
            value => words.extend([format!("--{}", flag.long), value.to_flag()]),
        }
    }
    let modifiers: Vec<&str> = draft.modifiers().iter().map(Modifier::key).collect();
    if !modifiers.is_empty() {
        words.extend(["--with".to_owned(), modifiers.join(",")]);
    }
    words
}
