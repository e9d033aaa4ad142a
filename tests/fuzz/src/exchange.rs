//! One connection to a fresh room in memory, on a paused clock: everything is over in no time.

use std::time::Duration;

use onionroom::config::Settings;
use onionroom::listen::Peer;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::runtime::Builder;
use tokio::time::{sleep, timeout};

use super::memory::MemoryRoom;

/// The port in the room's addresses.
pub(crate) const PORT: u16 = 8646;

/// How long the server may go on when nothing more is sent, on the paused clock: longer than each of its deadlines.
const PATIENCE: Duration = Duration::from_secs(200);

/// Writes the parts, each once the one before was handled, and returns what the server wrote until it closed or the
/// patience was over. The writing side stays open: the server's own deadlines end the connection.
pub(crate) fn exchange<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> Vec<u8> {
    let runtime = Builder::new_current_thread().enable_time().start_paused(true).build();
    runtime.expect("a runtime").block_on(async {
        let mut settings = Settings::default();
        settings.listen.address.set_port(PORT);
        settings.room.messages_per_minute = 0;
        settings.room.joins_per_minute = 0;
        let room = MemoryRoom::open(&settings).await;
        let (mut reader, mut writer) =
            tokio::io::split(room.connect(Peer::Loopback(([127, 0, 0, 1], 5).into())).expect("a permit"));
        let write = async {
            for part in parts {
                // The server may have closed.
                if writer.write_all(part).await.is_err() {
                    break;
                }
                sleep(Duration::from_millis(1)).await;
            }
        };
        let mut written = Vec::new();
        let read = timeout(PATIENCE, reader.read_to_end(&mut written));
        let ((), _) = tokio::join!(write, read);
        written
    })
}
