//! Badges: a few characters and a pattern beside each name, from the guest's number.
//!
//! Names that differ can still be taken for each other; a badge tells two guests apart. The number behind it is derived
//! from the session token with a secret of the room, so a badge cannot be chosen: to get a certain one takes about a
//! million joins for the characters alone, and 2^35 for the characters and the pattern.

use std::fmt;

use serde::{Serialize, Serializer};

use super::id::GuestId;

/// Crockford's base 32: no i, l, o and u, which would be read as 1, 0 and v.
const CHARACTERS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// The number of cells in a row and in a column of the pattern.
pub const CELLS: usize = 5;

/// The columns that the number fills; the others mirror the first two.
const COLUMNS: usize = 3;

/// The badge of a guest: a function of their number, as `docs/protocol.md` defines it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Badge(GuestId);

impl Badge {
    /// The badge of this guest.
    pub fn of(guest: GuestId) -> Self {
        Self(guest)
    }

    /// The four characters: the number's 20 lowest bits.
    pub fn characters(self) -> String {
        (0..4).rev().map(|place| char::from(CHARACTERS[(self.0.0 >> (5 * place) & 31) as usize])).collect()
    }

    /// The pattern, by rows: the next 15 bits of the number, the highest first, fill the left three columns of the rows.
    pub fn pattern(self) -> [[bool; CELLS]; CELLS] {
        std::array::from_fn(|row| {
            std::array::from_fn(|column| {
                let from_left = column.min(CELLS - 1 - column);
                self.0.0 >> (34 - (row * COLUMNS + from_left)) & 1 == 1
            })
        })
    }

    /// The pattern as the data of an SVG path ([SVG 2, section 9.3](https://www.w3.org/TR/SVG2/paths.html#PathData)):
    /// a horizontal stroke, 1 wide, for each run of cells; the middle of the first row is at 0.
    pub fn path(self) -> String {
        let mut path = String::new();
        for (row, cells) in self.pattern().into_iter().enumerate() {
            let mut column = 0;
            for run in cells.chunk_by(|one, next| one == next) {
                if run[0] {
                    path.push_str(&format!("M{column} {row}h{}", run.len()));
                }
                column += run.len();
            }
        }
        path
    }

    /// The colour of the guest: a hue in whole degrees, below 360. Arithmetic in double precision, as in JavaScript, so
    /// that it is the same in the page. It is no secret, and not counted on to tell guests apart.
    pub fn hue(self) -> u16 {
        ((self.0.0 as f64 * 137.508 + 285.0) % 360.0) as u16
    }
}

impl fmt::Display for Badge {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.characters())
    }
}

impl Serialize for Badge {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::*;

    /// The table of examples in `docs/protocol.md`, which tests/browser/badge.test.mjs holds the page against, too.
    #[test]
    fn badges_are_those_of_the_documentation() {
        let documentation = include_str!("../../docs/protocol.md");
        let table = documentation.split("| `guest.id` | `badge` | pattern | hue |").nth(1).unwrap();
        let rows: Vec<_> = table.lines().skip(2).take_while(|line| line.starts_with('|')).collect();
        assert!(rows.len() >= 6);
        for row in rows {
            let cells: Vec<_> = row.split('|').map(|cell| cell.trim().trim_matches('`')).collect();
            let badge = Badge::of(GuestId(cells[1].replace(',', "").parse().unwrap()));
            let pattern =
                badge.pattern().map(|row| String::from_iter(row.map(|cell| if cell { '#' } else { '.' })));
            let shown = [badge.to_string(), pattern.join(" "), badge.hue().to_string()];
            assert_eq!(shown, [cells[2], cells[3], cells[4]], "{row}");
        }
    }

    #[test]
    fn the_path_draws_the_pattern() {
        // Rows "#.#.#", ".....", "#####", "##.##", "..#..".
        let badge = Badge::of(GuestId(0b101_000_111_110_001 << 20));
        assert_eq!(badge.path(), "M0 0h1M2 0h1M4 0h1M0 2h5M0 3h2M3 3h2M2 4h1");
        assert_eq!(Badge::of(GuestId(0)).path(), "");
    }

    /// 2^20 by the characters, 2^15 by the pattern, each without the other.
    #[test]
    fn characters_and_patterns_are_all_different() {
        let characters: HashSet<_> =
            (0..1 << 20).map(|number| Badge::of(GuestId(number)).characters()).collect();
        assert_eq!(characters.len(), 1 << 20);
        let patterns: HashSet<_> =
            (0..1 << 15).map(|number| Badge::of(GuestId(number << 20)).pattern()).collect();
        assert_eq!(patterns.len(), 1 << 15);
    }

    proptest! {
        #[test]
        fn every_number_has_a_badge(number in any::<u64>()) {
            let badge = Badge::of(GuestId(number));
            prop_assert_eq!(badge.characters().len(), 4);
            prop_assert!(badge.hue() < 360);
            prop_assert_eq!(serde_json::to_value(badge).unwrap(), badge.characters());
        }
    }
}
