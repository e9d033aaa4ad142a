//! Tests of what happens to Arti's files when the network changes.

#![allow(clippy::unwrap_used, reason = "a test that fails here has failed")]

use tempfile::TempDir;

use super::*;

const KEY: &str = "state/keystore/hss/room/ks_hs_id.ed25519_expanded_private";

/// A directory of Arti's files, and the networks that use it.
struct Tor {
    directory: TempDir,
}

/// The authorities of a network, as its description has them.
fn authorities(network: &str) -> Vec<String> {
    let digit = network.as_bytes()[0] % 10;
    vec![digit.to_string().repeat(39) + "A", digit.to_string().repeat(39) + "b"]
}

impl Tor {
    /// Files without a name, as an earlier version left them after it had used `network`.
    fn of_an_earlier_version(network: &str, signers: &[String]) -> Self {
        let tor = Self { directory: tempfile::tempdir().unwrap() };
        tor.write(KEY, "the key");
        tor.use_network(network);
        fs::remove_file(tor.path().join("cache/dir.sqlite3")).unwrap();
        let cache = Connection::open(tor.path().join("cache/dir.sqlite3")).unwrap();
        cache.execute_batch("CREATE TABLE Authcerts (id_digest TEXT NOT NULL)").unwrap();
        for signer in signers {
            cache.execute("INSERT INTO Authcerts VALUES (?)", [signer.to_lowercase()]).unwrap();
        }
        tor
    }

    fn new() -> Self {
        let tor = Self { directory: tempfile::tempdir().unwrap() };
        tor.write(KEY, "the key");
        tor
    }

    fn path(&self) -> &Path {
        self.directory.path()
    }

    fn write(&self, file: &str, text: &str) {
        let path = self.path().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// What Arti would write.
    fn use_network(&self, network: &str) {
        self.write("state/state/guards.json", network);
        self.write("state/hss/room/ipts.json", network);
        self.write("cache/dir.sqlite3", network);
    }

    fn settle(&self, network: &str) -> Settled {
        let authorities = authorities(network);
        settle(self.path(), NetworkInUse { authorities: &authorities, public: network == PUBLIC }).unwrap()
    }

    /// Whose guards and directory are in place, and that the key is.
    fn in_place(&self) -> Option<String> {
        assert_eq!(fs::read_to_string(self.path().join(KEY)).unwrap(), "the key");
        let read = |file: &str| fs::read_to_string(self.path().join(file)).ok();
        let guards = read("state/state/guards.json");
        assert_eq!(guards, read("state/hss/room/ipts.json"));
        assert_eq!(guards.is_some(), self.path().join("cache/dir.sqlite3").exists());
        guards
    }
}

#[test]
fn the_same_network_again_finds_what_it_left() {
    for network in [PUBLIC, "lab"] {
        let tor = Tor::new();
        assert_eq!(tor.settle(network), Settled::Same);
        tor.use_network(network);
        assert_eq!(tor.settle(network), Settled::Same);
        assert_eq!(tor.in_place().as_deref(), Some(network));
    }
}

#[test]
fn another_network_starts_afresh_and_the_key_stays() {
    let tor = Tor::new();
    tor.settle("a");
    tor.use_network("a");
    assert_eq!(tor.settle("b"), Settled::Afresh);
    assert_eq!(tor.in_place(), None);
    tor.use_network("b");
    assert_eq!(tor.settle("a"), Settled::Afresh);
    assert_eq!(tor.in_place(), None);
}

#[test]
fn the_public_network_finds_its_guards_again() {
    let tor = Tor::new();
    tor.settle(PUBLIC);
    tor.use_network(PUBLIC);
    for lab in ["a", "b"] {
        assert_eq!(tor.settle(lab), Settled::Afresh);
        assert_eq!(tor.in_place(), None);
        tor.use_network(lab);
    }
    assert_eq!(tor.settle(PUBLIC), Settled::PublicAgain);
    assert_eq!(tor.in_place().as_deref(), Some(PUBLIC));
    assert_eq!(tor.settle(PUBLIC), Settled::Same);
}

#[test]
fn files_without_a_name_belong_to_those_who_have_signed_them() {
    // As nearly all are: the public network's.
    let public = Tor::of_an_earlier_version(PUBLIC, &authorities(PUBLIC));
    assert_eq!(public.settle(PUBLIC), Settled::Same);
    assert_eq!(public.in_place().as_deref(), Some(PUBLIC));
    let public = Tor::of_an_earlier_version(PUBLIC, &authorities(PUBLIC));
    assert_eq!(public.settle("lab"), Settled::Afresh);
    assert_eq!(public.settle(PUBLIC), Settled::PublicAgain);
    assert_eq!(public.in_place().as_deref(), Some(PUBLIC));
    // Before anything was downloaded.
    let public = Tor::of_an_earlier_version(PUBLIC, &[]);
    assert_eq!(public.settle(PUBLIC), Settled::Same);
    assert_eq!(public.in_place().as_deref(), Some(PUBLIC));

    let lab = Tor::of_an_earlier_version("lab", &authorities("lab"));
    assert_eq!(lab.settle("lab"), Settled::Same);
    assert_eq!(lab.in_place().as_deref(), Some("lab"));
    let lab = Tor::of_an_earlier_version("lab", &authorities("lab"));
    assert_eq!(lab.settle(PUBLIC), Settled::Afresh);
    assert_eq!(lab.in_place(), None);
}

/// Every step is a rename of a directory or a file. A process that was killed is one after which the others did not
/// happen; here the directory is put into each state that the steps leave.
#[test]
fn a_switch_that_was_broken_off_is_finished_or_taken_back() {
    for done in 0..=PARTS.len() {
        for next in ["lab", PUBLIC, "another"] {
            // On the way from the public network to the lab.
            let tor = Tor::new();
            tor.settle(PUBLIC);
            tor.use_network(PUBLIC);
            for part in &PARTS[..done] {
                rename(&tor.path().join(part), &tor.path().join(ASIDE).join(part)).unwrap();
            }
            tor.settle(next);
            assert_eq!(tor.in_place().as_deref(), (next == PUBLIC).then_some(PUBLIC), "{done} of {next}");
            tor.settle(PUBLIC);
            assert_eq!(tor.in_place().as_deref(), Some(PUBLIC), "{done} of {next}");

            // On the way back: the lab's are forgotten, the name is the public network's, some are back.
            let tor = Tor::new();
            tor.settle(PUBLIC);
            tor.use_network(PUBLIC);
            tor.settle("lab");
            write_name(tor.path(), PUBLIC).unwrap();
            for part in &PARTS[..done] {
                rename(&tor.path().join(ASIDE).join(part), &tor.path().join(part)).unwrap();
            }
            tor.settle(next);
            assert_eq!(
                tor.in_place().as_deref(),
                (next == PUBLIC).then_some(PUBLIC),
                "back, {done} of {next}"
            );
            tor.settle(PUBLIC);
            assert_eq!(tor.in_place().as_deref(), Some(PUBLIC), "back, {done} of {next}");

            // On the way from one lab to another, in the middle of deleting.
            let tor = Tor::new();
            tor.settle("lab");
            tor.use_network("lab");
            for part in &PARTS[..done] {
                forget(tor.path(), &tor.path().join(part)).unwrap();
            }
            tor.settle(if next == "lab" { PUBLIC } else { next });
            assert_eq!(tor.in_place(), None);
            assert!(!tor.path().join(FORGOTTEN).exists());
        }
    }
}
