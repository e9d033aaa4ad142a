//! The short run of each target: some seconds altogether, the same each time.

use onionroom_fuzz::{TARGETS, short, target};

macro_rules! short_runs {
    ($($name:ident: $mutations:literal,)*) => {
        $(#[test]
        fn $name() {
            short::run(target(stringify!($name)).expect("a target"), $mutations);
        })*

        #[test]
        fn every_target_is_run() {
            assert_eq!(TARGETS.map(|(name, _)| name), [$(stringify!($name)),*]);
        }
    };
}

short_runs! {
    bodies: 20_000,
    configuration: 10_000,
    cursors: 20_000,
    heads: 300,
    languages: 2_000,
    log: 500,
    names: 5_000,
    noscript: 1_000,
    protocol: 20_000,
    proxy: 20_000,
    search: 5_000,
    websocket: 300,
}
