//! What is right and what is wrong with the cluster of a room, in words: `onionroom cluster check`.
//!
//! Looks at one thing after another, and ends where the next one cannot be looked at. Changes nothing of the room: that a write
//! works is tried with a stream of its own, which is removed again.

use std::collections::BTreeMap;
use std::time::Duration;

use async_nats::jetstream::ErrorCode;
use async_nats::jetstream::stream::{Config, DeleteStatus, Info, StorageType};
use data_encoding::BASE64;
use futures_util::StreamExt;
use futures_util::future::join_all;
use serde::Deserialize;
use tokio::time::{Instant, timeout_at};

use super::keys::NodeKeys;
use super::layout;
use super::wire::{Beat, News, Said};
use crate::cluster::{ApiError, ClusterSecret, Connection};
use crate::config::{ClusterSettings, NatsAddress};
use crate::hub::cluster::NodeId;

/// How long other machines are listened to; each says something every two seconds.
const LISTEN: Duration = Duration::from_secs(5);

/// How much of an onion address is shown.
const SHOWN: usize = 8;

/// How something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// As it should be.
    Right,
    /// It works, and there is something to know.
    Note,
    /// It has to be changed before the room works as it should.
    Wrong,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// How it is.
    pub verdict: Verdict,
    /// What it is, and what to do: one or a few sentences, without passwords.
    pub text: String,
}

/// What JetStream says of the account; the client's own type wants more than older servers say.
#[derive(Deserialize)]
struct Account {
    #[serde(rename = "streams")]
    _streams: u64,
}

/// The newest message of a subject.
#[derive(Deserialize)]
struct Got {
    message: Kept,
}

#[derive(Deserialize)]
struct Kept {
    data: String,
}

/// The check, as far as it came.
struct Check<'a> {
    settings: &'a ClusterSettings,
    tell: &'a mut (dyn FnMut(Finding) + Send),
    /// There are no leases, which every machine that serves the room has made.
    no_leases: bool,
}

/// Looks at everything, and tells each finding as it comes. Takes up to half a minute where servers do not answer.
pub async fn check(settings: &ClusterSettings, tell: &mut (dyn FnMut(Finding) + Send)) {
    Check { settings, tell, no_leases: false }.run().await;
}

