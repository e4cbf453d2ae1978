//! A scenario as the user gave it: a TOML file, flags, or both. Nothing is completed here.

use super::keys;
use crate::provenance::FileRole;
use crate::workload::given::{Place, unknown};
use crate::workload::keys::{Key, Section};
use crate::workload::{Fields, Given, InputError};
use toml::de::{DeTable, DeValue};

/// Everything that was given; every key is optional.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Scenario {
    pub need: Fields,
    /// The second and further needs, where `[[need]]` occurs more than once; only plans serve several. The
    /// first one is [`Scenario::need`].
    pub further_needs: Vec<Fields>,
    pub cloud: Vec<Fields>,
    pub local: Vec<Fields>,
    pub hybrid: Fields,
    pub finance: Fields,
}

impl Scenario {
    /// Read a scenario file. `file` is its name, for messages and sources.
    pub fn parse(text: &str, file: &str) -> Result<Self, InputError> {
        let place = Place { text, file, role: FileRole::Scenario };
        let everywhere: Vec<&'static Key> = keys::all().collect();
        let root = DeTable::parse(text).map_err(|e| place.not_toml(&e))?;
        let mut scenario = Self::default();
        for (key, value) in root.get_ref() {
            let Some(section) = Section::named(key.get_ref()) else {
                let names = Section::OF_SCENARIO.iter().map(|s| s.name());
                return Err(place.error(key.span(), &unknown("table", key.get_ref(), names)));
            };
            match value.get_ref() {
                DeValue::Table(table) => {
                    let fields = place.fields(section, table, keys::of(section), &everywhere)?;
                    match section {
                        Section::Need => scenario.need = fields,
                        Section::Hybrid => scenario.hybrid = fields,
                        Section::Finance => scenario.finance = fields,
                        // A single offer may be written without double brackets.
                        Section::Cloud => scenario.cloud.push(fields),
                        Section::Local => scenario.local.push(fields),
                        // No table of a scenario: `named` does not know it.
                        Section::Answers => {}
                    }
                }
                DeValue::Array(items) if section.repeats() || section == Section::Need => {
                    for (n, item) in items.iter().enumerate() {
                        let DeValue::Table(table) = item.get_ref() else {
                            return Err(place.error(item.span(), "expected a table"));
                        };
                        let fields = place.fields(section, table, keys::of(section), &everywhere)?;
                        match section {
                            Section::Need if n == 0 => scenario.need = fields,
                            Section::Need => scenario.further_needs.push(fields),
                            Section::Cloud => scenario.cloud.push(fields),
                            _ => scenario.local.push(fields),
                        }
                    }
                }
                _ => {
                    let wanted = if section.repeats() { "[[table]]" } else { "[table]" };
                    return Err(place.error(
                        key.span(),
                        &format!(
                            "`{}` must be a {}",
                            section.name(),
                            wanted.replace("table", section.name())
                        ),
                    ));
                }
            }
        }
        Ok(scenario)
    }

    /// Set one key from a flag. `offer` is the index of the offer in a repeated section, from 0; `None`
    /// means all offers there are, or the first.
    pub fn set(&mut self, key: &'static Key, offer: Option<usize>, given: &Given) {
        let offers = match key.section {
            Section::Need | Section::Answers => return drop(self.need.insert(key.name, given.clone())),
            Section::Hybrid => return drop(self.hybrid.insert(key.name, given.clone())),
            Section::Finance => return drop(self.finance.insert(key.name, given.clone())),
            Section::Cloud => &mut self.cloud,
            Section::Local => &mut self.local,
        };
        let wanted = offer.map_or(1, |n| n + 1);
        if offers.len() < wanted {
            offers.resize_with(wanted, Fields::new);
        }
        for (n, fields) in offers.iter_mut().enumerate() {
            if offer.is_none_or(|o| o == n) {
                fields.insert(key.name, given.clone());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provenance::UserInput;
    use crate::workload::given::{Range, Value, value_from_text};

    fn wrong(text: &str) -> String {
        Scenario::parse(text, "s.toml").expect_err("must be refused").to_string()
    }

    #[test]
    fn a_scenario_keeps_what_was_given_and_from_where() {
        let s = Scenario::parse(
            "[need]\nrequests_per_month = 1000\n[[local]]\nname = \"x\"\nusd_per_kwh = { low = 0.2, likely = 0.3, high = 0.5 }\n",
            "s.toml",
        )
        .expect("valid");
        assert_eq!(s.need["requests_per_month"].source.describe(), "user (s.toml:2 need.requests_per_month)");
        let range = s.local[0]["usd_per_kwh"].value.range().expect("a number");
        assert!((range.likely - 0.3).abs() < 1e-12 && range.is_wide());
    }

    #[test]
    fn a_wrong_key_names_line_and_neighbour() {
        let message = wrong("[need]\ninput_tokens = 5\noutput_token = 5\n");
        assert!(
            message.starts_with(
                "s.toml:3:1: unknown key of [need] `output_token`: did you mean `output_tokens`"
            ),
            "{message}"
        );
        assert!(message.ends_with("3 | output_token = 5\n  | ^^^^^^^^^^^^"), "{message}");
        assert!(wrong("[need]\npue = 1.2\n").contains("it belongs to [local]"));
        assert!(wrong("[neeed]\n").contains("did you mean `need`"));
    }

    #[test]
    fn impossible_values_stop_with_the_key() {
        for (text, part) in [
            ("[need]\nbatch_share = 1.2", "need.batch_share: 1.2 is above 1"),
            ("[need]\npeak_to_mean = 0.5", "peak below the mean"),
            ("[need]\nhorizon_months = 0", "at least 1"),
            ("[[cloud]]\ninput_usd_per_mtok = -3", "cloud.input_usd_per_mtok: -3 is below 0"),
            ("[[local]]\npurchase_usd = nan", "must be a number"),
            ("[[local]]\nusd_per_kwh = { low = 2, likely = 1, high = 3 }", "low must not exceed"),
            ("[hybrid]\nprofile = [1, 2]", "needs 168 numbers"),
            ("[need]\nsizes = []", "between 1 and 64"),
            ("[need]\nsizes = [{ share = 0.5, input_tokens = 5 }]", "add up to 0.5"),
            ("[need]\nsizes = [{ share = 1, input_token = 5 }]", "input_tokens"),
            ("[need]\nsizes = [{ share = 1, cached_input_share = 2 }]", "must be between"),
            ("[need]\nrequests_per_month = \"many\"", "must be a number"),
        ] {
            assert!(wrong(text).contains(part), "{text}: {}", wrong(text));
        }
    }

    #[test]
    fn flags_and_files_read_alike() {
        let key = keys::local::USD_PER_KWH;
        let flag =
            value_from_text(key, UserInput::flag("--local.usd-per-kwh"), "0.2:0.3:0.5").expect("valid");
        assert_eq!(flag.value, Value::Uncertain(Range { low: 0.2, likely: 0.3, high: 0.5 }));
        let message = value_from_text(key, UserInput::flag("--local.usd-per-kwh"), "-1")
            .expect_err("negative")
            .to_string();
        assert!(message.contains("--local.usd-per-kwh -1") && message.contains("below 0"), "{message}");
    }
}
