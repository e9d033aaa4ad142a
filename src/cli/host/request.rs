//! What is sent for a command.

use std::fs;
use std::io::{self, Read};
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

use super::error::HostError;
use super::guest::{Known, find};
use crate::cli::arguments::{HostCommand, Switch};
use crate::cli::passphrase;
use crate::cli::terminal::Terminal;
use crate::control::answer::{BanKind, Bans, Guests, Messages, Names, Roles};
use crate::control::client::{Client, ClientError};
use crate::control::entering::{Invitations, Waiting};
use crate::protocol::act_members::{DELETE_MAX, RULES_BYTES_MAX};

/// How many messages are looked through for an author who is not here.
const AUTHORS_AMONG: usize = 1000;

/// How many bytes of a list of words are read: more than the longest list has.
const WORDS_FILE_MAX: usize = 60 * 1024;

/// A request, and the guest whom it is about.
pub(super) struct Asked {
    pub(super) json: Value,
    pub(super) about: Option<Known>,
}

/// The requests of a command, in their order.
pub(super) async fn requests(
    client: &mut Client,
    command: &HostCommand,
    terminal: &Terminal,
) -> Result<Vec<Asked>, HostError> {
    let json = match command {
        HostCommand::Status => json!({ "ask": "status" }),
        HostCommand::Guests => json!({ "ask": "guests" }),
        HostCommand::Roles => json!({ "ask": "roles" }),
        HostCommand::Bans => json!({ "ask": "bans" }),
        HostCommand::Names => json!({ "ask": "names" }),
        HostCommand::Identities { required } => json!({ "act": "identities", "required": required }),
        HostCommand::Private { allowed } => json!({ "act": "private", "private": allowed }),
        HostCommand::Typing { told } => json!({ "act": "typing", "typing": told }),
        HostCommand::Log => json!({ "ask": "log" }),
        HostCommand::Messages { last } => json!({ "ask": "messages", "limit": last }),
        HostCommand::Link { revoke: true, .. } => json!({ "act": "revoke_links" }),
        HostCommand::Link { moderator: true, .. } => json!({ "act": "link", "role": "moderator" }),
        HostCommand::Link { .. } => json!({ "act": "link", "role": "host" }),
        HostCommand::Delete { messages } => {
            let chunks = messages.chunks(DELETE_MAX);
            let asked = |chunk| Asked { json: json!({ "act": "delete", "messages": chunk }), about: None };
            return Ok(chunks.map(asked).collect());
        }
        HostCommand::Held | HostCommand::Words { file: None } => json!({ "ask": "held" }),
        HostCommand::Release { messages } => {
            let chunks = messages.chunks(DELETE_MAX);
            let asked = |chunk| Asked { json: json!({ "act": "release", "messages": chunk }), about: None };
            return Ok(chunks.map(asked).collect());
        }
        HostCommand::Words { file: Some(file) } => {
            let text = read(file, WORDS_FILE_MAX)?;
            let words: Vec<_> = text.lines().map(str::trim).filter(|word| !word.is_empty()).collect();
            json!({ "act": "words", "words": words })
        }
        HostCommand::Lock => json!({ "act": "lock", "locked": true }),
        HostCommand::Unlock => json!({ "act": "lock", "locked": false }),
        HostCommand::Approval { set } => json!({ "act": "approval", "approval": *set == Switch::On }),
        HostCommand::InvitedOnly { set } => {
            json!({ "act": "invited_only", "invited_only": *set == Switch::On })
        }
        HostCommand::Waiting => json!({ "ask": "waiting" }),
        HostCommand::Invites => json!({ "ask": "invitations" }),
        HostCommand::Password { remove: true, .. } => json!({ "act": "password", "text": "" }),
        HostCommand::Password { passphrase: flags, .. } => {
            json!({ "act": "password", "text": *passphrase::of_a_room(flags, terminal)? })
        }
        HostCommand::Invite { name, once, expires } => {
            let mut json = json!({ "act": "invite", "name": name, "single_use": once });
            if let Some(time) = expires {
                json["seconds"] = time.as_secs().into();
            }
            json
        }
        HostCommand::Uninvite { name } => {
            json!({ "act": "revoke_invite", "invite": invitation(client, name).await? })
        }
        HostCommand::Slow { time } => json!({ "act": "slow", "seconds": time.as_secs() }),
        HostCommand::Cap { guests } => json!({ "act": "cap", "guests": guests }),
        HostCommand::Topic { text } => json!({ "act": "topic", "text": text }),
        HostCommand::Title { text } => json!({ "act": "title", "text": text }),
        HostCommand::Rules { file } => json!({ "act": "rules", "text": read(file, 4 * RULES_BYTES_MAX)? }),
        HostCommand::Pin { message } => json!({ "act": "pin", "message": message }),
        HostCommand::Confirm => json!({ "do": "confirm" }),
        HostCommand::Unpin => json!({ "act": "unpin" }),
        HostCommand::Announce { text } => json!({ "act": "announce", "text": text }),
        _ => return Ok(vec![about_guest(client, command).await?]),
    };
    Ok(vec![Asked { json, about: None }])
}

