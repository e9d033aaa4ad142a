//! The commands of `docs/http.md`, run as they stand.

use std::process::Stdio;

use tempfile::TempDir;
use tokio::process::Command;

use crate::kit::{TestRoom, within};

const DOCUMENT: &str = include_str!("../../../docs/http.md");

/// The blocks that are for a shell, each told apart by a line of its own.
fn script(host: &str) -> String {
    let blocks = DOCUMENT.split("```sh\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    let blocks: Vec<_> = blocks.collect();
    blocks.join("\necho; echo ====\n").replace("127.0.0.1:8646", host)
}

#[tokio::test]
async fn the_ladder_can_be_climbed() {
    let room = TestRoom::open().await;
    let directory = TempDir::new().unwrap();
    let mut shell = Command::new("sh");
    shell.args(["-c", &script(&room.host())]).current_dir(&directory).kill_on_drop(true);
    shell.stdin(Stdio::null()).stderr(Stdio::piped()).stdout(Stdio::piped());
    let output = within("the commands of docs/http.md", shell.output()).await.unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    let blocks: Vec<&str> = said.split("\n====\n").map(str::trim).collect();
    let expected: [&[&str]; 13] = [
        &[r#""type":"welcome""#, r#""name":"Ann""#],
        &[r#""guests":[{"#, r#""head":0"#],
        &[r#"{"id":"first-1","seq":1}"#],
        &[r#"{"id":"first-1","seq":1}"#],
        &[r#""head":1"#, r#""text":"good evening""#],
        &[r#""after":0"#, r#""text":"good evening""#],
        &["304"],
        &[r#"{"id":"first-2","seq":2}"#, r#""text":"anybody there?""#],
        &["event: welcome", "event: message\nid: ", r#""seq":1"#, r#""seq":2"#],
        &["event: welcome", r#""seq":2"#],
        &["HTTP/1.1 101 Switching Protocols", "sec-websocket-protocol: chat"],
        &[r#""name":"Anna""#, "204"],
        &[r#"{"rooms":[{"name":"main","title":"#],
    ];
    assert_eq!(blocks.len(), expected.len(), "{said}");
    for (block, expected) in blocks.iter().zip(expected) {
        for part in expected {
            assert!(block.contains(part), "{part} in {block}");
        }
        assert!(!block.contains("about:blank"), "{block}");
    }
    assert!(!blocks[9].contains(r#""seq":1,"#), "it goes on after the first: {}", blocks[9]);
}
