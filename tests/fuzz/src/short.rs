//! The short run: the committed corpus and its mutations from a fixed seed, the same each time.

use std::cell::Cell;
use std::fs;
use std::panic::{self, AssertUnwindSafe};
use std::path::PathBuf;
use std::sync::Once;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::Target;

thread_local! {
    /// Whether this thread drives a target.
    static DRIVES: Cell<bool> = const { Cell::new(false) };
    /// Panics on this thread so far, those in tasks too, which tokio catches.
    static OWN: Cell<usize> = const { Cell::new(0) };
}

/// Panics so far on threads that a target has started.
static OTHERS: AtomicUsize = AtomicUsize::new(0);

/// How many mutations are made of one input at most.
const CHANGES_MAX: u64 = 6;

/// Runs a target on each input of its corpus, then on `mutations` mutations.
///
/// # Panics
/// A promise of the target is broken; the input was printed.
pub fn run((name, target): Target, mutations: usize) {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let hook = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if DRIVES.get() {
                OWN.set(OWN.get() + 1);
            } else {
                OTHERS.fetch_add(1, Ordering::Relaxed);
            }
            hook(info);
        }));
    });
    DRIVES.set(true);
    let corpus = corpus(name);
    assert!(!corpus.is_empty(), "no corpus of {name}");
    for input in &corpus {
        check(target, input);
    }
    let mut dice = Dice(0x6f6e_696f_6e72_6f6f);
    for _ in 0..mutations {
        check(target, &mutated(&corpus, &mut dice));
    }
}

fn check(target: fn(&[u8]), input: &[u8]) {
    let panics = || (OWN.get(), OTHERS.load(Ordering::Relaxed));
    let before = panics();
    let outcome = panic::catch_unwind(AssertUnwindSafe(|| target(input)));
    let failed = outcome.is_err() || panics() != before;
    assert!(!failed, "this input breaks a promise: b\"{}\"", input.escape_ascii());
}

/// The files of a target's corpus, in the order of their names.
fn corpus(name: &str) -> Vec<Vec<u8>> {
    let directory: PathBuf = [env!("CARGO_MANIFEST_DIR"), "corpus", name].iter().collect();
    let files = fs::read_dir(directory).into_iter().flatten().flatten();
    let mut files: Vec<PathBuf> = files.map(|entry| entry.path()).collect();
    files.sort();
    files.into_iter().map(|file| fs::read(file).expect("a file of the corpus can be read")).collect()
}

/// An input of the corpus with some changes.
fn mutated(corpus: &[Vec<u8>], dice: &mut Dice) -> Vec<u8> {
    let mut input = dice.choose(corpus).clone();
    for _ in 0..=dice.below(CHANGES_MAX) {
        let at = dice.below(input.len() as u64 + 1) as usize;
        let end = at + dice.below((input.len() - at) as u64 + 1).min(16) as usize;
        match dice.below(6) {
            0 => drop(input.drain(at..end)),
            1 => input.insert(at, dice.below(256) as u8),
            2 => {
                if let Some(byte) = input.get_mut(at) {
                    *byte ^= 1 << dice.below(8);
                }
            }
            3 => {
                let copy = input[at..end].to_vec();
                input.splice(at..at, copy);
            }
            4 => {
                // The end of another input.
                let other = dice.choose(corpus);
                input.truncate(at);
                input.extend(&other[dice.below(other.len() as u64 + 1) as usize..]);
            }
            _ => {
                let token = *dice.choose(&TOKENS);
                input.splice(at..end, token.bytes());
            }
        }
    }
    input
}

/// What means something somewhere, or is an end of a range.
const TOKENS: [&str; 20] = [
    "\"",
    "{",
    "}",
    "\\u0000",
    "\r\n",
    "\r\n\r\n",
    "\n",
    "=",
    "&",
    "%",
    "<",
    "-1",
    "9007199254740992",
    "18446744073709551616",
    "\u{301}",
    "\u{202e}",
    "\u{1f469}\u{200d}",
    "null",
    "\0",
    "HTTP/1.1",
];

/// SplitMix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014).
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    fn choose<'a, T>(&mut self, among: &'a [T]) -> &'a T {
        &among[self.below(among.len() as u64) as usize]
    }
}
