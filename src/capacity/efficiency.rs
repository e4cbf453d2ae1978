//! How much of the hardware's peak a backend reaches: the only part of the predictor that is not
//! physics. Kept as data, each row with its origin, in `efficiency.toml`.

use super::quantisation::Kernel;
use super::shape::{Backend, MemoryClass};
use serde::Deserialize;
use std::sync::LazyLock;

/// What one backend reaches on one kind of memory.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Efficiency {
    pub backend: Backend,
    pub memory: MemoryClass,
    /// Share of peak bandwidth while weights stream, by kernel.
    pub float16: f64,
    pub eight: f64,
    pub four: f64,
    pub k: f64,
    pub table: f64,
    /// The same for routed experts, relative to the kernel's share.
    pub experts: f64,
    /// Share of peak bandwidth while the cache is read.
    pub cache: f64,
    /// Time per layer and token that no bandwidth shortens: kernel launches, synchronisation.
    pub layer_us: f64,
    /// In addition for a layer with experts: routing, and more kernels.
    pub mixture_layer_us: f64,
    /// In addition for a layer with a recurrent state.
    pub recurrent_layer_us: f64,
    /// Time per token outside the layers.
    pub token_us: f64,
    /// Share of the 16-bit rate in prefill and in batched decode.
    pub arithmetic: f64,
    /// The same for a mixture of experts: many small products.
    pub arithmetic_mixture: f64,
    /// 16-bit operations per byte of bandwidth where the rate is not known.
    pub operations_per_byte: f64,
    /// The 80 % band: measured ÷ predicted.
    pub decode_low: f64,
    pub decode_high: f64,
    pub prefill_low: f64,
    pub prefill_high: f64,
    pub origin: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    efficiency: Vec<Efficiency>,
}

const TEXT: &str = include_str!("efficiency.toml");

static TABLE: LazyLock<Vec<Efficiency>> =
    LazyLock::new(|| toml::from_str::<File>(TEXT).map(|f| f.efficiency).unwrap_or_default());

impl Efficiency {
    /// The row for this pair; where there is none, the backend's own, else the first.
    pub fn of(backend: Backend, memory: MemoryClass) -> &'static Self {
        let table = &*TABLE;
        table
            .iter()
            .find(|e| e.backend == backend && e.memory == memory)
            .or_else(|| table.iter().find(|e| e.backend == backend))
            .unwrap_or(&table[0])
    }
    /// Share of bandwidth for weights in this format.
    pub const fn weights(&self, kernel: Kernel) -> f64 {
        match kernel {
            Kernel::Float16 => self.float16,
            Kernel::Eight => self.eight,
            Kernel::Four => self.four,
            Kernel::K => self.k,
            Kernel::Table => self.table,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sound() {
        let rows = toml::from_str::<File>(TEXT).expect("efficiency.toml parses").efficiency;
        assert!(!rows.is_empty());
        for row in &rows {
            let shares = [row.float16, row.eight, row.four, row.k, row.table, row.cache, row.arithmetic];
            assert!(shares.iter().all(|s| (0.05..=1.0).contains(s)), "{row:?}");
            assert!(row.decode_low < 1.0 && row.decode_high > 1.0, "{row:?}");
            assert!(!row.origin.is_empty(), "{row:?}");
            let same = rows.iter().filter(|r| (r.backend, r.memory) == (row.backend, row.memory)).count();
            assert_eq!(same, 1, "{:?} on {:?} twice", row.backend, row.memory);
        }
    }
}
