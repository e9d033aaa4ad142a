//! Three servers, of which each fails in turn.

use super::*;

/// What goes wrong.
#[derive(Debug, Clone, Copy)]
enum Fault {
    /// A server is killed, and started again after so many milliseconds.
    Kill(usize, u64),
    /// It is stopped, and goes on.
    Stop(usize, u64),
    /// The line of the first node is silent.
    Silence(u64),
    /// It is cut.
    Cut(u64),
}

async fn commit(fault: Fault, servers: &mut Servers, line: &Line) {
    match fault {
        Fault::Kill(server, time) => {
            servers.kill(server);
            sleep(Duration::from_millis(time)).await;
            servers.restart(server);
        }
        Fault::Stop(server, time) => {
            servers.stop(server);
            sleep(Duration::from_millis(time)).await;
            servers.resume(server);
        }
        Fault::Silence(time) => {
            line.silence();
            sleep(Duration::from_millis(time)).await;
            line.mend();
        }
        Fault::Cut(time) => {
            line.cut();
            sleep(Duration::from_millis(time)).await;
            line.mend();
        }
    }
}

/// The guests of a node, each with a name and its claim.
type Seats = BTreeMap<u64, (String, u64)>;

/// A room as far as it matters here: it claims names, tells of its guests, and claims again after a lost lease.
async fn live(
    node: Node,
    guests: std::ops::Range<u64>,
    stop: tokio::sync::watch::Receiver<bool>,
) -> (Node, Seats) {
    let mut seats = Seats::new();
    let mut leases = 0;
    let mut turn = 0;
    while !*stop.borrow() {
        if node.lost() != leases {
            leases = node.lost();
            for (guest, (name, _)) in std::mem::take(&mut seats) {
                node.cluster.tell(Presence::Absent(GuestId(guest)));
                if let Ok(claim) = node.claim(guest, &name).await {
                    node.cluster.tell(Presence::Present(seated(guest, &name, claim)));
                    seats.insert(guest, (name, claim));
                }
            }
        }
        let guest = guests.start + turn % (guests.end - guests.start);
        turn += 1;
        match seats.remove(&guest) {
            Some((name, claim)) if turn % 3 == 0 => {
                node.cluster.tell(Presence::Absent(GuestId(guest)));
                node.cluster.release(GuestId(guest), &Name::parse(&name).unwrap(), claim);
            }
            was => {
                // Few names, so that the nodes want the same ones.
                let name = format!("name {}", turn % 8);
                match node.claim(guest, &name).await {
                    Ok(claim) => {
                        if node.lost() != leases {
                            continue;
                        }
                        node.cluster.tell(Presence::Present(seated(guest, &name, claim)));
                        if let Some((was, before)) = was {
                            node.cluster.release(GuestId(guest), &Name::parse(&was).unwrap(), before);
                        }
                        seats.insert(guest, (name, claim));
                    }
                    Err(_) => drop(was.map(|was| seats.insert(guest, was))),
                }
            }
        }
        sleep(Duration::from_millis(20)).await;
    }
    (node, seats)
}

/// At each moment a key has one value; that its owner is a live guest's is what the others see. Here: of the guests that are
/// present at the end, no two have confusable names, and each has both keys in the bucket.
async fn check_names(nodes: &[&Node]) {
    let mut rows = BTreeMap::new();
    let mut from = 1;
    let deadline = Instant::now() + Duration::from_secs(40);
    loop {
        let entry = match nodes[0].cluster.claims.bucket.next(from).await {
            Ok(Some(entry)) => entry,
            Ok(None) => break,
            // A server that is back looks for its leader.
            Err(error) => {
                assert!(Instant::now() < deadline, "{error}");
                sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        from = entry.revision + 1;
        if rows.insert(entry.key.clone(), entry.revision).is_some() {
            // It was changed while the others were read, unless it has two values the next time as well.
            assert!(Instant::now() < deadline, "two values of a key");
            (rows, from) = (BTreeMap::new(), 1);
            sleep(Duration::from_millis(100)).await;
        }
    }
    for node in nodes {
        for (_, seated) in node.seen.lock().unwrap().others.values() {
            let keys = super::super::claims::parts(&node.cluster.keys, &seated.guest.name);
            let newest = keys.iter().map(|key| rows[key]).max();
            assert_eq!(newest, Some(seated.claim), "the claim of a guest who is present is in the bucket");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_nodes_agree_after_each_fault() {
    let mut servers = Servers::start(Program::Newer, 3);
    let line = Line::to(servers.socket(0)).await;
    let mut nodes = vec![Node::join(&servers, &[line.address()]).await];
    for _ in 0..2 {
        nodes.push(Node::join(&servers, &servers.addresses()).await);
    }
    let faults = [
        Fault::Kill(0, 1000),
        Fault::Stop(1, 9000),
        Fault::Silence(9000),
        Fault::Kill(2, 5000),
        Fault::Cut(3000),
        Fault::Stop(0, 20_000),
    ];
    let mut worst = Duration::ZERO;
    for fault in &faults {
        let (stop, stopped) = tokio::sync::watch::channel(false);
        let mut living = Vec::new();
        for (place, node) in nodes.drain(..).enumerate() {
            let first = 100 * place as u64;
            living.push(tokio::spawn(live(node, first..first + 6, stopped.clone())));
        }
        commit(*fault, &mut servers, &line).await;
        let over = Instant::now();
        stop.send_replace(true);
        let mut seats = Vec::new();
        for task in living {
            let (node, guests) = task.await.unwrap();
            nodes.push(node);
            seats.push(guests);
        }
        // From here on nothing changes but what the fault has left: a lease that was lost has to be noticed, and its guests are gone.
        until(&format!("{fault:?}: rosters"), || {
            (0..3).all(|place| {
                let all = (0..3).filter(|other| *other != place).flat_map(|other| {
                    let node = &nodes[other];
                    node.cluster.guests.own().page(&super::super::wire::Ask::new(None).unwrap(), 100).guests
                });
                let all: BTreeMap<_, _> = all.map(|(seated, _)| (seated.guest.id, seated)).collect();
                let is_available = nodes[place].is_available();
                let seen = nodes[place].seen.lock().unwrap();
                is_available && seen.others.iter().map(|(guest, (_, seated))| (guest, seated)).eq(all.iter())
            })
        })
        .await;
        worst = worst.max(over.elapsed());
        check_names(&nodes.iter().collect::<Vec<_>>()).await;
        println!(
            "{fault:?}: equal {:?} after it, leases lost {:?}",
            over.elapsed(),
            nodes.iter().map(Node::lost).collect::<Vec<_>>()
        );
        // The next round begins with what is there.
        for (node, guests) in nodes.iter().zip(seats) {
            for (guest, (name, claim)) in guests {
                node.cluster.tell(Presence::Absent(GuestId(guest)));
                node.cluster.release(GuestId(guest), &Name::parse(&name).unwrap(), claim);
            }
        }
    }
    println!("worst {worst:?}");
}
