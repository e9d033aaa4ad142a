//! The command line.

#![allow(clippy::unwrap_used, reason = "a test that fails here has failed")]

use clap::CommandFactory;

use super::*;
use crate::config::KEYS;

#[test]
fn the_grammar_is_consistent() {
    Arguments::command().debug_assert();
}

#[test]
fn every_flag_of_the_table_exists_and_reaches_the_settings() {
    let command = Arguments::command();
    for flag in KEYS.iter().filter_map(|key| key.flag) {
        let argument = command.get_arguments().find(|it| it.get_long() == flag.strip_prefix("--"));
        let takes_value = argument.unwrap().get_action().takes_values();
        let mut typed = vec!["onionroom", "serve", flag];
        typed.extend(takes_value.then_some("1"));
        let arguments = Arguments::try_parse_from(&typed).unwrap();
        let Some(Command::Serve(flags)) = arguments.command else { panic!("{typed:?}") };
        assert_eq!(flags.flags(), [Flag { name: flag, value: takes_value.then(|| "1".into()) }]);
    }
}

#[test]
fn flags_may_stand_before_after_or_without_the_command() {
    let typed = |words: &[&str]| {
        let Arguments { before, command } = Arguments::try_parse_from(words).unwrap();
        let mut flags = before.flags();
        if let Some(Command::Serve(after)) = command {
            flags.extend(after.flags());
        }
        flags
    };
    let expected = typed(&["onionroom", "--title", "x", "--ephemeral"]);
    assert_eq!(expected.len(), 2);
    assert_eq!(typed(&["onionroom", "serve", "--title", "x", "--ephemeral"]), expected);
    assert_eq!(typed(&["onionroom", "--title", "x", "serve", "--ephemeral"]), expected);
}

#[test]
fn what_contradicts_itself_is_refused() {
    for words in [
        ["--ephemeral", "--data-dir=x"],
        ["--no-onion", "--onion-port=81"],
        ["--no-onion", "--threads=2"],
        ["--no-onion", "--restricted"],
        ["--ephemeral", "--restricted"],
    ] {
        assert!(Arguments::try_parse_from([&["onionroom"], &words[..]].concat()).is_err(), "{words:?}");
    }
}
