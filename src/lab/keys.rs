//! The authorities' keys and fingerprints, made by `tor` and `tor-gencert` before any node runs.

use std::net::SocketAddr;
use std::path::Path;
use std::process::{Output, Stdio};
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::process::Command;

use super::error::LabError;
use super::files;
use super::programs::Programs;
use crate::tor::Authority;

/// Making an RSA key of 3072 bits takes a second or so; a busy machine may need many.
const DEADLINE: Duration = Duration::from_secs(120);

/// Makes the keys of the authority `nickname` in its data directory `data`, and returns its public description.
pub(super) async fn make(
    programs: &Programs,
    nickname: String,
    data: &Path,
    or_address: SocketAddr,
    directory_address: SocketAddr,
) -> Result<Authority, LabError> {
    let keys = data.join("keys");
    files::create_directory(data)?;
    files::create_directory(&keys)?;
    let error = |reason: String| LabError::Keys { node: nickname.clone(), reason };
    let certificate = async {
        let mut gencert = Command::new(&programs.gencert);
        // The network runs for hours; 12 months is what tor-gencert takes by default.
        gencert.args(["--create-identity-key", "--passphrase-fd", "0", "-m", "12", "-a"]);
        gencert.arg(directory_address.to_string()).current_dir(&keys);
        // The identity key is never used again, so its passphrase protects nothing.
        run(gencert, b"unused\n", &programs.gencert).await
    };
    let fingerprint = async {
        let mut list = Command::new(&programs.tor);
        let empty = data.join("empty");
        files::write(&empty, "")?;
        list.arg("--defaults-torrc").arg(&empty).arg("-f").arg(&empty);
        list.arg("--list-fingerprint").arg("--hush");
        list.arg("--DataDirectory").arg(data).args(["--Nickname", &nickname]);
        list.args(["--ORPort", &or_address.to_string(), "--Address", "127.0.0.1", "--SocksPort", "0"]);
        run(list, b"", &programs.tor).await
    };
    let (certificate, fingerprint) = tokio::try_join!(certificate, fingerprint)?;
    for output in [certificate, fingerprint] {
        if !output.status.success() {
            return Err(error(last_line(&output)));
        }
    }

    let certificate = files::read(&keys.join("authority_certificate"))?;
    let v3_identity = certificate
        .lines()
        .find_map(|line| line.strip_prefix("fingerprint "))
        .ok_or_else(|| error("the certificate has no fingerprint".into()))?
        .trim()
        .to_owned();
    let rsa_identity = fingerprint_in(&data.join("fingerprint"))?
        .ok_or_else(|| error("the fingerprint file is empty".into()))?;
    let ed25519_identity = fingerprint_in(&data.join("fingerprint-ed25519"))?
        .ok_or_else(|| error("the ed25519 fingerprint file is empty".into()))?;
    Ok(Authority { nickname, v3_identity, rsa_identity, ed25519_identity, or_address })
}

/// The fingerprint in a file of the form `nickname FINGERPRINT`; `None` if it is not written yet.
pub(super) fn fingerprint_in(path: &Path) -> Result<Option<String>, LabError> {
    if !path.exists() {
        return Ok(None);
    }
    Ok(files::read(path)?.split_whitespace().nth(1).map(str::to_owned))
}

async fn run(mut command: Command, input: &[u8], program: &Path) -> Result<Output, LabError> {
    let error = |cause| LabError::Run { program: program.into(), cause };
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    let mut child = command.spawn().map_err(error)?;
    if let Some(mut stdin) = child.stdin.take() {
        // A program that ends without reading reports the reason itself.
        let _ = stdin.write_all(input).await;
    }
    tokio::time::timeout(DEADLINE, child.wait_with_output())
        .await
        .unwrap_or_else(|_| Err(std::io::ErrorKind::TimedOut.into()))
        .map_err(error)
}

/// The last line of a program's output, which says what was wrong.
fn last_line(output: &Output) -> String {
    let said = [&output.stdout[..], &output.stderr[..]].concat();
    let said = String::from_utf8_lossy(&said);
    let last = said.lines().rfind(|line| !line.trim().is_empty()).unwrap_or("it said nothing");
    last.trim().trim_end_matches('.').to_owned()
}
