//! The numbers of entries that were erased because newer ones took their places: who misses them misses nothing.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// How many runs of numbers are remembered; beyond that the lowest is forgotten.
const RUNS_MAX: usize = 200;

/// Runs of numbers: the first of each, and the last.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Vec<(u64, u64)>", into = "Vec<(u64, u64)>")]
pub(super) struct Quiet(BTreeMap<u64, u64>);

impl Quiet {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn extend(&mut self, numbers: &[u64]) {
        for number in numbers {
            self.insert(*number);
        }
        while self.0.len() > RUNS_MAX {
            self.0.pop_first();
        }
    }

    fn insert(&mut self, number: u64) {
        let before = self.0.range(..=number).next_back().map(|(first, last)| (*first, *last));
        if before.is_some_and(|(_, last)| number <= last) {
            return;
        }
        let first = match before {
            Some((first, last)) if last + 1 == number => first,
            _ => number,
        };
        let last = number.checked_add(1).and_then(|next| self.0.remove(&next)).unwrap_or(number);
        self.0.insert(first, last);
    }

    /// Whether all numbers from `first` up to, but without, `end` are among them.
    pub(super) fn has_all(&self, first: u64, end: u64) -> bool {
        let run = self.0.range(..=first).next_back();
        first >= end || run.is_some_and(|(_, last)| end - 1 <= *last)
    }

    /// The runs that end at this number or later.
    pub(super) fn since(&self, first: u64) -> Vec<(u64, u64)> {
        self.0.iter().filter(|(_, last)| **last >= first).map(|(first, last)| (*first, *last)).collect()
    }

    /// Forgets the numbers from `first` on.
    pub(super) fn set_back(&mut self, first: u64) {
        self.0.split_off(&first);
        if let Some(mut last) = self.0.last_entry() {
            let end = (*last.get()).min(first.saturating_sub(1));
            last.insert(end);
        }
    }
}

impl From<Vec<(u64, u64)>> for Quiet {
    fn from(runs: Vec<(u64, u64)>) -> Self {
        Self(runs.into_iter().filter(|(first, last)| first <= last).collect())
    }
}

impl From<Quiet> for Vec<(u64, u64)> {
    fn from(quiet: Quiet) -> Self {
        quiet.0.into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn runs_are_a_set_of_numbers(numbers in prop::collection::vec(1u64..60, 0..80), back in 1u64..60) {
            let mut quiet = Quiet::default();
            quiet.extend(&numbers);
            let all = |from: u64, end: u64, first: u64| {
                (from..end).all(|number| number < first && numbers.contains(&number))
            };
            let mut again = Quiet::from(Vec::from(quiet.clone()));
            prop_assert_eq!(&again, &quiet);
            again.set_back(back);
            for from in 1..62 {
                for end in from..62 {
                    prop_assert_eq!(quiet.has_all(from, end), all(from, end, u64::MAX));
                    prop_assert_eq!(again.has_all(from, end), all(from, end, back));
                }
            }
            let mut last_end = 0;
            for (first, last) in Vec::from(quiet) {
                prop_assert!(first > last_end + 1 || last_end == 0, "runs that touch are one");
                prop_assert!(last >= first);
                last_end = last;
            }
        }
    }

    #[test]
    fn the_lowest_are_forgotten() {
        let mut quiet = Quiet::default();
        quiet.extend(&(1..=300).map(|number| number * 2).collect::<Vec<_>>());
        assert_eq!(quiet.0.len(), RUNS_MAX);
        assert!(!quiet.has_all(2, 3) && quiet.has_all(600, 601));
    }
}
