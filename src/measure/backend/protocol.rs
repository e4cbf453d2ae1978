//! The protocol between the parent and the worker process: frames of a `u32` little-endian length and that
//! many bytes of JSON; commands on the worker's stdin, replies on its stdout.
//!
//! ```text
//! parent                         worker
//!   Load ───────────────────────►
//!                  ◄───────────── Hello (at once, before anything is loaded)
//!                  ◄───────────── LoadProgress… Loaded
//!   Generate(1), Generate(2) ───►
//!                  ◄───────────── Accepted, Events… (of any running request, by id)
//!                  ◄───────────── Heartbeat (twice a second while busy)
//!   stdin closes ───────────────► ends
//! ```
//!
//! Both sides are the same program, so the version only catches a binary that was replaced while
//! it ran. Every length is checked against [`MAX_FRAME`] before a byte is allocated.

use crate::measure::event::{Fault, Message, Nanos, Stamped, Tool};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::io::{Read, Write};
use std::path::PathBuf;
use tokio::io::{AsyncRead, AsyncReadExt as _};

/// Version of the protocol; raised with every change that an older side would misread.
pub const VERSION: u32 = 3;

/// Most numbers of an embedding that either side accepts.
pub const MAX_DIMENSIONS: usize = 1 << 16;

/// The largest frame either side accepts, bytes.
pub const MAX_FRAME: usize = 16 << 20;

/// A message from the parent to the worker.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum Command {
    Load(LoadRequest),
    Generate {
        id: u32,
        request: Prompt,
    },
    /// Stop a running request; it ends with an interrupted failure.
    Cancel {
        id: u32,
    },
    /// Measure the engine alone, as llama-bench does: `prompt` tokens of prefill or `generate` tokens of
    /// decoding after `depth` tokens, `rounds` times, without sampling.
    Synthetic {
        id: u32,
        prompt: u32,
        generate: u32,
        depth: u32,
        rounds: u32,
    },
    /// Compute the embedding of a text, on a worker that was loaded with `embed`.
    Embed {
        id: u32,
        text: String,
    },
}

/// What the worker is asked to generate.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Prompt {
    /// The messages, with the cache marker in them.
    pub messages: Vec<Message>,
    /// Tools that the model may call, for its chat template.
    #[serde(default)]
    pub tools: Vec<Tool>,
    pub max_output_tokens: u32,
    /// The conversation that this is a turn of: what it has in common with the turn before need not be
    /// computed again.
    #[serde(default)]
    pub conversation: Option<u64>,
    /// Go on past the model's end-of-generation tokens, so that every answer has the same length.
    #[serde(default)]
    pub ignore_end: bool,
    /// A JSON schema for this answer alone.
    #[serde(default)]
    pub json_schema: Option<String>,
}

/// A message from the worker to the parent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum Reply {
    Hello {
        version: u32,
        build: EngineBuild,
    },
    /// Instead of `Hello`: the engine cannot be used at all.
    Unusable(Fault),
    LoadProgress {
        /// Share of the model that is loaded, 0 to 1.
        fraction: f32,
    },
    Loaded(Box<Loaded>),
    LoadFailed(Fault),
    /// The process lives. `progress` counts the engine's steps, so that a hang can be told from slow work.
    Heartbeat {
        progress: u64,
    },
    /// A request was read from the pipe; its events count from here.
    Accepted {
        id: u32,
        /// Nanoseconds on the worker's clock, so that requests that overlap can be put on one time line.
        at: Nanos,
    },
    Events {
        id: u32,
        events: Vec<Stamped>,
    },
    /// The next round of [`Command::Synthetic`] starts: its energy counts from here.
    RoundBegins {
        id: u32,
    },
    /// One round of [`Command::Synthetic`].
    Round {
        id: u32,
        tokens: u32,
        ns: Nanos,
        last: bool,
    },
    /// The embedding that [`Command::Embed`] asked for.
    Embedded {
        id: u32,
        /// Tokens of the text, with the special tokens that the model wants around it.
        tokens: u32,
        tokenize_ns: Nanos,
        /// Nanoseconds in the model, without the tokenizer.
        ns: Nanos,
        /// The pooled vector, of length 1.
        vector: Vec<f32>,
    },
    /// A synthetic run or an embedding could not be made.
    TaskFailed {
        id: u32,
        fault: Fault,
    },
}

