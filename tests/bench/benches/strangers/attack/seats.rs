//! Guests who join, say one thing so that they count as guests, and stay.

use onionroom_bench::Outcome;

use super::Stranger;
use super::connection::text;
use crate::honest::token;

/// Holds a seat, and takes it again when it is lost.
pub(super) async fn hold(stranger: Stranger) {
    let token = token();
    stranger.again(|stranger| stay(stranger, token.clone())).await;
}

async fn stay(stranger: Stranger, token: String) -> Outcome<()> {
    let mut connection = stranger.connect().await?;
    connection.join(&token).await?;
    let _present = connection.present();
    // With the same id it is one message, however often this guest comes back.
    connection.write(&text(r#"{"type":"say","id":"once","text":"here"}"#)).await?;
    loop {
        connection.event().await?;
    }
}
