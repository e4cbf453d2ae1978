//! What the recipes need to know, whatever document it came from.

use super::recipe::LeftOut;
use crate::capacity::{Engine, KvType};
use crate::catalog::{Provider, Vendor};

/// Something to put into service.
#[derive(Debug, Clone, PartialEq)]
pub struct Deployment {
    /// Name of the document it was read from, for the README.
    pub from: String,
    /// What it is called there: the chosen option, or the plan.
    pub title: String,
    /// The model on machines; `None` where everything goes to an API, or where the document does not
    /// say enough ([`Self::left_out`]).
    pub served: Option<Served>,
    /// The API, alone or beside the machines.
    pub cloud: Option<Cloud>,
    /// May requests that the machines do not answer go to the API? Not under strict privacy.
    pub overflow: bool,
    /// What an answer must keep, 95th percentile.
    pub limits: Limits,
    /// A request as the need has it.
    pub request: Request,
    /// What the document lacks.
    pub left_out: Vec<LeftOut>,
}

/// Limits that the accepting command checks; `None`: none.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Limits {
    /// To the first token, milliseconds.
    pub ttft_ms: Option<f64>,
    /// Per further token, milliseconds.
    pub tpot_ms: Option<f64>,
}

/// Tokens of a mean request.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Request {
    /// Read.
    pub input_tokens: Option<f64>,
    /// Written.
    pub output_tokens: Option<f64>,
}

/// A model on machines.
#[derive(Debug, Clone, PartialEq)]
pub struct Served {
    /// What clients ask for: the model's id in the catalogue.
    pub name: String,
    /// Where the weights come from.
    pub weights: Weights,
    /// SPDX, or the name its makers gave it.
    pub licence: Option<String>,
    /// What serves it.
    pub engine: Engine,
    /// Weight format as the plan has it: `FP8`, `Q4_K_M`.
    pub format: String,
    /// Of keys and values.
    pub kv: KvType,
    /// What it runs on.
    pub accelerator: Accelerator,
    /// Whose machines they are.
    pub place: Place,
    /// All machines, and those of them that only stand in for one that failed.
    pub hosts: u32,
    /// See [`Self::hosts`].
    pub spare_hosts: u32,
    /// Copies of the model in service, all machines together.
    pub replicas: u32,
    /// Accelerators that work on every layer of one copy.
    pub tensor: u32,
    /// Groups of them that share the layers of one copy out.
    pub pipeline: u32,
    /// Experts are dealt out whole instead of split.
    pub expert_parallel: bool,
    /// Requests at once for one copy.
    pub concurrency: u32,
    /// Longest request, tokens in and out.
    pub context_tokens: u64,
    /// Bytes that are fetched once; `None`: not known.
    pub download_bytes: Option<f64>,
}

impl Served {
    /// Accelerators of one copy.
    pub const fn devices(&self) -> u32 {
        self.tensor * self.pipeline
    }
    /// Copies of one machine.
    pub fn replicas_per_host(&self) -> u32 {
        self.replicas.div_ceil(self.hosts.saturating_sub(self.spare_hosts).max(1)).max(1)
    }
    /// Copies when the spare machines work, too.
    pub fn replicas_at_most(&self) -> u32 {
        self.replicas + self.spare_hosts * self.replicas_per_host()
    }
    /// A name for objects of a cluster and files.
    pub fn label(&self) -> String {
        super::quote::label(&self.name)
    }
    /// Tokens that the server of one copy keeps at once: each request its mean part of the longest, and
    /// always a whole longest one.
    pub fn kept_tokens(&self, request: Request) -> u64 {
        let mean = request.input_tokens.unwrap_or(0.0) + request.output_tokens.unwrap_or(0.0);
        // Token counts are far below 2^53, and not negative.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let mean = if mean > 0.0 { mean.ceil() as u64 } else { self.context_tokens };
        let all = u64::from(self.concurrency).saturating_mul(mean.min(self.context_tokens));
        all.max(self.context_tokens).next_multiple_of(256)
    }
}

/// Where weights come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Weights {
    /// A repository of the hub that is served as it is.
    Repository(String),
    /// The maker's repository of 16-bit weights, rounded to eight bits while they are loaded.
    RoundedToFp8(String),
    /// The maker's repository, converted to the plan's format first.
    Converted(String),
    /// A GGUF file of a repository: `OWNER/REPO`, and the file where it is named.
    Gguf {
        /// `OWNER/REPO`.
        repository: String,
        /// The file's name; `None`: the one of the plan's format.
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

/// What a model runs on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accelerator {
    /// Id in the catalogue.
    pub id: String,
    /// As its maker writes it.
    pub name: String,
    /// Whose driver runs it; `None`: a processor.
    pub vendor: Option<Vendor>,
}

/// Whose machines they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// Bought, or there already.
    Owned,
    /// By the hour.
    Rented {
        /// Who rents it out, as the catalogue writes it.
        provider: Option<String>,
        /// The provider's own name for the machine.
        instance: Option<String>,
        /// It may be taken away when somebody pays more.
        spot: bool,
    },
}

/// A model behind an API.
#[derive(Debug, Clone, PartialEq)]
pub struct Cloud {
    /// How it is reached and spoken to.
    pub provider: Provider,
    /// The model's name on that wire.
    pub model: String,
}
