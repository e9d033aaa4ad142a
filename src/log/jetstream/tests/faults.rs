//! Servers that are killed or stopped, and lines that are cut, while entries are appended.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use super::*;
use crate::cluster::servers::{Line, Program};
use crate::log::Appended;
use crate::log::contract::entry;

/// Appends entries of one author one batch after another until it is told to stop; what fails is tried again, as guests do.
/// Returns what was acknowledged.
async fn talk(log: Arc<JetStreamLog>, author: u64, stop: Arc<AtomicBool>) -> Vec<(String, u64)> {
    let (mut acknowledged, mut batch) = (Vec::new(), 0);
    while !stop.load(Ordering::Relaxed) {
        let ids: Vec<String> = (0..5).map(|place| format!("{batch}-{place}")).collect();
        let since = Instant::now();
        loop {
            let entries = ids.iter().map(|id| entry(author, id)).collect();
            match log.append(entries).await {
                Ok(appended) => {
                    acknowledged.extend(ids.into_iter().zip(appended.iter().map(|one| one.seq())));
                    break;
                }
                Err(error) => assert!(since.elapsed() < DEADLINE, "{error}"),
            }
        }
        batch += 1;
        // So that a test is bounded by its faults, and not by how much is said between them.
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    acknowledged
}

/// How long it takes until all replicas of the stream are current.
async fn heal(log: &JetStreamLog, servers: &Servers) -> Duration {
    let since = Instant::now();
    let stream = format!("STREAM.INFO.{}", log.shared.stream);
    loop {
        let info = log.shared.connection.api::<serde_json::Value>(&stream, &()).await;
        if let Ok(info) = info {
            let replicas = info["cluster"]["replicas"].as_array().cloned().unwrap_or_default();
            let current = |peer: &serde_json::Value| peer["current"] == true && peer["offline"] != true;
            if info["cluster"]["leader"].is_string()
                && replicas.len() + 1 == servers.count()
                && replicas.iter().all(current)
            {
                return since.elapsed();
            }
        }
        assert!(since.elapsed() < DEADLINE, "the replicas come together again");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// Guards against what is lost, told twice or told in two orders when servers end or stand still, each in turn.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_acknowledged_entry_is_lost_when_servers_end_or_stand_still() {
    let mut servers = Servers::start(Program::Newer, 3);
    let one = Arc::new(open_at(&servers, &servers.addresses()[..1], ALL, soon()).await);
    let other = Arc::new(open_at(&servers, &servers.addresses()[1..2], ALL, soon()).await);
    let mut follows = [one.follow(0).await.unwrap(), other.follow(0).await.unwrap()];
    let stop = Arc::new(AtomicBool::new(false));
    let talks = [(Arc::clone(&one), 1), (Arc::clone(&other), 2)]
        .map(|(log, author)| tokio::spawn(talk(log, author, Arc::clone(&stop))));
    let said = async |log: &JetStreamLog| log.span().await.unwrap().head;
    for server in 0..3 {
        for fault in ["kill -9", "SIGSTOP"] {
            let before = said(&one).await;
            // Something is under way.
            reaches(&one, before + 20).await;
            let since = Instant::now();
            if fault == "SIGSTOP" {
                servers.stop(server);
                reaches(&one, said(&one).await + 100).await;
                reaches(&other, said(&other).await + 100).await;
                println!("{fault} of {server}: 100 further entries after {:.1?}", since.elapsed());
                servers.resume(server);
            } else {
                servers.kill(server);
                reaches(&one, said(&one).await + 100).await;
                reaches(&other, said(&other).await + 100).await;
                println!("{fault} of {server}: 100 further entries after {:.1?}", since.elapsed());
                servers.restart(server);
            }
            println!("replicas are current after {:.1?}", heal(&one, &servers).await);
        }
    }
    stop.store(true, Ordering::Relaxed);
    let mut acknowledged = Vec::new();
    for (talk, author) in talks.into_iter().zip(1u64..) {
        acknowledged.extend(talk.await.unwrap().into_iter().map(|(id, seq)| (author, id, seq)));
    }
    let last = acknowledged.iter().map(|(_, _, seq)| *seq).max().unwrap();
    let orders = [until(&mut follows[0], last).await, until(&mut follows[1], last).await];
    assert_once(&orders[0]);
    assert!(orders[0] == orders[1], "both nodes were told the same");
    let mut fresh = Vec::new();
    for server in 0..3 {
        let log = open_at(&servers, &servers.addresses()[server..=server], ALL, soon()).await;
        reaches(&log, last).await;
        fresh.push(log.read(0, usize::MAX).await.unwrap());
    }
    assert!(fresh.iter().all(|order| *order == orders[0]), "and so is a node that starts now");
    let told: std::collections::HashMap<_, _> = orders[0]
        .iter()
        .map(|record| ((record.author.0, record.id.as_str().to_owned()), record.seq))
        .collect();
    for (author, id, seq) in &acknowledged {
        assert_eq!(told.get(&(*author, id.clone())), Some(seq), "{author} {id}");
    }
    println!("{} entries acknowledged, {} in the stream", acknowledged.len(), orders[0].len());
}

/// Guards against a false acknowledgement, and an entry that is in the stream twice, when a node loses its line.
async fn a_line_is_cut(fault: impl Fn(&Line)) {
    let servers = Servers::start(Program::Debian, 1);
    let line = Line::to(servers.socket(0)).await;
    let timing = Timing { append: Duration::from_secs(3), ..soon() };
    let cut_off = open_at(&servers, &[line.address()], ALL, timing).await;
    let there = open(&servers, ALL).await;
    let mut follow = cut_off.follow(0).await.unwrap();
    cut_off.append(vec![entry(1, "before")]).await.unwrap();
    fault(&line);
    there.append((0..50).map(|id| entry(2, &id.to_string())).collect()).await.unwrap();
    let said = cut_off.append(vec![entry(1, "during")]).await.unwrap_err().to_string();
    assert!(said.contains("cannot write"), "{said}");
    assert_eq!(there.append(vec![entry(2, "0")]).await.unwrap(), [Appended::Duplicate(2)]);
    line.mend();
    let again = timeout(DEADLINE, async {
        loop {
            if let Ok(appended) = cut_off.append(vec![entry(1, "during")]).await {
                return appended[0].seq();
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    let seq = again.await.expect("the line was mended");
    there.append(vec![entry(2, "last")]).await.unwrap();
    let last = there.span().await.unwrap().head;
    let told = until(&mut follow, last).await;
    assert_once(&told);
    assert_eq!(told.len(), 53, "it has caught up");
    assert_eq!(told.iter().find(|record| record.id.as_str() == "during").unwrap().seq, seq);
    assert_eq!(there.read(0, usize::MAX).await.unwrap(), told);
}

#[tokio::test]
async fn a_node_whose_connection_is_closed_catches_up() {
    a_line_is_cut(Line::cut).await;
}

#[tokio::test]
async fn a_node_whose_connection_is_silent_catches_up() {
    a_line_is_cut(Line::silence).await;
}

/// What was under way when a line was cut for a moment is appended once, without another try of the guest.
#[tokio::test]
async fn an_append_outlives_a_short_cut() {
    let servers = Servers::start(Program::Debian, 1);
    let line = Line::to(servers.socket(0)).await;
    let log = open_at(&servers, &[line.address()], ALL, soon()).await;
    for round in 0..10 {
        let entries: Vec<_> = (0..300).map(|id| entry(1, &format!("{round}-{id}"))).collect();
        let append = log.append(entries);
        tokio::time::sleep(Duration::from_millis(round)).await;
        line.cut();
        line.mend();
        let appended = timeout(DEADLINE, append).await.unwrap().unwrap();
        assert!(appended.iter().all(|one| matches!(one, Appended::New(_))), "by this node, once");
    }
    let kept = log.read(0, usize::MAX).await.unwrap();
    assert_once(&kept);
    assert_eq!(kept.len(), 3000);
}

/// All servers end at once and come back: what was acknowledged is there, and the nodes go on.
#[tokio::test]
async fn all_servers_may_be_restarted() {
    let mut servers = Servers::start(Program::Newer, 3);
    let log = open(&servers, ALL).await;
    log.append((0..100).map(|id| entry(1, &id.to_string())).collect()).await.unwrap();
    let before = log.read(0, usize::MAX).await.unwrap();
    (0..3).for_each(|server| servers.kill(server));
    let under_way = log.append(vec![entry(1, "under-way")]);
    (0..3).for_each(|server| servers.restart(server));
    let _ = under_way.await;
    let appended = timeout(DEADLINE, async {
        loop {
            if let Ok(appended) = log.append(vec![entry(1, "under-way"), entry(1, "after")]).await {
                return appended;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    appended.await.expect("they came back");
    let after = log.read(0, usize::MAX).await.unwrap();
    assert_once(&after);
    assert_eq!((after.len(), &after[..100]), (102, &before[..]));
    assert_eq!(open(&servers, ALL).await.read(0, usize::MAX).await.unwrap(), after);
}
