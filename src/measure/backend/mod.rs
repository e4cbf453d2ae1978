//! The ways to get an answer generated. A backend reports events as they happen and never retries
//! silently; what they mean is decided by the fold.
//!
//! One file per backend: `openai.rs` (chat completions over HTTP), `local.rs` (parent side of the
//! worker process), `worker.rs` (the worker itself: the one module allowed to call C++).
//! Each offers `async fn generate(&mut self, request: &Request, sink: &mut dyn FnMut(Stamped))`;
//! a failure is an [`Event::Failed`](super::event::Event::Failed), not an `Err`.

#[cfg(any(test, feature = "llama"))]
mod decode;
#[cfg(feature = "llama")]
mod llama;
pub mod local;
pub mod protocol;
pub mod worker;
