//! What a header may hold at most.

/// Layers the loader has room for; one more and it aborts.
pub const MAX_LAYERS: u32 = 512;
/// Experts the loader has room for.
pub const MAX_EXPERTS: u32 = 1024;
/// Most bytes of a header; the largest vocabularies take about 20 MB.
pub const MAX_HEADER_BYTES: u64 = 256 << 20;
/// Most bytes of a key.
pub const MAX_KEY_BYTES: u64 = 65_535;
/// Most bytes of a text value, and of a single token of a vocabulary.
pub const MAX_TEXT_BYTES: u64 = 4 << 20;
/// Most bytes of a tensor name: the loader keeps it in 64 bytes with the closing zero.
pub const MAX_TENSOR_NAME_BYTES: u64 = 63;
/// Most metadata entries; real files have fewer than a hundred.
pub const MAX_ENTRIES: u64 = 65_536;
/// Most tensors; the largest real files have a few thousand.
pub const MAX_TENSORS: u64 = 262_144;
