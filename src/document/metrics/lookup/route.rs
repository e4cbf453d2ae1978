//! Finds what a document has at a place of a metric, through all lists on the way.

use super::figure::Why;
use super::lists::{List, after};
use crate::document::metrics::metric::{Metric, Place};
use serde_json::Value;

/// The way from the result to a place, list by list.
pub(super) struct Route {
    pub(super) place: &'static Place,
    /// For each list: the words that lead to it, and how its entries are named.
    pub(super) lists: Vec<(Vec<&'static str>, &'static List)>,
    /// The words from the last entry (or from the result) to the field.
    words: Vec<&'static str>,
    /// These words are part of the figure's name.
    spoken: bool,
    pub(super) field: &'static str,
}

/// What a document has at a place.
pub(super) struct Entry<'v> {
    /// The subject in full: each list, and the name of its entry.
    pub(super) subject: Vec<String>,
    pub(super) value: &'v Value,
    /// The object that contains the field.
    pub(super) around: &'v Value,
}

impl Route {
    /// The routes to every place of a metric. The words on the way become part of the name only where they
    /// are needed to tell places apart: for the second place within the same entry, and for all but the
    /// first in the document itself.
    pub(super) fn all(metric: &'static Metric, kind: &str) -> Vec<Self> {
        let mut routes: Vec<Self> = Vec::new();
        for place in metric.places_in(kind) {
            let mut route = Self::to(place);
            let names = |route: &Self| route.lists.iter().map(|(_, list)| list.name).collect::<Vec<_>>();
            let taken = routes.iter().any(|other| names(other) == names(&route));
            route.spoken = taken || (route.lists.is_empty() && !routes.is_empty());
            routes.push(route);
        }
        routes
    }

    pub(super) fn to(place: &'static Place) -> Self {
        let (mut lists, mut words) = (Vec::new(), Vec::new());
        for key in place.path.split('.') {
            match key.strip_suffix("[]") {
                Some(list) => {
                    words.push(list);
                    lists.push((std::mem::take(&mut words), List::of(place.document, list)));
                }
                None => words.push(key),
            }
        }
        let field = words.pop().unwrap_or_default();
        Self { place, lists, words, spoken: false, field }
    }

    /// The one entry that a subject names.
    pub(super) fn entry<'v>(&self, result: &'v Value, subject: &str) -> Result<Entry<'v>, Why> {
        let (mut at, mut rest, mut written) = (result, subject, Vec::new());
        for (words, list) in &self.lists {
            let entries = down(at, words).and_then(Value::as_array).ok_or(Why::NoSuchSubject)?;
            match after(rest, list.name) {
                Some(after) => rest = after,
                None if list.silent => {}
                None => return Err(Why::NoSuchSubject),
            }
            let (entry, after) = list.choose(entries, rest, result)?;
            (at, rest) = (entry, after);
            written.extend((!list.silent).then(|| list.name.to_owned()));
            written.push(list.name_of(entry));
        }
        for word in &self.words {
            match after(rest, word) {
                Some(after) => rest = after,
                None if self.spoken => return Err(Why::NoSuchSubject),
                None => {}
            }
        }
        if !rest.is_empty() {
            return Err(Why::NoSuchSubject);
        }
        self.ending(written, at).ok_or(Why::NoSuchSubject)
    }

    /// The field below an entry. A field that is absent counts as `null`, unless the object it belongs to
    /// is missing altogether.
    fn ending<'v>(&self, mut subject: Vec<String>, at: &'v Value) -> Option<Entry<'v>> {
        let around = down(at, &self.words)?;
        if self.spoken {
            subject.extend(self.words.iter().map(|word| (*word).to_owned()));
        }
        Some(Entry { subject, value: around.get(self.field).unwrap_or(&Value::Null), around })
    }

    /// Every entry that has this place.
    pub(super) fn entries<'v>(&self, result: &'v Value) -> Vec<Entry<'v>> {
        let mut found = vec![(Vec::new(), result)];
        for (words, list) in &self.lists {
            let mut inner = Vec::new();
            for (subject, at) in found {
                for entry in down(at, words).and_then(Value::as_array).into_iter().flatten() {
                    let mut subject: Vec<String> = subject.clone();
                    subject.extend((!list.silent).then(|| list.name.to_owned()));
                    subject.push(list.name_of(entry));
                    inner.push((subject, entry));
                }
            }
            found = inner;
        }
        found.into_iter().filter_map(|(subject, at)| self.ending(subject, at)).collect()
    }
}

fn down<'v>(at: &'v Value, words: &[&str]) -> Option<&'v Value> {
    words.iter().try_fold(at, |at, word| at.get(*word))
}
