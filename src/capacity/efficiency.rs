//! Shares of the hardware's peak that a backend reaches: the only part of the predictor that is not
//! physics. They are data, each row with its origin, in `efficiency.toml`.

use super::quantisation::Kernel;
use super::shape::{Backend, HardwareShape, MemoryClass};
use serde::Deserialize;
use std::sync::LazyLock;

/// Sequences of a step up to which llama.cpp multiplies by vectors, and weights are read as for one.
pub const FEW_SEQUENCES: f64 = 4.0;
/// The same for the experts of a mixture.
pub const FEW_TOKENS_OF_EXPERTS: f64 = 8.0;

/// What one backend reaches on one kind of memory. Shares are 0 to 1 of a peak; times are microseconds.
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
    /// K-quants of two and three bits.
    pub three: f64,
    pub table: f64,
    /// The same for routed experts, relative to the kernel's share.
    pub experts: f64,
    /// Factor on the share of bandwidth of weights for more than [`FEW_SEQUENCES`] sequences at once, whose
    /// products are those of small matrices.
    #[serde(default = "one")]
    pub batched: f64,
    /// The same for routed experts, for more than [`FEW_TOKENS_OF_EXPERTS`].
    #[serde(default = "one")]
    pub experts_batched: f64,
    /// Share of peak bandwidth while the cache is read.
    pub cache: f64,
    /// Microseconds per layer of a decode step that no bandwidth shortens: kernel launches,
    /// synchronisation.
    pub layer_us: f64,
    /// Microseconds in addition for a layer with experts: routing, and more kernels.
    pub mixture_layer_us: f64,
    /// Microseconds in addition for a layer with a recurrent state.
    pub recurrent_layer_us: f64,
    /// Microseconds in addition for a layer that attends over a latent vector.
    #[serde(default)]
    pub latent_layer_us: f64,
    /// Microseconds per decode step outside the layers.
    pub token_us: f64,
    /// Share of the 16-bit rate in prefill and in batched decode.
    pub arithmetic: f64,
    /// The same for a mixture of experts: many small products.
    pub arithmetic_mixture: f64,
    /// The same in attention over the cache while decoding; `None` where that hides behind the
    /// reading of the cache.
    #[serde(default)]
    pub attention: Option<f64>,
    /// 16-bit operations per byte of bandwidth where the rate is not known.
    pub operations_per_byte: f64,
    /// The 80 % bands, as measured ÷ predicted.
    pub decode_low: f64,
    pub decode_high: f64,
    pub prefill_low: f64,
    pub prefill_high: f64,
    pub origin: String,
}

/// How one generation of chips differs: factors on the row of its backend and memory.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Generation {
    backend: Backend,
    /// `None`: with any memory.
    memory: Option<MemoryClass>,
    architecture: String,
    /// Factor on the shares of bandwidth.
    #[serde(default = "one")]
    bandwidth: f64,
    /// Factor on the times that no bandwidth shortens.
    #[serde(default = "one")]
    launch: f64,
    /// Factor on the shares of the arithmetic rate.
    #[serde(default = "one")]
    arithmetic: f64,
    origin: String,
}

const fn one() -> f64 {
    1.0
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    efficiency: Vec<Efficiency>,
    #[serde(default)]
    generation: Vec<Generation>,
}

const TEXT: &str = include_str!("efficiency.toml");
/// Largest share of a peak that any kernel reaches.
const MOST: f64 = 0.97;

/// The rows, and a refined copy for each generation that has factors of its own.
struct Table {
    rows: Vec<Efficiency>,
    refined: Vec<(String, Efficiency)>,
}

static TABLE: LazyLock<Table> = LazyLock::new(|| {
    let File { efficiency: rows, generation } =
        toml::from_str(TEXT).unwrap_or(File { efficiency: Vec::new(), generation: Vec::new() });
    let refined = generation
        .iter()
        .flat_map(|g| {
            let fits = |e: &&Efficiency| e.backend == g.backend && g.memory.is_none_or(|m| m == e.memory);
            rows.iter().filter(fits).map(|e| (g.architecture.clone(), e.refined(g)))
        })
        .collect();
    Table { rows, refined }
});

impl Efficiency {
    /// The row for this hardware: its generation's where there is one, else that of its backend and memory,
    /// else any of its backend, else the first.
    pub fn of(hardware: &HardwareShape) -> &'static Self {
        let (backend, memory) = (hardware.backend, hardware.class);
        let here = |e: &&Self| e.backend == backend && e.memory == memory;
        let generation = hardware.architecture.as_deref();
        let refined = TABLE.refined.iter().filter(|(a, _)| Some(a.as_str()) == generation).map(|(_, e)| e);
        refined
            .into_iter()
            .find(here)
            .or_else(|| TABLE.rows.iter().find(here))
            .or_else(|| TABLE.rows.iter().find(|e| e.backend == backend))
            .unwrap_or(&TABLE.rows[0])
    }
    fn refined(&self, by: &Generation) -> Self {
        let share = |s: f64| (s * by.bandwidth).min(MOST);
        Self {
            float16: share(self.float16),
            eight: share(self.eight),
            four: share(self.four),
            k: share(self.k),
            three: share(self.three),
            table: share(self.table),
            cache: share(self.cache),
            layer_us: self.layer_us * by.launch,
            mixture_layer_us: self.mixture_layer_us * by.launch,
            recurrent_layer_us: self.recurrent_layer_us * by.launch,
            latent_layer_us: self.latent_layer_us * by.launch,
            token_us: self.token_us * by.launch,
            arithmetic: (self.arithmetic * by.arithmetic).min(MOST),
            arithmetic_mixture: (self.arithmetic_mixture * by.arithmetic).min(MOST),
            attention: self.attention.map(|share| (share * by.arithmetic).min(MOST)),
            origin: format!("{}; {}: {}", self.origin, by.architecture, by.origin),
            ..self.clone()
        }
    }
    /// Share of peak bandwidth, 0 to 1, that reading weights reaches in this kernel.
    pub const fn weights(&self, kernel: Kernel) -> f64 {
        match kernel {
            Kernel::Float16 => self.float16,
            Kernel::Eight => self.eight,
            Kernel::Four => self.four,
            Kernel::K => self.k,
            Kernel::Three => self.three,
            Kernel::Table => self.table,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sound() {
        let file = toml::from_str::<File>(TEXT).expect("efficiency.toml parses");
        assert!(!file.efficiency.is_empty());
        let all = file.efficiency.iter().chain(TABLE.refined.iter().map(|(_, e)| e));
        for row in all {
            let shares =
                [row.float16, row.eight, row.four, row.k, row.three, row.table, row.cache, row.arithmetic];
            assert!(shares.iter().all(|s| (0.05..=1.0).contains(s)), "{row:?}");
            assert!(row.decode_low < 1.0 && row.decode_high > 1.0, "{row:?}");
            assert!(!row.origin.is_empty(), "{row:?}");
        }
        for row in &file.efficiency {
            let same =
                file.efficiency.iter().filter(|r| (r.backend, r.memory) == (row.backend, row.memory)).count();
            assert_eq!(same, 1, "{:?} on {:?} twice", row.backend, row.memory);
        }
        for g in &file.generation {
            assert!(
                !g.origin.is_empty() && [g.bandwidth, g.launch, g.arithmetic].iter().all(|f| *f > 0.1),
                "{g:?}"
            );
            let known = crate::catalog::Catalog::embedded();
            let named = known.accelerators.iter().any(|a| a.architecture.as_deref() == Some(&g.architecture));
            assert!(named, "no accelerator of the catalogue is {}", g.architecture);
        }
    }
}
