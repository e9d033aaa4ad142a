//! The sentences of refusals that guests may meet, which the room below makes in English, and how they are found again.
//!
//! What programs alone meet stays English: it names members and headers.

use std::borrow::Cow;

use super::kind::Language;
use super::pieces::pieces;
use super::texts::{english, filled, plurals};

/// A sentence, or several that always stand together. `{0}` and so on are numbers there, or what is between quotation marks.
enum Sentence {
    Text(&'static str),
    /// In the form for the number at `{0}`.
    Counted([&'static str; 2]),
}

use Sentence::{Counted, Text};

/// Those that begin others come after them.
static SENTENCES: &[Sentence] = &[
    // To come in.
    Text(english("Every seat in this room is taken. Come back a little later.")),
    Text(english(
        "The room is full, and this seat went to a guest on another circuit. Come back a little later.",
    )),
    Text(english("This room is locked: only guests who are in it already can come back.")),
    Text(english("This room has a password. Give it to come in.")),
    Text(english("That is not the password of this room. Ask the one who told you of it.")),
    Text(english(
        "This room is for invited guests: open the link that you were given. Where you did, it was used already, taken back, or has \
         expired; ask for a new one.",
    )),
    Text(english("The invitation by which you came in was taken back.")),
    Text(english(
        "A host or a moderator of this room has to let you in. Keep this open: it goes on by itself.",
    )),
    Text(english("More guests wait to be let in than the room has places for. Ask again a little later.")),
    Text(english(
        "Only guests with an identity come in here. Choose a name and a passphrase of at least 8 characters: the name is then yours. \
         If you have a key file of a reserved name, come in with that.",
    )),
    Text(english("You were put out of this room.")),
    Text(english("You are banned from this room.")),
    Text(english(
        "A guest was banned on this connection to the room. Come back a little later, over another one.",
    )),
    Counted(plurals("You may come back in {0} second.", "You may come back in {0} seconds.")),
    Counted(plurals("You may come back in {0} minute.", "You may come back in {0} minutes.")),
    Counted(plurals("You may come back in {0} hour.", "You may come back in {0} hours.")),
    Counted(plurals("You may come back in {0} day.", "You may come back in {0} days.")),
    Text(english("This guest came in by another door meanwhile.")),
    Text(english("This guest came in on another connection, so this one is closed.")),
    Text(english("This guest is now connected elsewhere.")),
    Text(english("The room is closing.")),
    Text(english("This room cannot be opened at the moment. Try again a little later.")),
    Text(english("This room was removed by its host.")),
    Text(english(
        "There is no room \"{0}\" here. GET /rooms lists those that are open to all; the first one is \"main\".",
    )),
    // Names.
    Text(english("Somebody here is called that, or something that looks the same. Choose another name.")),
    Text(english(
        "This name, or one that looks like it, is reserved for a guest of this room. If you are that guest, come in with your \
         passphrase or your key file. Otherwise choose another name.",
    )),
    Text(english(
        "This name is reserved for a guest with another passphrase. Try again, or choose another name.",
    )),
    Text(english("The host of this room keeps a word of this name out. Choose another name.")),
    Text(english(
        "The room uses this word itself, so no guest can be called that. Choose another name, or add a word to it.",
    )),
    Text(english("A name needs at least one letter, digit or emoji.")),
    Text(english("A name cannot have the character U+{0}.")),
    Text(english(
        "Take it out: letters and digits, spaces, emoji and ' ’ - . , _ · ・ & + ! ( ) can be used.",
    )),
    Text(english(
        "A name can have combining marks on letters only, at most {0} on each. Take out the others.",
    )),
    Text(english(
        "The letters of a name are of one script, such as Latin, Cyrillic or Arabic; Latin can be beside Chinese, Japanese and Korean. \
         Take out the letters of the others.",
    )),
    Text(english("The digits of a name are of one kind, such as 123 or ۱۲۳. Write all of them in the same.")),
    Text(english("A name may have at most {0} characters and {1} bytes. Make it shorter.")),
    Text(english(
        "The machines of this room do not reach each other at the moment, so no name can be given out. Try again a little later.",
    )),
    Counted(plurals(
        "Names are reserved slowly here. Try again in {0} minute.",
        "Names are reserved slowly here. Try again in {0} minutes.",
    )),
    Text(english("You have no reserved name here.")),
    Text(english("You have no name in this room yet.")),
    Text(english("A thousand names are reserved here already; a host can take some back.")),
    // Passwords, passphrases and keys.
    Text(english("Passwords and passphrases are tried slowly here.")),
    Text(english("The password may have at most {0} bytes.")),
    Text(english("The passphrase may have at most {0} bytes.")),
    Text(english("The password is one line, without tabs and other control characters.")),
    Text(english("The passphrase is one line, without tabs and other control characters.")),
    Text(english(
        "The password has only spaces or characters that show nothing, so a person cannot read or type it.",
    )),
    Text(english(
        "The passphrase has only spaces or characters that show nothing, so a person cannot read or type it.",
    )),
    Counted(plurals(
        "Take at least {0} character that can be seen, such as a few words.",
        "Take at least {0} characters that can be seen, such as a few words.",
    )),
    Counted(plurals(
        "The password needs at least {0} character; those that show nothing do not count.",
        "The password needs at least {0} characters; those that show nothing do not count.",
    )),
    Counted(plurals(
        "The passphrase needs at least {0} character; those that show nothing do not count.",
        "The passphrase needs at least {0} characters; those that show nothing do not count.",
    )),
    Text(english(
        "This is no key file: it has a line that begins with \"onionroom-key-1\". Paste the whole of it.",
    )),
    // To say something.
    Text(english("A message needs something to say.")),
    Text(english("A message may have at most {0} bytes; this one has {1}. Say it in parts.")),
    Text(english("A message may have at most {0} bytes; this one has far more. Say it in parts.")),
    Text(english("A message may have line breaks (\\n) and tabs, but no other control characters.")),
    Text(english("That is more than one guest may say here at once. Wait a second, and send it again.")),
    Counted(plurals(
        "Each guest may say something once in {0} second here.",
        "Each guest may say something once in {0} seconds here.",
    )),
    Counted(plurals("Wait {0} more.", "Wait {0} more.")),
    Counted(plurals("Wait {0} second, and ask again.", "Wait {0} seconds, and ask again.")),
    Counted(plurals("Wait {0} second, and search again.", "Wait {0} seconds, and search again.")),
    Counted(plurals("Wait {0} second.", "Wait {0} seconds.")),
    Text(english("You may read here, and not write.")),
    Counted(plurals("You may write again in {0} second.", "You may write again in {0} seconds.")),
    Counted(plurals("You may write again in {0} minute.", "You may write again in {0} minutes.")),
    Counted(plurals("You may write again in {0} hour.", "You may write again in {0} hours.")),
    Counted(plurals("You may write again in {0} day.", "You may write again in {0} days.")),
    Text(english(
        "A host or a moderator would have to read this first, and as many of your messages as can wait do so already. Wait until they \
         are read.",
    )),
    Text(english(
        "A host or a moderator would have to read this first, and as many messages as can wait in this room do so already. Send it \
         again later.",
    )),
    Text(english(
        "A host or a moderator would have to read this first, and an edit cannot wait for that. Say it as a new message.",
    )),
    Text(english(
        "This room keeps no messages, so none can wait for a host or a moderator to read it first.",
    )),
    Text(english("The room cannot write messages down at the moment. Try again a little later.")),
    Text(english("The room cannot read its messages at the moment.")),
    Text(english("This node of the room has not received yet what you have read. Try again a little later.")),
    Text(english(
        "Something else was decided at the same moment, so this was not done. Look at the room, and try again.",
    )),
    // What is done with messages.
    Text(english("Only the author of a message can edit it.")),
    Text(english("You have put no reaction to this message.")),
    Text(english(
        "You can delete your own messages; those of others a host or a moderator of this room can delete.",
    )),
    Text(english("Messages cannot be edited in this room. Delete it, and say it anew.")),
    Counted(plurals(
        "A message can be edited for {0} second here, and that is over. Delete it, and say it anew.",
        "A message can be edited for {0} seconds here, and that is over. Delete it, and say it anew.",
    )),
    Counted(plurals(
        "A message can be edited for {0} minute here, and that is over. Delete it, and say it anew.",
        "A message can be edited for {0} minutes here, and that is over. Delete it, and say it anew.",
    )),
    Counted(plurals(
        "A message can be edited for {0} hour here, and that is over. Delete it, and say it anew.",
        "A message can be edited for {0} hours here, and that is over. Delete it, and say it anew.",
    )),
    Counted(plurals(
        "A message can be edited for {0} day here, and that is over. Delete it, and say it anew.",
        "A message can be edited for {0} days here, and that is over. Delete it, and say it anew.",
    )),
    Text(english("There is no such message any more: it was deleted, or the room does not keep it.")),
    Text(english("There is no such message any more.")),
    Text(english("There is no such message that waits any more.")),
    Text(english("Searches take turns here.")),
    Text(english("A search needs a word to look for.")),
    Text(english("A search has at most {0} bytes; this one has {1}.")),
    Text(english("A search has at most {0} words and phrases.")),
    // Private messages.
    Text(english("Guests cannot write to each other privately in this room.")),
    Text(english("This is your own number; a private message is for another guest.")),
    Text(english(
        "This guest is at another address of the room; private messages reach only those who are at the same one.",
    )),
    Text(english("This guest is not in the room any more, so a private message cannot reach them.")),
    Text(english("Choose the guest whom the message is for.")),
    // What hosts and moderators do.
    Text(english("Only a host of this room can do that.")),
    Text(english("Only a host or a moderator of this room can do that.")),
    Text(english("Only a host or a moderator of this room can see that.")),
    Text(english("Only a host or a moderator of this room can see who waits.")),
    Text(english("You cannot do that to yourself; leave the room instead.")),
    Text(english("This guest has the same role as you; only a host can take it from them first.")),
    Text(english("This link was used already, or taken back. Ask a host for a new one.")),
    Text(english("This link was made already.")),
    Text(english("There are 64 guests with a role already; take one back first.")),
    Text(english("A thousand guests are muted already; take some mutes back first.")),
    Text(english("A thousand guests are banned already; take some bans back first.")),
    Text(english("This guest has no reserved name.")),
    Text(english("This lets no guest in any more.")),
    Text(english("This guest did not come by an invitation, or it was taken back already.")),
    Text(english("There are 500 invitations already; take some back first.")),
    Text(english("There is an invitation of this name already; take it back first, or choose another name.")),
    Text(english("There is no such invitation.")),
    Text(english(
        "There was an act with this id already, and the secret of its link cannot be given again: it is kept nowhere, or the link was \
         used, taken back or has ended. For a new link, do it again with a new id; for an invitation of the same name, take the old \
         one back first.",
    )),
    Text(english("An announcement needs something to say.")),
    Text(english("A word to keep out may have at most {0} characters.")),
    Text(english("Words to keep out have no control characters; give each of them by itself.")),
    Text(english("A word to keep out has a letter or a digit.")),
    Text(english("This text is one line, without line breaks and tabs.")),
    Text(english("This text may have at most {0} bytes; it has {1}.")),
    Text(english("This text may have line breaks (\\n) and tabs, but no other control characters.")),
    Text(english("A title has at least one character that can be seen.")),
    Text(english("A title has no control characters.")),
    Text(english("A title may have at most {0} characters; this one has {1}.")),
    Text(english(
        "An invitation has a name of 1 to {0} characters, of which one can be seen, for the host alone.",
    )),
    Text(english("The member \"link\" must be the 43 characters after the \"=\" of a link.")),
    Text(english("The member \"invite\" must be the 43 characters after the \"=\" of a link.")),
    Text(english("Only a host of the main room can wipe it, and all other rooms with it.")),
    Text(english(
        "That is not the title of this room, which confirms that all of it is to be wiped. Nothing was done.",
    )),
    Text(english("The room is being wiped already.")),
    Text(english("The program that runs this room does not wipe it when it is asked to.")),
    Text(english("That is not a number of days. Write digits, or leave it empty.")),
    Text(english("That is not a number. Write digits only, or 0 for none.")),
    Text(english("Write the password first; to take it away there is another button.")),
    Text(english("That form is not one of this page. Load the page again.")),
    // Requests.
    Text(english("QR codes are drawn slowly here.")),
    Text(english("A QR code has at most {0} bytes here.")),
    Text(english("The operating system gives no randomness.")),
    Text(english("The body broke off; send it again.")),
    Text(english("The body took too long to arrive; send it again.")),
    Text(english("A body may have at most {0} bytes here.")),
    Text(english("There is nothing here; the room is at \"/\".")),
    Text(english("This room does not answer under that name; use the address that its host gave you.")),
    Text(english("This address is for programs; open the room's own address instead.")),
    Text(english("A page of another site asked for this; open the room's own address instead.")),
];

impl Language {
    /// A refusal in this language, sentence by sentence. What has a sentence that is not known stays English as a whole.
    pub fn translated(self, refusal: &str) -> Cow<'_, str> {
        if self == Self::English {
            return Cow::Borrowed(refusal);
        }
        if let Some(form) = self.forms(refusal).and_then(|forms| forms.first()) {
            return Cow::Borrowed(if form.is_empty() { refusal } else { form });
        }
        let (mut said, mut rest) = (String::new(), refusal);
        while !rest.is_empty() {
            let Some((sentence, end)) = SENTENCES.iter().find_map(|one| self.beginning(one, rest)) else {
                return Cow::Borrowed(refusal);
            };
            if !said.is_empty() {
                said.push(' ');
            }
            said.push_str(&sentence);
            rest = rest[end..].trim_start();
        }
        Cow::Owned(said)
    }

    /// The sentence with which a refusal begins, if it is this one, in this language; and where it ends there.
    fn beginning(self, sentence: &Sentence, refusal: &str) -> Option<(String, usize)> {
        let found = |pattern: &str| {
            let (parts, end) = parts(pattern, refusal)?;
            (end == refusal.len() || refusal[end..].starts_with(' ')).then_some((parts, end))
        };
        let (text, (parts, end)) = match *sentence {
            Text(pattern) => (self.say(pattern), found(pattern)?),
            Counted([one, many]) => {
                let (parts, end) = found(one).or_else(|| found(many))?;
                (self.plural(parts.first()?.parse().ok()?, one, many), (parts, end))
            }
        };
        let parts: Vec<_> = parts.iter().map(|part| part as &dyn std::fmt::Display).collect();
        Some((filled(text, &parts), end))
    }
}

/// The parts of a text that begins as a pattern says, in the order of their numbers, and where the pattern ends in it. A part is of
/// digits, also hexadecimal ones, or what is between quotation marks.
fn parts<'a>(pattern: &str, text: &'a str) -> Option<(Vec<&'a str>, usize)> {
    let (mut parts, mut rest) = (Vec::new(), text);
    let mut quoted = false;
    for piece in pieces(pattern) {
        match piece {
            Ok(literal) => {
                rest = rest.strip_prefix(literal)?;
                quoted = literal.ends_with('"');
            }
            Err(_) => {
                let goes_on = |character: char| match quoted {
                    true => character != '"',
                    false => character.is_ascii_digit() || ('A'..='F').contains(&character),
                };
                let end = rest.find(|character| !goes_on(character)).unwrap_or(rest.len());
                if end == 0 && !quoted {
                    return None;
                }
                let (part, after) = rest.split_at(end);
                parts.push(part);
                rest = after;
            }
        }
    }
    Some((parts, text.len() - rest.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_found_by_its_sentences() {
        let found = |refusal: &str| {
            let mut rest = refusal;
            let mut all = Vec::new();
            while !rest.is_empty() {
                let (text, end) = SENTENCES.iter().find_map(|one| Language::German.beginning(one, rest))?;
                all.push(text);
                rest = rest[end..].trim_start();
            }
            Some(all.len())
        };
        for (refusal, sentences) in [
            ("You were put out of this room. You may come back in 12 minutes.", Some(2)),
            ("You are banned from this room.", Some(1)),
            ("Searches take turns here. Wait 1 second, and search again.", Some(2)),
            ("Each guest may say something once in 30 seconds here. Wait 7 more.", Some(2)),
            ("A message may have at most 8000 bytes; this one has 9000. Say it in parts.", Some(1)),
            (
                "There is no room \"x y\" here. GET /rooms lists those that are open to all; the first one is \"main\".",
                Some(1),
            ),
            ("There is no such message any more: it was deleted, or the room does not keep it.", Some(1)),
            ("There is no such message any more.", Some(1)),
            ("You are banned from this room.And more", None),
            ("Wait x seconds.", None),
            ("The member \"x\" is missing.", None),
        ] {
            assert_eq!(found(refusal), sentences, "{refusal}");
        }
    }

    #[test]
    fn what_is_not_known_stays_as_it_is() {
        for refusal in ["", "The member \"x\" is missing.", "You are banned from this room. Why?", "日本 {0}"]
        {
            assert_eq!(Language::Russian.translated(refusal), refusal);
        }
    }

    /// No pattern hides a later one that it begins, with the same length of literal text or more.
    #[test]
    fn each_sentence_is_found_as_itself() {
        let patterns = SENTENCES.iter().flat_map(|one| match one {
            Text(text) => vec![*text],
            Counted(both) => both.to_vec(),
        });
        for pattern in patterns {
            let written = pattern.replace("{0}", "3").replace("{1}", "4");
            let first = SENTENCES.iter().find_map(|one| {
                let shown = Language::English.beginning(one, &written)?;
                Some(shown.1)
            });
            assert_eq!(first, Some(written.len()), "{pattern}");
        }
    }
}
