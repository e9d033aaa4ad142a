//! More introductions than a service can answer. The tests take the introductions themselves, and so decide how many are
//! answered: on a network without distance, circuits are built faster than one client can ask for them.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use onionroom::config::OnionSettings;
use onionroom::invitations::Access;
use onionroom::lab::{Control, Events};
use onionroom::listen::rendezvous::{Introduction, RendezvousCircuit, StreamRequest};
use onionroom::storage::DataDirectory;
use onionroom::tor::{Introductions, OnionService, Stage};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};

use super::socks;
use super::visitor::Visitors;

/// How many come at once.
const ATTACKERS: usize = 40;

/// How long anything may take: a service until it is reachable, the attackers until they wait, a client until it has
/// tried often enough to come with effort.
const PATIENCE: Duration = Duration::from_secs(90);

/// How many of a client's attempts fail before it is let through. It counts failures for each introduction point.
const FAILURES: usize = 6;

/// How many introductions may be answered until that with effort is: those on their way to the accept loop before it has
/// come and is verified, which takes its time in a test's build. In the order of arrival it would be the last.
const AMONG_THE_FIRST: usize = ATTACKERS / 4;

/// The time between one answer and the next.
const PACE: Duration = Duration::from_millis(500);

/// The name of the client that is no attacker.
const HONEST: &str = "Honest";

/// A service whose introductions the test takes.
struct Service {
    service: OnionService,
    introductions: Introductions,
    host: String,
}

impl Service {
    /// Opens it; returns when it knows that it is reachable, although every stream is refused.
    async fn open(network_file: &Path, change: impl FnOnce(&mut OnionSettings)) -> Self {
        let mut settings =
            OnionSettings { network_file: Some(network_file.into()), ..OnionSettings::default() };
        change(&mut settings);
        let directory = Arc::new(DataDirectory::ephemeral(false).unwrap());
        let open_to_all = watch::Sender::new(Access::default()).subscribe();
        let mut service = OnionService::launch(&settings, directory, open_to_all).await.unwrap();
        let introductions = service.introductions().unwrap();
        let host = service.address().to_string();
        let mut opened = Self { service, introductions, host };
        timeout(PATIENCE, opened.refuse_until_reachable()).await.expect("a refused self-check is an answer");
        opened
    }

    async fn refuse_until_reachable(&mut self) {
        let mut status = self.service.status();
        let mut circuits = JoinSet::new();
        loop {
            tokio::select! {
                _ = status.wait_for(|status| status.stage == Stage::Reachable) => return,
                Some(introduction) = self.introductions.recv() => {
                    circuits.spawn(async move {
                        let Some(mut circuit) = introduction.rendezvous().await else { return };
                        while let Some(request) = circuit.next().await {
                            request.refuse().await;
                        }
                    });
                }
            }
        }
    }
}

/// Clients that were introduced and have gone: they have cost nothing, and nobody waits for an answer. Returns how many
/// introductions have reached an introduction point that passed them on.
async fn attack(attackers: &Arc<Visitors>, host: &str) -> usize {
    let mut attacks = JoinSet::new();
    for _ in 0..ATTACKERS {
        let (attackers, host) = (Arc::clone(attackers), host.to_owned());
        attacks.spawn(async move {
            let name = attackers.new_name();
            drop(socks::connect(attackers.socks(), &name, &host, 80).await);
        });
    }
    let began = Instant::now();
    let (mut most, mut changed) = (0, began);
    while most < ATTACKERS && changed.elapsed() < Duration::from_secs(5) {
        assert!(began.elapsed() < PATIENCE, "{most} were introduced");
        let now = introduced(attackers, host).await;
        if now > most {
            (most, changed) = (now, Instant::now());
        }
        sleep(Duration::from_millis(200)).await;
    }
    attacks.shutdown().await;
    most
}

/// How many of a client's rendezvous circuits wait for the service at `host`, after an introduction point has
/// acknowledged.
async fn introduced(visitors: &Visitors, host: &str) -> usize {
    let query = format!("REND_QUERY={}", host.trim_end_matches(".onion"));
    let circuits = visitors.control().await.get_info("circuit-status").await.unwrap();
    let waits = |circuit: &&String| circuit.contains("HSCR_ESTABLISHED_WAITING") && circuit.contains(&query);
    circuits.iter().filter(waits).count()
}

