//! Keys taken, erased and replaced, and damage that is found.

use super::*;

fn open(path: &Path, used: &[u32]) -> KeyFile {
    KeyFile::open(path, &Found::at(path).unwrap(), &used.iter().copied().collect(), 7).unwrap()
}

fn ids(path: &Path) -> Vec<Option<i64>> {
    match Found::at(path).unwrap() {
        Found::Slots(ids, epoch) => {
            assert_eq!(epoch, 7);
            ids
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_key_is_found_until_it_is_erased() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("keys");
    let mut keys = open(&path, &[]);
    assert_eq!(keys.ready(), GROWTH as usize);
    let (one, key) = keys.take().unwrap().unwrap();
    let (other, _) = keys.take().unwrap().unwrap();
    assert_ne!(one, other);
    assert_eq!(keys.get(one).unwrap().as_deref(), Some(&*key));
    keys.erase(&[one.slot]).unwrap();
    assert_eq!(keys.get(one).unwrap(), None);
    assert!(keys.get(other).unwrap().is_some());
    let file = std::fs::read(&path).unwrap();
    assert!(!file.windows(32).any(|bytes| bytes == *key), "overwritten, not only marked");
}

/// Guards against a key that encrypts twice: one that was ready in a backup may have been used since.
#[test]
fn what_is_not_used_is_replaced_when_the_file_is_opened() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("keys");
    let mut keys = open(&path, &[]);
    let (used, _) = keys.take().unwrap().unwrap();
    drop(keys);
    let before = ids(&path);
    drop(open(&path, &[used.slot]));
    let after = ids(&path);
    let same: Vec<usize> = (0..before.len()).filter(|slot| before[*slot] == after[*slot]).collect();
    assert_eq!(same, [used.slot as usize]);
}

#[test]
fn the_file_shrinks_again() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("keys");
    open(&path, &[]).grow(50 * GROWTH).unwrap();
    drop(open(&path, &[GROWTH + 3]));
    assert_eq!(ids(&path).len(), 2 * GROWTH as usize);
    assert_eq!(std::fs::metadata(&path).unwrap().len(), place(2 * GROWTH));
}

#[test]
fn damage_is_found_and_named() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("keys");
    assert!(matches!(Found::at(&path).unwrap(), Found::Nothing));
    drop(open(&path, &[]));
    let whole = std::fs::read(&path).unwrap();
    let mut one = whole.clone();
    one[SLOT * 5 + 20] ^= 1;
    std::fs::write(&path, &one).unwrap();
    assert_eq!(ids(&path).iter().position(Option::is_none), Some(4));
    for wrong in [&whole[..40], &whole[..whole.len() - 1], &[0; 8000][..]] {
        std::fs::write(&path, wrong).unwrap();
        assert!(matches!(Found::at(&path).unwrap(), Found::Damaged(_)));
    }
}

#[cfg(unix)]
#[test]
fn nobody_else_can_read_it() {
    use std::os::unix::fs::PermissionsExt;

    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("keys");
    drop(open(&path, &[]));
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
}
