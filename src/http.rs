//! Requests: each connection speaks HTTP/1.1 first.
//!
//! [`guard`] checks `Host`, `Origin` and Fetch Metadata, [`routes`] dispatches with the state in [`site`]; [`index`] is the document at `/`,
//! [`language`] what a request is to be answered in,
//! [`error`] the problem responses (RFC 9457), [`local_key`] what this machine's own requests must have. `body` reads request bodies, [`fields`] queries and forms, `write_timeout` ends connections whose
//! writes make no progress, `unbuffered` says that a response has no end, `metered` charges what is received to the circuit's budget.

mod body;
mod cookies;
mod drawings;
pub mod error;
pub mod fields;
pub mod guard;
pub mod index;
pub mod language;
pub mod local_key;
mod metered;
pub mod routes;
pub mod site;
mod unbuffered;
mod write_timeout;

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use http::StatusCode;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use crate::config::ListenSettings;
use crate::listen::budget::HeldBytes;
use crate::listen::{ConnectInfo, Connection, Io};
use metered::{Metered, Unwritten};
use write_timeout::WriteTimeout;

/// The largest request head, in bytes; more is answered with 431.
const HEAD_BYTES_MAX: usize = 16 * 1024;

/// The most headers a request may have; more is answered with 431.
const HEADERS_MAX: usize = 64;

/// How long an answer under way may take when the room closes.
const CLOSE_WAIT: Duration = Duration::from_secs(1);

/// Serves the requests of one connection until it ends, its permit goes to another circuit, or `closing` is cancelled.
/// Each request is charged to the circuit's budget and waits until it can be paid. An upgraded connection lives on in the
/// task that serves it.
pub async fn serve(
    connection: Connection,
    router: Router,
    settings: &ListenSettings,
    closing: CancellationToken,
) {
    let Connection { io, peer, permit } = connection;
    let evicted = permit.evicted().clone();
    let served = async {
        // Opening connections costs as well.
        if let Some(wait) = permit.budget().take(1) {
            wait.await;
        }
        serve_requests(io, ConnectInfo { peer, permit: Arc::new(permit) }, router, settings, closing).await;
    };
    tokio::select! {
        biased;
        // Dropped as it is: an answer would have to wait until it can be written.
        () = evicted.cancelled() => tracing::debug!("a connection was closed in favour of another circuit's"),
        () = served => {}
    }
}

async fn serve_requests(
    io: Box<dyn Io>,
    info: ConnectInfo,
    router: Router,
    settings: &ListenSettings,
    closing: CancellationToken,
) {
    let unwritten = Arc::new(Unwritten::default());
    let io = WriteTimeout::new(io, settings.write_stall);
    let io: Box<dyn Io> = Box::new(Metered::new(io, Arc::clone(&info.permit), Arc::clone(&unwritten)));
    let service = service_fn(move |mut request: http::Request<Incoming>| {
        let (router, unwritten) = (router.clone(), Arc::clone(&unwritten));
        request.extensions_mut().insert(info.clone());
        let paid = info.permit.budget().take(1);
        async move {
            unwritten.written().await;
            if let Some(wait) = paid {
                wait.await;
            }
            let Ok(mut response) = router.oneshot(request).await;
            let permit = response.extensions_mut().remove::<HeldBytes>();
            let last = response.status() == StatusCode::SWITCHING_PROTOCOLS;
            unwritten.begin(permit.and_then(HeldBytes::take), last);
            Ok::<_, Infallible>(response)
        }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(settings.request_head)
        .max_buf_size(HEAD_BYTES_MAX)
        .max_headers(HEADERS_MAX)
        // The host's clock must not be visible.
        .auto_date_header(false)
        .serve_connection(TokioIo::new(io), service)
        .with_upgrades();
    let mut connection = std::pin::pin!(connection);
    let served = tokio::select! {
        served = connection.as_mut() => served,
        () = closing.cancelled() => {
            connection.as_mut().graceful_shutdown();
            timeout(CLOSE_WAIT, connection).await.unwrap_or(Ok(()))
        }
    };
    if let Err(error) = served {
        tracing::debug!(%error, "a connection ended early");
    }
}
