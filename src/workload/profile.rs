//! Profiles: needs in files, `profiles/*.toml`. The shipped ones describe common use cases; the wizard can
//! save the user's own.
//!
//! ```toml
//! title = "Support chat"
//! privacy = "standard"
//! modifiers = ["bursts"]
//!
//! [need]
//! requests_per_month = 20_000
//! ```

use super::answers::{Answer, Modifier};
use super::given::{Fields, Given, InputError, Place, Value, unknown};
use super::keys::{Key, Section, answers, find, need};
use super::need::NeedDraft;
use crate::provenance::FileRole;
use std::fmt::Write as _;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A need in a file. Any answer may be absent; flags and questions supply the rest.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Profile {
    /// Title in one line, for lists.
    pub title: String,
    /// The situation that it describes.
    pub about: Option<String>,
    /// The row of the use-case tables that it stands for.
    pub brief: Option<String>,
    /// Its values, with this file as their source.
    pub draft: NeedDraft,
}

/// The keys of `[slo]`, an older name for a part of `[need]`.
pub const LIMITS: &[&Key] = &[need::TTFT_MS, need::TPOT_MS, need::E2E_MS];

/// Names and texts of the shipped profiles, sorted by name.
pub const SHIPPED: &[(&str, &str)] = &[
    ("bursty", include_str!("../../profiles/bursty.toml")),
    ("cost-optimization", include_str!("../../profiles/cost-optimization.toml")),
    ("embedded-in-product", include_str!("../../profiles/embedded-in-product.toml")),
    ("fine-tuned", include_str!("../../profiles/fine-tuned.toml")),
    ("gradual-migration", include_str!("../../profiles/gradual-migration.toml")),
    ("healthcare-strict", include_str!("../../profiles/healthcare-strict.toml")),
    ("high-volume-extraction", include_str!("../../profiles/high-volume-extraction.toml")),
    ("hybrid-routing", include_str!("../../profiles/hybrid-routing.toml")),
    ("legal", include_str!("../../profiles/legal.toml")),
    ("low-volume-app", include_str!("../../profiles/low-volume-app.toml")),
    ("maximum-capability", include_str!("../../profiles/maximum-capability.toml")),
    ("offline-field-device", include_str!("../../profiles/offline-field-device.toml")),
    ("predictable-latency", include_str!("../../profiles/predictable-latency.toml")),
    ("redundancy", include_str!("../../profiles/redundancy.toml")),
    ("small-team", include_str!("../../profiles/small-team.toml")),
    ("starting-out", include_str!("../../profiles/starting-out.toml")),
];

impl Profile {
    /// Read a profile. `file` is its name, for sources and for errors.
    ///
    /// # Errors
    ///
    /// Names the line, with a caret, and the nearest known key.
    pub fn parse(file: &str, text: &str) -> Result<Self, InputError> {
        let place = Place { text, file, role: FileRole::Profile };
        let root = DeTable::parse(text).map_err(|e| place.not_toml(&e))?;
        let mut profile = Self::default();
        let mut fields = Fields::new();
        for (name, value) in root.get_ref() {
            let table = |keys: &[&'static Key]| match value.get_ref() {
                DeValue::Table(table) => place.fields(Section::Need, table, keys, answers::KEYS),
                _ => Err(place.error(name.span(), &format!("`{0}` must be a table: [{0}]", name.get_ref()))),
            };
            match name.get_ref().as_ref() {
                "title" => profile.title = place_text(place, name.get_ref(), value)?,
                "about" => profile.about = Some(place_text(place, name.get_ref(), value)?),
                "brief" => profile.brief = Some(place_text(place, name.get_ref(), value)?),
                "modifiers" => fields.extend(modifiers(place, value)?),
                "need" => fields.extend(table(need::KEYS)?),
                "slo" => fields.extend(table(LIMITS)?),
                other => {
                    let key = find(answers::KEYS, other)
                        .filter(|k| !k.name.starts_with(answers::MODIFIER))
                        .ok_or_else(|| place.error(name.span(), &unknown_key(other)))?;
                    fields.insert(key.name, place.given(key, value)?);
                }
            }
        }
        if profile.title.is_empty() {
            return Err(InputError(format!(
                "{file}: `title` is missing: one line that says what the need is of, such as title = \"Support chat\""
            )));
        }
        profile.draft = NeedDraft::of(fields);
        Ok(profile)
    }

    /// The shipped profile with this name.
    pub fn shipped(name: &str) -> Option<Self> {
        let (_, text) = SHIPPED.iter().find(|(n, _)| *n == name)?;
        Self::parse(name, text).ok()
    }

    /// The profile as a file that [`Self::parse`] can read.
    pub fn to_toml(&self) -> String {
        let text = |t: &str| toml::Value::from(t).to_string();
        let mut out = format!("title = {}\n", text(&self.title));
        for (name, line) in [("about", &self.about), ("brief", &self.brief)] {
            if let Some(line) = line {
                let _ = writeln!(out, "{name} = {}", text(line));
            }
        }
        out.push('\n');
        let said = |keys: &'static [&'static Key]| {
            keys.iter().filter_map(|k| Some((*k, self.draft.fields().get(k.name)?)))
        };
        for (key, given) in said(answers::KEYS).filter(|(k, _)| !k.name.starts_with(answers::MODIFIER)) {
            let _ = writeln!(out, "{} = {}", key.name, given.value.to_toml());
        }
        let modifiers: Vec<String> = self.draft.modifiers().iter().map(|m| text(m.key())).collect();
        if !modifiers.is_empty() {
            let _ = writeln!(out, "modifiers = [{}]", modifiers.join(", "));
        }
        let mut requests = said(need::KEYS).peekable();
        if requests.peek().is_some() {
            out.push_str("\n[need]\n");
        }
        for (key, given) in requests {
            let _ = writeln!(out, "{} = {}", key.name, given.value.to_toml());
        }
        out
    }
}

