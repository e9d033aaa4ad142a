//! Serves the connections of all listeners.

use std::sync::Arc;

use axum::Router;
use tokio::sync::mpsc;

use crate::http;
use crate::http::site::Site;
use crate::listen::Connection;

/// Serves every connection that comes in, each in its own task.
pub(super) async fn serve(
    mut connections: mpsc::UnboundedReceiver<Connection>,
    router: Router,
    site: Arc<Site>,
) {
    loop {
        tokio::select! {
            biased;
            () = site.closing.cancelled() => return,
            connection = connections.recv() => match connection {
                Some(connection) => {
                    let (router, site) = (router.clone(), Arc::clone(&site));
                    site.tasks.clone().spawn(async move {
                        http::serve(connection, router, &site.settings, site.closing.clone()).await;
                    });
                }
                None => return,
            },
        }
    }
}
