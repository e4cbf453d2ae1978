//! The header of a GGUF model file, read in safe Rust before any C++ sees it.
//!
//! ```text
//! bytes ─► counts and strings under caps (bytes) ─► metadata values (value) ─► facts of the model (facts)
//!                                               └─► tensor table (tensor) ──► bytes per part (weights)
//! ```
//!
//! [`read`] accepts versions 2 and 3. Every count is checked against the bytes that are left, every
//! sum and product is checked, and nothing is allocated before the bytes that fill it were read.
//! Tensor data is never read. What passes is *plausible*, not safe: the loader still runs in a
//! process of its own.
//!
//! Beyond the format itself, the reader refuses what is known to make the C++ loader abort: more
//! than [`MAX_LAYERS`] layers, more experts used than there are, lists of a wrong type or length.

#![warn(missing_docs)]

mod bytes;
mod error;
mod facts;
mod limits;
mod loader;
mod lookup;
#[cfg(test)]
pub(crate) mod sample;
mod tensor;
mod value;
mod weights;

pub use error::{GgufError, Problem};
pub use facts::{Facts, Split};
pub use limits::*;
pub use loader::{Cache, Kept};
pub use tensor::{Tensor, TensorType};
pub use value::{List, ListKind, Value};
pub use weights::Weights;

use bytes::Bytes;
use std::collections::{BTreeMap, HashSet};
use std::io::Read;

/// What the header of one model file says.
#[derive(Debug, Clone, PartialEq)]
pub struct Header {
    /// 2 or 3.
    pub version: u32,
    /// Bytes of the whole file, as the caller said.
    pub file_bytes: u64,
    /// Byte at which tensor data begins, or would: beyond the end where a file without tensors is not padded.
    pub data_offset: u64,
    /// Bytes that tensor data is padded to.
    pub alignment: u64,
    /// Everything in the file, by key. Long lists (vocabularies) are counted, not kept.
    pub metadata: BTreeMap<String, Value>,
    /// Every tensor, in the order of the file.
    pub tensors: Vec<Tensor>,
    /// The part of the metadata that says what the model is, checked.
    pub facts: Facts,
}

impl Header {
    /// The bytes of the tensors that are loaded, by type and by part of the model.
    pub fn weights(&self) -> Weights {
        Weights::of(&self.tensors, self.facts.loaded_layers)
    }
}

/// Read the header of a file that is `file_bytes` long. Reads forward only, and never past the
/// header (buffering apart).
pub fn read<R: Read>(reader: R, file_bytes: u64) -> Result<Header, GgufError> {
    let mut bytes = Bytes::new(reader, file_bytes);
    let mut magic = [0; 4];
    bytes.fill(&mut magic, "the magic")?;
    if &magic != b"GGUF" {
        return Err(GgufError::new(0, Problem::Magic));
    }
    let version = bytes.u32("the version")?;
    match version {
        2 | 3 => {}
        v if matches!(v.swap_bytes(), 1..=3) => return Err(GgufError::new(4, Problem::BigEndian)),
        v => return Err(GgufError::new(4, Problem::Version(v))),
    }
    let tensor_count = bytes.count("tensors", tensor::SMALLEST_ENTRY, MAX_TENSORS)?;
    let entry_count = bytes.count("metadata entries", value::SMALLEST_ENTRY, MAX_ENTRIES)?;

    let mut metadata = BTreeMap::new();
    let mut places = BTreeMap::new();
    for _ in 0..entry_count {
        let at = bytes.at();
        let key = bytes.name("key", MAX_KEY_BYTES)?;
        let value = value::read(&mut bytes, &key)?;
        if metadata.insert(key.clone(), value).is_some() {
            return Err(GgufError::new(at, Problem::DuplicateKey(key)));
        }
        places.insert(key, at);
    }
    let facts = facts::read(&metadata, &places)?;
    let alignment = facts.alignment;

    let mut tensors = Vec::new();
    let mut names = HashSet::new();
    for _ in 0..tensor_count {
        let at = bytes.at();
        let tensor = tensor::read(&mut bytes, alignment)?;
        if !names.insert(tensor.name.clone()) {
            return Err(GgufError::new(at, Problem::DuplicateTensor(tensor.name)));
        }
        tensors.push(tensor);
    }
    let data_offset = bytes.at().next_multiple_of(alignment);
    tensor::check_places(&tensors, data_offset, file_bytes)?;
    Ok(Header { version, file_bytes, data_offset, alignment, metadata, tensors, facts })
}

