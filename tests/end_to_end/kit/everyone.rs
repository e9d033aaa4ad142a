//! What holds on every way to a room.

use serde_json::json;

use super::noscript_stream::NoscriptStream;
use super::raw::Raw;
use super::room::Dial;
use super::{Guest, Visitor};

/// Four guests, each on a transport of their own, of whom each says something and all hear it before the next one does: so
/// nothing is held back on the way.
pub(crate) async fn everyone_hears_everyone_at_once(dial: Dial) {
    let host = dial.host();
    let mut socket = Guest::connect(dial.connect().await, &host).await;
    socket.hello("Socket").await;
    let listener = Visitor::stranger_on(dial.clone()).seated("Listener").await;
    let mut events = listener.listen("", &[]).await;
    let waiting = Visitor::stranger_on(dial.clone()).seated("Waiting").await;
    let mut page = NoscriptStream::enter(dial.clone(), 7).await;
    for round in 0..3_u64 {
        for speaker in 0..4 {
            let seq = round * 4 + speaker + 1;
            let text = format!("message {seq}");
            let poll = {
                let waiting = waiting.clone();
                async move { waiting.messages(&format!("after={}&wait=25", seq - 1)).await }
            };
            let say = async {
                match speaker {
                    0 => socket.send(json!({ "type": "say", "id": seq.to_string(), "text": text })).await,
                    1 => drop(listener.say(&seq.to_string(), &text).await),
                    2 => drop(waiting.say(&seq.to_string(), &text).await),
                    _ => page.say(&format!("form{seq}"), &text).await,
                }
            };
            let (polled, ()) = tokio::join!(poll, say);
            assert_eq!(polled["messages"][0]["text"], text.as_str());
            assert_eq!(socket.expect("message").await["text"], text.as_str());
            assert_eq!(events.expect("message").await["text"], text.as_str());
            assert_eq!(page.message().await.as_deref(), Some(text.as_str()));
        }
    }
}

/// The page may connect to where it came from, its cookies are for https alone, and no other site may ask.
pub(crate) async fn the_page_is_that_of_the_public_name(dial: &Dial) {
    let host = format!("Host: {}", dial.host());
    let mut raw = Raw::new(dial.connect().await);
    let page = raw.request(&["GET / HTTP/1.1", &host]).await;
    let policy = page.header("content-security-policy").unwrap_or_default();
    assert!(page.status == 200 && policy.contains("wss://room.example"), "{page:?}");
    let entry = raw.request(&["GET /rooms/main/page HTTP/1.1", &host]).await;
    assert!(entry.header("set-cookie").is_some_and(|cookie| cookie.ends_with("; Secure")), "{entry:?}");
    let foreign = "Origin: https://evil.example";
    let asked = raw.request(&["GET /rooms/main HTTP/1.1", &host, foreign]).await;
    assert_eq!(asked.status, 403);
}
