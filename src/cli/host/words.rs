//! Answers in words.

use std::time::Duration;

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::entering;
use super::error::HostError;
use super::guest::Known;
use super::request::Asked;
use super::shown::{indented, name_of, short, shown, time};
use crate::cli::arguments::HostCommand;
use crate::cli::terminal::Terminal;
use crate::control::answer::{
    BanKind, Bans, Guests, Held, Link, Log, MessageLine, Messages, Names, Roles, Status, Who,
};
use crate::control::client::ClientError;
use crate::protocol::{Confirmation, Policy};

/// Prints the answer to a request of this command.
pub(super) fn print(
    terminal: &Terminal,
    command: &HostCommand,
    asked: &Asked,
    answer: Value,
) -> Result<(), HostError> {
    let lines = match command {
        HostCommand::Status => status(&read(answer)?),
        HostCommand::Guests => guests(&read(answer)?),
        HostCommand::Roles => roles(&read(answer)?),
        HostCommand::Bans => bans(&read(answer)?),
        HostCommand::Names => names(&read(answer)?),
        HostCommand::Log => log(&read(answer)?),
        HostCommand::Messages { .. } => messages(&read::<Messages>(answer)?.messages, "No message is kept."),
        HostCommand::Held => messages(&read::<Held>(answer)?.held, "No message waits."),
        HostCommand::Words { file: None } => kept_out(&read(answer)?),
        HostCommand::Link { revoke: false, .. } => link(&read(answer)?),
        HostCommand::Waiting => entering::waiting(&read(answer)?),
        HostCommand::Invites => entering::invitations(&read(answer)?),
        HostCommand::Invite { .. } => entering::invited(terminal, &read(answer)?, command),
        _ => vec![done(command, asked)],
    };
    lines.iter().for_each(|line| terminal.print(line));
    Ok(())
}

fn read<T: DeserializeOwned>(answer: Value) -> Result<T, ClientError> {
    serde_json::from_value(answer).map_err(|error| ClientError::Unknown(error.to_string()))
}

fn status(status: &Status) -> Vec<String> {
    let policy = &status.policy;
    let mut lines = vec![shown(&status.title)];
    let mut tell = |name: &str, text: String| lines.push(format!("  {name:<8} {text}"));
    if let Some(address) = &status.address {
        tell("address", format!("{address} ({})", status.tor.as_deref().unwrap_or("no Tor")));
    }
    status.problem.iter().for_each(|problem| tell("problem", shown(problem)));
    status.local.iter().for_each(|local| tell("local", local.clone()));
    status.public.iter().for_each(|public| tell("public", public.clone()));
    let away = if status.away > 0 { format!(", {} of them away", status.away) } else { String::new() };
    tell("guests", format!("{} on {} seats{away}", status.guests, status.seats));
    tell("let in", let_in(policy));
    if policy.identities_required {
        tell(
            "identity",
            "asked for: newcomers need a passphrase, or the token of a reserved name".to_owned(),
        );
    }
    if policy.no_private {
        tell("private", "guests cannot write to each other privately".to_owned());
    }
    if policy.typing {
        tell("typing", "guests are told who is writing".to_owned());
    }
    if policy.cap > 0 {
        tell("cap", format!("at most {} guests", policy.cap));
    }
    if policy.slow > 0 {
        tell("slow", format!("a message in {} from each guest", time(policy.slow)));
    }
    if let Some(wipe) = &status.wipe {
        tell("wipe", until_wipe(wipe));
    }
    if status.words > 0 || status.held > 0 {
        let noun = if status.words == 1 { "word" } else { "words" };
        tell("held", format!("{} messages wait; {} {noun} kept out", status.held, status.words));
    }
    if !policy.topic.is_empty() {
        tell("topic", shown(&policy.topic));
    }
    if let Some(pinned) = &policy.pinned {
        let said = &pinned.said;
        tell(
            "pinned",
            format!("message {}, {}: {}", pinned.message, shown(&said.name), indented(&said.text)),
        );
    }
    if !policy.rules.is_empty() {
        tell("rules", indented(&policy.rules));
    }
    lines
}

/// When a room is wiped that no host confirms.
fn until_wipe(wipe: &Confirmation) -> String {
    let left = wipe.left();
    let address = if wipe.address { ", with its address" } else { "" };
    match wipe.overdue {
        true => format!("in {left}{address}, unless you say `onionroom host confirm` now"),
        false => format!("unless a host gives a sign within {left}{address} (`onionroom host confirm`)"),
    }
}

