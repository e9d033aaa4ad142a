//! Many guests at one node, and what an idle node costs.

use super::*;

#[tokio::test]
async fn ten_thousand_guests_are_seen_by_a_node_that_comes_later() {
    const GUESTS: u64 = 10_000;
    let servers = Servers::start(Program::Debian, 1);
    let one = Node::join(&servers, &servers.addresses()).await;
    for guest in 1..=GUESTS {
        one.cluster.tell(Presence::Present(seated(guest, &format!("a guest of many {guest}"), guest)));
    }
    let begun = Instant::now();
    let other = Node::join(&servers, &servers.addresses()).await;
    until("all of them", || other.seen.lock().unwrap().others.len() == GUESTS as usize).await;
    println!("{GUESTS} guests seen {:?} after the start of joining", begun.elapsed());
    one.cluster.tell(Presence::Absent(GuestId(7)));
    until("one less", || other.seen.lock().unwrap().others.len() == GUESTS as usize - 1).await;
}

/// Figures, not a test: `cargo test --release -- --ignored what_it_costs --nocapture`.
#[tokio::test]
#[ignore = "measures"]
async fn what_it_costs() {
    for (program, count) in [(Program::Debian, 1), (Program::Newer, 1), (Program::Newer, 3)] {
        let servers = Servers::start(program, count);
        let one = Node::join(&servers, &servers.addresses()).await;
        let other = Node::join(&servers, &servers.addresses()).await;
        until("each other", || one.is_available() && other.is_available()).await;
        let bucket = &one.cluster.claims.bucket;
        let mut bare = Vec::new();
        let mut whole = Vec::new();
        for turn in 0..400_u64 {
            let begun = Instant::now();
            bucket.put(&format!("{turn:032x}"), 0, vec![0; 64]).await.unwrap();
            bare.push(begun.elapsed());
            let begun = Instant::now();
            one.claim(turn, &format!("guest {turn}")).await.unwrap();
            whole.push(begun.elapsed());
        }
        let median = |times: &mut Vec<Duration>| {
            times.sort();
            times[times.len() / 2]
        };
        println!(
            "{program:?}, {count} servers: a compare and set {:?}, a claim {:?}",
            median(&mut bare),
            median(&mut whole)
        );
        let statistics = one.client.statistics();
        let read = || {
            use std::sync::atomic::Ordering::Relaxed;
            (statistics.out_messages.load(Relaxed), statistics.in_messages.load(Relaxed))
        };
        sleep(Duration::from_secs(12)).await; // the first sweep
        let before = read();
        sleep(Duration::from_secs(20)).await;
        let after = read();
        println!(
            "idle, two nodes, in 20 s: {} messages sent, {} received",
            after.0 - before.0,
            after.1 - before.1
        );
    }
}
