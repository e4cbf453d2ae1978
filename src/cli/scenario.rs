//! Scenario keys as flags: `--need.requests-per-month`, and `--requests-per-month` where only one
//! section has the key. Declared from the same table that reads scenario files.

use super::error::CliError;
use crate::cost::Scenario;
use crate::cost::keys::{KEYS, Key, Kind, Section};
use crate::cost::scenario::value_from_flag;
use clap::{Arg, ArgAction, ArgMatches, Command, FromArgMatches};
use std::sync::LazyLock;

/// The names of one key's flags.
struct Flag {
    key: &'static Key,
    /// `need.requests-per-month`: also the argument's id.
    long: String,
    /// Underscores for hyphens, as in the file; and the short form.
    aliases: Vec<String>,
    short_form: Option<String>,
}

static FLAGS: LazyLock<Vec<Flag>> = LazyLock::new(|| {
    KEYS.iter()
        .map(|key| {
            let kebab = key.name.replace('_', "-");
            let long = format!("{}.{kebab}", key.section.name());
            let short_form = match (key.section, key.name) {
                (Section::Cloud, "model") => Some("cloud".to_owned()),
                (
                    Section::Local,
                    "model" | "kind" | "name" | "units" | "usd_per_hour" | "billed_hours_per_month",
                ) => Some(kebab.clone()),
                // `change` and `profile` mean other things on a command line.
                (_, "change" | "profile" | "name" | "kind") => None,
                _ => (KEYS.iter().filter(|k| k.name == key.name).count() == 1).then(|| kebab.clone()),
            };
            let mut aliases = Vec::new();
            if key.name.contains('_') {
                aliases.push(format!("{}.{}", key.section.name(), key.name));
            }
            Flag { key, long, aliases, short_form }
        })
        .collect()
});

/// What was given by flags, in the order of the command line.
#[derive(Debug, Clone, Default)]
pub struct ScenarioFlags {
    given: Vec<(usize, &'static Key, String, String)>,
}

impl ScenarioFlags {
    /// Was any key given?
    pub fn is_empty(&self) -> bool {
        self.given.is_empty()
    }

    /// Put the flags over a scenario. Where the file has offers, a flag changes all of them;
    /// otherwise a key given again begins the next offer.
    pub fn apply(&self, scenario: &mut Scenario) -> Result<(), CliError> {
        let from_file = [scenario.cloud.len(), scenario.local.len()];
        let mut current = [0_usize, 0];
        for (_, key, flag, text) in &self.given {
            let given = value_from_flag(key, flag, text).map_err(|e| CliError::usage(e.to_string()))?;
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
        FLAGS.iter().fold(command, |command, flag| command.arg(argument(flag)))
    }
    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

fn argument(flag: &'static Flag) -> Arg {
    let heading = match flag.key.section {
        Section::Need => "Need (keys of [need] in a scenario file)",
        Section::Cloud => "Cloud (keys of [[cloud]])",
        Section::Local => "Local (keys of [[local]])",
        Section::Hybrid => "Hybrid (keys of [hybrid])",
        Section::Finance => "Finance (keys of [finance])",
    };
    let mut arg = Arg::new(flag.long.as_str())
        .long(flag.long.as_str())
        .help(flag.key.help)
        .help_heading(heading)
        .action(ArgAction::Append)
        .allow_negative_numbers(true)
        .hide_short_help(true)
        .aliases(flag.aliases.iter().map(String::as_str));
    if let Some(short) = &flag.short_form {
        arg = arg.visible_alias(short.as_str());
    }
    match flag.key.kind {
        Kind::Flag => {
            arg.num_args(0..=1).default_missing_value("true").value_name("true|false").require_equals(false)
        }
        Kind::Choice(choices) => arg.value_name(choices.first().copied().unwrap_or("WORD")),
        Kind::Text => arg.value_name(if flag.key.name == "name" { "NAME" } else { "ID" }),
        Kind::Month => arg.value_name("YYYY-MM"),
        Kind::Profile => arg.value_name("PROFILE"),
        Kind::Changes => arg.value_name("TOML"),
        // A range may begin with a minus: `-0.3:-0.1:0`.
        Kind::Number { min, .. } if min < 0.0 => arg.value_name("N").allow_hyphen_values(true),
        Kind::Whole { .. } | Kind::Number { .. } | Kind::Positive | Kind::Months => arg.value_name("N"),
    }
}

impl FromArgMatches for ScenarioFlags {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut flags = Self::default();
        flags.update_from_arg_matches(matches)?;
        Ok(flags)
    }
    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        for flag in FLAGS.iter() {
            let (Some(values), Some(at)) =
                (matches.get_many::<String>(&flag.long), matches.indices_of(&flag.long))
            else {
                continue;
            };
            for (text, at) in values.zip(at) {
                self.given.push((at, flag.key, format!("--{}", flag.long), text.clone()));
            }
        }
        self.given.sort_by_key(|g| g.0);
        Ok(())
    }
}