/// Who can come in.
fn let_in(policy: &Policy) -> String {
    let needs = [
        (policy.invited_only, "an invitation"),
        (policy.password, "the password"),
        (policy.approval, "to be let in"),
    ];
    let needs: Vec<_> = needs.iter().filter(|(set, _)| *set).map(|(_, what)| *what).collect();
    match (policy.locked, needs.is_empty()) {
        (true, _) => "only those who are here already, and those with a role".to_owned(),
        (false, true) => "all".to_owned(),
        (false, false) => format!("newcomers need {}", needs.join(", and ")),
    }
}

/// The width of the longest number of a guest.
const NUMBER: usize = 16;

fn guests(list: &Guests) -> Vec<String> {
    if list.guests.is_empty() {
        return vec!["The room is empty.".to_owned()];
    }
    let head = format!("{:NUMBER$}  badge  {:9}  name", "number", "role");
    let line = |guest: &crate::control::answer::GuestLine| {
        let remarks = [(guest.away, " (away)"), (guest.muted, " (muted)"), (guest.kept, " (reserved name)")];
        let remarks: String = remarks.iter().filter(|(on, _)| *on).map(|(_, remark)| *remark).collect();
        let Who { number, badge, name } = &guest.who;
        format!("{number:<NUMBER$}  {badge:5}  {:9}  {}{remarks}", guest.role.as_str(), name_of(name))
    };
    std::iter::once(head).chain(list.guests.iter().map(line)).collect()
}

fn roles(list: &Roles) -> Vec<String> {
    if list.roles.is_empty() {
        return vec![
            "No guest has a role yet. `onionroom host link` makes a link that gives one.".to_owned(),
        ];
    }
    let line = |line: &crate::control::answer::RoleLine| {
        let Who { number, badge, name } = &line.who;
        format!("{number:<NUMBER$}  {badge:5}  {:9}  {}", line.role.as_str(), name_of(name))
    };
    list.roles.iter().map(line).collect()
}

fn bans(list: &Bans) -> Vec<String> {
    if list.bans.is_empty() {
        return vec!["No guest is muted or banned.".to_owned()];
    }
    let line = |line: &crate::control::answer::BanLine| {
        let Who { number, badge, name } = &line.who;
        let kind = match line.kind {
            BanKind::Muted => "muted",
            BanKind::Banned => "banned",
            BanKind::Kicked => "put out",
        };
        let left = line
            .seconds_left
            .map_or_else(|| "until taken back".to_owned(), |left| format!("for {}", time(left)));
        format!("{number:<NUMBER$}  {badge:5}  {kind:7}  {left:16}  {}", name_of(name))
    };
    list.bans.iter().map(line).collect()
}

fn names(list: &Names) -> Vec<String> {
    if list.names.is_empty() {
        return vec!["No name is reserved.".to_owned()];
    }
    let head = format!("{:NUMBER$}  badge  unused  name", "number");
    let line = |line: &crate::control::answer::NameLine| {
        let Who { number, badge, name } = &line.who;
        format!("{number:<NUMBER$}  {badge:5}  {:6}  {}", short(line.ago), name_of(name))
    };
    std::iter::once(head).chain(list.names.iter().map(line)).collect()
}

fn log(list: &Log) -> Vec<String> {
    if list.acts.is_empty() {
        return vec!["Nothing was done yet.".to_owned()];
    }
    let line = |line: &crate::control::answer::LogLine| {
        let by = line.by.as_ref().map_or_else(|| "the terminal".to_owned(), guest);
        let of = line.of.as_ref().map(|of| format!(" of {}", guest(of))).unwrap_or_default();
        format!("{:>4} ago  {}{of}, by {by}", short(line.ago), shown(&line.act))
    };
    list.acts.iter().map(line).collect()
}

fn messages(list: &[MessageLine], none: &str) -> Vec<String> {
    if list.is_empty() {
        return vec![none.to_owned()];
    }
    let line = |line: &MessageLine| {
        let edited = if line.edited { " (edited)" } else { "" };
        let text = indented(&line.text);
        format!("{}  {} ago  {}: {text}{edited}", line.seq, short(line.ago), guest(&line.who))
    };
    list.iter().map(line).collect()
}

/// The words, one on each line, as the command reads them.
fn kept_out(list: &Held) -> Vec<String> {
    list.words.iter().map(|word| shown(word)).collect()
}

fn link(link: &Link) -> Vec<String> {
    let role = link.role.as_str();
    let mut lines = vec![format!("This link makes the window that opens it a {role}'s, once:")];
    lines.extend(link.links.iter().map(|link| format!("  {link}")));
    if link.links.is_empty() {
        lines.push(format!("  #host={} at an address of the room", link.secret));
    } else if link.links.len() > 1 {
        lines.push(
            "Each line is the same link, at another address: it can be used at one of them.".to_owned(),
        );
    }
    lines
}

