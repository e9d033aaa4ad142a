//! Acts as guests are told of them.

use std::borrow::Cow;

use super::act::Act;
use super::entering::Proof;

impl Act {
    /// The act as guests are told of it: without what identifies a link or an invitation or belongs to a passphrase, who was
    /// let in, and the words that are kept out.
    pub fn told(&self) -> Cow<'_, Self> {
        match self {
            Self::Link { role, link: Some(_) } => Cow::Owned(Self::Link { role: *role, link: None }),
            Self::Role { target, role, link: Some(_) } => {
                Cow::Owned(Self::Role { target: target.clone(), role: *role, link: None })
            }
            Self::Words { words: Some(words), .. } => {
                Cow::Owned(Self::Words { words: None, count: Some(words.len()) })
            }
            Self::Approval { approval, .. } => {
                Cow::Owned(Self::Approval { approval: *approval, present: Vec::new() })
            }
            Self::InvitedOnly { invited_only, .. } => {
                Cow::Owned(Self::InvitedOnly { invited_only: *invited_only, present: Vec::new() })
            }
            Self::Password { password, .. } => Cow::Owned(Self::Password {
                password: *password,
                text: None,
                hash: None,
                present: Vec::new(),
            }),
            Self::Admit { target, by: Some(_) } => {
                Cow::Owned(Self::Admit { target: target.clone(), by: Some(Proof::Room) })
            }
            Self::Invite { .. } => {
                Cow::Owned(Self::Invite { name: None, single_use: false, seconds: None, link: None })
            }
            Self::RevokeInvite { .. } => Cow::Owned(Self::RevokeInvite { invite: None }),
            Self::Reserve { name, under: Some(_) } => {
                Cow::Owned(Self::Reserve { name: name.clone(), under: None })
            }
            _ => Cow::Borrowed(self),
        }
    }
}
