//! The systemd unit in `config/`: how much of the system it leaves to the program.

use std::path::Path;

use tokio::process::Command;

use crate::kit::within;

/// The highest exposure that is allowed, of 10.
const EXPOSURE: f32 = 1.5;

#[tokio::test]
async fn the_unit_leaves_little_exposed() {
    let unit = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/onionroom.service");
    let mut command = Command::new("systemd-analyze");
    command
        .args(["security", "--offline=true", "--no-pager"])
        .arg(unit)
        .env("LC_ALL", "C.UTF-8")
        .kill_on_drop(true);
    let output = within("systemd-analyze", command.output()).await;
    let output = output.unwrap_or_else(|error| panic!("systemd-analyze (Debian: systemd): {error}"));
    let said = String::from_utf8(output.stdout).unwrap();
    let line = said.lines().find(|line| line.contains("Overall exposure level"));
    let line = line.unwrap_or_else(|| {
        panic!("systemd 250 or newer is needed: {}", String::from_utf8_lossy(&output.stderr))
    });
    let figure = line.split(':').nth(1).and_then(|rest| rest.split_whitespace().next());
    let exposure: f32 = figure.unwrap().parse().unwrap();
    assert!(exposure <= EXPOSURE, "{line}");
}