#[cfg(test)]
mod tests {
    use super::sample::{Builder, valid};
    use super::*;
    use proptest::prelude::*;

    fn parse(bytes: &[u8]) -> Result<Header, GgufError> {
        read(bytes, bytes.len() as u64)
    }
    type Check = fn(&Problem) -> bool;
    fn problem(bytes: &[u8]) -> Problem {
        parse(bytes).expect_err("must be refused").problem
    }

    #[test]
    fn a_small_model_is_understood() {
        let header = parse(&valid().bytes()).expect("valid");
        assert_eq!(header.facts.architecture.as_deref(), Some("llama"));
        assert_eq!(header.facts.layers, Some(2));
        assert_eq!(header.facts.kv_heads, [2, 2]);
        assert_eq!(header.facts.key_length, Some(16));
        assert_eq!(header.facts.vocabulary, Some(3));
        let weights = header.weights();
        // 64 × 32 values in Q4_0: 64 blocks of 18 bytes; output norm: 64 × 4 bytes.
        assert_eq!(weights.layers, [1152, 1152]);
        assert_eq!((weights.embedding, weights.output), (384, 0));
        assert_eq!(weights.total, 1152 * 2 + 384 + 256);
    }

    #[test]
    fn each_prefix_is_truncated_not_a_panic() {
        let bytes = valid().bytes();
        for cut in 0..bytes.len() {
            assert!(parse(&bytes[..cut]).is_err(), "cut at {cut}");
        }
    }

    #[test]
    fn what_is_impossible_is_refused() {
        assert_eq!(problem(b"GGML\x03\0\0\0"), Problem::Magic);
        assert_eq!(problem(b"GGUF\0\0\0\x03"), Problem::BigEndian);
        assert_eq!(problem(b"GGUF\x01\0\0\0"), Problem::Version(1));
        let huge = [b"GGUF\x03\0\0\0".as_slice(), &u64::MAX.to_le_bytes(), &[0; 8]].concat();
        assert!(matches!(problem(&huge), Problem::Count { what: "tensors", .. }));

        let cases: Vec<(Builder, Check)> = vec![
            (valid().text("general.architecture", "x"), |p| matches!(p, Problem::DuplicateKey(_))),
            (valid().u32("general.alignment", 24), |p| matches!(p, Problem::OutOfRange { .. })),
            (valid().u32("general.alignment", 0), |p| matches!(p, Problem::OutOfRange { .. })),
            (valid().without("llama.block_count").u32("llama.block_count", 513), |p| {
                matches!(p, Problem::OutOfRange { value: 513, .. })
            }),
            (valid().text("llama.context_length", "long"), |p| matches!(p, Problem::DuplicateKey(_))),
            (valid().without("llama.context_length").text("llama.context_length", "long"), |p| {
                matches!(p, Problem::WrongType { .. })
            }),
            (valid().u32("llama.expert_used_count", 2), |p| matches!(p, Problem::OutOfRange { .. })),
            (valid().u32s("tokenizer.ggml.token_type", &[1, 1]), |p| {
                matches!(p, Problem::ListLength { length: 2, expected: 3, .. })
            }),
            (valid().tensor("blk.0.attn_q.weight", &[64], 0), |p| matches!(p, Problem::DuplicateTensor(_))),
            (valid().tensor("wide", &[1, 1, 1, 1, 1], 0), |p| {
                matches!(p, Problem::Dimensions { dimensions: 5, .. })
            }),
            (valid().tensor("none", &[64, 0], 0), |p| matches!(p, Problem::DimensionSize { size: 0, .. })),
            (valid().tensor("huge", &[1 << 40, 1 << 40], 0), |p| matches!(p, Problem::SizeOverflow(_))),
            (valid().tensor("odd", &[33], 2), |p| matches!(p, Problem::BlockSize { row: 33, .. })),
            (valid().tensor("gone", &[64], 4), |p| matches!(p, Problem::TensorType { kind: 4, .. })),
            (valid().tensor_at("skew", &[8], 0, 8), |p| matches!(p, Problem::Misaligned { .. })),
            (valid().tensor_at("far", &[8], 0, 1 << 40), |p| matches!(p, Problem::OutsideFile { .. })),
            (valid().tensor_at("wrap", &[8], 0, u64::MAX - 31), |p| {
                matches!(p, Problem::OutsideFile { .. } | Problem::SizeOverflow(_))
            }),
            (valid().tensor_at("twin", &[8], 0, 0), |p| matches!(p, Problem::Overlap { .. })),
            (valid().tensor(&"n".repeat(64), &[8], 0), |p| matches!(p, Problem::TextTooLong { .. })),
        ];
        for (n, (builder, expected)) in cases.into_iter().enumerate() {
            let got = problem(&builder.bytes());
            assert!(expected(&got), "case {n}: {got}");
        }
    }

