//! Why a file is refused.

use super::limits::MAX_HEADER_BYTES;

/// Why a file is refused, and where.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("not a usable GGUF file: {problem} (at byte {at})")]
pub struct GgufError {
    /// Offset of the first byte that is wrong or missing.
    pub at: u64,
    /// What is wrong there.
    pub problem: Problem,
}

impl GgufError {
    pub(crate) fn new(at: u64, problem: Problem) -> Self {
        Self { at, problem }
    }
}

/// What is wrong.
// The message of each is its description.
#[allow(missing_docs)]
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    #[error("cannot be read: {0}")]
    Io(String),
    #[error("the file ends inside {0}")]
    Truncated(&'static str),
    #[error("it does not begin with \"GGUF\"")]
    Magic,
    #[error("it is written for big-endian machines")]
    BigEndian,
    #[error("format version {0}; versions 2 and 3 are known")]
    Version(u32),
    #[error("{what}: {count}, but at most {max} can be there")]
    Count { what: &'static str, count: u64, max: u64 },
    #[error("the header is longer than {MAX_HEADER_BYTES} bytes")]
    HeaderTooLong,
    #[error("{what} of {bytes} bytes; at most {max}")]
    TextTooLong { what: &'static str, bytes: u64, max: u64 },
    #[error("an empty {0}")]
    EmptyName(&'static str),
    #[error("a {0} that is not UTF-8")]
    NotUtf8(&'static str),
    #[error("the key \"{0}\" occurs twice")]
    DuplicateKey(String),
    #[error("the tensor \"{0}\" occurs twice")]
    DuplicateTensor(String),
    #[error("\"{key}\" has the unknown value type {kind}")]
    ValueType { key: String, kind: u32 },
    #[error("\"{0}\" is a list of lists")]
    NestedList(String),
    #[error("\"{key}\" holds the truth value {value}; only 0 and 1 are")]
    Bool { key: String, value: u8 },
    #[error("it holds {0}, not a language model")]
    OtherKind(&'static str),
    #[error("\"{key}\" must be {expected}")]
    WrongType { key: String, expected: &'static str },
    #[error("\"{key}\" is {value}; {allowed}")]
    OutOfRange { key: String, value: u64, allowed: &'static str },
    #[error("\"{key}\" has {length} entries where {expected} are needed")]
    ListLength { key: String, length: u64, expected: u64 },
    #[error("the tensor \"{name}\" has {dimensions} dimensions; 1 to 4 are possible")]
    Dimensions { name: String, dimensions: u32 },
    #[error("the tensor \"{name}\" has a dimension of {size}")]
    DimensionSize { name: String, size: u64 },
    #[error("the tensor \"{name}\" has the unknown type {kind}")]
    TensorType { name: String, kind: u32 },
    #[error("rows of the tensor \"{name}\" have {row} values, which {kind} cannot hold in blocks of {block}")]
    BlockSize { name: String, row: u64, kind: &'static str, block: u64 },
    #[error("the size of the tensor \"{0}\" does not fit in 63 bits")]
    SizeOverflow(String),
    #[error("the tensor \"{name}\" starts at {offset}, which is not a multiple of {alignment}")]
    Misaligned { name: String, offset: u64, alignment: u64 },
    #[error("the tensor \"{name}\" ends at byte {end}, but the file has {file_bytes}")]
    OutsideFile { name: String, end: u64, file_bytes: u64 },
    #[error("the tensors \"{first}\" and \"{second}\" overlap")]
    Overlap { first: String, second: String },
}
