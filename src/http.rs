//! Requests: each connection speaks HTTP/1.1 first.
//!
//! [`guard`] checks `Host`, `Origin` and Fetch Metadata, [`routes`] dispatches with the state in [`site`]; [`index`] is the document at `/`,
//! [`error`] the problem responses (RFC 9457). `body` reads request bodies, `fields` queries and forms, `write_timeout` ends connections whose
//! writes make no progress.

mod body;
pub mod error;
mod fields;
pub mod guard;
pub mod index;
pub mod routes;
pub mod site;
mod write_timeout;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use crate::config::ListenSettings;
use crate::listen::{ConnectInfo, Connection, Io};
use write_timeout::WriteTimeout;

/// The largest request head, in bytes; more is answered with 431.
const HEAD_BYTES_MAX: usize = 16 * 1024;

/// The most headers a request may have; more is answered with 431.
const HEADERS_MAX: usize = 64;

/// How long an answer under way may take when the room closes.
const CLOSE_WAIT: Duration = Duration::from_secs(1);

/// Serves the requests of one connection until it ends or `closing` is cancelled. An upgraded connection lives on in
/// the task that serves it.
pub async fn serve(
    connection: Connection,
    router: Router,
    settings: &ListenSettings,
    closing: CancellationToken,
) {
    let Connection { io, peer, permit } = connection;
    let io: Box<dyn Io> = Box::new(WriteTimeout::new(io, settings.write_stall));
    let info = ConnectInfo { peer, permit: Arc::new(permit) };
    let service = router.map_request(move |mut request: http::Request<hyper::body::Incoming>| {
        request.extensions_mut().insert(info.clone());
        request
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(settings.request_head)
        .max_buf_size(HEAD_BYTES_MAX)
        .max_headers(HEADERS_MAX)
        // The host's clock must not be visible.
        .auto_date_header(false)
        .serve_connection(TokioIo::new(io), TowerToHyperService::new(service))
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
