//! A guest whose browser runs no scripts: documents, a form, and one answer that never ends.

use std::net::SocketAddr;

use tokio::net::{TcpSocket, TcpStream};

use super::TestRoom;
use super::raw::{Answer, Raw};

/// A guest with a token in their address; each request comes on a connection of its own.
#[derive(Clone)]
pub(crate) struct NoscriptGuest {
    address: SocketAddr,
    /// The token.
    pub(crate) token: String,
}

impl NoscriptGuest {
    /// Opens the room as a browser's frame does: without a token, then where that leads.
    pub(crate) async fn arrive(room: &TestRoom) -> Self {
        let mut guest = Self { address: room.address(), token: String::new() };
        let answer = guest.request("GET /rooms/main/page", &[], "").await;
        assert_eq!(answer.status, 303);
        let (path, token) = answer.header("location").unwrap().split_once("?token=").unwrap();
        assert_eq!(path, "/rooms/main/page");
        guest.token = token.to_owned();
        assert_eq!(guest.get("", "").await.status, 200);
        guest
    }

    /// `GET` of the page (`""`) or a part of it (`"/say"`), with the token and more of a query.
    pub(crate) async fn get(&self, part: &str, query: &str) -> Answer {
        self.request(&format!("GET {}{query}", self.path(part)), &[], "").await
    }

    /// Sends the form with these fields, which are percent-encoded here.
    pub(crate) async fn post(&self, fields: &[(&str, &str)]) -> Answer {
        let body: Vec<_> =
            fields.iter().map(|(name, value)| format!("{name}={}", percent_encoded(value))).collect();
        let head = ["Content-Type: application/x-www-form-urlencoded"];
        self.request(&format!("POST {}", self.path("/say")), &head, &body.join("&")).await
    }

    /// Loads the form, says something with it and follows where that leads.
    pub(crate) async fn say(&self, text: &str) {
        let form = field(self.get("/say", "").await.text(), "form");
        let answer = self.post(&[("form", &form), ("text", text), ("do", "say")]).await;
        assert_eq!(answer.status, 303, "{}", answer.text());
        assert_eq!(answer.header("location"), Some(format!("say?token={}#text", self.token).as_str()));
    }

    /// Opens the stream of messages.
    pub(crate) async fn stream(&self, query: &str) -> PageStream {
        self.stream_on(TcpSocket::new_v4().unwrap(), query).await
    }

    /// The same on a socket of one's own.
    pub(crate) async fn stream_on(&self, socket: TcpSocket, query: &str) -> PageStream {
        let mut raw = Raw::new(socket.connect(self.address).await.unwrap());
        let request =
            format!("GET {}{query} HTTP/1.1\r\nHost: {}\r\n\r\n", self.path("/messages"), self.address);
        raw.write(request.as_bytes()).await;
        let answer = raw.head().await;
        assert_eq!((answer.status, answer.header("transfer-encoding")), (200, Some("chunked")));
        PageStream { raw }
    }

    fn path(&self, part: &str) -> String {
        format!("/rooms/main/page{part}?token={}", self.token)
    }

    /// Any request.
    pub(crate) async fn request(&self, line: &str, headers: &[&str], body: &str) -> Answer {
        let mut raw = Raw::new(TcpStream::connect(self.address).await.unwrap());
        let mut lines = vec![format!("{line} HTTP/1.1"), format!("Host: {}", self.address)];
        lines.extend(headers.iter().map(|header| (*header).to_owned()));
        lines.push(format!("Content-Length: {}", body.len()));
        raw.write(format!("{}\r\n\r\n{body}", lines.join("\r\n")).as_bytes()).await;
        raw.answer().await
    }
}

/// The document of messages as it comes.
pub(crate) struct PageStream {
    raw: Raw,
}

impl PageStream {
    /// One chunk (RFC 9112, section 7.1); `None` at the proper end.
    pub(crate) async fn chunk(&mut self) -> Option<String> {
        let size = usize::from_str_radix(&self.raw.line().await, 16).unwrap();
        let chunk = self.raw.bytes(size).await;
        self.raw.bytes(2).await;
        (size > 0).then(|| String::from_utf8(chunk).unwrap())
    }

    /// Everything up to and with the chunk that has this in it.
    pub(crate) async fn until(&mut self, wanted: &str) -> String {
        let mut text = String::new();
        while !text.contains(wanted) {
            text +=
                &self.chunk().await.unwrap_or_else(|| panic!("the end in place of {wanted:?} after {text}"));
        }
        text
    }
}

/// The value of a form's field.
pub(crate) fn field(document: &str, name: &str) -> String {
    let input = document.split(&format!("name=\"{name}\" value=\"")).nth(1).expect("the field is there");
    input.split('"').next().unwrap().to_owned()
}

fn percent_encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}
