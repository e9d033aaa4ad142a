//! One room on three machines: three programs, three NATS servers, and a line between each that can be cut.
//!
//! What breaks is drawn by chance: `ONIONROOM_TEST_ROUNDS=200 cargo test --test end_to_end several` breaks 200 things, and
//! `ONIONROOM_TEST_SEED` repeats a run.

mod faults;
mod guests;
mod machines;
mod names;
mod wire;