/// How to load the model. `None`: the engine's default.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LoadRequest {
    pub model: PathBuf,
    /// Layers to offload to GPUs; `None`: all of them where a GPU backend is built in.
    pub gpu_layers: Option<u32>,
    /// Device names as the engine lists them; empty: all.
    pub devices: Vec<String>,
    /// CPU threads; `None`: the physical cores this process may use.
    pub threads: Option<u32>,
    /// Tokens one sequence may hold (prompt and output).
    pub context: u32,
    /// Sequences decoded together.
    pub parallel: u32,
    /// Most tokens in one call of the engine (llama.cpp's `n_batch`) and in one pass over the
    /// weights (`n_ubatch`).
    pub batch: Option<u32>,
    pub ubatch: Option<u32>,
    pub flash_attention: Option<bool>,
    pub kv_type: KvType,
    /// Prompts go to the model as they are, without the file's chat template.
    pub raw: bool,
    /// Prompts that may not fit the context: they are tokenised before anything else of the model is
    /// loaded.
    #[serde(default)]
    pub doubtful: Vec<Prompt>,
    /// How tokens are drawn; `None`: greedy.
    #[serde(default)]
    pub sampling: Option<Sampling>,
    /// A JSON schema for every answer.
    #[serde(default)]
    pub json_schema: Option<String>,
    /// Compute embeddings instead of answers: each text is one pass over the weights, so `batch` and
    /// `ubatch` are the context.
    #[serde(default)]
    pub embed: bool,
    /// Most private memory of the worker, bytes; `None`: no limit.
    #[serde(default)]
    pub memory_limit: Option<u64>,
}

impl LoadRequest {
    /// The engine's own choices, for `context` tokens of prompt and output.
    pub fn new(model: PathBuf, context: u32) -> Self {
        Self {
            model,
            gpu_layers: None,
            devices: Vec::new(),
            threads: None,
            context,
            parallel: 1,
            batch: None,
            ubatch: None,
            flash_attention: None,
            kv_type: KvType::default(),
            raw: false,
            doubtful: Vec::new(),
            sampling: None,
            json_schema: None,
            embed: false,
            memory_limit: None,
        }
    }
}

/// How a token is drawn. `None` leaves a step out.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Sampling {
    pub temperature: f32,
    pub top_k: Option<u32>,
    pub top_p: Option<f32>,
    pub min_p: Option<f32>,
    /// Seed of the random numbers; each request draws its own.
    pub seed: u32,
    /// Take the values that the model's file recommends instead of these.
    #[serde(default)]
    pub recommended: bool,
}

/// Element type of the KV cache.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum KvType {
    #[default]
    F16,
    Q8_0,
    Q4_0,
}

/// The engine of this program.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EngineBuild {
    /// `llama.cpp`.
    pub name: String,
    /// ggml's own version and, where the build knows it, its commit.
    pub version: String,
    /// The source package it was built from.
    pub source: String,
    /// Devices it can use, the CPU included.
    pub devices: Vec<Device>,
    /// Backends found beside the program; none where they are built in.
    #[serde(default)]
    pub libraries: Vec<Library>,
    /// Backends for other devices than the processor that found no device here, each with the reason.
    #[serde(default)]
    pub left_out: Vec<String>,
}

/// A backend's library that was found beside the program.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Library {
    /// The engine's name for it: `CPU`, `Vulkan`.
    pub backend: String,
    /// The kind of processor it was built for: `haswell`; `None` where there is one only.
    pub variant: Option<String>,
}

impl Library {
    /// `CPU (haswell)`, `Vulkan`.
    pub fn label(&self) -> String {
        match &self.variant {
            Some(variant) => format!("{} ({variant})", self.backend),
            None => self.backend.clone(),
        }
    }
}

/// A device as the engine lists it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Device {
    pub name: String,
    pub description: String,
    /// `CPU`, `CUDA`, `Vulkan`, `Metal`, …
    pub backend: String,
    pub is_gpu: bool,
    /// Bytes of memory; 0 where the device does not say.
    pub memory_total: u64,
    pub memory_free: u64,
    /// The driver behind it, where the engine names it.
    #[serde(default)]
    pub driver: Option<String>,
}

/// What was loaded, and how.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Loaded {
    /// llama.cpp's description, such as `llama 135M Q4_1`.
    pub description: String,
    pub name: Option<String>,
    pub architecture: Option<String>,
    pub parameters: u64,
    /// Bytes of all tensors.
    pub size: u64,
    pub layers: u32,
    /// Layers on a GPU (the output layer counts as one); 0 is CPU only.
    pub offloaded_layers: u32,
    /// Devices the model really uses.
    pub devices: Vec<Device>,
    pub threads: u32,
    /// Tokens one sequence may hold.
    pub context: u32,
    pub context_trained: u32,
    /// Tokens of the longest of [`LoadRequest::doubtful`] with its answer.
    #[serde(default)]
    pub longest_doubtful: Option<u64>,
    pub parallel: u32,
    pub batch: u32,
    pub ubatch: u32,
    pub vocabulary: u32,
    /// Nanoseconds until the first request was possible: weights, context and a warm-up pass.
    pub load_ns: Nanos,
    /// The file's own chat template is used; `false` with `raw`.
    pub chat_template: bool,
    /// `greedy`, or the sampling settings.
    #[serde(default)]
    pub sampling: String,
    /// What embeddings of this model are, with [`LoadRequest::embed`].
    #[serde(default)]
    pub embedding: Option<EmbeddingKind>,
    pub memory: Memory,
}

/// What the embeddings of a model are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EmbeddingKind {
    pub dimensions: u32,
    /// How the tokens' vectors become the text's: `mean`, `cls`, `last`.
    pub pooling: String,
    /// The file names the pooling; otherwise it is the usual `mean`.
    pub pooling_named: bool,
}

