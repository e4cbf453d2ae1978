//! Sets and maps of ids. Ids are kept as hashes, from which they cannot be recovered. A request's counts
//! are kept with a hash of 64 bits: among ten million requests there is one chance in 370,000 of any
//! collision. Where only the id is kept ([`IdSet`]) the hash has 52 bits, in four bytes: among ten million
//! different requests there is one chance in ninety that any is taken for a repeat, among fifty million one
//! in four.

use foldhash::fast::FixedState;
use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher as _};

/// Beginnings of ids that a provider makes unique, so that the log of another tool can contain the same
/// answer.
const OF_PROVIDERS: [&str; 8] =
    ["msg_", "chatcmpl-", "resp_", "gen-", "req_", "cmpl-", "batch_req_", "call_"];

/// The hash of an id of `source`.
pub fn id(source: &str, text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    if text.len() < 20 || !OF_PROVIDERS.iter().any(|p| text.starts_with(p)) {
        source.hash(&mut hasher);
    }
    text.hash(&mut hasher);
    hasher.finish()
}

/// The hash of what identifies a row of `source` that has no id: its bucket and its group.
pub fn key(source: &str, parts: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    (source, parts).hash(&mut hasher);
    hasher.finish()
}

/// Memory for recent ids, before they move to the sorted part, bytes.
const RECENT: usize = 4 << 20;
/// The sorted part is divided by the high 16 bits of the hash, so that 48 bits remain to be stored.
const PARTS: usize = 1 << 16;

/// A map with hashes as keys, for tens of millions of them. Recent ones are in a hash table, the others are
/// sorted and take six bytes and the value each. A hash table alone would need twice that, and three times
/// while it grows.
#[derive(Debug)]
pub struct IdTable<V> {
    recent: HashMap<u64, V, FixedState>,
    /// The low 48 bits of the hashes, sorted within their part.
    keys: Vec<[u8; 6]>,
    values: Vec<V>,
    /// Index where each part begins, plus one for the end; empty while there are no parts.
    starts: Vec<u32>,
}

impl<V> Default for IdTable<V> {
    fn default() -> Self {
        Self { recent: HashMap::default(), keys: Vec::new(), values: Vec::new(), starts: Vec::new() }
    }
}

#[allow(clippy::cast_possible_truncation)]
const fn part(key: u64) -> usize {
    (key >> 48) as usize
}

fn rest(key: u64) -> [u8; 6] {
    let [_, _, rest @ ..] = key.to_be_bytes();
    rest
}

impl<V: Copy> IdTable<V> {
    fn sorted_place(&self, key: u64) -> Option<usize> {
        let from = *self.starts.get(part(key))? as usize;
        let to = *self.starts.get(part(key) + 1)? as usize;
        self.keys[from..to].binary_search(&rest(key)).ok().map(|at| from + at)
    }
    /// The value of a key.
    pub fn get(&self, key: u64) -> Option<V> {
        self.recent.get(&key).copied().or_else(|| Some(self.values[self.sorted_place(key)?]))
    }
    /// Set the value of a key; returns true if the key is new.
    pub fn insert(&mut self, key: u64, value: V) -> bool {
        if let Some(known) = self.recent.get_mut(&key) {
            *known = value;
            return false;
        }
        if let Some(at) = self.sorted_place(key) {
            self.values[at] = value;
            return false;
        }
        self.recent.insert(key, value);
        if self.recent.len() >= Self::MOST_RECENT {
            self.sort_in();
        }
        true
    }
    /// As many entries as the hash table holds without growing beyond [`RECENT`].
    const MOST_RECENT: usize = RECENT / size_of::<(u64, V)>() * 7 / 8;
    /// Move recent entries to the sorted part, starting at its end, so that nothing is stored twice.
    fn sort_in(&mut self) {
        let mut new: Vec<(u64, V)> = self.recent.drain().collect();
        new.sort_unstable_by_key(|(key, _)| *key);
        let (mut old, added) = (self.keys.len(), new.len());
        self.keys.reserve_exact(added);
        self.keys.resize(old + added, [0; 6]);
        self.values.reserve_exact(added);
        self.values.extend(new.iter().map(|(_, value)| *value));
        if self.starts.is_empty() {
            self.starts = vec![0; PARTS + 1];
        }
        let mut to = old + added;
        for at in (0..PARTS).rev() {
            let from = self.starts[at] as usize;
            self.starts[at + 1] = u32::try_from(to).unwrap_or(u32::MAX);
            loop {
                let newest = new.last().filter(|(key, _)| part(*key) == at);
                match newest {
                    Some((key, value)) if old == from || self.keys[old - 1] < rest(*key) => {
                        to -= 1;
                        self.keys[to] = rest(*key);
                        self.values[to] = *value;
                        new.pop();
                    }
                    _ if old > from => {
                        (to, old) = (to - 1, old - 1);
                        self.keys[to] = self.keys[old];
                        self.values[to] = self.values[old];
                    }
                    _ => break,
                }
            }
        }
    }
    /// All values, in an order that depends only on the keys.
    pub fn into_values(mut self) -> impl Iterator<Item = V> {
        self.sort_in();
        self.values.into_iter()
    }
}

/// Number of ids that a set moves to its sorted part at once.
const MOVED: usize = (RECENT / size_of::<u64>()) * 7 / 8;
/// The sorted part of a set is divided by the high 20 bits, so that 32 of 52 bits remain to be stored.
const SET_PARTS: usize = 1 << 20;

