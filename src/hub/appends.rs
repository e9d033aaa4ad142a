//! What the room's task asks of the log, and what the log says happened.
//!
//! The order is the log's: what is [followed](Log::follow) is published, whether this room appended it or another process
//! did. While the log writes, the room's task goes on and begins the next append. The authors are answered in the order in
//! which they asked, each after their own entries were published.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use super::pending::{PendingAppend, PendingPublish};
use crate::log::{Appended, Follow, Log, LogError, LogFuture};
use crate::protocol::Record;

/// How many appends are under way at most: one that the log writes, and one that waits for that. What is said meanwhile
/// goes into one append together.
const UNDER_WAY: usize = 2;

/// After how long without an answer the log is late: what does not need it is not held up any longer.
const PATIENCE: Duration = Duration::from_millis(250);

/// The appends under way, and the entries that follow.
pub(super) struct Appends {
    log: Arc<dyn Log>,
    /// `None` when the log was closed.
    follow: Option<Follow>,
    /// The newest entry that was taken from `follow`.
    published: u64,
    /// Oldest first.
    under_way: VecDeque<UnderWay>,
    /// When the log is late, once that was asked since its last answer.
    late_at: Option<Instant>,
    late: bool,
}

struct UnderWay {
    answer: LogFuture<'static, Vec<Appended>>,
    answered: Option<Result<Vec<Appended>, LogError>>,
    requests: Vec<PendingPublish>,
}

/// What comes next.
pub(super) enum Step {
    /// Entries of the log, to be published.
    Publish(Vec<Record>),
    /// What the log said of an append, and the requests to answer.
    Answer(Result<Vec<Appended>, LogError>, Vec<PendingPublish>),
}

impl Appends {
    /// Follows the log from the entry `after` on.
    ///
    /// # Errors
    /// The log cannot be read.
    pub(super) async fn follow(log: Arc<dyn Log>, after: u64) -> Result<Self, LogError> {
        let follow = Some(log.follow(after).await?);
        Ok(Self { log, follow, published: after, under_way: VecDeque::new(), late_at: None, late: false })
    }

    /// Whether every append is answered.
    pub(super) fn is_empty(&self) -> bool {
        self.under_way.is_empty()
    }

    /// Whether nothing more may be begun.
    pub(super) fn is_full(&self) -> bool {
        self.under_way.len() >= UNDER_WAY
    }

    /// When the log is late, if it answers nothing before.
    pub(super) fn late_at(&mut self) -> Instant {
        *self.late_at.get_or_insert_with(|| Instant::now() + PATIENCE)
    }

    /// Notes that the log is late, until its next answer.
    pub(super) fn set_late(&mut self) {
        self.late = true;
    }

    /// Whether the log is late.
    pub(super) fn is_late(&self) -> bool {
        self.late
    }

    /// The newest entry that was to be published.
    pub(super) fn published(&self) -> u64 {
        self.published
    }

    /// Asks the log to append these, after those before.
    pub(super) fn begin(&mut self, pending: PendingAppend) {
        let PendingAppend { entries, requests } = pending;
        let log = Arc::clone(&self.log);
        let answer = Box::pin(async move { log.append(entries).await });
        self.under_way.push_back(UnderWay { answer, answered: None, requests });
    }

    /// Completes with what comes next.
    pub(super) async fn step(&mut self) -> Step {
        poll_fn(|context| self.poll_step(context)).await
    }

    /// What comes next, if it is there by now.
    pub(super) async fn step_now(&mut self) -> Option<Step> {
        poll_fn(|context| {
            Poll::Ready(match self.poll_step(context) {
                Poll::Ready(step) => Some(step),
                Poll::Pending => None,
            })
        })
        .await
    }

    fn poll_step(&mut self, context: &mut Context<'_>) -> Poll<Step> {
        // The log is asked when this is polled first; a log in memory has told what follows then.
        for append in self.under_way.iter_mut().filter(|append| append.answered.is_none()) {
            if let Poll::Ready(answered) = append.answer.as_mut().poll(context) {
                append.answered = Some(answered);
            }
        }
        if let Some(follow) = &mut self.follow
            && let Poll::Ready(records) = follow.as_mut().poll_next(context)
        {
            match records {
                Some(records) => {
                    self.published = records.last().map_or(self.published, |record| record.seq);
                    return Poll::Ready(Step::Publish(records));
                }
                None => self.follow = None,
            }
        }
        match self.under_way.front() {
            Some(oldest) if self.is_published(oldest) => {}
            _ => return Poll::Pending,
        }
        match self.under_way.pop_front() {
            Some(UnderWay { answered: Some(answered), requests, .. }) => {
                (self.late_at, self.late) = (None, false);
                Poll::Ready(Step::Answer(answered, requests))
            }
            _ => Poll::Pending,
        }
    }

    /// Whether the log has answered this, and what it has appended was published.
    fn is_published(&self, append: &UnderWay) -> bool {
        match &append.answered {
            Some(Ok(appended)) => {
                let newest = appended.iter().map(|appended| appended.seq()).max().unwrap_or(0);
                newest <= self.published || self.follow.is_none()
            }
            Some(Err(_)) => true,
            None => false,
        }
    }
}

/// Completes at this time, if there is one.
pub(super) async fn wait_until(time: Option<Instant>) {
    if let Some(time) = time {
        sleep_until(time).await;
    }
}
