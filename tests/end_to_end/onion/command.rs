//! The program itself, as people run it.

use std::path::Path;
use std::process::Stdio;

use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;

use super::visitor::Visitors;
use crate::kit::program::heedful;
use crate::kit::within;

/// Runs `onionroom serve --ephemeral` with every directory it could know of in a place of its own, visits it,
/// ends it with Ctrl-C, and looks that the place is empty. Answers with its address.
pub(crate) async fn an_ephemeral_room_leaves_nothing(visitors: &Visitors, network_file: &Path) -> String {
    let place = tempfile::tempdir().unwrap();
    let mut command = heedful(env!("CARGO_BIN_EXE_onionroom"));
    command.args(["serve", "--ephemeral", "--listen", "127.0.0.1:0", "--network-file"]).arg(network_file);
    for variable in [
        "HOME",
        "TMPDIR",
        "XDG_RUNTIME_DIR",
        "XDG_DATA_HOME",
        "XDG_CONFIG_HOME",
        "XDG_CACHE_HOME",
        "XDG_STATE_HOME",
    ] {
        command.env(variable, place.path());
    }
    let told = tempfile::NamedTempFile::new().unwrap();
    command.current_dir(place.path()).stdin(Stdio::null()).stdout(Stdio::piped()).kill_on_drop(true);
    command.stderr(told.reopen().unwrap());
    let told = || std::fs::read_to_string(told.path()).unwrap();
    let mut program = command.spawn().unwrap();
    let mut lines = BufReader::new(program.stdout.take().unwrap()).lines();
    let host = within("the address", async {
        loop {
            let line = lines.next_line().await.unwrap().unwrap_or_else(|| panic!("no address: {}", told()));
            let host = line.split("http://").nth(1).and_then(|rest| rest.split('/').next());
            if let Some(host) = host.filter(|host| host.ends_with(".onion")) {
                break host.to_owned();
            }
        }
    })
    .await;
    visitors.reach(&host).await;

    let id = program.id().unwrap().to_string();
    assert!(Command::new("kill").args(["-INT", &id]).status().await.unwrap().success());
    let status = within("its end", program.wait()).await.unwrap();
    assert!(status.success(), "{status}: {}", told());
    let left: Vec<_> = std::fs::read_dir(place.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(left.is_empty(), "{left:?}");
    host
}
