//! Ids are kept as hashes, and no id can be read back from a document. Where a request's counts are kept
//! with its id the hash has 64 bits: one chance in 370,000 that any two of ten million requests meet. Where
//! only the id is kept ([`IdSet`]) it has 52, in four bytes: one chance in ninety that a single one of ten
//! million different requests is taken for a repeat, one in four among fifty million.

use foldhash::fast::FixedState;
use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher as _};

/// Ids that a provider makes unique, so that the same answer is known again in the log of another tool.
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

/// The hash of what makes a row of `source` what it is, where it has no id: its bucket and its group.
pub fn key(source: &str, parts: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    (source, parts).hash(&mut hasher);
    hasher.finish()
}

/// Memory of the recent ids before they move to the sorted part, bytes.
const RECENT: usize = 4 << 20;
/// The sorted part is parted by the high 16 bits of the hash, so that 48 remain to be kept.
const PARTS: usize = 1 << 16;

/// A map from such hashes for tens of millions of them: the recent ones in a hash table, the others
/// sorted, six bytes and the value for each. A hash table alone needs twice that, and three times while
/// it grows.
#[derive(Debug)]
pub struct IdTable<V> {
    recent: HashMap<u64, V, FixedState>,
    /// Low 48 bits, sorted within their part.
    keys: Vec<[u8; 6]>,
    values: Vec<V>,
    /// Where each part begins; one more than there are parts, or none.
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
    /// Its value.
    pub fn get(&self, key: u64) -> Option<V> {
        self.recent.get(&key).copied().or_else(|| Some(self.values[self.sorted_place(key)?]))
    }
    /// Set its value; true if it is new.
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
    /// As many as the hash table takes without growing beyond [`RECENT`].
    const MOST_RECENT: usize = RECENT / size_of::<(u64, V)>() * 7 / 8;
    /// Move the recent ones to the sorted part, from its end so that nothing is kept twice.
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
    /// Every value, in an order that depends on the keys alone.
    pub fn into_values(mut self) -> impl Iterator<Item = V> {
        self.sort_in();
        self.values.into_iter()
    }
}

/// Ids of a set that move to its sorted part at once.
const MOVED: usize = (RECENT / size_of::<u64>()) * 7 / 8;
/// The sorted part of a set is parted by the high 20 bits, so that 32 of 52 remain to be kept.
const SET_PARTS: usize = 1 << 20;

/// A set of such hashes, four bytes for each: a log of a gigabyte may hold twelve million ids and little
/// else. Like [`IdTable`], the recent ones are in a hash table and the others sorted.
#[derive(Debug, Default)]
pub struct IdSet {
    recent: HashSet<u64, FixedState>,
    /// Low 32 bits of 52, sorted within their part.
    keys: Vec<u32>,
    /// Where each part begins; one more than there are parts, or none.
    starts: Vec<u32>,
}

impl IdSet {
    /// The 52 bits that are kept.
    const fn kept(key: u64) -> u64 {
        key >> 12
    }
    #[allow(clippy::cast_possible_truncation)]
    const fn split(kept: u64) -> (usize, u32) {
        ((kept >> 32) as usize, kept as u32)
    }
    /// Where it stands among the sorted ones, or would stand.
    fn place(&self, kept: u64) -> Result<usize, usize> {
        let (part, rest) = Self::split(kept);
        let (Some(from), Some(to)) = (self.starts.get(part), self.starts.get(part + 1)) else {
            return Err(0);
        };
        let (from, to) = (*from as usize, *to as usize);
        self.keys[from..to].binary_search(&rest).map(|at| from + at).map_err(|at| from + at)
    }
    /// It was inserted.
    pub fn contains(&self, key: u64) -> bool {
        let kept = Self::kept(key);
        self.recent.contains(&kept) || self.place(kept).is_ok()
    }
    /// Insert it; true if it is new.
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
    /// Move the recent ones to the sorted part, from its end so that nothing is kept twice.
    fn sort_in(&mut self) {
        let mut new: Vec<u64> = self.recent.drain().collect();
        new.sort_unstable();
        if self.starts.is_empty() {
            self.starts = vec![0; SET_PARTS + 1];
        }
        let mut old = self.keys.len();
        self.keys.reserve_exact(new.len());
        self.keys.resize(old + new.len(), 0);
        // From the largest down: all that stands from its place on has moved already and is larger.
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
        // 7 and the last are now 70 and 71, which others are, too.
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
