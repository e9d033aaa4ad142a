//! Whatever was acknowledged is there, once, in order, for everyone, while the server is killed and
//! connections break.
//!
//! [`steadfast`] is a guest's program that follows the rules for coming back; [`crowd`] holds many of them to
//! what the room promised. Each test breaks something else. Longer: `ONIONROOM_TEST_ROUNDS=1000 cargo test
//! --test end_to_end nothing_lost`; a failure again: `ONIONROOM_TEST_SEED` with the number it printed.

pub(crate) mod circuits;
pub(crate) mod crowd;
mod cut;
mod killed;
pub(crate) mod steadfast;
