//! What to report between one status of Tor and the next.

use std::time::Duration;

use crate::tor::{Problem, Stage, Status};

/// A change to report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum StatusChange {
    /// A step began.
    Step(Stage),
    /// A problem; reported once, not on every attempt.
    Problem(Problem),
    /// Guests can connect.
    Reachable {
        /// Whether this is the first time.
        first: bool,
        /// How long Arti's bootstrap took, if it is known.
        bootstrap: Option<Duration>,
        /// How long the self-check took to come through, if it is known.
        self_check: Option<Duration>,
    },
    /// Guests cannot connect any more, for a reason that is not known yet.
    Lost,
}

/// Tracks what was reported.
#[derive(Debug, Default)]
pub(super) struct StatusTracker {
    stage: Option<Stage>,
    /// The problem reported last, until the room is reachable: an attempt in between does not report it again.
    problem: Option<Problem>,
    been_reachable: bool,
}

impl StatusTracker {
    /// The changes from the last status to this one.
    pub(super) fn update(&mut self, status: &Status) -> Vec<StatusChange> {
        let mut changes = Vec::new();
        let before = self.stage.replace(status.stage);
        let lost = before == Some(Stage::Reachable) && status.stage != Stage::Reachable;
        if lost && status.problem.is_none() {
            changes.push(StatusChange::Lost);
        }
        if let Some(problem) = status.problem.as_ref().filter(|it| self.problem.as_ref() != Some(it)) {
            changes.push(StatusChange::Problem(problem.clone()));
            self.problem = Some(problem.clone());
        }
        if before == Some(status.stage) {
            return changes;
        }
        if status.stage == Stage::Reachable {
            changes.push(StatusChange::Reachable {
                first: !self.been_reachable,
                bootstrap: status.bootstrap_took,
                self_check: status.self_check_took,
            });
            self.been_reachable = true;
            self.problem = None;
        } else if status.problem.is_none() {
            changes.push(StatusChange::Step(status.stage));
        }
        changes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(stage: Stage) -> Status {
        Status { stage, ..Status::starting() }
    }

    fn problem(what: &str) -> Problem {
        Problem { description: what.into(), advice: "Wait.".into() }
    }

    #[test]
    fn each_step_is_told_once() {
        let mut tracker = StatusTracker::default();
        assert_eq!(tracker.update(&at(Stage::Connecting)), [StatusChange::Step(Stage::Connecting)]);
        assert_eq!(tracker.update(&Status { fraction: 0.05, ..at(Stage::Connecting) }), []);
        assert_eq!(tracker.update(&at(Stage::Circuits)), [StatusChange::Step(Stage::Circuits)]);
    }

    #[test]
    fn a_problem_is_told_once_until_it_changes_or_is_over() {
        let mut tracker = StatusTracker::default();
        let blocked = Status { problem: Some(problem("blocked")), ..at(Stage::Connecting) };
        assert_eq!(tracker.update(&blocked), [StatusChange::Problem(problem("blocked"))]);
        assert_eq!(tracker.update(&at(Stage::Connecting)), []);
        assert_eq!(tracker.update(&blocked), []);
        let clock = Status { problem: Some(problem("clock")), ..at(Stage::Connecting) };
        assert_eq!(tracker.update(&clock), [StatusChange::Problem(problem("clock"))]);
        tracker.update(&at(Stage::Reachable));
        assert_eq!(tracker.update(&clock), [StatusChange::Problem(problem("clock"))]);
    }

    #[test]
    fn reachable_lost_and_reachable_again() {
        let mut tracker = StatusTracker::default();
        let reachable = |first| StatusChange::Reachable { first, bootstrap: None, self_check: None };
        assert_eq!(tracker.update(&at(Stage::Reachable)), [reachable(true)]);
        assert_eq!(tracker.update(&at(Stage::Reachable)), []);
        assert_eq!(
            tracker.update(&at(Stage::SelfCheck)),
            [StatusChange::Lost, StatusChange::Step(Stage::SelfCheck)]
        );
        assert_eq!(tracker.update(&at(Stage::Reachable)), [reachable(false)]);
    }
}
