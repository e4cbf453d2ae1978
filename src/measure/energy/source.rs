//! Sources of energy or power readings.

/// One reading of a source.
#[derive(Debug, Clone, PartialEq)]
pub enum Reading {
    /// Joules counted so far, one counter per zone or device.
    Counters(Vec<Counter>),
    /// Watts at this moment, of all devices together.
    Power(f64),
}

/// A counter that only goes up, until it starts again from 0.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Counter {
    pub joules: f64,
    /// Joules at which it starts again from 0; `None`: never.
    pub range: Option<f64>,
}

/// Where the joules come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    /// NVIDIA's total energy counter.
    NvmlCounter,
    /// NVIDIA's power reading, sampled.
    NvmlPower,
    /// The processor's energy counters, as Linux shows them (RAPL).
    Powercap,
}

/// Something whose energy can be read.
pub trait Source: std::fmt::Debug + Send {
    fn origin(&self) -> Origin;
    /// What the figure includes: `1 × NVIDIA H100, the board`.
    fn scope(&self) -> String;
    fn read(&mut self) -> Result<Reading, String>;
    /// What else happened to the device since the last call: throttling, other programs on it.
    fn remarks(&mut self) -> Vec<String> {
        Vec::new()
    }
}
