//! What newcomers need, for those who ask without a seat, and with which token those ask again who wait.

use std::sync::atomic::{AtomicU8, Ordering};

use crate::protocol::secret::Secret;
use crate::protocol::{Code, Policy, Refusal, Token};

/// What newcomers need, as far as the actor has published it: for pages that ask for it before there is a guest.
#[derive(Debug, Default)]
pub(super) struct Entrance(AtomicU8);

/// What newcomers need.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Needs {
    /// The room's password.
    pub password: bool,
    /// An invitation.
    pub invitation: bool,
    /// A host or a moderator who lets them in.
    pub approval: bool,
}

impl Entrance {
    /// Notes what the policy asks of newcomers.
    pub(super) fn set(&self, policy: &Policy) {
        let bit = |set: bool, bit: u8| u8::from(set) << bit;
        let bits = bit(policy.password, 0) | bit(policy.invited_only, 1) | bit(policy.approval, 2);
        self.0.store(bits, Ordering::Relaxed);
    }

    /// What newcomers need now.
    pub(super) fn needs(&self) -> Needs {
        let bits = self.0.load(Ordering::Relaxed);
        Needs { password: bits & 1 > 0, invitation: bits & 2 > 0, approval: bits & 4 > 0 }
    }
}

/// A refusal to join, with the token that the room has made for the guest: with it they are let in later, or were already.
/// `brought` says whether the hello had an invitation or a password.
pub fn with_token(mut refusal: Refusal, made: Option<&Token>, brought: bool) -> Refusal {
    if let Some(token) = made.filter(|_| brought || refusal.code == Code::Waiting) {
        refusal.token = Some(Secret::new(token.encode()));
    }
    refusal
}
