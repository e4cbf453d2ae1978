//! Ids are kept as 64-bit hashes: enough to tell ten million requests apart (one chance in 370,000 that
//! any two meet), and no id can be read back from a document.

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

const SHARDS: usize = 256;

/// A map from such hashes that grows by a quarter at a time, shard by shard: the standard one doubles
/// all at once, which costs three times its size at the moment it can be least afforded.
#[derive(Debug)]
pub struct IdTable<V> {
    shards: Vec<Shard<V>>,
}

#[derive(Debug)]
struct Shard<V> {
    /// 0 marks a free place.
    keys: Vec<u64>,
    values: Vec<V>,
    used: usize,
}

/// Where a key is, or where it would go.
enum Place {
    Found(usize),
    Free(usize),
    Nowhere,
}

impl<V: Copy + Default> Shard<V> {
    #[allow(clippy::cast_possible_truncation)]
    fn place(&self, key: u64) -> Place {
        let size = self.keys.len();
        if size == 0 {
            return Place::Nowhere;
        }
        // The low half of the key, scaled to the size; the shard was chosen by the high byte.
        let mut at = (((key & 0xffff_ffff) * size as u64) >> 32) as usize;
        loop {
            match self.keys[at] {
                0 => return Place::Free(at),
                found if found == key => return Place::Found(at),
                _ => at = if at + 1 == size { 0 } else { at + 1 },
            }
        }
    }

    fn grow(&mut self) {
        let size = self.keys.len() + self.keys.len() / 4 + 16;
        let mut larger = Self { keys: vec![0; size], values: vec![V::default(); size], used: self.used };
        for (key, value) in self.keys.iter().zip(&self.values) {
            if let (true, Place::Free(at)) = (*key != 0, larger.place(*key)) {
                larger.keys[at] = *key;
                larger.values[at] = *value;
            }
        }
        *self = larger;
    }
}

impl<V: Copy + Default> Default for IdTable<V> {
    fn default() -> Self {
        let empty = || Shard { keys: Vec::new(), values: Vec::new(), used: 0 };
        Self { shards: (0..SHARDS).map(|_| empty()).collect() }
    }
}

impl<V: Copy + Default> IdTable<V> {
    #[allow(clippy::cast_possible_truncation)]
    fn shard(key: u64) -> usize {
        (key >> 56) as usize % SHARDS
    }
    /// Its value.
    pub fn get(&self, key: u64) -> Option<V> {
        let (key, shard) = (key.max(1), &self.shards[Self::shard(key)]);
        match shard.place(key) {
            Place::Found(at) => Some(shard.values[at]),
            _ => None,
        }
    }
    /// Set its value; true if it is new.
    pub fn insert(&mut self, key: u64, value: V) -> bool {
        let (key, shard) = (key.max(1), &mut self.shards[Self::shard(key)]);
        if (shard.used + 1) * 8 > shard.keys.len() * 7 {
            shard.grow();
        }
        match shard.place(key) {
            Place::Found(at) => {
                shard.values[at] = value;
                false
            }
            Place::Free(at) => {
                shard.keys[at] = key;
                shard.values[at] = value;
                shard.used += 1;
                true
            }
            Place::Nowhere => false,
        }
    }
    /// Every value, in an order that depends on the keys alone.
    pub fn values(&self) -> impl Iterator<Item = V> {
        self.shards
            .iter()
            .flat_map(|s| s.keys.iter().zip(&s.values).filter(|(k, _)| **k != 0).map(|(_, v)| *v))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_went_in_is_found_and_nothing_else() {
        let mut table = IdTable::<u32>::default();
        for n in 0..20_000u32 {
            assert!(table.insert(key("t", n), n));
        }
        assert!(!table.insert(key("t", 7u32), 70));
        assert_eq!(table.get(key("t", 7u32)), Some(70));
        assert_eq!(table.get(key("t", 20_000u32)), None);
        assert_eq!(table.values().count(), 20_000);
        assert!(table.insert(0, 1) && table.get(0) == Some(1));
    }

    #[test]
    fn only_the_ids_of_providers_are_known_across_sources() {
        let answer = "msg_01ABCDEFGHIJKLMNOP";
        assert_eq!(id("claude-code", answer), id("litellm-spend-logs", answer));
        assert_ne!(id("claude-code", "1"), id("generic", "1"));
    }
}
