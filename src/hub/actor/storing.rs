//! The actor and the log: what is appended, and what the log says happened.

use std::sync::Arc;

use futures_util::FutureExt;
use tokio::task::yield_now;
use tokio::time::sleep_until;

use super::RoomActor;
use super::governing::erases;
use crate::hub::appends::Step;
use crate::hub::command::Snapshot;
use crate::hub::holding::gone;
use crate::hub::pending::{PendingAppend, answer};
use crate::log::{Entry, Log, LogError, LogFuture, Span};
use crate::protocol::{Body, GuestId, MessageId};

/// How many acts that do not count are remembered: those of the append that is answered next are among them.
const REFUSED_MAX: usize = 256;

impl RoomActor {
    /// Begins to append, or keeps it until one of the appends under way is answered; and does what the log has done by then.
    pub(super) async fn append(&mut self, pending: PendingAppend) {
        if pending.entries.is_empty() {
            return answer(pending.requests, &Ok(Vec::new()), &self.state, &self.refused);
        }
        if self.appends.is_full() {
            return self.backlog.extend(pending);
        }
        self.appends.begin(pending);
        self.take_steps().await;
    }

    /// Where the host has given the room another title, that is an entry of the log. To be called again: the log may have
    /// failed.
    pub(super) async fn change_title(&mut self) {
        self.has_title();
        let Some(title) = self.title.clone().filter(|_| self.appends.is_empty()) else { return };
        match MessageId::random() {
            Ok(id) => {
                let entry =
                    Entry { at: self.clock(), author: GuestId::ROOM, id, body: Body::Title { title } };
                self.append(PendingAppend { entries: vec![entry], requests: Vec::new() }).await;
            }
            Err(error) => tracing::error!(%error, "the room keeps its title"),
        }
    }

    /// Does everything that the log has done by now.
    pub(super) async fn take_steps(&mut self) {
        while let Some(step) = self.appends.step_now().await {
            self.take(step);
        }
    }

    /// Publishes what the log has now, or answers those whose entries were published.
    pub(super) fn take(&mut self, step: Step) {
        match step {
            Step::Publish(records) => {
                let effects = self.fold(&records);
                self.has_title();
                self.refused.extend(effects.iter().filter(|(_, effect)| effect.refused).map(|(seq, _)| *seq));
                self.refused.drain(..self.refused.len().saturating_sub(REFUSED_MAX));
                let events = records.iter().map(|record| {
                    match effects.iter().any(|(seq, effect)| *seq == record.seq && effect.refused) {
                        true => record.passed_over(),
                        false => record.event(),
                    }
                });
                self.shared.set_annotations(&self.state.annotations);
                self.shared.publish(events, &erases(&effects));
                if let Some(nodes) = &self.shared.nodes {
                    // The room's machines have clocks of their own; what is said later is not shown as said earlier.
                    if let Some(newest) = records.last() {
                        self.clock.at_least(newest.at);
                    }
                    nodes.note_published(self.appends.published());
                }
                self.enforce_all(&records, &effects);
            }
            Step::Answer(appended, requests) => {
                if let Some(event) = self.notices.note_append(&appended) {
                    self.shared.publish_one(event);
                }
                answer(requests, &appended, &self.state, &self.refused);
                if !self.backlog.entries.is_empty() {
                    self.appends.begin(std::mem::take(&mut self.backlog));
                } else if self.appends.is_empty() {
                    self.holding.settle();
                }
            }
        }
    }

    /// Once the room has had the title that its settings give, the log alone says what it is.
    fn has_title(&mut self) {
        self.title.take_if(|title| *title == self.state.configured_title());
    }

    /// Waits until the log has answered everything, or is late, and goes on notifying readers meanwhile. So what was said
    /// before a change of presence is published before it, and a log that does not answer holds up no guest who only
    /// reads, comes or goes.
    pub(super) async fn settle(&mut self) {
        while !self.appends.is_empty() && !self.appends.is_late() {
            let late_at = self.appends.late_at();
            self.notifier.set_head(self.shared.position());
            tokio::select! {
                biased;
                step = self.appends.step() => self.take(step),
                () = yield_now(), if self.notifier.is_due() => self.notify_some(),
                () = sleep_until(late_at) => self.appends.set_late(),
            }
        }
    }

    /// Waits until the log has answered everything, however late.
    pub(super) async fn settle_all(&mut self) {
        while !self.appends.is_empty() {
            self.notifier.set_head(self.shared.position());
            tokio::select! {
                biased;
                step = self.appends.step() => self.take(step),
                () = yield_now(), if self.notifier.is_due() => self.notify_some(),
            }
        }
    }

    /// Where the kept entries lie, as far as they were published.
    pub(super) async fn span(&mut self) -> Result<Span, LogError> {
        let Span { first, head, whole_from } = self.ask_log(|log| log.span()).await?;
        let head = head.min(self.appends.published());
        Ok(Span { first: first.min(head + 1), head, whole_from: whole_from.min(head + 1) })
    }

    /// Asks the log, and goes on notifying readers until it has answered: of the events that were published before, in the
    /// same batch of commands, too.
    pub(super) async fn ask_log<T>(
        &mut self,
        ask: impl for<'a> FnOnce(&'a dyn Log) -> LogFuture<'a, T>,
    ) -> Result<T, LogError> {
        let shared = Arc::clone(&self.shared);
        let mut answer = ask(&*shared.log);
        self.notifier.set_head(self.shared.position());
        loop {
            tokio::select! {
                biased;
                answer = &mut answer => return answer,
                () = yield_now(), if self.notifier.is_due() => self.notify_some(),
            }
        }
    }

    pub(super) async fn snapshot(&mut self) -> Result<Snapshot, LogError> {
        let span = self.span().await?;
        let (roster, notices) = (self.presence.snapshot(&self.roster), self.notices.snapshot());
        let policy = (!self.state.acts.is_empty()).then(|| Arc::clone(&self.policy));
        let rooms = Arc::clone(&self.rooms);
        Ok(Snapshot { roster, notices, policy, rooms, position: self.shared.position(), span })
    }

    /// Trims the log. It is not waited for: a long trim holds up no message.
    pub(super) fn trim(&mut self) {
        if let Some(trimming) = self.trimming.take_if(|trimming| trimming.is_finished()) {
            self.holding.set_gone(trimming.now_or_never().and_then(Result::ok).unwrap_or_default());
        }
        if self.trimming.is_some() {
            return;
        }
        let (shared, clock) = (Arc::clone(&self.shared), self.clock());
        let held = self.state.held().iter().map(|line| line.seq).collect();
        self.trimming = Some(tokio::spawn(async move {
            if let Err(error) = shared.log.trim(clock).await {
                tracing::error!(%error, "old messages could not be removed");
            }
            gone(&*shared.log, held).await
        }));
    }
}
