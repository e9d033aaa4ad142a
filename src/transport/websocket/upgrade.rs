//! The upgrade of a request to a WebSocket: the answer to the handshake, and the task that serves the connection.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use http::StatusCode;
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::driver;
use super::handshake::negotiate;
use crate::config::ListenSettings;
use crate::hub::Room;
use crate::listen::{ConnectInfo, Io};
use crate::rooms::Rooms;

pub use super::handshake::Refused;

/// What an upgraded connection is served with.
pub struct Context {
    /// All rooms.
    pub rooms: Arc<Rooms>,
    /// The main room, for this connection.
    pub room: Room,
    /// Deadlines.
    pub settings: Arc<ListenSettings>,
    /// Where the connection's task is spawned.
    pub tasks: TaskTracker,
    /// Cancelled when the room closes.
    pub closing: CancellationToken,
}

/// Answers an opening handshake and spawns the task that serves the guest once the connection is upgraded.
///
/// # Errors
/// The first condition of RFC 6455, section 4.2.1, that the request does not meet.
pub fn upgrade(mut request: Request, context: Context) -> Result<Response, Refused> {
    let accepted = negotiate(request.method(), request.version(), request.headers())?;
    let extensions = request.extensions_mut();
    let (Some(upgrade), Some(info)) = (extensions.remove::<OnUpgrade>(), extensions.remove::<ConnectInfo>())
    else {
        return Err(Refused::Upgrade);
    };
    context.tasks.clone().spawn(serve_upgraded(upgrade, info, context));
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    *response.headers_mut() = accepted.headers();
    Ok(response)
}

/// Serves the guest, with the connection's permit, until the end.
async fn serve_upgraded(upgrade: OnUpgrade, info: ConnectInfo, context: Context) {
    let Context { rooms, room, settings, closing, .. } = context;
    match upgrade.await.map(Upgraded::downcast::<TokioIo<Box<dyn Io>>>) {
        Ok(Ok(parts)) => {
            let (io, read_ahead) = (parts.io.into_inner(), parts.read_buf);
            driver::serve(io, read_ahead, rooms, room, &settings, &info.permit, &closing).await;
        }
        Ok(Err(_)) => tracing::error!("a connection of an unknown kind was upgraded"),
        Err(error) => tracing::debug!(%error, "a handshake was not completed"),
    }
}
