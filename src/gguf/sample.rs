//! Small GGUF files for the tests, written field by field.

use super::TensorType;

/// Builds a file; methods add an entry each.
#[derive(Clone)]
pub struct Builder {
    entries: Vec<(String, Vec<u8>)>,
    tensors: Vec<(String, Vec<u64>, u32, Option<u64>)>,
}

/// A llama of two layers with a vocabulary of three tokens.
pub fn valid() -> Builder {
    Builder { entries: Vec::new(), tensors: Vec::new() }
        .text("general.architecture", "llama")
        .u32("llama.block_count", 2)
        .u32("llama.context_length", 2048)
        .u32("llama.embedding_length", 64)
        .u32("llama.attention.head_count", 4)
        .u32("llama.attention.head_count_kv", 2)
        .texts("tokenizer.ggml.tokens", &["a", "b", "c"])
        .tensor("token_embd.weight", &[32, 3], 0)
        .tensor("blk.0.attn_q.weight", &[64, 32], 2)
        .tensor("blk.1.attn_q.weight", &[64, 32], 2)
        .tensor("output_norm.weight", &[64], 0)
}

fn text(value: &str) -> Vec<u8> {
    [&(value.len() as u64).to_le_bytes(), value.as_bytes()].concat()
}

impl Builder {
    /// Any bytes as the value of a type.
    pub fn entry(mut self, key: &str, kind: u32, value: &[u8]) -> Self {
        self.entries.push((key.to_owned(), [&kind.to_le_bytes(), value].concat()));
        self
    }
    pub fn text(self, key: &str, value: &str) -> Self {
        self.entry(key, 8, &text(value))
    }
    pub fn u32(self, key: &str, value: u32) -> Self {
        self.entry(key, 4, &value.to_le_bytes())
    }
    fn list(self, key: &str, kind: u32, items: &[Vec<u8>]) -> Self {
        let head = [kind.to_le_bytes().as_slice(), &(items.len() as u64).to_le_bytes()].concat();
        self.entry(key, 9, &[head, items.concat()].concat())
    }
    pub fn u32s(self, key: &str, values: &[u32]) -> Self {
        self.list(key, 4, &values.iter().map(|v| v.to_le_bytes().to_vec()).collect::<Vec<_>>())
    }
    pub fn bools(self, key: &str, values: &[bool]) -> Self {
        self.list(key, 7, &values.iter().map(|v| vec![u8::from(*v)]).collect::<Vec<_>>())
    }
    pub fn texts(self, key: &str, values: &[&str]) -> Self {
        self.list(key, 8, &values.iter().map(|v| text(v)).collect::<Vec<_>>())
    }
    pub fn without(mut self, key: &str) -> Self {
        self.entries.retain(|(k, _)| k != key);
        self
    }
    pub fn tensor(mut self, name: &str, dimensions: &[u64], kind: u32) -> Self {
        self.tensors.push((name.to_owned(), dimensions.to_vec(), kind, None));
        self
    }
    pub fn tensor_at(mut self, name: &str, dimensions: &[u64], kind: u32, offset: u64) -> Self {
        self.tensors.push((name.to_owned(), dimensions.to_vec(), kind, Some(offset)));
        self
    }

    /// The file: header, padding, zeros for the data.
    pub fn bytes(&self) -> Vec<u8> {
        let mut out = b"GGUF\x03\0\0\0".to_vec();
        out.extend((self.tensors.len() as u64).to_le_bytes());
        out.extend((self.entries.len() as u64).to_le_bytes());
        for (key, value) in &self.entries {
            out.extend(text(key));
            out.extend(value);
        }
        let mut next = 0_u64;
        for (name, dimensions, kind, offset) in &self.tensors {
            out.extend(text(name));
            out.extend(u32::try_from(dimensions.len()).unwrap_or(0).to_le_bytes());
            for size in dimensions {
                out.extend(size.to_le_bytes());
            }
            out.extend(kind.to_le_bytes());
            out.extend(offset.unwrap_or(next).to_le_bytes());
            let elements = dimensions.iter().fold(1_u64, |n, d| n.saturating_mul(*d));
            if let (Some(kind), None) = (TensorType::from_number(*kind), offset)
                && elements < 1 << 20
            {
                next += (elements / kind.block_values() * kind.block_bytes()).next_multiple_of(32);
            }
        }
        out.resize(out.len().next_multiple_of(32) + usize::try_from(next).unwrap_or(0), 0);
        out
    }
}
