//! What recipes need to know, from whichever document.

use super::recipe::LeftOut;
use crate::capacity::{Engine, KvType};
use crate::catalog::{Provider, Vendor};

/// What is to be put into service.
#[derive(Debug, Clone, PartialEq)]
pub struct Deployment {
    /// Name of the document it was read from, for the README.
    pub from: String,
    /// Its name in the document: that of the chosen option, or of the plan.
    pub title: String,
    /// The model that runs on machines; `None` where everything goes to an API, or where the document does
    /// not say enough (see [`Self::left_out`]).
    pub served: Option<Served>,
    /// The API, alone or together with the machines.
    pub cloud: Option<Cloud>,
    /// May the API answer requests that the machines cannot? Not under strict privacy.
    pub overflow: bool,
    /// Limits on latency at the 95th percentile.
    pub limits: Limits,
    /// The mean request of the need.
    pub request: Request,
    /// What cannot be written because the document lacks it.
    pub left_out: Vec<LeftOut>,
}

/// The limits that the accepting command checks; `None` where there is none.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Limits {
    /// Limit on the time to the first token, ms.
    pub ttft_ms: Option<f64>,
    /// Limit on the time per output token after the first, ms.
    pub tpot_ms: Option<f64>,
}

impl Limits {
    /// These, and where there is none that of the other.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self { ttft_ms: self.ttft_ms.or(other.ttft_ms), tpot_ms: self.tpot_ms.or(other.tpot_ms) }
    }
}

/// Tokens of the mean request.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Request {
    /// Input tokens.
    pub input_tokens: Option<f64>,
    /// Output tokens.
    pub output_tokens: Option<f64>,
}

/// A model that runs on machines.
#[derive(Debug, Clone, PartialEq)]
pub struct Served {
    /// The model's name for clients: its id in the catalogue.
    pub name: String,
    /// Where the weights come from.
    pub weights: Weights,
    /// Licence: an SPDX identifier, or the makers' own name for it.
    pub licence: Option<String>,
    /// The engine that serves it.
    pub engine: Engine,
    /// The weight format: `FP8`, `Q4_K_M`.
    pub format: String,
    /// The format of keys and values in the cache.
    pub kv: KvType,
    /// What it runs on.
    pub accelerator: Accelerator,
    /// Whether the machines are owned or rented.
    pub place: Place,
    /// Number of machines, spares included.
    pub hosts: u32,
    /// How many of [`Self::hosts`] are spares, which only stand in for one that fails.
    pub spare_hosts: u32,
    /// Copies of the model in service, all machines together.
    pub replicas: u32,
    /// Degree of tensor parallelism: accelerators that share each layer of a copy.
    pub tensor: u32,
    /// Degree of pipeline parallelism: groups of accelerators, each of which has part of the layers of a
    /// copy.
    pub pipeline: u32,
    /// Expert parallelism: every accelerator has whole experts instead of a part of each.
    pub expert_parallel: bool,
    /// Requests that one copy serves at the same time.
    pub concurrency: u32,
    /// Context length: input and output tokens of the longest request.
    pub context_tokens: u64,
    /// Size of the download, bytes; `None` where it is not known.
    pub download_bytes: Option<f64>,
}

impl Served {
    /// Accelerators of one copy.
    pub const fn devices(&self) -> u32 {
        self.tensor * self.pipeline
    }
    /// Copies on one machine.
    pub fn replicas_per_host(&self) -> u32 {
        self.replicas.div_ceil(self.hosts.saturating_sub(self.spare_hosts).max(1)).max(1)
    }
    /// Copies when the spare machines are in use, too.
    pub fn replicas_at_most(&self) -> u32 {
        self.replicas + self.spare_hosts * self.replicas_per_host()
    }
    /// The model's name in a form for objects of a cluster and for files.
    pub fn label(&self) -> String {
        super::quote::label(&self.name)
    }
    /// Tokens that the KV cache of one copy must hold: a mean request for each of the concurrent ones, and
    /// at least one request of the full context length.
    pub fn kept_tokens(&self, request: Request) -> u64 {
        let mean = request.input_tokens.unwrap_or(0.0) + request.output_tokens.unwrap_or(0.0);
        // Token counts are not negative and far below 2^53.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let mean = if mean > 0.0 { mean.ceil() as u64 } else { self.context_tokens };
        let all = u64::from(self.concurrency).saturating_mul(mean.min(self.context_tokens));
        all.max(self.context_tokens).next_multiple_of(256)
    }
}

/// The origin of the weights.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Weights {
    /// A repository on the Hugging Face hub, which is served unchanged.
    Repository(String),
    /// The maker's repository with 16-bit weights, which are rounded to eight bits when they are loaded.
    RoundedToFp8(String),
    /// The maker's repository, whose weights are first converted to the plan's format.
    Converted(String),
    /// A GGUF file in a repository.
    Gguf {
        /// `OWNER/REPO`.
        repository: String,
        /// Name of the file; `None` for the one with the plan's format.
        file: Option<String>,
    },
}

impl Weights {
    /// `OWNER/REPO`.
    pub fn repository(&self) -> &str {
        match self {
            Self::Repository(r) | Self::RoundedToFp8(r) | Self::Converted(r) => r,
            Self::Gguf { repository, .. } => repository,
        }
    }
}

/// The accelerator that a model runs on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accelerator {
    /// Id in the catalogue.
    pub id: String,
    /// The maker's name for it.
    pub name: String,
    /// Its vendor, which decides the driver; `None` for a processor.
    pub vendor: Option<Vendor>,
}

/// Whether the machines are owned or rented.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// Bought, or there already.
    Owned,
    /// Rented by the hour.
    Rented {
        /// The provider, as in the catalogue.
        provider: Option<String>,
        /// The provider's name for the machine.
        instance: Option<String>,
        /// It may be taken away when somebody pays more.
        spot: bool,
    },
}

/// A model that an API serves.
#[derive(Debug, Clone, PartialEq)]
pub struct Cloud {
    /// The provider, with its address and wire format.
    pub provider: Provider,
    /// The model's name in requests.
    pub model: String,
}
