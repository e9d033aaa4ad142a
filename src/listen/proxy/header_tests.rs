use proptest::prelude::*;

use super::*;

const V2: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";

/// A header of version 2 with this command, this family and protocol, and these bytes after its length.
fn v2(command: u8, family: u8, body: &[u8]) -> Vec<u8> {
    let length = u16::try_from(body.len()).unwrap().to_be_bytes();
    [V2, &[0x20 | command, family], &length, body].concat()
}

fn client(bytes: &[u8]) -> Result<Client, NoHeader> {
    parse(bytes).map(|header| header.expect("a whole header").client)
}

fn at(address: &str) -> Result<Client, NoHeader> {
    Ok(Client::at(address.parse().unwrap()))
}

/// From 192.0.2.1 to 192.0.2.2, and an extension that is not looked at.
fn ipv4() -> Vec<u8> {
    v2(1, 0x11, &[192, 0, 2, 1, 192, 0, 2, 2, 1, 2, 0, 80, 0x05, 0, 2, b'i', b'd'])
}

#[test]
fn addresses_and_circuits_are_read() {
    assert_eq!(client(b"PROXY TCP4 192.0.2.1 192.0.2.2 56324 443\r\n"), at("192.0.2.1"));
    assert_eq!(client(b"PROXY TCP6 2001:db8::1 2001:db8::2 56324 443\r\n"), at("2001:db8::1"));
    assert_eq!(client(&ipv4()), at("192.0.2.1"));
    let (source, target): ([u8; 16], [u8; 16]) = ([0x20; 16], [1; 16]);
    assert_eq!(
        client(&v2(1, 0x21, &[&source[..], &target, &[0, 1, 0, 2]].concat())),
        at("2020:2020:2020:2020::")
    );
    // As export_hs_client_circuit_id of C Tor (core/or/connection_edge.c) writes it.
    let exported = b"PROXY TCP6 fc00:dead:beef:4dad::0:7 ::1 7 42\r\n";
    assert_eq!(client(exported), Ok(Client::Circuit(7)));
    let most = b"PROXY TCP6 fc00:dead:beef:4dad::ffff:ffff ::1 65535 42\r\n";
    assert_eq!(client(most), Ok(Client::Circuit(u32::MAX)));
}

#[test]
fn a_proxy_that_asks_for_itself_or_for_no_address_is_unknown() {
    for unknown in [
        &b"PROXY UNKNOWN\r\n"[..],
        b"PROXY UNKNOWN ffff:ffff::1 ffff::2 65535 65535\r\n",
        &v2(0, 0, &[]),
        &v2(0, 0x11, &[127, 0, 0, 1, 127, 0, 0, 1, 0, 1, 0, 2]),
        &v2(1, 0, &[]),
        &v2(1, 0, &[0x20, 0, 1, 7]),
        &v2(1, 0x31, &[b'/'; 216]),
    ] {
        assert_eq!(client(unknown), Ok(Client::Unknown), "{}", unknown.escape_ascii());
    }
}

#[test]
fn what_follows_is_kept_and_what_is_missing_is_waited_for() {
    let line = b"PROXY TCP4 192.0.2.1 192.0.2.2 56324 443\r\n".to_vec();
    for header in [line, ipv4(), v2(0, 0, &[]), b"PROXY UNKNOWN\r\n".to_vec()] {
        for end in 0..header.len() {
            assert_eq!(parse(&header[..end]), Ok(None), "{}", header[..end].escape_ascii());
        }
        let request = b"GET / HTTP/1.1\r\n\r\nPROXY TCP4";
        let whole = parse(&[&header, &request[..]].concat()).unwrap().unwrap();
        assert_eq!(whole.rest, request);
    }
}

#[test]
fn what_is_no_header_is_refused_at_its_first_wrong_byte() {
    for wrong in [
        &b"G"[..],
        b"POST",
        b"PROXYTCP4",
        b"\r\n\r\nGET",
        b"proxy UNKNOWN\r\n",
        b"\0",
        b"PROXY TCP5 192.0.2.1 192.0.2.2 1 2\r\n",
        b"PROXY TCP4 192.0.2 192.0.2.2 1 2\r\n",
        b"PROXY TCP4 2001:db8::1 192.0.2.2 1 2\r\n",
        b"PROXY TCP6 192.0.2.1 192.0.2.2 1 2\r\n",
        b"PROXY TCP4 192.0.2.1 192.0.2.2 1 65536\r\n",
        b"PROXY TCP4 192.0.2.1 192.0.2.2 1 2\rX",
        b"PROXY TCP4 192.0.2.1\r\nGET / HTTP/1.1\r\n",
        &v2(2, 0x11, &[0; 12]),
        &v2(1, 0x11, &[0; 11]),
        &v2(1, 0x21, &[0; 12]),
        &v2(1, 0x41, &[0; 12]),
        &[V2, &[0x11, 0x11, 0, 0]].concat(),
    ] {
        assert_eq!(parse(wrong), Err(NoHeader), "{}", wrong.escape_ascii());
    }
}

#[test]
fn a_header_has_an_end() {
    let line = format!("PROXY UNKNOWN {}", "x".repeat(200));
    assert_eq!(parse(&line.as_bytes()[..106]), Ok(None));
    assert_eq!(parse(&line.as_bytes()[..107]), Err(NoHeader));
    assert_eq!(parse(format!("{line}\r\n").as_bytes()), Err(NoHeader));
    let large = |length: usize| v2(1, 0x11, &vec![0; length]);
    assert!(parse(&large(4080)).is_ok_and(|header| header.is_some()));
    assert_eq!(parse(&large(4081)), Err(NoHeader));
    assert_eq!(parse(&large(60_000)[..16]), Err(NoHeader), "as soon as it says how long it is");
}

proptest! {
    /// No bytes are a panic, and what was read before a header is whole changes nothing.
    #[test]
    fn pieces_are_read_as_the_whole(
        start in prop::sample::select(vec![&b""[..], b"PROXY ", b"PROXY TCP4 ", b"PROXY UNKNOWN", V2]),
        bytes in prop::collection::vec(any::<u8>(), 0..64),
    ) {
        let bytes = [start, &bytes].concat();
        let whole = parse(&bytes);
        for end in 0..bytes.len() {
            match parse(&bytes[..end]) {
                Ok(None) => {}
                Err(NoHeader) => prop_assert_eq!(&whole, &Err(NoHeader)),
                Ok(Some(Header { client, rest })) => {
                    let mut rest = rest;
                    rest.extend(&bytes[end..]);
                    prop_assert_eq!(&whole, &Ok(Some(Header { client, rest })));
                }
            }
        }
    }
}
