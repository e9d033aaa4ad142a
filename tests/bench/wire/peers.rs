//! Other people's hubs, where they can be had.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::process::Command;

use super::hub::Hub;

/// A hub on Node's `ws`, as its own documentation has it: one `send` for each message and guest.
const SCRIPT: &str = r#"
import { WebSocketServer } from "ws";
const hub = new WebSocketServer({ host: "127.0.0.1", port: 0, backlog: 4096 });
hub.on("listening", () => console.log(`local: http://127.0.0.1:${hub.address().port}/`));
hub.on("connection", (guest) => {
  guest.on("error", () => {});
  guest.on("message", (said, isBinary) => {
    for (const other of hub.clients) if (other.readyState === 1) other.send(said, { binary: isBinary });
  });
});
"#;

/// Where the script is put, and `ws` beside it.
fn directory() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("peers")
}

/// The script, where [`available`] has put it.
pub(crate) fn script() -> PathBuf {
    directory().join("hub.mjs")
}

/// Those that are there or could be installed; tells of those that are not.
pub(crate) async fn available() -> Vec<Hub> {
    match node().await {
        Ok(()) => vec![Hub::Node],
        Err(error) => {
            eprintln!("left out: Node's ws, {error}");
            Vec::new()
        }
    }
}

async fn node() -> std::io::Result<()> {
    std::fs::create_dir_all(directory())?;
    std::fs::write(script(), SCRIPT)?;
    let mut npm = Command::new("npm");
    npm.args([
        "install",
        "--no-save",
        "--ignore-scripts",
        "--no-audit",
        "--no-fund",
        "--loglevel=error",
        "ws@8",
    ]);
    npm.arg("--prefix").arg(directory()).stdin(Stdio::null()).stdout(Stdio::null());
    match npm.status().await?.success() {
        true => Ok(()),
        false => Err(std::io::Error::other("npm could not install it")),
    }
}
