//! Files that are no backup.

use super::*;
use crate::server::archive::ArchiveError;

#[tokio::test]
async fn what_is_encrypted_otherwise_or_not_at_all_is_named() {
    let (outer, data) = room(1, 1).await;
    let file = outer.path().join("other");
    fs::write(&file, "a tar archive, perhaps").unwrap();
    refused(&data, &file, WORDS, "neither a file");
    let endless = [&b"age-encryption.org/v1\n-> scrypt "[..], &[b'a'; 100_000]].concat();
    fs::write(&file, endless).unwrap();
    refused(&data, &file, WORDS, "another way");
    assert!(matches!(Archive::open(outer.path()), Err(ArchiveError::Foreign { .. })));
}
