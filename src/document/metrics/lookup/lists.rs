//! The lists of documents, and how their entries are named in paths of figures.

use super::figure::Why;
use serde_json::Value;

/// A list of a document, and how its entries are named.
pub(super) struct List {
    document: &'static str,
    /// The last word of the list's path.
    pub(super) name: &'static str,
    /// The word may be omitted before the name of an entry.
    pub(super) silent: bool,
    /// Fields that name an entry; all of them together are its full name.
    pub(super) keys: &'static [&'static str],
    /// Separators between these fields in a full name.
    pub(super) between: &'static [&'static str],
    /// If no entry is named, the first one is meant.
    first: bool,
    /// Field of the result that has the id of the best entry; without one, the first entry is the best.
    best: Option<&'static str>,
}

const LIST: List =
    List { document: "", name: "", silent: false, keys: &[], between: &[], first: false, best: None };

const LISTS: &[List] = &[
    List { document: "bench", name: "targets", silent: true, keys: &["id"], ..LIST },
    List { document: "bench", name: "levels", keys: &["concurrency"], ..LIST },
    List { document: "bench", name: "rates", keys: &["rate_per_s"], ..LIST },
    List { document: "bench", name: "turns", keys: &["turn"], ..LIST },
    List { document: "bench", name: "synthetic", keys: &["test"], ..LIST },
    List {
        document: "bench",
        name: "comparisons",
        keys: &["local", "api", "metric"],
        between: &[" against ", ": "],
        ..LIST
    },
    List {
        document: "bench",
        name: "quality",
        silent: true,
        keys: &["local", "api"],
        between: &[" against "],
        ..LIST
    },
    List {
        document: "bench",
        name: "pairs",
        silent: true,
        keys: &["a", "b"],
        between: &[" beside "],
        ..LIST
    },
    List { document: "bench", name: "judged", keys: &["judge"], ..LIST },
    List {
        document: "breakeven",
        name: "comparisons",
        silent: true,
        keys: &["local", "cloud"],
        between: &[" against "],
        first: true,
        ..LIST
    },
    List { document: "breakeven", name: "local", keys: &["name"], first: true, ..LIST },
    List { document: "breakeven", name: "cloud", keys: &["name"], first: true, ..LIST },
    List { document: "advice", name: "options", keys: &["id"], first: true, best: Some("chosen"), ..LIST },
    List {
        document: "fit",
        name: "rows",
        silent: true,
        keys: &["hardware", "model", "quantisation"],
        between: &["/", "/"],
        ..LIST
    },
    List { document: "plan", name: "plans", silent: true, keys: &["host"], first: true, ..LIST },
];

/// Further fields that can name an entry, where no other entry has the same value.
const ALSO: [&str; 4] = ["kind", "placement", "id", "name"];

impl List {
    pub(super) fn of(kind: &str, name: &str) -> &'static Self {
        LISTS.iter().find(|l| l.document == kind && l.name == name).unwrap_or(&LIST)
    }

    /// Full name of an entry.
    pub(super) fn name_of(&self, entry: &Value) -> String {
        let mut name = String::new();
        for (n, key) in self.keys.iter().enumerate() {
            if let Some(between) = n.checked_sub(1).and_then(|n| self.between.get(n)) {
                name.push_str(between);
            }
            name.push_str(&entry.get(*key).and_then(text).unwrap_or_default());
        }
        name
    }

    fn best<'v>(&self, entries: &'v [Value], result: &Value) -> Option<&'v Value> {
        let Some(id) = self.best.and_then(|field| result.get(field)?.as_str()) else {
            return entries.first();
        };
        entries.iter().find(|entry| entry.get("id").and_then(Value::as_str) == Some(id))
    }

    /// The entry named at the beginning of a subject, and the rest of the subject.
    pub(super) fn choose<'v, 'a>(
        &self,
        entries: &'v [Value],
        subject: &'a str,
        result: &Value,
    ) -> Result<(&'v Value, &'a str), Why> {
        if let (true, Some(rest)) = (self.first, after(subject, "best")) {
            return self.best(entries, result).map(|entry| (entry, rest)).ok_or(Why::NoSuchSubject);
        }
        let by = |names: &dyn Fn(&Value) -> Vec<String>| {
            let mut found: Vec<(&'v Value, &'a str)> = Vec::new();
            for entry in entries {
                let rests = names(entry).into_iter().filter_map(|name| after(subject, &name));
                found.extend(rests.min_by_key(|rest| rest.len()).map(|rest| (entry, rest)));
            }
            // The longest name wins: `rates.2.5` is 2.5 requests a second, not 5 within 2.
            let shortest = found.iter().map(|(_, rest)| rest.len()).min();
            found.retain(|(_, rest)| Some(rest.len()) == shortest);
            found
        };
        let full = by(&|entry| vec![self.name_of(entry)]);
        let parts = by(&|entry| {
            self.keys.iter().chain(&ALSO).filter_map(|key| entry.get(*key).and_then(text)).collect()
        });
        match (full.as_slice(), parts.as_slice(), entries) {
            ([one], ..) | ([], [one], _) => Ok(*one),
            ([_, ..], ..) | ([], [_, ..], _) => Err(Why::Ambiguous),
            // No entry is named, and there is only one.
            ([], [], [only]) => Ok((only, subject)),
            ([], [], [_, ..]) if self.first => {
                self.best(entries, result).map(|entry| (entry, subject)).ok_or(Why::NoSuchSubject)
            }
            ([], [], [_, ..]) if subject.is_empty() => Err(Why::Ambiguous),
            ([], [], _) => Err(Why::NoSuchSubject),
        }
    }
}

/// What follows a word and its dot at the beginning of a subject; `None` where it begins otherwise.
pub(super) fn after<'a>(subject: &'a str, word: &str) -> Option<&'a str> {
    let rest = subject.strip_prefix(word).filter(|_| !word.is_empty())?;
    if rest.is_empty() { Some(rest) } else { rest.strip_prefix('.') }
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.as_f64().map_or_else(|| number.to_string(), |n| n.to_string())),
        _ => None,
    }
}
