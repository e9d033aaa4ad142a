//! What rooms cost: a thousand that were used once, in memory and in threads. A few of them are always tried; all take minutes.

use std::fmt::Write;
use std::time::{Duration, Instant};

use serde_json::json;
use tempfile::TempDir;
use tokio::time::sleep;

use crate::kit::Visitor;
use crate::kit::program::Program;

/// What a quiet room may cost, in KiB.
const QUIET_MOST: usize = 64;

/// How many rooms may be open in which nothing is done, and for how long this waits until no more are.
const IDLE_MOST: usize = 32;
const DEADLINE: Duration = Duration::from_secs(120);

fn resident(program: &Program) -> usize {
    program.status("VmRSS").trim_end_matches(" kB").trim().parse().unwrap()
}

/// One thread for each log that is open.
fn logs(program: &Program) -> usize {
    let threads = format!("/proc/{}/task", program.status("Pid"));
    let tasks = std::fs::read_dir(threads).unwrap().flatten();
    let names = tasks.map(|task| std::fs::read_to_string(task.path().join("comm")).unwrap_or_default());
    names.filter(|name| name == "log\n").count()
}

async fn few_logs(program: &Program) {
    let began = Instant::now();
    while logs(program) > IDLE_MOST + 1 {
        assert!(began.elapsed() < DEADLINE, "{} logs are open", logs(program));
        sleep(Duration::from_millis(200)).await;
    }
}

#[tokio::test]
#[ignore = "takes minutes: cargo test --test end_to_end thousand -- --ignored --nocapture"]
async fn a_thousand_rooms_cost_little_when_they_are_quiet() {
    cost_little_when_they_are_quiet(1000).await;
}

#[tokio::test]
async fn more_rooms_than_may_be_idle_are_closed() {
    cost_little_when_they_are_quiet(IDLE_MOST + 8).await;
}

async fn cost_little_when_they_are_quiet(rooms: usize) {
    let place = TempDir::new().unwrap();
    let mut text = String::new();
    for number in 0..rooms {
        writeln!(text, "[[rooms]]\nname = \"room-{number}\"").unwrap();
    }
    let config = place.path().join("rooms.toml");
    std::fs::write(&config, text).unwrap();
    let words =
        ["--no-onion", "--local", "open", "--listen", "127.0.0.1:0", "--config", config.to_str().unwrap()];
    let mut program = Program::start(&words);
    let local = program.told("local").await;
    let address = local.trim_start_matches("http://").trim_end_matches('/').parse().unwrap();
    let before = resident(&program);
    let mut most = (0, 0);
    for number in 0..rooms {
        let mut guest = Visitor::stranger_at(address);
        let joined = guest.post(&format!("/rooms/room-{number}/guests"), json!({})).await;
        assert_eq!(joined.status, 201, "{}", joined.text());
        guest.welcome = joined.json();
        let said = guest
            .post(&format!("/rooms/room-{number}/messages"), json!({ "id": "a", "text": "hello" }))
            .await;
        assert_eq!(said.status, 201, "{}", said.text());
        let left = guest.request("DELETE", &format!("/rooms/room-{number}/guests/me"), &[], "").await;
        assert_eq!(left.status, 204, "{}", left.text());
        most = (most.0.max(resident(&program)), most.1.max(logs(&program)));
    }
    few_logs(&program).await;
    let quiet = resident(&program);
    println!(
        "{rooms} rooms: {before} KiB before, at most {} KiB and {} logs while they were used one after the other, {quiet} KiB and {} \
         logs after that: {} bytes each",
        most.0,
        most.1,
        logs(&program),
        (quiet.saturating_sub(before)) * 1024 / rooms
    );
    assert!(quiet < before + QUIET_MOST * rooms.max(1000), "{before} KiB before, {quiet} KiB after");
    // What was said is there when one is opened again.
    let mut guest = Visitor::stranger_at(address);
    guest.welcome = guest.post("/rooms/room-7/guests", json!({})).await.json();
    let messages = guest.get("/rooms/room-7/messages?after=0").await.json();
    assert_eq!(messages["messages"][0]["text"], "hello");
}