/// The request of a command that is about a guest.
async fn about_guest(client: &mut Client, command: &HostCommand) -> Result<Asked, HostError> {
    let (about, act, members) = match command {
        HostCommand::Unmute { guest } => (restricted(client, guest, true).await?, "unmute", json!({})),
        HostCommand::Unban { guest } => (restricted(client, guest, false).await?, "unban", json!({})),
        HostCommand::Kick { guest } => (find(guest, &present(client).await?)?, "kick", json!({})),
        HostCommand::Mute { guest, time, invitation } => {
            (anyone(client, guest).await?, "mute", restriction(*time, *invitation))
        }
        HostCommand::Ban { guest, time, invitation } => {
            (anyone(client, guest).await?, "ban", restriction(*time, *invitation))
        }
        HostCommand::Admit { guest } => (find(guest, &waiting(client).await?)?, "admit", json!({})),
        HostCommand::Reject { guest, time } => {
            (find(guest, &waiting(client).await?)?, "reject", restriction(*time, false))
        }
        HostCommand::Role { guest, role } => {
            (anyone(client, guest).await?, "role", json!({ "role": role.as_str() }))
        }
        HostCommand::Unreserve { name } => (reserved(client, name).await?, "unreserve", json!({})),
        HostCommand::DeleteAll { guest } => (anyone(client, guest).await?, "delete_all", json!({})),
        _ => return Err(HostError::NoSuchGuest(String::new())),
    };
    let mut json = members;
    json["act"] = act.into();
    json["of"] = about.number.into();
    Ok(Asked { json, about: Some(about) })
}

fn restriction(time: Option<Duration>, invitation: bool) -> Value {
    let mut members = json!({});
    if let Some(time) = time {
        members["seconds"] = time.as_secs().into();
    }
    if invitation {
        members["invitation"] = true.into();
    }
    members
}

/// Those who wait to be let in.
async fn waiting(client: &mut Client) -> Result<Vec<Known>, ClientError> {
    let listed: Waiting = client.request(&json!({ "ask": "waiting" })).await?;
    let lines = listed.waiting.into_iter();
    Ok(lines.map(|line| Known { number: line.who.number, name: line.who.name, remark: "waits" }).collect())
}

/// The invitation that is meant: its name, or its number where none is called so.
async fn invitation(client: &mut Client, wanted: &str) -> Result<Value, HostError> {
    let listed: Invitations = client.request(&json!({ "ask": "invitations" })).await?;
    let called = listed.invitations.iter().any(|one| one.name == wanted);
    let number = wanted.parse::<u64>().ok().filter(|_| !called);
    Ok(number.map_or_else(|| wanted.into(), Value::from))
}

/// Those who are here.
async fn present(client: &mut Client) -> Result<Vec<Known>, ClientError> {
    let here: Guests = client.request(&json!({ "ask": "guests" })).await?;
    let known = here.guests.into_iter().map(|line| Known {
        number: line.who.number,
        name: line.who.name,
        remark: if line.away { "away" } else { "here" },
    });
    Ok(known.collect())
}

/// A guest who is muted, or who may not come in.
async fn restricted(client: &mut Client, wanted: &str, muted: bool) -> Result<Known, HostError> {
    let listed: Bans = client.request(&json!({ "ask": "bans" })).await?;
    let lines = listed.bans.into_iter().filter(|line| (line.kind == BanKind::Muted) == muted);
    let known = lines.map(|line| Known { number: line.who.number, name: line.who.name, remark: "" });
    find(wanted, &known.collect::<Vec<_>>())
}

/// A guest for whom a name is reserved.
async fn reserved(client: &mut Client, wanted: &str) -> Result<Known, HostError> {
    let listed: Names = client.request(&json!({ "ask": "names" })).await?;
    let lines = listed.names.into_iter();
    let known = lines.map(|line| Known { number: line.who.number, name: line.who.name, remark: "" });
    find(wanted, &known.collect::<Vec<_>>())
}

/// A guest who is here or has a role; or else an author of a message that is kept.
async fn anyone(client: &mut Client, wanted: &str) -> Result<Known, HostError> {
    let mut known = present(client).await?;
    let roles: Roles = client.request(&json!({ "ask": "roles" })).await?;
    known.extend(roles.roles.into_iter().map(|line| Known {
        number: line.who.number,
        name: line.who.name,
        remark: "has a role",
    }));
    match find(wanted, &known) {
        Err(HostError::NoSuchGuest(_)) => find(wanted, &authors(client).await?),
        found => found,
    }
}

/// The authors of the newest messages, the newest first.
async fn authors(client: &mut Client) -> Result<Vec<Known>, ClientError> {
    let mut known = Vec::new();
    let mut question = json!({ "ask": "messages", "limit": AUTHORS_AMONG });
    while known.len() < AUTHORS_AMONG {
        let page: Messages = client.request(&question).await?;
        let Some(first) = page.messages.first() else { break };
        question["before"] = first.seq.into();
        let authors = page.messages.into_iter().rev().map(|line| line.who);
        known.extend(authors.map(|who| Known {
            number: who.number,
            name: who.name,
            remark: "wrote messages",
        }));
    }
    Ok(known)
}

/// The text of a file, or of standard input. The room says when it is too long; more than `most` bytes are not read.
fn read(path: &Path, most: usize) -> Result<String, HostError> {
    let unreadable = |cause| HostError::Unreadable { path: path.to_owned(), cause };
    let most = most as u64;
    let mut text = String::new();
    let read = if path == Path::new("-") {
        io::stdin().lock().take(most).read_to_string(&mut text)
    } else {
        fs::File::open(path).and_then(|file| file.take(most).read_to_string(&mut text))
    };
    read.map_err(unreadable)?;
    Ok(text)
}
