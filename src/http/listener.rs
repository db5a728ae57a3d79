//! Takes connections and serves them, within limits, until told to stop: then it finishes what was begun.
//!
//! One of the two places that start tasks; the other is the job runner.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tower::ServiceExt as _;
use tower_http::timeout::TimeoutBody;
use tracing::{debug, info, warn};

use super::origin::Peer;
use super::path;
use crate::app::App;
use crate::error::{Context as _, Error, Result};

/// How long the head of a request may take; it is also how long an idle connection is kept, because hyper
/// starts this clock when it waits for the next request. SDKs keep connections for a minute or so, and a
/// connection closed under a request is a lost event: so it is longer.
const HEAD_MAX: Duration = Duration::from_secs(75);
/// How long a client may pause within the body of a request.
const BODY_PAUSE_MAX: Duration = Duration::from_secs(30);
/// Largest head of a request over HTTP/1, in bytes.
const HEAD_BYTES_MAX: usize = 64 << 10;
/// How many requests one HTTP/2 connection may have open.
const STREAMS_MAX: u32 = 128;
/// How long begun requests may take after the server was asked to stop.
const FINISH_MAX: Duration = Duration::from_secs(10);
/// How long to wait when no connection can be taken (too many open files).
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// A bound socket.
#[derive(Debug)]
pub(crate) struct Listener {
    socket: TcpListener,
    /// The address that was really bound: a port of 0 has become one.
    pub(crate) address: SocketAddr,
}

impl Listener {
    /// Binds the configured address.
    ///
    /// # Errors
    /// `Invalid` if it cannot be had.
    pub(crate) async fn bind(address: SocketAddr) -> Result<Self> {
        let bound = TcpListener::bind(address).await;
        let socket = bound.map_err(|error| {
            Error::Invalid(format!(
                "cannot listen on {address}: {error}; choose another address with --listen"
            ))
        })?;
        let address = socket.local_addr().context("asking for the bound address")?;
        Ok(Self { socket, address })
    }

    /// Serves until the app is asked to stop, then finishes what was begun.
    pub(crate) async fn serve(self, app: &App, router: Router) {
        let graceful = GracefulShutdown::new();
        let places = Arc::new(Semaphore::new(app.config.server.connections_max as usize));
        loop {
            let place = tokio::select! {
                place = places.clone().acquire_owned() => place.expect("the semaphore is never closed"),
                () = app.shutdown.cancelled() => break,
            };
            let (stream, peer) = tokio::select! {
                accepted = self.socket.accept() => match accepted {
                    Ok(accepted) => accepted,
                    Err(error) => {
                        warn!("could not take a connection: {error}");
                        tokio::time::sleep(ACCEPT_PAUSE).await;
                        continue;
                    }
                },
                () = app.shutdown.cancelled() => break,
            };
            let connection = connection(stream, peer, router.clone());
            let watched = graceful.watcher();
            let connections = app.metrics.connections.clone();
            tokio::spawn(async move {
                connections.inc();
                connection.run(watched).await;
                connections.dec();
                drop(place);
            });
        }
        drop(self.socket);
        finish(graceful).await;
    }
}

/// Waits for begun requests.
async fn finish(graceful: GracefulShutdown) {
    let count = graceful.count();
    info!("finishing {count} connections");
    if tokio::time::timeout(FINISH_MAX, graceful.shutdown()).await.is_err() {
        warn!("some requests did not finish within {} s", FINISH_MAX.as_secs());
    }
}

/// A connection to serve.
struct Connection {
    stream: TcpStream,
    peer: SocketAddr,
    router: Router,
}

fn connection(stream: TcpStream, peer: SocketAddr, router: Router) -> Connection {
    Connection { stream, peer, router }
}

impl Connection {
    async fn run(self, watched: hyper_util::server::graceful::Watcher) {
        let Self { stream, peer, router } = self;
        // Answers are small and written at once: waiting to fill a packet only delays them.
        let _ = stream.set_nodelay(true);
        let service = hyper::service::service_fn(move |request: hyper::Request<Incoming>| {
            let body = |body| axum::body::Body::new(TimeoutBody::new(BODY_PAUSE_MAX, body));
            let mut request: Request = request.map(body);
            request.extensions_mut().insert(Peer(peer));
            router.clone().oneshot(path::normalize(request))
        });
        let mut builder = auto::Builder::new(TokioExecutor::new());
        builder
            .http1()
            .timer(TokioTimer::new())
            .header_read_timeout(HEAD_MAX)
            .max_buf_size(HEAD_BYTES_MAX);
        builder
            .http2()
            .timer(TokioTimer::new())
            .max_concurrent_streams(STREAMS_MAX)
            .keep_alive_interval(HEAD_MAX);
        let connection = builder.serve_connection(TokioIo::new(stream), service).into_owned();
        if let Err(error) = watched.watch(connection).await {
            debug!(%peer, "the connection ended: {error}");
        }
    }
}
