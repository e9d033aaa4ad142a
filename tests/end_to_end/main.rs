//! The room from outside, on real parts: one binary, so that it is linked once.
//!
//! `kit` has the verbs: a room of the test's own, guests that speak the protocol, raw connections.
//! `loopback` needs nothing but this machine; `every_transport` compares the ways in; `command_line` and
//! `data_directory` start the program itself; `local`, `process`, `logs` and `unit` hold what the host is promised: who may
//! use the local room, what is left in memory and on disks, what is logged, the sandbox of the systemd unit; `proxied` comes
//! over the listener for proxies, `tls` over TLS, `balanced` through nginx and HAProxy, which must be installed;
//! `invited` makes invitations to a private room; `nothing_lost` breaks whatever can break; `restored` puts backups back; `wiped` makes all unreadable;
//! `conversation` is what guests do to messages, over every transport;
//! `rooms` are several at one address;
//! `hosting` is the host's socket and the command that speaks to it;
//! `several` is one room on three machines, with NATS servers that `tests/run` installs; `lasting` has the kinds of entries that are no
//! messages; `defects` are those of others; `onion` starts a private Tor network, for which `tor` must be installed.

// A test that unwraps says enough when it fails.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[cfg(target_os = "linux")]
mod balanced;
#[cfg(all(unix, feature = "cluster"))]
mod clustered;
#[cfg(all(unix, feature = "cluster"))]
mod clustered_entering;
mod command_line;
#[cfg(all(unix, feature = "cluster"))]
mod conversation;
mod data_directory;
mod defects;
mod every_transport;
#[cfg(all(unix, feature = "cluster"))]
mod held;
#[cfg(unix)]
mod hosting;
mod inherited;
mod invited;
mod kit;
mod lasting;
mod local;
mod logs;
mod loopback;
#[cfg(all(unix, feature = "cluster"))]
#[path = "../nats/servers.rs"]
mod nats;
mod nothing_lost;
mod onion;
mod process;
mod proxied;
#[cfg(target_os = "linux")]
mod raw_device;
mod restored;
mod rooms;
#[cfg(all(target_os = "linux", feature = "cluster"))]
mod several;
mod threat_model;
mod tls;
#[cfg(target_os = "linux")]
mod unit;
#[cfg(unix)]
mod wiped;
