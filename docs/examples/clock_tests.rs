//! The clock from outside, on a port of its own.

use std::time::UNIX_EPOCH;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::{MaybeTlsStream, connect_async};

use super::*;

type Client = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// Far more than anything here takes.
const DEADLINE: Duration = Duration::from_secs(30);

/// Opens a clock; answers with its host and port.
async fn clock() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(serve(listener));
    address
}

async fn client(host: &str) -> Client {
    connect_async(format!("ws://{host}/ws")).await.unwrap().0
}

async fn now(client: &mut Client) -> SystemTime {
    let message = timeout(DEADLINE, client.next()).await.unwrap().unwrap().unwrap();
    let frame: Value = serde_json::from_str(message.to_text().unwrap()).unwrap();
    assert_eq!(frame.as_object().unwrap().len(), 1, "{frame}");
    humantime::parse_rfc3339(frame["now"].as_str().unwrap()).unwrap()
}

async fn get(host: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(host).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    timeout(DEADLINE, stream.read_to_string(&mut answer)).await.unwrap().unwrap();
    answer
}

#[test]
fn the_frame_is_json_with_rfc_3339_in_utc() {
    for (milliseconds, expected) in [
        (0, "1970-01-01T00:00:00.000Z"),
        (951_827_696_789, "2000-02-29T12:34:56.789Z"),
        (4_107_542_399_999, "2100-02-28T23:59:59.999Z"),
        (4_107_542_400_000, "2100-03-01T00:00:00.000Z"),
    ] {
        let time = UNIX_EPOCH + Duration::from_millis(milliseconds);
        assert_eq!(frame(time), format!(r#"{{"now":"{expected}"}}"#));
    }
}

#[tokio::test]
async fn after_start_the_time_comes_every_second_to_everyone() {
    let host = clock().await;
    let (mut first, mut second, mut silent) = (client(&host).await, client(&host).await, client(&host).await);
    let before = SystemTime::now() - Duration::from_millis(1); // what the frame rounds off
    silent.send(Message::text("go")).await.unwrap();
    for client in [&mut first, &mut second] {
        client.send(Message::text("start")).await.unwrap();
    }
    for client in [&mut first, &mut second] {
        let times = [now(client).await, now(client).await, now(client).await];
        assert!(before <= times[0], "not the time now");
        let took = times[2].duration_since(times[0]).unwrap();
        assert!((Duration::from_millis(1500)..DEADLINE).contains(&took), "{took:?}");
    }
    let heard = timeout(Duration::ZERO, silent.next()).await;
    assert!(heard.is_err(), "who has not said start hears nothing: {heard:?}");
}

#[tokio::test]
async fn a_close_is_answered_and_the_clock_goes_on_for_others() {
    let host = clock().await;
    let mut first = client(&host).await;
    first.send(Message::text("start")).await.unwrap();
    now(&mut first).await;
    first.close(None).await.unwrap();
    while let Some(message) = timeout(DEADLINE, first.next()).await.unwrap() {
        message.unwrap();
    }
    let mut second = client(&host).await;
    second.send(Message::text("start")).await.unwrap();
    now(&mut second).await;
}

#[tokio::test]
async fn a_page_from_anywhere_may_ask() {
    let mut request = format!("ws://{}/ws", clock().await).into_client_request().unwrap();
    request.headers_mut().insert("Origin", "https://lecture.example".parse().unwrap());
    let mut client = connect_async(request).await.unwrap().0;
    client.send(Message::text("start")).await.unwrap();
    now(&mut client).await;
}

#[tokio::test]
async fn other_requests_are_answered_in_http() {
    let host = clock().await;
    let page = get(&host, "/").await;
    assert!(page.starts_with("HTTP/1.1 200") && page.ends_with(PAGE), "{page}");
    assert!(get(&host, "/elsewhere").await.starts_with("HTTP/1.1 404"));
    assert!(get(&host, "/ws").await.starts_with("HTTP/1.1 400"));
}