/// Bytes of the buffers that the engine reports while loading; `None` where it did not say.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Memory {
    pub weights: Option<u64>,
    pub kv: Option<u64>,
    pub compute: Option<u64>,
    /// The part of all three that is on GPUs.
    pub device: Option<u64>,
    /// The process's resident memory after loading.
    pub resident: Option<u64>,
}

/// Why a frame could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum FrameError {
    #[error("a frame of {0} bytes, more than the {MAX_FRAME} allowed")]
    TooLarge(usize),
    #[error("the pipe closed inside a frame")]
    Cut,
    #[error("not a message of protocol version {VERSION}: {0}")]
    Nonsense(String),
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

/// A message as one frame, ready to write. Fails above [`MAX_FRAME`].
pub fn encode<T: Serialize>(message: &T) -> Result<Vec<u8>, FrameError> {
    let mut frame = vec![0; 4];
    serde_json::to_writer(&mut frame, message).map_err(|e| FrameError::Nonsense(e.to_string()))?;
    let length = frame.len() - 4;
    if length > MAX_FRAME {
        return Err(FrameError::TooLarge(length));
    }
    let header = u32::try_from(length).unwrap_or(u32::MAX).to_le_bytes();
    frame[..4].copy_from_slice(&header);
    Ok(frame)
}

/// Write one frame and flush it.
pub fn write<T: Serialize>(out: &mut impl Write, message: &T) -> Result<(), FrameError> {
    out.write_all(&encode(message)?)?;
    out.flush()?;
    Ok(())
}

/// Read one frame; `None` is a clean end between frames.
pub fn read<T: DeserializeOwned>(input: &mut impl Read) -> Result<Option<T>, FrameError> {
    let mut header = [0; 4];
    let mut filled = 0;
    while filled < header.len() {
        match input.read(&mut header[filled..]) {
            Ok(0) if filled == 0 => return Ok(None),
            Ok(0) => return Err(FrameError::Cut),
            Ok(n) => filled += n,
            Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e.into()),
        }
    }
    let mut body = vec![0; checked_length(header)?];
    input.read_exact(&mut body).map_err(cut)?;
    parse(&body).map(Some)
}

/// As [`read`], for the parent.
pub async fn read_async<T: DeserializeOwned>(
    input: &mut (impl AsyncRead + Unpin),
) -> Result<Option<T>, FrameError> {
    let mut header = [0; 4];
    if input.read(&mut header[..1]).await? == 0 {
        return Ok(None);
    }
    input.read_exact(&mut header[1..]).await.map_err(cut)?;
    let mut body = vec![0; checked_length(header)?];
    input.read_exact(&mut body).await.map_err(cut)?;
    parse(&body).map(Some)
}

fn checked_length(header: [u8; 4]) -> Result<usize, FrameError> {
    let length = u32::from_le_bytes(header) as usize;
    if length > MAX_FRAME { Err(FrameError::TooLarge(length)) } else { Ok(length) }
}

fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, FrameError> {
    serde_json::from_slice(body).map_err(|e| FrameError::Nonsense(e.to_string()))
}

fn cut(error: std::io::Error) -> FrameError {
    if error.kind() == std::io::ErrorKind::UnexpectedEof { FrameError::Cut } else { error.into() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::event::{Channel, Event, Role};

    #[test]
    fn frames_come_back_whole() {
        let command = Command::Generate {
            id: 7,
            request: Prompt {
                messages: vec![Message::text(Role::User, "é\0\u{1f600}")],
                max_output_tokens: 5,
                ..Prompt::default()
            },
        };
        let reply = Reply::Events {
            id: 7,
            events: vec![Stamped {
                at: u64::MAX,
                event: Event::Content { channel: Channel::Text, text: "x".into(), tokens: Some(1) },
            }],
        };
        let mut pipe = encode(&command).expect("encodes");
        pipe.extend(encode(&reply).expect("encodes"));
        let mut input = pipe.as_slice();
        assert_eq!(read::<Command>(&mut input).expect("reads"), Some(command));
        assert_eq!(read::<Reply>(&mut input).expect("reads"), Some(reply));
        assert!(read::<Reply>(&mut input).expect("a clean end").is_none());
    }

    #[test]
    fn a_frame_is_refused_before_it_is_allocated() {
        let mut garbage: &[u8] = b"\xff\xff\xff\x7fhello";
        assert!(matches!(read::<Reply>(&mut garbage), Err(FrameError::TooLarge(_))));
        let mut cut: &[u8] = b"\x09\0\0\0{\"ty";
        assert!(matches!(read::<Reply>(&mut cut), Err(FrameError::Cut)));
        let mut short: &[u8] = b"\x09\0";
        assert!(matches!(read::<Reply>(&mut short), Err(FrameError::Cut)));
        let mut wrong: &[u8] = b"\x02\0\0\0{}";
        assert!(matches!(read::<Reply>(&mut wrong), Err(FrameError::Nonsense(_))));
    }
}