    /// Faults that published advisories and bug reports say have brought loaders down; the names are
    /// theirs.
    #[test]
    fn published_faults_are_refused() {
        let long = |length: u64| [length.to_le_bytes().as_slice(), b"abc"].concat();
        let list = |kind: u32, length: u64| [&kind.to_le_bytes()[..], &length.to_le_bytes()].concat();
        let tokens = "tokenizer.ggml.tokens";
        let heads = "llama.attention.head_count_kv";
        let cases: Vec<(&str, Builder, Check)> = vec![
            ("CVE-2024-23496, a text of 2^64 bytes", valid().entry("k", 8, &long(u64::MAX)), |p| {
                matches!(p, Problem::TextTooLong { bytes: u64::MAX, .. })
            }),
            ("CVE-2024-21836, a list of 2^61 numbers", valid().entry("k", 9, &list(10, 1 << 61)), |p| {
                matches!(p, Problem::Count { what: "entries of a list", .. })
            }),
            ("#26318, a list of 2^40 texts", valid().entry("k", 9, &list(8, 1 << 40)), |p| {
                matches!(p, Problem::Count { what: "texts of a list", .. })
            }),
            (
                "CVE-2025-49847, a token longer than the file",
                {
                    let token = [list(8, 1).as_slice(), &long(1 << 31)].concat();
                    valid().without(tokens).entry(tokens, 9, &token)
                },
                |p| matches!(p, Problem::TextTooLong { .. } | Problem::Truncated("a text of a list")),
            ),
            ("#26690, tokens that are numbers", valid().without(tokens).u32s(tokens, &[1, 2, 3]), |p| {
                matches!(p, Problem::WrongType { .. })
            }),
            ("#26690, heads that are texts", valid().without(heads).texts(heads, &["2", "2"]), |p| {
                matches!(p, Problem::WrongType { .. })
            }),
            ("a list of lists", valid().entry("k", 9, &list(9, 1)), |p| matches!(p, Problem::NestedList(_))),
            ("a type beyond the known ones", valid().entry("k", 13, &[0; 8]), |p| {
                matches!(p, Problem::ValueType { kind: 13, .. })
            }),
            ("#24263, an empty key", valid().u32("", 1), |p| matches!(p, Problem::EmptyName(_))),
            ("a tensor without a name", valid().tensor("", &[8], 0), |p| matches!(p, Problem::EmptyName(_))),
            (
                "CVE-2026-33298, a size that wraps to a small one",
                valid().tensor("wrap", &[1 << 62, 4], 0),
                |p| matches!(p, Problem::SizeOverflow(_)),
            ),
            ("CVE-2024-21825, a key longer than the file", valid().u32(&"k".repeat(1 << 17), 1), |p| {
                matches!(p, Problem::TextTooLong { .. })
            }),
            ("CVE-2024-21802, a type of tensor that is none", valid().tensor("odd", &[32], 1 << 31), |p| {
                matches!(p, Problem::TensorType { .. })
            }),
            ("CVE-2024-23605, 2^63 values in a row", valid().tensor("row", &[1 << 63], 0), |p| {
                matches!(
                    p,
                    Problem::SizeOverflow(_) | Problem::DimensionSize { .. } | Problem::OutsideFile { .. }
                )
            }),
            (
                "CVE-2026-27940, a sum that wraps only with the padding",
                { valid().tensor_at("pad", &[(u64::MAX - 40) / 4], 0, 0) },
                |p| {
                    matches!(
                        p,
                        Problem::OutsideFile { .. }
                            | Problem::SizeOverflow(_)
                            | Problem::DimensionSize { .. }
                    )
                },
            ),
            (
                "#25513, #25821, #26051, more layers than the loader's arrays",
                valid().without("llama.block_count").u32("llama.block_count", 1 << 30),
                |p| matches!(p, Problem::OutOfRange { .. }),
            ),
            (
                "CVE-2025-53630, sizes whose sum wraps",
                { valid().tensor_at("a", &[1 << 59], 0, 0).tensor_at("b", &[1 << 60], 0, 1 << 62) },
                |p| matches!(p, Problem::OutsideFile { .. } | Problem::SizeOverflow(_)),
            ),
        ];
        for (name, builder, expected) in cases {
            let got = problem(&builder.bytes());
            assert!(expected(&got), "{name}: {got}");
        }
    }

