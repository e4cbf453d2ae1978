//! Measures how long connections take to open, which the HTTP client does not tell: a layer around its
//! connector. Requests under way at the same time share a client, so each brings a place of its own for the
//! time; the connector writes to that of the request that made it connect.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::Instant;

tokio::task_local! {
    /// The place for the request that is being sent.
    static SENDING: Connects;
}

/// The time that one request took to open a connection; `None` where it used an open one.
#[derive(Debug, Clone, Default)]
pub(super) struct Connects(Arc<Mutex<Option<Duration>>>);

impl Connects {
    /// Runs `work`, and notes the time of connections that are opened for it.
    pub(super) async fn during<T>(&self, work: impl Future<Output = T>) -> T {
        SENDING.scope(self.clone(), work).await
    }
    pub(super) fn take(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
    pub(super) fn peek(&self) -> Option<Duration> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The layer that wraps the connector.
#[derive(Debug, Clone)]
pub(super) struct Timing;

impl<S> tower_layer::Layer<S> for Timing {
    type Service = Timed<S>;
    fn layer(&self, inner: S) -> Timed<S> {
        Timed { inner }
    }
}

/// A connector that notes how long connecting took.
#[derive(Debug, Clone)]
pub(super) struct Timed<S> {
    inner: S,
}

impl<R, S: tower_service::Service<R>> tower_service::Service<R> for Timed<S>
where
    S::Future: Send + 'static,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }
    fn call(&mut self, request: R) -> Self::Future {
        let start = Instant::now();
        let connecting = self.inner.call(request);
        let connects = SENDING.try_with(Connects::clone).unwrap_or_default();
        Box::pin(async move {
            let connected = connecting.await;
            *connects.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(start.elapsed());
            connected
        })
    }
}
