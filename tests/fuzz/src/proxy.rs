//! The first bytes of a connection to the listener for proxies.

use onionroom::listen::proxy::{Header, NoHeader, parse};

/// The longest header of version 2.
const HEADER_MAX: usize = 4096;

/// Reading a header never panics; it is read the same in pieces, what follows it is kept as it came, and it has an end.
pub fn run(data: &[u8]) {
    let whole = parse(data);
    match &whole {
        Ok(Some(Header { rest, .. })) => {
            let length = data.len() - rest.len();
            assert!(data.ends_with(rest) && (15..=HEADER_MAX).contains(&length));
            assert_eq!(parse(&data[..length - 1]), Ok(None), "it ends with its last byte");
        }
        Ok(None) => assert!(data.len() < HEADER_MAX),
        Err(NoHeader) => assert!(!data.is_empty()),
    }
    for end in [1, 12, 16, data.len() / 2].into_iter().filter(|end| *end < data.len()) {
        match parse(&data[..end]) {
            Ok(None) => {}
            Err(NoHeader) => assert_eq!(whole, Err(NoHeader)),
            Ok(Some(Header { client, mut rest })) => {
                rest.extend(&data[end..]);
                assert_eq!(whole, Ok(Some(Header { client, rest })));
            }
        }
    }
}