impl Check<'_> {
    fn right(&mut self, text: impl Into<String>) {
        (self.tell)(Finding { verdict: Verdict::Right, text: text.into() });
    }

    fn note(&mut self, text: impl Into<String>) {
        (self.tell)(Finding { verdict: Verdict::Note, text: text.into() });
    }

    fn wrong(&mut self, text: impl Into<String>) {
        (self.tell)(Finding { verdict: Verdict::Wrong, text: text.into() });
    }

    /// `None` where the rest cannot be looked at.
    async fn run(&mut self) -> Option<()> {
        match ClusterSecret::read(&self.settings.secret) {
            Ok(_) => self.right(format!("The key in {} can be read.", self.settings.secret.display())),
            Err(error) => {
                self.wrong(format!("{error} The rest is looked at when there is a key."));
                return None;
            }
        }
        let answering = self.servers().await;
        if answering == 0 {
            return None;
        }
        let connection = match Connection::open(self.settings).await {
            Ok(connection) => connection,
            Err(error) => {
                self.wrong(error.to_string());
                return None;
            }
        };
        match connection.api::<Account>("INFO", &()).await {
            Ok(_) => self.right("JetStream is on for this account."),
            Err(error) => {
                self.wrong(error.about("JetStream").to_string());
                return None;
            }
        }
        self.replicas(&connection, answering);
        if self.quorum(&connection).await {
            self.streams(&connection).await;
            self.secret(&connection).await;
        }
        self.others(&connection).await;
        Some(())
    }

    /// Each server by itself; returns how many answer.
    async fn servers(&mut self) -> usize {
        let alone =
            |address: &NatsAddress| ClusterSettings { nats: vec![address.clone()], ..self.settings.clone() };
        let alone: Vec<_> = self.settings.nats.iter().map(alone).collect();
        let opened = join_all(alone.iter().map(Connection::open)).await;
        let mut answering = 0;
        for (settings, opened) in alone.iter().zip(opened) {
            let address = &settings.nats[0];
            match opened {
                Ok(connection) => {
                    answering += 1;
                    let info = connection.client().server_info();
                    let of = info
                        .cluster
                        .map_or_else(String::new, |cluster| format!(", of the cluster {cluster:?}"));
                    let (version, name) = (&info.version, &info.server_name);
                    self.right(format!(
                        "{address} answers: nats-server {version}, with the name {name}{of}."
                    ));
                    if connection.replicas() > 1 && !connection.client().is_server_compatible(2, 11, 0) {
                        self.note(format!(
                            "{address} has the version {}. Before 2.11, replicas can come apart when servers are killed, and \
                             messages that were acknowledged can be lost. Install a newer nats-server on each machine, or \
                             keep to one server with cluster.replicas = 1.",
                            info.version
                        ));
                    }
                }
                Err(error) => self.wrong(error.to_string()),
            }
        }
        answering
    }

    fn replicas(&mut self, connection: &Connection, answering: usize) {
        let info = connection.client().server_info();
        let servers = info.connect_urls.len().max(self.settings.nats.len());
        let wanted = connection.replicas();
        let known = format!("{servers} servers are known, {answering} of those in cluster.nats answer");
        match wanted {
            _ if wanted > servers => self.wrong(format!(
                "cluster.replicas is {wanted}, and {known}. Start as many servers as there are to be replicas, or make it smaller."
            )),
            1 => self.note(format!(
                "Everything is kept by one server ({known}). When it is away the room cannot write, and what is on its disk is \
                 all there is. Three servers, with cluster.replicas = 3, go on without one of them."
            )),
            2 => self.note(format!(
                "Everything is kept 2 times ({known}). While either of the two is away the room cannot write; with three servers \
                 and cluster.replicas = 3 it can."
            )),
            4 => self.note(format!(
                "Everything is kept 4 times ({known}). That goes on without one server, as 3 times does, and not without two; 5 \
                 times does."
            )),
            _ => self.right(format!("Everything is kept {wanted} times ({known}).")),
        }
    }

    /// Whether a new stream can be made and written, which takes room on the disks; false where nothing more can be asked for.
    async fn quorum(&mut self, connection: &Connection) -> bool {
        let name = connection.name("check");
        // Servers refuse to delete a stream where the request is not an object.
        let nothing = serde_json::json!({});
        let subject = connection.subject("check");
        let config = Config {
            name: name.clone(),
            subjects: vec![subject.clone()],
            storage: StorageType::File,
            num_replicas: connection.replicas(),
            max_age: Duration::from_secs(60),
            ..Config::default()
        };
        let _ = connection.api::<DeleteStatus>(&format!("STREAM.DELETE.{name}"), &nothing).await;
        let written = async {
            let made = connection.api::<Info>(&format!("STREAM.CREATE.{name}"), &config).await;
            made.map_err(|error| ("a new stream", error))?;
            let request = async_nats::Request::new().timeout(Some(LISTEN));
            let sent = connection.client().send_request(subject, request).await;
            let no_answer = |reason| ("a write", ApiError::NoAnswer(reason));
            let answer = sent.map_err(|error| no_answer(error.to_string()))?;
            // An error has none.
            serde_json::from_slice::<async_nats::jetstream::publish::PublishAck>(&answer.payload)
                .map_err(|_| no_answer(String::from_utf8_lossy(&answer.payload).into_owned()))
        };
        let written = written.await;
        let _ = connection.api::<DeleteStatus>(&format!("STREAM.DELETE.{name}"), &nothing).await;
        match written {
            Ok(_) => self.right("A write is acknowledged by a quorum of the servers."),
            Err((what, ref error)) => self.wrong(error.about(what).to_string()),
        }
        // What is refused was refused by servers that agree.
        !matches!(written, Err((_, ApiError::NoAnswer(_) | ApiError::NoJetStream)))
    }

    /// The room's streams and buckets, and their replicas.
    async fn streams(&mut self, connection: &Connection) {
        let (leases, claims) = (layout::leases(connection), layout::claims(connection));
        let table = [
            ("The stream of messages", connection.name("log"), None),
            ("The bucket of the room", format!("KV_{}", connection.name("room")), None),
            ("The bucket of leases", leases.name.clone(), Some(leases)),
            ("The bucket of names", claims.name.clone(), Some(claims)),
        ];
        for (what, name, ours) in table {
            match connection.api::<Info>(&format!("STREAM.INFO.{name}"), &()).await {
                Err(error) if error.code() == Some(ErrorCode::STREAM_NOT_FOUND) => {
                    self.no_leases |= name == layout::leases(connection).name;
                    self.note(format!(
                        "{what} ({name}) is not there yet: the first `onionroom serve` makes it."
                    ));
                }
                Err(error) => self.wrong(error.about(&name).to_string()),
                Ok(info) => self.stream(connection, what, &info, ours.as_ref()),
            }
        }
    }

    fn stream(&mut self, connection: &Connection, what: &str, info: &Info, ours: Option<&Config>) {
        let (name, kept) = (&info.config.name, info.config.num_replicas);
        let mut wrong = Vec::new();
        if let Some(cluster) = info.cluster.as_ref().filter(|_| kept > 1) {
            if cluster.leader.as_ref().is_none_or(String::is_empty) {
                wrong.push("it has no leader, because fewer than half of its servers are up".to_owned());
            }
            for replica in &cluster.replicas {
                let state = match (replica.offline, replica.current) {
                    (true, _) => "is away".to_owned(),
                    (false, false) => format!(
                        "is behind by {} writes and was last seen {} seconds ago",
                        replica.lag.unwrap_or_default(),
                        replica.active.as_secs()
                    ),
                    _ => continue,
                };
                wrong.push(format!("its replica on the server {} {state}", replica.name));
            }
        }
        if kept != connection.replicas() {
            wrong.push(format!(
                "it is kept {kept} times and not {} times (set cluster.replicas, and the next `onionroom serve` changes it)",
                connection.replicas()
            ));
        }
        let set = |config: &Config| {
            (
                config.max_age,
                config.max_messages,
                config.max_bytes,
                config.max_messages_per_subject,
                config.subjects.clone(),
            )
        };
        if ours.is_some_and(|ours| set(ours) != set(&info.config)) {
            wrong.push(
                "its settings are not those of this program (the next `onionroom serve` changes them)".into(),
            );
        }
        if ours.is_some() && info.config.deny_delete {
            wrong.push(format!("it does not let values be deleted; remove it with `nats stream rm {name}`"));
        }
        match wrong.is_empty() {
            true => self.right(format!("{what} ({name}) is as it should be, on {kept} server(s).")),
            false => self.wrong(format!(
                "{what} ({name}): {}. Start the servers that are away, and look again. One that answers and was last seen long ago \
                 by the others most likely had a full disk: make room on it, and restart nats-server.",
                wrong.join("; ")
            )),
        }
    }

    /// Whether what is there can be decrypted.
    async fn secret(&mut self, connection: &Connection) {
        let stream = format!("KV_{}", connection.name("room"));
        let ask = serde_json::json!({ "last_by_subj": format!("$KV.{}.identity", connection.name("room")) });
        let got = match connection.api::<Got>(&format!("STREAM.MSG.GET.{stream}"), &ask).await {
            Ok(got) => got,
            Err(error) => {
                // Where the room was never opened there is nothing, which another finding says.
                if !matches!(error.code(), Some(ErrorCode::STREAM_NOT_FOUND | ErrorCode::NO_MESSAGE_FOUND)) {
                    self.wrong(error.about("the bucket of the room").to_string());
                }
                return;
            }
        };
        let sealed = BASE64.decode(got.message.data.as_bytes()).unwrap_or_default();
        match connection.sealer("bucket room").open(b"identity", &sealed) {
            Some(_) => self.right("What is kept of the room can be decrypted with this key."),
            None => self.wrong(connection.other_key().to_string()),
        }
    }

    /// Who else serves the room now.
    async fn others(&mut self, connection: &Connection) {
        let keys = NodeKeys::of(connection);
        let Ok(mut heard) = connection.client().subscribe(layout::subjects(connection).news).await else {
            return;
        };
        let mut others: BTreeMap<NodeId, Beat> = BTreeMap::new();
        let mut foreign = false;
        let until = Instant::now() + LISTEN;
        while let Ok(Some(message)) = timeout_at(until, heard.next()).await {
            match News::open(&keys, &message.payload) {
                Some(News { node, said: Said::Beat(beat) }) => drop(others.insert(node, beat)),
                Some(_) => {}
                None => foreign = true,
            }
        }
        if foreign {
            self.wrong(
                "A machine speaks with another key than this one. Copy the file of cluster.secret_file from one machine of the \
                 room to all others; another room needs another name, cluster.room.",
            );
        }
        match others.len() {
            0 => self.note("No machine serves the room at the moment: start `onionroom serve`."),
            1 => self.right("One machine serves the room now:"),
            count => self.right(format!("{count} machines serve the room now:")),
        }
        if self.no_leases && !others.is_empty() {
            self.wrong(
                "What the room has in NATS is gone while it is served: the servers were set up anew, or another server answers. \
                 Restart onionroom on each machine; or, if there is a backup of the servers, stop it, restore them, and start it.",
            );
        }
        for beat in others.values() {
            let guests = beat.guests;
            self.right(match &beat.door {
                Some(door) => format!("  {} with {guests} of {} guests", shortened(&door.origin), door.seats),
                None => format!("  one without a door for guests of the others, with {guests} guests"),
            });
        }
    }
}

/// An onion address by its first letters; another origin as it is.
fn shortened(origin: &str) -> String {
    match origin.split_once("://") {
        Some((scheme, host)) if host.contains(".onion") && host.is_ascii() && host.len() > SHOWN => {
            format!("{scheme}://{}….onion", &host[..SHOWN])
        }
        _ => origin.to_owned(),
    }
}