/// A set of hashes with four bytes for each: a log of a gigabyte can contain twelve million ids and little
/// else. As in [`IdTable`], recent ones are in a hash table and the others are sorted.
#[derive(Debug, Default)]
pub struct IdSet {
    recent: HashSet<u64, FixedState>,
    /// The low 32 of 52 bits, sorted within their part.
    keys: Vec<u32>,
    /// Index where each part begins, plus one for the end; empty while there are no parts.
    starts: Vec<u32>,
}

impl IdSet {
    /// The 52 bits of a hash that are kept.
    const fn kept(key: u64) -> u64 {
        key >> 12
    }
    #[allow(clippy::cast_possible_truncation)]
    const fn split(kept: u64) -> (usize, u32) {
        ((kept >> 32) as usize, kept as u32)
    }
    /// The index of a hash among the sorted ones, or the index where it would be inserted.
    fn place(&self, kept: u64) -> Result<usize, usize> {
        let (part, rest) = Self::split(kept);
        let (Some(from), Some(to)) = (self.starts.get(part), self.starts.get(part + 1)) else {
            return Err(0);
        };
        let (from, to) = (*from as usize, *to as usize);
        self.keys[from..to].binary_search(&rest).map(|at| from + at).map_err(|at| from + at)
    }
    /// Is it in the set?
    pub fn contains(&self, key: u64) -> bool {
        let kept = Self::kept(key);
        self.recent.contains(&kept) || self.place(kept).is_ok()
    }
    /// Insert a hash; returns true if it is new.
    pub fn insert(&mut self, key: u64) -> bool {
        let kept = Self::kept(key);
        if self.place(kept).is_ok() || !self.recent.insert(kept) {
            return false;
        }
        if self.recent.len() >= MOVED {
            self.sort_in();
        }
        true
    }
    /// Move recent hashes to the sorted part, starting at its end, so that nothing is stored twice.
    fn sort_in(&mut self) {
        let mut new: Vec<u64> = self.recent.drain().collect();
        new.sort_unstable();
        if self.starts.is_empty() {
            self.starts = vec![0; SET_PARTS + 1];
        }
        let mut old = self.keys.len();
        self.keys.reserve_exact(new.len());
        self.keys.resize(old + new.len(), 0);
        // From the largest down: everything after its index has moved already, and is larger.
        for (before, kept) in new.iter().enumerate().rev() {
            let at = self.place(*kept).unwrap_or_else(|at| at);
            self.keys.copy_within(at..old, at + before + 1);
            self.keys[at + before] = Self::split(*kept).1;
            old = at;
        }
        let mut added = 0;
        let mut new = new.into_iter().peekable();
        for part in 0..SET_PARTS {
            while new.next_if(|kept| Self::split(*kept).0 == part).is_some() {
                added += 1;
            }
            self.starts[part + 1] += added;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_went_in_is_found_and_nothing_else() {
        let mut table = IdTable::<u32>::default();
        let ids = 3 * u32::try_from(IdTable::<u32>::MOST_RECENT).expect("small") + 7;
        for n in 0..ids {
            assert!(table.insert(key("t", n), n));
            if n % 1000 == 0 {
                assert!(!table.insert(key("t", n / 2), n / 2));
            }
        }
        assert!(!table.insert(key("t", 7u32), 70) && !table.insert(key("t", ids - 1), 71));
        assert!(table.insert(0, 1) && table.insert(u64::MAX, 2));
        for n in (0..ids).step_by(97).chain([7, ids - 1]) {
            let value = if n == 7 {
                70
            } else if n == ids - 1 {
                71
            } else {
                n
            };
            assert_eq!(table.get(key("t", n)), Some(value));
        }
        assert_eq!((table.get(key("t", ids)), table.get(0), table.get(u64::MAX)), (None, Some(1), Some(2)));
        let mut values: Vec<u32> = table.into_values().collect();
        assert_eq!((values.len(), values.first(), values.last()), (ids as usize + 2, Some(&1), Some(&2)));
        values.sort_unstable();
        values.dedup();
        // 7 and the last one became 70 and 71, which others also are.
        assert_eq!(values.len(), ids as usize - 2);
    }

    #[test]
    fn a_set_holds_what_went_in_and_nothing_else() {
        let mut set = IdSet::default();
        let ids = 3 * u32::try_from(MOVED).expect("small") + 7;
        for n in 0..ids {
            assert!(set.insert(key("t", n)), "{n}");
            if n % 1000 == 0 {
                assert!(!set.insert(key("t", n / 2)), "{n}");
            }
        }
        assert!(set.insert(0) && set.insert(u64::MAX) && !set.insert(0) && !set.insert(u64::MAX));
        assert!((0..ids).all(|n| set.contains(key("t", n))));
        assert!(!(ids..2 * ids).any(|n| set.contains(key("t", n))));
        assert!(set.keys.len() >= 3 * MOVED);
        let sorted = |w: &[u32]| set.keys[w[0] as usize..w[1] as usize].is_sorted();
        assert!(set.starts.windows(2).all(sorted));
    }

    #[test]
    fn only_the_ids_of_providers_are_known_across_sources() {
        let answer = "msg_01ABCDEFGHIJKLMNOP";
        assert_eq!(id("claude-code", answer), id("litellm-spend-logs", answer));
        assert_ne!(id("claude-code", "1"), id("generic", "1"));
    }
}
