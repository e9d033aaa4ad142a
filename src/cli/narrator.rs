//! From one status of Tor to the next: what is worth telling a person.

use std::time::Duration;

use crate::tor::{Problem, Stage, Status};

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum News {
    /// A step began.
    Step(Stage),
    /// Something stands in the way; told once, not on every attempt.
    Problem(Problem),
    /// Guests can come.
    Reachable {
        /// Whether this is the first time.
        first: bool,
        /// How long Arti's bootstrap took, if it is known.
        bootstrap: Option<Duration>,
        /// How long the self-check took to come through, if it is known.
        self_check: Option<Duration>,
    },
    /// Guests could come, and now they cannot, for a reason that is not known yet.
    Lost,
}

/// Remembers what was told.
#[derive(Debug, Default)]
pub(super) struct Narrator {
    stage: Option<Stage>,
    /// The problem told last, until the room is reachable: an attempt in between does not make it news.
    problem: Option<Problem>,
    been_reachable: bool,
}

impl Narrator {
    /// What is new in this status.
    pub(super) fn hear(&mut self, status: &Status) -> Vec<News> {
        let mut news = Vec::new();
        let before = self.stage.replace(status.stage);
        let lost = before == Some(Stage::Reachable) && status.stage != Stage::Reachable;
        if lost && status.problem.is_none() {
            news.push(News::Lost);
        }
        if let Some(problem) = status.problem.as_ref().filter(|it| self.problem.as_ref() != Some(it)) {
            news.push(News::Problem(problem.clone()));
            self.problem = Some(problem.clone());
        }
        if before == Some(status.stage) {
            return news;
        }
        if status.stage == Stage::Reachable {
            news.push(News::Reachable {
                first: !self.been_reachable,
                bootstrap: status.bootstrap_took,
                self_check: status.self_check_took,
            });
            self.been_reachable = true;
            self.problem = None;
        } else if status.problem.is_none() {
            news.push(News::Step(status.stage));
        }
        news
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
        let mut narrator = Narrator::default();
        assert_eq!(narrator.hear(&at(Stage::Connecting)), [News::Step(Stage::Connecting)]);
        assert_eq!(narrator.hear(&Status { fraction: 0.05, ..at(Stage::Connecting) }), []);
        assert_eq!(narrator.hear(&at(Stage::Circuits)), [News::Step(Stage::Circuits)]);
    }

    #[test]
    fn a_problem_is_told_once_until_it_changes_or_is_over() {
        let mut narrator = Narrator::default();
        let blocked = Status { problem: Some(problem("blocked")), ..at(Stage::Connecting) };
        assert_eq!(narrator.hear(&blocked), [News::Problem(problem("blocked"))]);
        assert_eq!(narrator.hear(&at(Stage::Connecting)), []);
        assert_eq!(narrator.hear(&blocked), []);
        let clock = Status { problem: Some(problem("clock")), ..at(Stage::Connecting) };
        assert_eq!(narrator.hear(&clock), [News::Problem(problem("clock"))]);
        narrator.hear(&at(Stage::Reachable));
        assert_eq!(narrator.hear(&clock), [News::Problem(problem("clock"))]);
    }

    #[test]
    fn reachable_lost_and_reachable_again() {
        let mut narrator = Narrator::default();
        let reachable = |first| News::Reachable { first, bootstrap: None, self_check: None };
        assert_eq!(narrator.hear(&at(Stage::Reachable)), [reachable(true)]);
        assert_eq!(narrator.hear(&at(Stage::Reachable)), []);
        assert_eq!(narrator.hear(&at(Stage::SelfCheck)), [News::Lost, News::Step(Stage::SelfCheck)]);
        assert_eq!(narrator.hear(&at(Stage::Reachable)), [reachable(false)]);
    }
}
