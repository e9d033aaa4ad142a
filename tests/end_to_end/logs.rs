//! The program's log has no names, texts, tokens, addresses or keys, at any level that the documentation names.

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpStream;

use crate::kit::Guest;
use crate::kit::offline;
use crate::kit::program::Program;
use crate::kit::raw::Raw;

/// A conversation on every transport, with what goes wrong in one; answers with the tokens.
async fn conversation(authority: &str, key: &str) -> Vec<String> {
    let (base, host) = (format!("{authority}/{key}"), format!("Host: {authority}"));
    let connect = async || TcpStream::connect(authority).await.unwrap();
    let mut ann = Guest::connect(connect().await, &base).await;
    ann.hello("Xanthippe").await;
    ann.say("first", "a sentence nobody else may read").await;
    let mut tokens = vec![ann.welcome["token"].as_str().unwrap().to_owned()];

    let mut bob = Guest::connect(connect().await, &base).await;
    bob.send(json!({ "type": "hello", "name": "Xanthippe" })).await;
    assert_eq!(bob.expect("error").await["code"], "name_taken");
    let mut bob = Guest::connect(connect().await, &base).await;
    bob.hello("Zarathustra").await;
    bob.send_text("{\"type\":\"say\",\"text\":\"a sentence nobody else may read").await;
    ann.send(json!({ "type": "rename", "name": "Xenokrates" })).await;
    ann.expect("renamed").await;

    let post = async |path: &str, body: Value, more: &str| {
        let (body, line) = (body.to_string(), format!("POST /{key}{path} HTTP/1.1"));
        let length = format!("Content-Length: {}", body.len());
        let mut raw = Raw::new(connect().await);
        raw.write(
            format!("{line}\r\n{host}\r\nContent-Type: application/json\r\n{length}{more}\r\n\r\n{body}")
                .as_bytes(),
        )
        .await;
        raw.answer().await
    };
    let joined = post("/rooms/main/guests", json!({ "name": "Wilhelmina" }), "").await.json();
    let token = joined["token"].as_str().unwrap().to_owned();
    let bearer = format!("\r\nAuthorization: Bearer {token}");
    let say = json!({ "id": "x", "text": "a sentence nobody else may read" });
    assert_eq!(post("/rooms/main/messages", say, &bearer).await.status, 201);
    assert_ne!(post("/rooms/main/messages", json!({ "text": "" }), &bearer).await.status, 201);
    let page = format!("GET /{key}/rooms/main/page?token={token} HTTP/1.1");
    Raw::new(connect().await).request(&[&page, &host]).await;
    tokens.push(token);
    tokens
}

#[tokio::test]
async fn a_conversation_leaves_no_trace_in_the_log() {
    for filter in [&[][..], &["--log", "onionroom=debug"], &["--log", "debug"]] {
        let directory = TempDir::new().unwrap();
        let network = offline::network_file(directory.path());
        let words = ["--ephemeral", "--listen", "127.0.0.1:0", "--network-file", network.to_str().unwrap()];
        let mut program = Program::start(&[&words[..], filter].concat());
        let url = program.told("local").await;
        let onion = program.told("room").await;
        let onion =
            onion.strip_prefix("http://").and_then(|it| it.strip_suffix(".onion/")).unwrap().to_owned();
        let (authority, key) =
            url.strip_prefix("http://").unwrap().trim_end_matches('/').split_once('/').unwrap();
        let mut secrets = conversation(authority, key).await;
        // Until Arti has tried.
        let mut said = String::new();
        while !said.contains("Not reachable") {
            said += &program.err.next_line().await.unwrap().unwrap();
            said += "\n";
        }
        program.signal("TERM").await;
        said += &program.rest_of_err().await;
        assert!(program.ended().await.success());
        secrets.extend([onion, key.to_owned()]);
        let words = ["Xanthippe", "Zarathustra", "Xenokrates", "Wilhelmina", "a sentence nobody"];
        secrets.extend(words.map(str::to_owned));
        for secret in secrets {
            let found: Vec<_> = said.lines().filter(|line| line.contains(&secret)).collect();
            assert!(found.is_empty(), "{filter:?}: {secret}: {found:#?}");
        }
    }
}
