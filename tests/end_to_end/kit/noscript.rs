//! A guest whose browser runs no scripts: documents, a form, and one answer that never ends.

use std::net::SocketAddr;

use tokio::net::{TcpSocket, TcpStream};

use super::TestRoom;
use super::raw::{Answer, Raw};

/// A window of a browser with a guest's cookies; each request comes on a connection of its own.
#[derive(Clone)]
pub(crate) struct NoscriptGuest {
    /// Where the room is.
    pub(crate) address: SocketAddr,
    /// The cookies, as names and values.
    pub(crate) cookies: Vec<(String, String)>,
    /// The number of the window.
    pub(crate) window: String,
}

impl NoscriptGuest {
    /// Enters as people do: opens the entry, sends its form, and goes where that leads.
    pub(crate) async fn arrive(room: &TestRoom) -> Self {
        Self::arrive_as(room, "").await
    }

    /// The same with a name; without one it is suggested.
    pub(crate) async fn arrive_as(room: &TestRoom, name: &str) -> Self {
        let mut guest = Self::stranger(room);
        let entry = guest.open().await;
        let answer = guest.enter(&entry, name).await;
        assert_eq!((answer.status, answer.header("location")), (303, Some("../page")), "{}", answer.text());
        guest.open().await;
        assert!(!guest.window.is_empty(), "inside");
        guest
    }

    /// A browser that has not been here yet.
    pub(crate) fn stranger(room: &TestRoom) -> Self {
        Self { address: room.address(), cookies: vec![], window: String::new() }
    }

    /// The same in whatever room is at this address.
    pub(crate) fn stranger_at(address: SocketAddr) -> Self {
        Self { address, cookies: vec![], window: String::new() }
    }

    /// Opens the page: the entry, or the room with another window number.
    pub(crate) async fn open(&mut self) -> Answer {
        let answer = self.request("GET /rooms/main/page", &[], "").await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        self.keep(&answer);
        let window =
            answer.text().split("messages?window=").nth(1).and_then(|rest| rest.split(['"', '&']).next());
        self.window = window.unwrap_or_default().to_owned();
        answer
    }

    /// Sends the form of the entry.
    pub(crate) async fn enter(&mut self, entry: &Answer, name: &str) -> Answer {
        let fields = [("form", field(entry.text(), "form")), ("proof", field(entry.text(), "proof"))];
        let [form, proof] = fields.each_ref().map(|(name, value)| (*name, value.as_str()));
        let answer = self.post_to("/enter", &[form, proof, ("name", name)], &[]).await;
        self.keep(&answer);
        answer
    }

    /// Keeps the cookies of an answer (RFC 6265, section 5.3).
    pub(crate) fn keep(&mut self, answer: &Answer) {
        for (_, cookie) in answer.headers.iter().filter(|(name, _)| name == "set-cookie") {
            let path = if cookie.starts_with("seen") { "/rooms" } else { "/rooms/main/page" };
            assert!(cookie.ends_with(&format!("; Path={path}; HttpOnly; SameSite=Strict")), "{cookie}");
            let (name, value) = cookie.split(';').next().unwrap().split_once('=').unwrap();
            self.cookies.retain(|(kept, _)| kept != name);
            if !cookie.contains("Max-Age=0") {
                self.cookies.push((name.to_owned(), value.to_owned()));
            }
        }
    }

    /// `GET` of the page (`""`) or a part of it (`"/say"`), with the window's number and more of a query.
    pub(crate) async fn get(&self, part: &str, query: &str) -> Answer {
        self.request(&format!("GET {}{query}", self.path(part)), &[], "").await
    }

    /// Sends the form with these fields, which are percent-encoded here, with the proof that the page has for it.
    pub(crate) async fn post(&self, fields: &[(&str, &str)]) -> Answer {
        self.post_to("/say", fields, &["Sec-Fetch-Site: same-origin"]).await
    }

    /// Sends a form to a part of the page with more headers.
    pub(crate) async fn post_to(&self, part: &str, fields: &[(&str, &str)], headers: &[&str]) -> Answer {
        let body: Vec<_> =
            fields.iter().map(|(name, value)| format!("{name}={}", percent_encoded(value))).collect();
        let head = [&["Content-Type: application/x-www-form-urlencoded"], headers].concat();
        self.request(&format!("POST /rooms/main/page{part}"), &head, &body.join("&")).await
    }

    /// Loads the form, says something with it and follows where that leads.
    pub(crate) async fn say(&self, text: &str) {
        let form = self.get("/say", "").await;
        let (number, proof) = (field(form.text(), "form"), field(form.text(), "proof"));
        let fields = [("form", number.as_str()), ("proof", &proof), ("text", text), ("do", "say")];
        let answer = self.post_to("/say", &fields, &[]).await;
        assert_eq!(answer.status, 303, "{}", answer.text());
        assert_eq!(answer.header("location"), Some("say#here"));
    }

    /// Opens the stream of messages.
    pub(crate) async fn stream(&self, query: &str) -> PageStream {
        self.stream_on(TcpSocket::new_v4().unwrap(), query).await
    }

    /// The same on a socket of one's own.
    pub(crate) async fn stream_on(&self, socket: TcpSocket, query: &str) -> PageStream {
        let mut raw = Raw::new(socket.connect(self.address).await.unwrap());
        let cookies = self.cookie_line();
        let request = format!(
            "GET {}{query} HTTP/1.1\r\nHost: {}\r\n{cookies}\r\n",
            self.path("/messages"),
            self.address
        );
        raw.write(request.as_bytes()).await;
        let answer = raw.head().await;
        assert_eq!((answer.status, answer.header("transfer-encoding")), (200, Some("chunked")));
        PageStream { raw }
    }

    fn path(&self, part: &str) -> String {
        format!("/rooms/main/page{part}?window={}", self.window)
    }

    fn cookie_line(&self) -> String {
        let pairs: Vec<_> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        if pairs.is_empty() { String::new() } else { format!("Cookie: {}\r\n", pairs.join("; ")) }
    }

    /// Any request, with the cookies.
    pub(crate) async fn request(&self, line: &str, headers: &[&str], body: &str) -> Answer {
        let mut raw = Raw::new(TcpStream::connect(self.address).await.unwrap());
        let mut lines = vec![format!("{line} HTTP/1.1"), format!("Host: {}", self.address)];
        lines.extend(headers.iter().map(|header| (*header).to_owned()));
        lines.push(format!("Content-Length: {}", body.len()));
        let cookies = self.cookie_line();
        raw.write(format!("{}\r\n{cookies}\r\n{body}", lines.join("\r\n")).as_bytes()).await;
        if line.starts_with("HEAD ") { raw.head().await } else { raw.answer().await }
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

    /// Everything up to the proper end, after which the connection is closed.
    pub(crate) async fn rest(mut self) -> String {
        let mut text = String::new();
        while let Some(chunk) = self.chunk().await {
            text += &chunk;
        }
        assert!(self.raw.ended().await, "the connection is closed");
        text
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
