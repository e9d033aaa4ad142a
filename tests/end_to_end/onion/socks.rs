//! A SOCKS 5 client (RFC 1928) with a user name and a password (RFC 1929), by which C Tor keeps visitors on
//! circuits of their own.

use std::io;
use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// What the proxy answered in place of a connection: the `REP` of RFC 1928, section 6, or for onion services
/// one of [those that Tor adds](https://spec.torproject.org/socks-extensions.html).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Refused(pub(crate) u8);

/// Asks the proxy for a stream to `host` at `port`, as `user`.
///
/// # Errors
/// When the proxy refuses. Everything else fails the test.
pub(crate) async fn connect(
    proxy: SocketAddr,
    user: &str,
    host: &str,
    port: u16,
) -> Result<TcpStream, Refused> {
    try_connect(proxy, user, host, port).await.expect("the proxy answers")
}

/// The same, where the proxy may go away meanwhile.
///
/// # Errors
/// When the connection to the proxy breaks.
pub(crate) async fn try_connect(
    proxy: SocketAddr,
    user: &str,
    host: &str,
    port: u16,
) -> io::Result<Result<TcpStream, Refused>> {
    let mut stream = TcpStream::connect(proxy).await?;
    stream.set_nodelay(true)?;
    // Version 5, one method: user name and password.
    stream.write_all(&[5, 1, 2]).await?;
    let mut answer = [0; 2];
    stream.read_exact(&mut answer).await?;
    assert_eq!(answer, [5, 2], "the proxy takes user names");
    let mut login = vec![1];
    for text in [user, "password"] {
        login.push(u8::try_from(text.len()).unwrap());
        login.extend(text.as_bytes());
    }
    stream.write_all(&login).await?;
    stream.read_exact(&mut answer).await?;
    assert_eq!(answer, [1, 0], "the proxy takes any user name");

    // CONNECT to a name.
    let mut request = vec![5, 1, 0, 3, u8::try_from(host.len()).unwrap()];
    request.extend(host.as_bytes());
    request.extend(port.to_be_bytes());
    stream.write_all(&request).await?;
    let mut head = [0; 4];
    stream.read_exact(&mut head).await?;
    let [_, reply, _, kind] = head;
    // The address it is bound to, which nobody needs.
    let mut bound = vec![0; if kind == 4 { 16 } else { 4 } + 2];
    stream.read_exact(&mut bound).await?;
    Ok(if reply == 0 { Ok(stream) } else { Err(Refused(reply)) })
}
