//! How long connections take to open, which the HTTP client does not tell: a layer around its
//! connector.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::Instant;

/// Times the opening of connections, which the client does not tell.
#[derive(Debug, Clone, Default)]
pub(super) struct Connects(Arc<Mutex<Option<Duration>>>);

impl Connects {
    pub(super) fn take(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
    pub(super) fn peek(&self) -> Option<Duration> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<S> tower_layer::Layer<S> for Connects {
    type Service = Timed<S>;
    fn layer(&self, inner: S) -> Timed<S> {
        Timed { inner, connects: self.clone() }
    }
}

/// A connector that notes how long connecting took.
#[derive(Debug, Clone)]
pub(super) struct Timed<S> {
    inner: S,
    connects: Connects,
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
        let connects = self.connects.clone();
        Box::pin(async move {
            let connected = connecting.await;
            *connects.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(start.elapsed());
            connected
        })
    }
}
