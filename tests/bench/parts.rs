//! The parts of a message's way, each timed by itself: `cargo bench --bench parts`.
//!
//! Nothing here crosses a socket or a thread. docs/performance.md has the figures of a run.

mod parts {
    pub(crate) mod message;
    pub(crate) mod ring;
    pub(crate) mod room;
    pub(crate) mod sample;
}

fn main() {
    // Enough at once for the clock's steps not to show, and for what comes between to be no median.
    divan::Divan::default().sample_size(1_000).sample_count(250).config_with_args().main();
}
