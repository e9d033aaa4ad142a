//! One figure over several rounds.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Median and extremes of the rounds.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub struct Summary {
    /// The median.
    pub median: f64,
    /// The smallest.
    pub min: f64,
    /// The largest.
    pub max: f64,
}

impl Summary {
    /// Of one value for each round.
    pub fn of(values: impl IntoIterator<Item = f64>) -> Self {
        let mut values: Vec<f64> = values.into_iter().collect();
        values.sort_by(f64::total_cmp);
        let (Some(min), Some(max)) = (values.first(), values.last()) else { return Self::default() };
        let middle = values.len() / 2;
        let median = match values.len() % 2 {
            1 => values[middle],
            _ => f64::midpoint(values[middle - 1], values[middle]),
        };
        let [median, min, max] = [median, *min, *max].map(rounded);
        Self { median, min, max }
    }

    /// In another unit: each value times `factor`.
    #[must_use]
    pub fn scaled(self, factor: f64) -> Self {
        let [median, min, max] = [self.median, self.min, self.max].map(|figure| figure * factor);
        Self { median, min, max }
    }

    /// Of the ratios of two figures, taken within each round.
    pub fn of_ratios<T>(rounds: &[T], others: &[T], figure: impl Fn(&T) -> f64) -> Self {
        Self::of(rounds.iter().zip(others).map(|(round, other)| figure(round) / figure(other)))
    }
}

/// To four significant digits: the rounds differ by more.
fn rounded(figure: f64) -> f64 {
    format!("{figure:.3e}").parse().unwrap_or(figure)
}

/// With three significant digits: `4.19 (3.93 to 4.40)`.
impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [median, min, max] = [self.median, self.min, self.max].map(|figure| {
            let decimals = 2 - figure.abs().max(1e-3).log10().floor().min(2.0) as i32;
            format!("{figure:.*}", decimals.max(0) as usize)
        });
        write!(f, "{median} ({min} to {max})")
    }
}
