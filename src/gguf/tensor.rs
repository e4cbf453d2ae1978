//! The tensor table: names, shapes, types and places. Sizes follow from the block layout of each
//! type, as the ggml headers define it.

use super::bytes::Bytes;
use super::error::{GgufError, Problem};
use super::limits::MAX_TENSOR_NAME_BYTES;
use std::io::Read;

/// Fewest bytes of an entry: length of the name, one byte of it, dimension count, one dimension, type,
/// offset.
pub const SMALLEST_ENTRY: u64 = 8 + 1 + 4 + 8 + 4 + 8;

/// One tensor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tensor {
    /// As in the file: `blk.0.attn_q.weight`. At most 63 bytes.
    pub name: String,
    /// How its values are stored.
    pub kind: TensorType,
    /// Row length first.
    pub dimensions: Vec<u64>,
    /// Number of values: the product of the dimensions.
    pub elements: u64,
    /// Bytes they take, by the block layout of the type.
    pub bytes: u64,
    /// Bytes from the start of the tensor data.
    pub offset: u64,
}

macro_rules! tensor_types {
    ($($number:literal $name:ident $label:literal $block:literal $bytes:literal;)*) => {
        /// How values are stored. Named as in ggml.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[allow(missing_docs)]
        pub enum TensorType { $($name),* }

        impl TensorType {
            /// The type with this number in the file. `None`: unknown, or a type that ggml has dropped.
            pub const fn from_number(number: u32) -> Option<Self> {
                match number { $($number => Some(Self::$name),)* _ => None }
            }
            /// As llama.cpp writes it: `Q4_K`.
            pub const fn label(self) -> &'static str {
                match self { $(Self::$name => $label),* }
            }
            /// Values in one block.
            pub const fn block_values(self) -> u64 {
                match self { $(Self::$name => $block),* }
            }
            /// Bytes of one block.
            pub const fn block_bytes(self) -> u64 {
                match self { $(Self::$name => $bytes),* }
            }
        }
    };
}

// Number, name, label, values per block, bytes per block (ggml.h, ggml-common.h).
tensor_types! {
    0 F32 "F32" 1 4;
    1 F16 "F16" 1 2;
    2 Q4_0 "Q4_0" 32 18;
    3 Q4_1 "Q4_1" 32 20;
    6 Q5_0 "Q5_0" 32 22;
    7 Q5_1 "Q5_1" 32 24;
    8 Q8_0 "Q8_0" 32 34;
    9 Q8_1 "Q8_1" 32 36;
    10 Q2K "Q2_K" 256 84;
    11 Q3K "Q3_K" 256 110;
    12 Q4K "Q4_K" 256 144;
    13 Q5K "Q5_K" 256 176;
    14 Q6K "Q6_K" 256 210;
    15 Q8K "Q8_K" 256 292;
    16 Iq2Xxs "IQ2_XXS" 256 66;
    17 Iq2Xs "IQ2_XS" 256 74;
    18 Iq3Xxs "IQ3_XXS" 256 98;
    19 Iq1S "IQ1_S" 256 50;
    20 Iq4Nl "IQ4_NL" 32 18;
    21 Iq3S "IQ3_S" 256 110;
    22 Iq2S "IQ2_S" 256 82;
    23 Iq4Xs "IQ4_XS" 256 136;
    24 I8 "I8" 1 1;
    25 I16 "I16" 1 2;
    26 I32 "I32" 1 4;
    27 I64 "I64" 1 8;
    28 F64 "F64" 1 8;
    29 Iq1M "IQ1_M" 256 56;
    30 Bf16 "BF16" 1 2;
    34 Tq1_0 "TQ1_0" 256 54;
    35 Tq2_0 "TQ2_0" 256 66;
    39 Mxfp4 "MXFP4" 32 17;
    40 Nvfp4 "NVFP4" 64 36;
    41 Q1_0 "Q1_0" 128 18;
    42 Q2_0 "Q2_0" 64 18;
}

