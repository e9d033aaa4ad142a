//! Answers about newcomers, in words.

use std::time::Duration;

use super::guest::Known;
use super::shown::{name_of, shown, time};
use crate::cli::arguments::{HostCommand, Switch};
use crate::cli::terminal::Terminal;
use crate::control::entering::{InvitationLine, Invitations, Invited, Waiting, WaitingLine};
use crate::qr;

pub(super) fn waiting(list: &Waiting) -> Vec<String> {
    if list.waiting.is_empty() {
        return vec!["No guest waits at this machine.".to_owned()];
    }
    let line = |line: &WaitingLine| {
        let (number, badge) = (line.who.number, &line.who.badge);
        format!("{number:<16}  {badge:5}  {:>8}  {}", time(line.seconds), name_of(&line.who.name))
    };
    let head = format!("{:16}  badge  {:>8}  name", "number", "waits");
    std::iter::once(head).chain(list.waiting.iter().map(line)).collect()
}

pub(super) fn invitations(list: &Invitations) -> Vec<String> {
    if list.invitations.is_empty() {
        return vec!["There is no invitation. `onionroom host invite NAME` makes one.".to_owned()];
    }
    let line = |one: &InvitationLine| {
        let kind = match one {
            InvitationLine { valid: true, single_use: true, .. } => "once",
            InvitationLine { valid: true, .. } => "valid",
            InvitationLine { single_use: true, guests: 1.., .. } => "used",
            _ => "ended",
        };
        let left = one.seconds_left.map(|left| format!(", ends in {}", time(left))).unwrap_or_default();
        let guests = match one.guests {
            1 => "1 guest".to_owned(),
            guests => format!("{guests} guests"),
        };
        format!("{:<15}  {kind:5}  {guests:>9}  {}{left}", one.id, shown(&one.name))
    };
    list.invitations.iter().map(line).collect()
}

pub(super) fn invited(terminal: &Terminal, made: &Invited, command: &HostCommand) -> Vec<String> {
    let (once, until) = match command {
        HostCommand::Invite { once, expires, .. } => (*once, *expires),
        _ => (false, None),
    };
    let whom = if once { "the first guest who opens it" } else { "who opens it" };
    let long =
        until.map_or_else(|| "until uninvite".to_owned(), |until| format!("for {}", time(until.as_secs())));
    let mut lines = vec![format!("This link for {} lets {whom} in, {long}:", shown(&made.name))];
    lines.extend(made.links.iter().map(|link| format!("  {link}")));
    if made.links.is_empty() {
        lines.push(format!("  #invite={} at an address of the room", made.secret));
    }
    let out = &terminal.out;
    if out.is_terminal
        && let Some(code) = made.links.first().and_then(|link| qr::code(link, out.colours, out.columns))
    {
        lines.push(code);
    }
    lines.push(
        "It is shown once. Give it to that person in private; the room keeps only its hash.".to_owned(),
    );
    lines
}

/// What was done, as a sentence; `None` for another command.
pub(super) fn done(command: &HostCommand, about: Option<&Known>) -> Option<String> {
    let guest = shown(&about.map(Known::to_string).unwrap_or_default());
    let until = |given: &Option<Duration>| match given {
        Some(given) => format!("for {}", time(given.as_secs())),
        None => "until `onionroom host unban`".to_owned(),
    };
    Some(match command {
        HostCommand::Approval { set: Switch::On } => {
            "Newcomers wait now: `onionroom host waiting` lists them, `admit` lets them in.".to_owned()
        }
        HostCommand::Approval { set: Switch::Off } => "Newcomers need not wait any more.".to_owned(),
        HostCommand::Admit { .. } => format!("{guest} is let in."),
        HostCommand::Reject { time, .. } => format!("{guest} is turned away {}.", until(time)),
        HostCommand::Password { remove: true, .. } => "The room has no password any more.".to_owned(),
        HostCommand::Password { .. } => {
            "Newcomers give this password now. Who gave another one gives it again once they have left."
                .to_owned()
        }
        HostCommand::InvitedOnly { set: Switch::On } => {
            "Newcomers need an invitation now: `onionroom host invite NAME`.".to_owned()
        }
        HostCommand::InvitedOnly { set: Switch::Off } => "Newcomers need no invitation any more.".to_owned(),
        HostCommand::Uninvite { name } => {
            format!("The invitation {} lets no guest in, and who came by it is put out.", shown(name))
        }
        _ => return None,
    })
}