/// What was done, as a sentence.
fn done(command: &HostCommand, asked: &Asked) -> String {
    let guest = asked.about.as_ref().map(Known::to_string).unwrap_or_default();
    let guest = shown(&guest);
    let until = |given: &Option<Duration>, back: &str| match given {
        Some(given) => format!("for {}", time(given.as_secs())),
        None => format!("until `onionroom host {back}`"),
    };
    match command {
        HostCommand::Kick { .. } => format!("{guest} was put out, and can come back in a minute."),
        HostCommand::Mute { time, .. } => format!("{guest} can say nothing {}.", until(time, "unmute")),
        HostCommand::Unmute { .. } => format!("{guest} can talk again."),
        HostCommand::Ban { time, .. } => format!("{guest} is banned {}.", until(time, "unban")),
        HostCommand::Unban { .. } => format!("{guest} can come in again."),
        HostCommand::Delete { .. } => {
            let messages = asked.json["messages"].as_array().map_or(0, Vec::len);
            if messages == 1 {
                "The message is deleted.".to_owned()
            } else {
                format!("{messages} messages are deleted.")
            }
        }
        HostCommand::Release { .. } => match asked.json["messages"].as_array().map_or(0, Vec::len) {
            1 => "The message is said now.".to_owned(),
            messages => format!("Those of the {messages} messages that waited are said now."),
        },
        HostCommand::Words { .. } => match asked.json["words"].as_array().map_or(0, Vec::len) {
            0 => "No words are kept out; what waits still waits.".to_owned(),
            1 => "Messages with this word wait until `onionroom host release` lets them be said.".to_owned(),
            words => format!(
                "Messages with one of {words} words wait until `onionroom host release` lets them be said."
            ),
        },
        HostCommand::DeleteAll { .. } => format!("All messages of {guest} are deleted."),
        HostCommand::Lock => {
            "Only those who are here already can come back; `onionroom host unlock` lets all in.".to_owned()
        }
        HostCommand::Unlock => "All can come in.".to_owned(),
        HostCommand::Slow { time: Duration::ZERO } => {
            "Guests can talk as fast as the room's limits let them.".to_owned()
        }
        HostCommand::Slow { time: given } => {
            format!("Each guest can say something once in {}.", time(given.as_secs()))
        }
        HostCommand::Cap { guests: 0 } => "As many guests can come in as there are seats.".to_owned(),
        HostCommand::Cap { guests } => {
            format!("At most {guests} guests can come in; those who are here stay.")
        }
        HostCommand::Topic { text } if text.trim().is_empty() => "The room has no topic.".to_owned(),
        HostCommand::Topic { .. } => "The topic is set.".to_owned(),
        HostCommand::Title { text } => format!("The room is called {} now.", shown(text.trim())),
        HostCommand::Rules { .. }
            if asked.json["text"].as_str().is_some_and(|text| text.trim().is_empty()) =>
        {
            "The room has no rules.".to_owned()
        }
        HostCommand::Rules { .. } => "The rules are set.".to_owned(),
        HostCommand::Unreserve { .. } => format!("The name of {guest} is not reserved any more."),
        HostCommand::Identities { required: true } => {
            "Only guests with an identity can come in; those who are here stay.".to_owned()
        }
        HostCommand::Identities { required: false } => "Guests need no identity to come in.".to_owned(),
        HostCommand::Private { allowed: true } => "Guests can write to each other privately.".to_owned(),
        HostCommand::Private { allowed: false } => {
            "Guests cannot write to each other privately; what was written stays until they leave.".to_owned()
        }
        HostCommand::Typing { told: true } => "Guests are told who is writing something.".to_owned(),
        HostCommand::Typing { told: false } => "Guests are not told who is writing.".to_owned(),
        HostCommand::Pin { message } => format!("Message {message} is pinned."),
        HostCommand::Unpin => "No message is pinned.".to_owned(),
        HostCommand::Announce { .. } => "It is announced.".to_owned(),
        HostCommand::Role { role, .. } => match role.as_str() {
            "guest" => format!("{guest} has no role any more."),
            role => format!("{guest} is a {role} now."),
        },
        HostCommand::Confirm => {
            "You have confirmed the room: the time until it wipes itself begins anew.".to_owned()
        }
        HostCommand::Link { .. } => "The links that were not used give nothing any more.".to_owned(),
        _ => entering::done(command, asked.about.as_ref()).unwrap_or_else(|| "Done.".to_owned()),
    }
}

fn guest(who: &Who) -> String {
    shown(&Known { number: who.number, name: who.name.clone(), remark: "" }.to_string())
}
