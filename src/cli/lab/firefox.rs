//! A throw-away Firefox profile that goes through the private network's client and behaves like Tor Browser.

use std::env;
use std::fs;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// What Tor Browser sets as well, and what keeps a fresh profile from asking and calling home. Calls that
/// are left end in the private network, which has no way out.
const LIKE_TOR_BROWSER: &[(&str, &str)] = &[
    ("network.proxy.type", "1"),
    ("network.proxy.socks_remote_dns", "true"),
    ("network.proxy.allow_hijacking_localhost", "true"),
    ("network.dns.blockDotOnion", "false"),
    ("dom.securecontext.allowlist_onions", "true"),
    ("privacy.resistFingerprinting", "true"),
    ("browser.privatebrowsing.autostart", "true"),
    ("browser.aboutwelcome.enabled", "false"),
    ("browser.shell.checkDefaultBrowser", "false"),
    ("datareporting.policy.dataSubmissionEnabled", "false"),
];

/// Makes a profile in `directory`, with its preferences, and gives its path.
pub(super) fn profile(directory: &Path, socks: SocketAddr) -> io::Result<PathBuf> {
    fs::create_dir_all(directory)?;
    fs::write(directory.join("user.js"), preferences(socks))?;
    Ok(directory.to_owned())
}

/// The line that opens `url` in that profile.
pub(super) fn command(profile: &Path, url: &str) -> String {
    format!("{} --no-remote --profile {} {url}", program(), profile.display())
}

/// The Firefox that is installed here; the long-term release, which Tor Browser is built from, if both are.
fn program() -> &'static str {
    let on_path = |name: &&&str| {
        let path = env::var_os("PATH").unwrap_or_default();
        env::split_paths(&path).any(|directory| directory.join(name).is_file())
    };
    ["firefox-esr", "firefox"].iter().find(on_path).copied().unwrap_or("firefox")
}

fn preferences(socks: SocketAddr) -> String {
    let line = |name: &str, value: &str| format!("user_pref(\"{name}\", {value});\n");
    let mut text: String = LIKE_TOR_BROWSER.iter().map(|(name, value)| line(name, value)).collect();
    text += &line("network.proxy.socks", &format!("\"{}\"", socks.ip()));
    text += &line("network.proxy.socks_port", &socks.port().to_string());
    text
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that fails here has failed")]

    use super::*;

    #[test]
    fn the_profile_goes_through_the_client() {
        let directory = tempfile::tempdir().unwrap();
        let profile = profile(&directory.path().join("firefox"), ([127, 0, 0, 1], 9250).into()).unwrap();
        let text = fs::read_to_string(profile.join("user.js")).unwrap();
        assert!(text.contains("user_pref(\"network.proxy.socks\", \"127.0.0.1\");\n"));
        assert!(text.contains("user_pref(\"network.proxy.socks_port\", 9250);\n"));
        assert!(command(&profile, "http://x.onion/").ends_with("/firefox http://x.onion/"));
    }
}
