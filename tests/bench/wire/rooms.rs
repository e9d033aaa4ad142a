//! Many rooms in one process.

use onionroom::config::Settings;
use onionroom::server::Server;
use tokio::runtime::Builder;

use crate::kit::Outcome;

/// How many threads they share; without it one, as the program has.
pub(crate) const THREADS: &str = "WIRE_THREADS";

/// Is so many rooms until it is killed; tells their addresses on standard output.
pub(crate) fn run(count: usize) -> Outcome<()> {
    // Ephemeral, as long as nothing else is said.
    let mut settings = Settings::default();
    settings.onion.enabled = false;
    settings.listen.address.set_port(0);
    settings.room.guests = 10_000;
    settings.listen.connections = 20_000;
    settings.room.messages_per_second = 0;
    let runtime = match std::env::var(THREADS).ok().and_then(|threads| threads.parse().ok()) {
        None | Some(1) => Builder::new_current_thread().enable_all().build()?,
        Some(threads) => Builder::new_multi_thread().worker_threads(threads).enable_all().build()?,
    };
    runtime.block_on(async {
        let mut rooms = Vec::new();
        for _ in 0..count {
            rooms.push(Server::open(&settings).await?);
        }
        let urls: Vec<_> = rooms.iter().map(Server::local_url).collect();
        println!("local: {}", urls.join(" "));
        std::future::pending::<()>().await;
        Ok(())
    })
}