    #[test]
    fn what_is_no_language_model_is_named() {
        let of_type = |kind: &str| valid().text("general.type", kind);
        let of_architecture =
            |name: &str| valid().without("general.architecture").text("general.architecture", name);
        for (builder, what) in [
            (of_type("adapter"), "LoRA"),
            // llama.cpp #27166: the projector beside a model, which another loader reads.
            (of_type("mmproj"), "projector"),
            (of_architecture("clip"), "projector"),
            (of_type("imatrix"), "importance"),
            (of_architecture("controlvector"), "control vector"),
        ] {
            let said = problem(&builder.bytes());
            assert!(matches!(said, Problem::OtherKind(w) if w.contains(what)), "{said}");
        }
        assert!(parse(&of_type("model").bytes()).is_ok());
    }

    #[test]
    fn a_claimed_length_allocates_nothing() {
        // A text of 3 MiB in a file that is said to be long enough, with no bytes behind it.
        let mut bytes = b"GGUF\x03\0\0\0".to_vec();
        bytes.extend([0; 8]);
        bytes.extend(1_u64.to_le_bytes());
        bytes.extend(1_u64.to_le_bytes());
        bytes.push(b'k');
        bytes.extend(8_u32.to_le_bytes());
        bytes.extend((3_u64 << 20).to_le_bytes());
        let error = read(bytes.as_slice(), 1 << 40).expect_err("nothing behind it");
        assert_eq!(error.problem, Problem::Truncated("a text"));
    }

    proptest! {
        #[test]
        fn random_bytes_never_panic(tail in proptest::collection::vec(any::<u8>(), 0..400), version in 2_u32..4) {
            let bytes = [b"GGUF".as_slice(), &version.to_le_bytes(), &tail].concat();
            let _ = parse(&bytes);
        }

        #[test]
        fn mutated_headers_never_panic(
            edits in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 1..6),
        ) {
            let mut bytes = valid().bytes();
            for (place, value) in edits {
                let at = place.index(bytes.len());
                bytes[at] = value;
            }
            if let Ok(header) = parse(&bytes) {
                // Whatever passed lies inside the file.
                for tensor in &header.tensors {
                    prop_assert!(header.data_offset + tensor.offset + tensor.bytes <= header.file_bytes);
                }
                let _ = header.weights();
            }
        }
    }
}
