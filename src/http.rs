//! Requests: every connection, whatever way it came in, speaks HTTP here first.
//!
//! [`guard`] decides whether a request may be answered at all, [`routes`] what it gets; [`assets`] is the page,
//! [`error`] what is said when there is nothing to get. `body` reads what a request brings, `patience` ends
//! connections on which nothing can be written.

pub mod assets;
mod body;
pub mod error;
pub mod guard;
mod patience;
pub mod routes;

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
use crate::listen::{Connection, Io, Peer, Place};
use patience::Patience;

/// The largest request head, in bytes; more is answered with 431.
const HEAD_BYTES_MAX: usize = 16 * 1024;

/// The most headers a request may have; more is answered with 431.
const HEADERS_MAX: usize = 64;

/// How long an answer under way may take when the room closes.
const CLOSE_WAIT: Duration = Duration::from_secs(1);

/// Where a request came from, for those who answer it.
#[derive(Clone)]
pub struct Origin {
    /// The other side of the connection.
    pub peer: Peer,
    /// The connection's place, to be held for as long as the connection lives on in another form.
    pub place: Arc<Place>,
}

/// Serves the requests of one connection until it ends or `closing` is told. An upgraded connection lives on
/// in the task that took it.
pub async fn serve(
    connection: Connection,
    router: Router,
    settings: &ListenSettings,
    closing: CancellationToken,
) {
    let Connection { io, peer, place } = connection;
    let io: Box<dyn Io> = Box::new(Patience::new(io, settings.write_stall));
    let origin = Origin { peer, place: Arc::new(place) };
    let service = router.map_request(move |mut request: http::Request<hyper::body::Incoming>| {
        request.extensions_mut().insert(origin.clone());
        request
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(settings.request_head)
        .max_buf_size(HEAD_BYTES_MAX)
        .max_headers(HEADERS_MAX)
        // The host's clock is nobody's business.
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