impl TensorType {
    /// Bits one value takes, scales included.
    pub fn bits_per_value(self) -> f64 {
        self.block_bytes() as f64 * 8.0 / self.block_values() as f64
    }
}

pub fn read<R: Read>(bytes: &mut Bytes<R>, alignment: u64) -> Result<Tensor, GgufError> {
    let name = bytes.name("tensor name", MAX_TENSOR_NAME_BYTES)?;
    let at = bytes.at();
    let fail = |problem| Err(GgufError::new(at, problem));
    let count = bytes.u32("a tensor's dimensions")?;
    if !(1..=4).contains(&count) {
        return fail(Problem::Dimensions { name, dimensions: count });
    }
    let mut dimensions = Vec::new();
    for _ in 0..count {
        let size = bytes.u64("a tensor's dimensions")?;
        if size == 0 || i64::try_from(size).is_err() {
            return fail(Problem::DimensionSize { name, size });
        }
        dimensions.push(size);
    }
    let number = bytes.u32("a tensor's type")?;
    let Some(kind) = TensorType::from_number(number) else {
        return fail(Problem::TensorType { name, kind: number });
    };
    let row = dimensions[0];
    if row % kind.block_values() != 0 {
        let (block, kind) = (kind.block_values(), kind.label());
        return fail(Problem::BlockSize { name, row, kind, block });
    }
    let Some((elements, size)) = size(&dimensions, kind) else {
        return fail(Problem::SizeOverflow(name));
    };
    let offset = bytes.u64("a tensor's offset")?;
    if offset % alignment != 0 {
        return fail(Problem::Misaligned { name, offset, alignment });
    }
    Ok(Tensor { name, kind, dimensions, elements, bytes: size, offset })
}

/// Number of values and of bytes; `None` where either passes 63 bits.
fn size(dimensions: &[u64], kind: TensorType) -> Option<(u64, u64)> {
    let elements = dimensions.iter().try_fold(1_u64, |n, d| n.checked_mul(*d))?;
    let bytes = (elements / kind.block_values()).checked_mul(kind.block_bytes())?;
    (i64::try_from(elements).is_ok() && i64::try_from(bytes).is_ok()).then_some((elements, bytes))
}

/// Checks that every tensor lies inside the file and that no two overlap.
pub fn check_places(tensors: &[Tensor], data_offset: u64, file_bytes: u64) -> Result<(), GgufError> {
    let mut order: Vec<&Tensor> = tensors.iter().collect();
    order.sort_by_key(|t| t.offset);
    let mut before: Option<&Tensor> = None;
    for tensor in order {
        let end = tensor.offset.checked_add(tensor.bytes).and_then(|e| e.checked_add(data_offset));
        match end {
            Some(end) if end <= file_bytes => {}
            _ => {
                let end = end.unwrap_or(u64::MAX);
                let name = tensor.name.clone();
                return Err(GgufError::new(file_bytes, Problem::OutsideFile { name, end, file_bytes }));
            }
        }
        if let Some(first) = before
            && first.offset + first.bytes > tensor.offset
        {
            let (first, second) = (first.name.clone(), tensor.name.clone());
            return Err(GgufError::new(data_offset + tensor.offset, Problem::Overlap { first, second }));
        }
        before = Some(tensor);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn real_bits_per_value() {
        // Four bits and a 16-bit scale per 32 values; K-quants of 256 with their own scales.
        let bits = |t: TensorType| t.bits_per_value();
        assert!((bits(TensorType::Q4_0) - 4.5).abs() < 1e-12);
        assert!((bits(TensorType::Q8_0) - 8.5).abs() < 1e-12);
        assert!((bits(TensorType::Q4K) - 4.5).abs() < 1e-12);
        assert!((bits(TensorType::Q6K) - 6.5625).abs() < 1e-12);
        assert!((bits(TensorType::Mxfp4) - 4.25).abs() < 1e-12);
        assert!((bits(TensorType::Iq4Xs) - 4.25).abs() < 1e-12);
    }
}
