//! `onionroom host`, and the socket: words that are kept out, and what waits because of them.

use std::fs;

use serde_json::json;

use super::Hosted;

#[tokio::test]
async fn words_are_kept_out_from_the_terminal() {
    let room = Hosted::open().await;
    let mut gus = room.guest("Gus").await;
    assert_eq!(room.says(&["held"]).await, "No message waits.\n");
    assert_eq!(room.says(&["words"]).await, "");
    let file = room.directory.join("words.txt");
    fs::write(&file, "scam\n\n  free money \n").unwrap();
    let file = file.to_str().unwrap();
    let said = room.says(&["words", file]).await;
    assert_eq!(said, "Messages with one of 2 words wait until `onionroom host release` lets them be said.\n");
    assert_eq!(room.says(&["words"]).await, "scam\nfree money\n");
    let told = gus.expect("act").await;
    assert_eq!((&told["act"], &told["count"], told.get("words")), (&json!("words"), &json!(2), None));

    let mut numbers = Vec::new();
    for (id, text) in [("a", "a ѕсаm"), ("b", "FREE MONEY"), ("c", "scam\nerror: not by this program")] {
        gus.send(json!({ "type": "say", "id": id, "text": text })).await;
        let answer = gus.expect("acknowledged").await;
        assert_eq!(answer["held"], true);
        numbers.push(answer["seq"].to_string());
    }
    let status = room.says(&["status"]).await;
    assert!(status.contains("  held     3 messages wait; 2 words kept out\n"), "{status}");
    let held = room.says(&["held"]).await;
    assert!(held.contains("a ѕсаm") && held.lines().all(|line| !line.starts_with("error")), "{held}");
    assert_eq!(room.says(&["messages"]).await, "No message is kept.\n");
    assert_eq!(room.says(&["release", &numbers[0]]).await, "The message is said now.\n");
    assert_eq!(gus.expect("message").await["text"], "a ѕсаm");
    assert_eq!(room.says(&["release", &numbers[0]]).await, "The message is said now.\n", "as it is");
    assert_eq!(room.says(&["delete", &numbers[1], &numbers[2]]).await, "2 messages are deleted.\n");
    assert!(room.refused(&["release", &numbers[1]]).await.contains("waits"));
    let held = room.json(&["held"]).await;
    assert_eq!(held, json!({ "held": [], "words": ["scam", "free money"] }));
    assert_eq!(room.json(&["messages"]).await["messages"][0]["text"], "a ѕсаm");

    assert_eq!(room.says(&["words", "/dev/null"]).await, "No words are kept out; what waits still waits.\n");
    gus.say("d", "free money").await;
    let mut socket = room.connect().await;
    let answer = socket.ask(&json!({ "act": "words", "words": ["…"] })).await;
    assert_eq!(answer["error"]["code"], "text_empty");
    let many: Vec<_> = (0..201).map(|number| number.to_string()).collect();
    assert_eq!(socket.ask(&json!({ "act": "words", "words": many })).await["error"]["code"], "wrong_kind");
    let answer = socket.ask(&json!({ "ask": "held" })).await;
    assert_eq!(answer, json!({ "ok": { "held": [], "words": [] } }));
    let log = room.says(&["log"]).await;
    assert!(log.contains("release of Gus") && !log.contains("scam"), "{log}");
}
