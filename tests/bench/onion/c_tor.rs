//! C Tor as a host would set it up by hand, on the private network.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;

use onionroom::lab::{Control, Network};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::Command;
use tokio::time::{Duration, Instant, sleep, timeout};

use crate::kit::way::new_user;
use crate::kit::{Outcome, socks, within};

/// An onion service and nothing else.
pub(crate) const ALONE: &str = "SocksPort 0\n";

/// An onion service that can visit itself.
pub(crate) const VISITING: &str = "SocksPort auto\nControlPort auto\nCookieAuthentication 1\n";

/// How long one visit may take before another is made.
const VISIT: Duration = Duration::from_secs(10);

/// The program, to forward to the room at this URL, with its data below `home`.
pub(crate) fn command(network: &Network, home: &Path, room: &str, lines: &str) -> Outcome<Command> {
    // What makes this the private network stands in its client's configuration.
    let client = fs::read_to_string(network.directory().join("client/torrc"))?;
    let of_the_network = ["TestingTorNetwork ", "Address ", "AssumeReachable ", "DirAuthority "];
    let mut torrc: String = client
        .lines()
        .filter(|line| of_the_network.iter().any(|option| line.starts_with(option)))
        .flat_map(|line| [line, "\n"])
        .collect();
    let target = room.trim_start_matches("http://").trim_end_matches('/');
    let home = home.display();
    torrc.push_str(&format!(
        "{lines}ControlPortWriteToFile \"{home}/control\"\nLog notice stdout\nShutdownWaitLength 0\n\
         __OwningControllerProcess {}\nDataDirectory \"{home}/tor\"\nHiddenServiceDir \"{home}/service\"\n\
         HiddenServicePort 80 {target}\n",
        std::process::id()
    ));
    let (file, defaults) = (format!("{home}/torrc"), format!("{home}/torrc-defaults"));
    fs::write(&file, torrc)?;
    fs::write(&defaults, "")?;
    let mut command = Command::new("tor");
    command.args(["--defaults-torrc", &defaults, "-f", &file]);
    Ok(command)
}

/// Waits until it has written the service's address.
pub(crate) async fn address(home: &Path) -> Outcome<(Instant, String)> {
    let text = written(&home.join("service/hostname")).await?;
    Ok((Instant::now(), text.trim().to_owned()))
}

/// Has it visit itself, as the room does at each start: from when a descriptor is published, again and again until
/// the room has answered. Answers with when that was.
pub(crate) async fn visit(home: &Path) -> Outcome<Instant> {
    let control = written(&home.join("control")).await?;
    let control = control.trim().trim_start_matches("PORT=").parse()?;
    let mut control = Control::connect(control, &home.join("tor/control_auth_cookie")).await?;
    let proxy = control.get_info("net/listeners/socks").await?;
    let proxy: SocketAddr = proxy.first().ok_or("no SOCKS port")?.trim_matches('"').parse()?;
    let (_, address) = address(home).await?;
    let mut events = control.events("HS_DESC").await?;
    let published = async {
        loop {
            match events.next().await {
                Ok(event) if event.starts_with("HS_DESC UPLOADED") => return Ok(()),
                Ok(_) => {}
                Err(error) => return Err(error),
            }
        }
    };
    within("the descriptor to be published", published).await??;
    let visits = async {
        while !matches!(timeout(VISIT, answered(proxy, &address)).await, Ok(Ok(()))) {
            sleep(Duration::from_millis(100)).await;
        }
        Instant::now()
    };
    within("C Tor's visit to itself", visits).await
}

/// One visit, up to the first bytes of the answer.
async fn answered(proxy: SocketAddr, address: &str) -> Outcome<()> {
    let stream = socks::try_connect(proxy, &new_user("itself"), address, 80).await?;
    let mut stream = stream.map_err(|refused| format!("no stream: {refused:?}"))?;
    stream.write_all(format!("HEAD / HTTP/1.1\r\nHost: {address}\r\n\r\n").as_bytes()).await?;
    let mut start = [0; 5];
    stream.read_exact(&mut start).await?;
    Ok(())
}

/// Waits until a file is there as a whole.
async fn written(file: &Path) -> Outcome<String> {
    let written = async {
        loop {
            match fs::read_to_string(file) {
                Ok(text) if text.ends_with('\n') => return text,
                _ => sleep(Duration::from_millis(2)).await,
            }
        }
    };
    within("a file of C Tor's", written).await
}
