//! A second C Tor client on the network. What one client does cannot show what two strangers are to each other: it
//! gives a circuit that waits for one of them to the next.

use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use onionroom::lab::{Control, Network};
use tempfile::TempDir;
use tokio::process::{Child, Command};
use tokio::time::sleep;

use super::visitor::Visitors;
use crate::kit::within;

/// The options of the network's own client that describe the network.
const SHARED: [&str; 5] = ["TestingTorNetwork ", "Address ", "AssumeReachable ", "DirAuthority ", "__Owning"];

/// The client, ended when dropped.
pub(crate) struct OtherClient {
    /// Visitors who come through it.
    pub(crate) visitors: Visitors,
    _process: Child,
    _home: TempDir,
}

impl OtherClient {
    /// Starts it, and waits until it can build circuits.
    pub(crate) async fn start(network: &Network) -> Self {
        let home = tempfile::tempdir().unwrap();
        let path = |name: &str| home.path().join(name);
        let (torrc, defaults) = (path("torrc"), path("torrc-defaults"));
        fs::write(&defaults, "").unwrap();
        fs::write(&torrc, configuration(network.directory(), home.path())).unwrap();
        let process = Command::new("tor")
            .arg("--defaults-torrc")
            .args([&defaults])
            .arg("-f")
            .args([&torrc])
            .stdout(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let connected = within("another client's control port", async {
            loop {
                let written = fs::read_to_string(path("control_port")).unwrap_or_default();
                if let Some(Ok(address)) = written.trim().strip_prefix("PORT=").map(str::parse)
                    && let Ok(control) = Control::connect(address, &path("cookie")).await
                {
                    break (address, control);
                }
                sleep(Duration::from_millis(50)).await;
            }
        });
        let (address, mut control) = connected.await;
        within("another client's circuits", async {
            while control.get_info("status/circuit-established").await.unwrap() != ["1"] {
                sleep(Duration::from_millis(100)).await;
            }
        })
        .await;
        let listeners = control.get_info("net/listeners/socks").await.unwrap();
        let socks = listeners[0].trim_matches('"').parse().unwrap();
        Self { visitors: Visitors::through(socks, address, path("cookie")), _process: process, _home: home }
    }
}

fn configuration(network: &Path, home: &Path) -> String {
    let own = fs::read_to_string(network.join("client/torrc")).unwrap();
    let shared = own.lines().filter(|line| SHARED.iter().any(|option| line.starts_with(option)));
    let home = home.display();
    format!(
        "{}\nClientOnly 1\nSocksPort auto\nShutdownWaitLength 0\nDataDirectory \"{home}/data\"\nControlPort auto\n\
         ControlPortWriteToFile \"{home}/control_port\"\nCookieAuthentication 1\nCookieAuthFile \"{home}/cookie\"\n",
        shared.collect::<Vec<_>>().join("\n")
    )
}