/// With proof of work: a client that failed a few times comes with effort, as C Tor does by itself, and is answered
/// before all who came earlier and without.
pub(crate) async fn effort_goes_first(visitors: &Visitors, attackers: &Arc<Visitors>, network_file: &Path) {
    let mut room = Service::open(network_file, |_| ()).await;
    assert_eq!(attack(attackers, &room.host).await, ATTACKERS, "nothing holds them back");

    let mut events = visitors.control().await.events("CIRC CIRC_MINOR").await.unwrap();
    let control = visitors.control().await;
    let honest = socks::connect(visitors.socks(), HONEST, &room.host, 80);
    let answered = async {
        let mut seen = Vec::new();
        let effort = timeout(PATIENCE, effort_of_the_honest(&mut events, control, &mut seen)).await;
        let effort = effort.unwrap_or_else(|_| panic!("it does not come with effort: {seen:#?}"));
        assert!(effort >= 8, "C Tor's least when it tries again: {effort}");
        let (mut circuits, mut count) = (JoinSet::new(), 0);
        let came = async {
            loop {
                tokio::select! {
                    Some(came) = circuits.join_next() => if came.unwrap() { break },
                    () = sleep(PACE), if count < AMONG_THE_FIRST => {
                        circuits.spawn(stream(room.introductions.recv().await.unwrap()));
                        count += 1;
                    }
                    else => panic!("the introduction with effort was not among the first"),
                }
            }
        };
        timeout(PATIENCE, came).await.expect("the introduction with effort is among the first");
        println!("after {ATTACKERS} without effort, one with {effort} was answered as number {count}");
    };
    let (opened, ()) = tokio::join!(timeout(PATIENCE, honest), answered);
    drop(opened.expect("an answer"));
    room.service.shutdown().await;
}

/// Lets attempts of the honest client fail until it comes with effort; answers with how much. `seen` gets the events.
async fn effort_of_the_honest(events: &mut Events, mut control: Control, seen: &mut Vec<String>) -> u64 {
    let (mut failures, mut tried) = (FAILURES, Vec::new());
    loop {
        let event = events.next().await.unwrap();
        seen.push(event.clone());
        let has = |words: &str| event.contains(words);
        let Some(circuit) = event.split(' ').nth(1).map(str::to_owned) else { continue };
        let under_way = !has(" FAILED ") && !has(" CLOSED ") && !has(" BUILT ");
        if has("HSCI_CONNECTING") && under_way && failures > 0 && !tried.contains(&circuit) {
            failures -= 1;
            // It may be gone by itself by now.
            let _ = control.command(&format!("CLOSECIRCUIT {circuit}")).await;
            tried.push(circuit);
        } else if has("HSCR_ESTABLISHED_WAITING") && has(HONEST) {
            let effort = event.split(' ').find_map(|word| word.strip_prefix("HS_POW=v1,"));
            match effort {
                Some(effort) => return effort.parse().unwrap(),
                // It took an introduction point that it had not failed with.
                None => {
                    failures += FAILURES / 2;
                    let _ = control.command(&format!("CLOSECIRCUIT {circuit}")).await;
                }
            }
        }
    }
}

/// Builds the circuit and accepts a stream, if one is asked for.
async fn stream(introduction: impl Introduction) -> bool {
    let Some(mut circuit) = introduction.rendezvous().await else { return false };
    match circuit.next().await {
        Some(request) => request.accept().await.is_ok(),
        None => false,
    }
}

/// The rate limit is kept by the introduction points: what is over it never comes to the service.
pub(crate) async fn introduction_points_keep_the_rate(attackers: &Arc<Visitors>, network_file: &Path) {
    let mut room = Service::open(network_file, |settings| settings.introductions_per_second = 1).await;
    let began = Instant::now();
    let acknowledged = attack(attackers, &room.host).await;
    assert!(acknowledged < ATTACKERS, "all {acknowledged} were passed on");
    // At three points: bursts of eight, and one a second.
    let most = 3 * (8 + began.elapsed().as_secs() as usize + 1);
    let mut received = 0;
    while let Ok(Some(_introduction)) = timeout(Duration::from_secs(1), room.introductions.recv()).await {
        received += 1;
    }
    println!("{ATTACKERS} introductions, {acknowledged} acknowledged, {received} received of at most {most}");
    assert!((1..=most).contains(&received), "{received} received");
    room.service.shutdown().await;
}
