//! A guest whose browser runs no script: a document that is written on, and forms.

use std::net::SocketAddr;

use data_encoding::BASE64URL_NOPAD;
use tokio::net::TcpSocket;

use super::raw::Raw;
use super::room::Dial;
use super::visitor::Visitor;

/// The reading end of the document of messages, and the form beside it.
pub(crate) struct NoscriptStream {
    raw: Raw,
    visitor: Visitor,
    cookie: String,
    /// What was read and not looked at yet.
    markup: String,
}

impl NoscriptStream {
    /// Comes in on a socket of one's own; `number` makes the token.
    pub(crate) async fn enter_on(socket: TcpSocket, address: SocketAddr, number: u8) -> Self {
        let raw = Raw::new(socket.connect(address).await.unwrap());
        Self::enter_over(raw, Dial::Tcp(address), number).await
    }

    /// Comes in by this way.
    pub(crate) async fn enter(dial: Dial, number: u8) -> Self {
        let raw = Raw::new(dial.connect().await);
        Self::enter_over(raw, dial, number).await
    }

    async fn enter_over(mut raw: Raw, dial: Dial, number: u8) -> Self {
        let token = BASE64URL_NOPAD.encode(&[number; 32]);
        let host = dial.host();
        let port = host.rsplit_once(':').map_or("", |(_, port)| port);
        let cookie = format!("Cookie: guest{port}={token}");
        let line = "GET /rooms/main/page/messages?window=1 HTTP/1.1";
        let answer = raw.request(&[line, &format!("Host: {host}"), &cookie]).await;
        assert_eq!((answer.status, answer.header("content-type")), (200, Some("text/html; charset=utf-8")));
        assert_eq!(answer.header("transfer-encoding"), Some("chunked"));
        Self { raw, visitor: Visitor::stranger_on(dial), cookie, markup: String::new() }
    }

    /// Sends the form, which has a number of its own.
    pub(crate) async fn say(&self, form: &str, text: &str) {
        let kind = "Content-Type: application/x-www-form-urlencoded";
        let head = [kind, "Sec-Fetch-Site: same-origin", &self.cookie];
        let plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b' ');
        assert!(plain(form) && plain(text), "nothing that would have to be encoded");
        let body = format!("form={form}&text={}&do=say", text.replace(' ', "+"));
        let answer = self.visitor.request("POST", "/rooms/main/page/say", &head, &body).await;
        assert_eq!(answer.status, 303, "{}", answer.text());
    }

    /// The text of the next message, or of the next line that says so much as `Messages … no longer kept`;
    /// `None` for that.
    pub(crate) async fn message(&mut self) -> Option<String> {
        const GAP: &str = "no longer kept.";
        const BEGIN: &str = " dir=\"auto\">";
        const END: &str = "</p><a href=\"message?of=";
        loop {
            let message = self.markup.find(END);
            if let Some(gap) =
                self.markup.find(GAP).filter(|gap| message.is_none_or(|message| *gap < message))
            {
                self.markup.drain(..gap + GAP.len());
                return None;
            }
            if let Some(end) = message {
                let begin = self.markup[..end].rfind(BEGIN).unwrap() + BEGIN.len();
                let text = self.markup[begin..end].to_owned();
                self.markup.drain(..end + END.len());
                return Some(text);
            }
            self.read().await;
        }
    }

    /// Passes over everything up to the end of this markup.
    pub(crate) async fn until(&mut self, markup: &str) {
        loop {
            if let Some(place) = self.markup.find(markup) {
                self.markup.drain(..place + markup.len());
                return;
            }
            self.read().await;
        }
    }

    /// Reads one chunk.
    async fn read(&mut self) {
        let size = usize::from_str_radix(&self.raw.line().await, 16).unwrap();
        assert!(size > 0, "the document ended");
        let part = self.raw.bytes(size).await;
        self.raw.bytes(2).await;
        self.markup.push_str(std::str::from_utf8(&part).unwrap());
    }
}
