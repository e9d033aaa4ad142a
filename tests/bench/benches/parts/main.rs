//! The parts of the hub, each timed alone: `cargo bench -p onionroom-bench --bench parts`.
//!
//! No sockets and no other threads. docs/performance.md has the figures of a run.

mod hub;
mod message;
mod ring;
mod room;
mod sample;

fn main() {
    // Large samples: the resolution of the clock must not show in the median.
    divan::Divan::default().sample_size(1_000).sample_count(250).config_with_args().main();
}
