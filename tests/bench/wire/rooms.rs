//! Many rooms in one process.

use onionroom::config::Settings;
use onionroom::server::Server;

use crate::kit::Outcome;

/// Is so many rooms until it is killed; tells their addresses on standard output.
pub(crate) fn run(count: usize) -> Outcome<()> {
    // Ephemeral, as long as nothing else is said.
    let mut settings = Settings::default();
    settings.onion.enabled = false;
    settings.listen.address.set_port(0);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
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