fn place_text(place: Place<'_>, name: &str, value: &Spanned<DeValue<'_>>) -> Result<String, InputError> {
    match value.get_ref() {
        DeValue::String(text) if text.len() <= 1000 => Ok(text.to_string()),
        _ => Err(place.error(value.span(), &format!("{name}: must be text in quotes, at most 1,000 bytes"))),
    }
}

fn modifiers(place: Place<'_>, value: &Spanned<DeValue<'_>>) -> Result<Fields, InputError> {
    let DeValue::Array(items) = value.get_ref() else {
        return Err(place.error(value.span(), "modifiers: must be a list, such as [\"offline\"]"));
    };
    let mut fields = Fields::new();
    for item in items {
        let word = match item.get_ref() {
            DeValue::String(word) => word.to_string(),
            _ => return Err(place.error(item.span(), "modifiers: must be words in quotes")),
        };
        let key = Modifier::from_word(&word)
            .and_then(|m| find(answers::KEYS, &format!("{}{}", answers::MODIFIER, m.key())))
            .ok_or_else(|| {
                let words = Modifier::WORDS.iter().map(|w| w.word);
                place.error(item.span(), &unknown("modifier", &word, words))
            })?;
        let source = place.source(key, item.span());
        fields.insert(key.name, Given { value: Value::Flag(true), source });
    }
    Ok(fields)
}

fn unknown_key(typed: &str) -> String {
    let top = answers::KEYS.iter().map(|k| k.name).filter(|n| !n.starts_with(answers::MODIFIER));
    let names = top.chain(["title", "about", "brief", "modifiers", "need", "slo"]);
    let message = unknown("key of a profile", typed, names);
    match find(need::KEYS, typed) {
        Some(key) => format!("{message}; `{}` belongs to [need]", key.name),
        None => message,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workload::{Privacy, Volume};

    fn error(text: &str) -> String {
        Profile::parse("mine.toml", text).expect_err("must be refused").to_string()
    }

    #[test]
    fn a_typo_names_file_line_and_nearest_key() {
        let message = error("title = \"x\"\nprivcy = \"strict\"\n");
        assert!(
            message.starts_with("mine.toml:2:1: unknown key of a profile `privcy`: did you mean `privacy`"),
            "{message}"
        );
        assert!(message.contains("^^^^^^"), "{message}");
        let message = error("title = \"x\"\nprivacy = \"strickt\"\n");
        assert!(
            message.contains("must be one of standard, sensitive, strict. Did you mean `strict`?"),
            "{message}"
        );
        assert!(error("title = \"x\"\ninput_tokens = 3\n").contains("belongs to [need]"));
        assert!(error("privacy = \"strict\"\n").contains("`title` is missing"));
        let message = error("title = \"x\"\nmodifiers = [\"ofline\"]\n");
        assert!(
            message.starts_with("mine.toml:2:14: unknown modifier `ofline`: did you mean `offline`"),
            "{message}"
        );
    }

    #[test]
    fn counts_are_finite_and_not_negative() {
        for bad in ["-1", "nan", "inf"] {
            assert!(
                !error(&format!("title = \"x\"\n[need]\nrequests_per_month = {bad}\n")).is_empty(),
                "{bad}"
            );
        }
    }

    #[test]
    fn answers_know_their_line() {
        let text =
            "title = \"x\"\nvolume = \"high\"\n[need]\nrequests_per_month = 20000\n[slo]\nttft_ms = 500\n";
        let draft = Profile::parse("p.toml", text).expect("parses").draft;
        assert_eq!(draft.answer::<Volume>(answers::VOLUME), Some(Volume::High));
        assert_eq!(draft.number(need::REQUESTS_PER_MONTH), Some(20_000.0));
        assert_eq!(draft.number(need::TTFT_MS), Some(500.0));
        let source = draft.source(need::REQUESTS_PER_MONTH).expect("given");
        assert_eq!(source.describe(), "user (p.toml:4 need.requests_per_month)");
    }

    #[test]
    fn what_is_written_is_read_back() {
        for (name, text) in SHIPPED {
            let profile = Profile::parse(name, text).expect("shipped profiles parse");
            let again = Profile::parse(name, &profile.to_toml()).expect("reads what it wrote");
            let values = |p: &Profile| -> Vec<(&str, Value)> {
                p.draft.fields().iter().map(|(k, g)| (*k, g.value.clone())).collect()
            };
            assert_eq!(values(&again), values(&profile), "{name}");
            assert_eq!((&again.title, &again.about), (&profile.title, &profile.about));
        }
    }

    #[test]
    fn a_mandate_implies_strict_privacy() {
        let profile = Profile::parse("p", "title = \"x\"\nprivacy_reason = \"hipaa\"\n").expect("parses");
        let draft = profile.draft.with_implied();
        assert_eq!(draft.answer::<Privacy>(answers::PRIVACY), Some(Privacy::Strict));
    }
}
