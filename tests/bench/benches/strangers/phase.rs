//! One attack: a new room with its honest guests, first alone, then beside the attack, then under it.

use std::time::Duration;

use onionroom::lab::Network;
use onionroom_bench::program::{Build, Program};
use onionroom_bench::{Outcome, process, within};
use tokio::process::Command;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, interval, sleep, sleep_until};
use tokio_util::sync::CancellationToken;

use crate::attack::{Deeds, Kind, Order};
use crate::honest::{Guest, newcomer};
use crate::ledger::{Figures, Ledger, Period};
use crate::network::{Client, Room, cpu};
use crate::route::Route;

/// Between one guest and the next. The Tor client builds circuits in advance; more guests at once would wait for it.
const PAUSE: Duration = Duration::from_millis(500);
/// Between newcomers.
const NEWCOMERS: Duration = Duration::from_secs(1);
/// How long an attack goes on after the measured time, so that the last newcomers meet it too.
const TAIL: Duration = Duration::from_secs(10);
/// Between the end of one measurement and the begin of the next.
const REST: Duration = Duration::from_secs(5);
/// How long the last messages may take to reach everyone.
const SETTLE: Duration = Duration::from_secs(60);
/// Between two looks at the memory of the room.
const SAMPLE: Duration = Duration::from_millis(200);

/// An attack.
pub(crate) struct Attack {
    pub(crate) name: &'static str,
    kind: Kind,
}

/// Two seats for each of the 200 circuits are more than the room has; connections stay one below the streams that a
/// circuit may have.
pub(crate) const ATTACKS: [Attack; 4] = [
    Attack { name: "one circuit", kind: Kind::Flood { circuits: 1 } },
    Attack { name: "20 circuits", kind: Kind::Flood { circuits: 20 } },
    Attack { name: "200 circuits joining", kind: Kind::Seats { circuits: 200, each: 2 } },
    Attack { name: "500 slow connections", kind: Kind::Slow { connections: 500, each: 15 } },
];

/// What all measurements share.
pub(crate) struct Setting<'a> {
    pub(crate) network: &'a Network,
    pub(crate) attackers: &'a Client,
    pub(crate) guests: u32,
    pub(crate) seconds: u64,
    /// Whether the same traffic goes to another room first.
    pub(crate) control: bool,
}

/// One period of one room.
pub(crate) struct Measured {
    pub(crate) period: Period,
    pub(crate) figures: Figures,
    /// Of the room, in bytes: at the begin, the most, and at the end, after a rest.
    pub(crate) resident: [u64; 3],
    /// CPU seconds by who spent them.
    pub(crate) cpu: Cpu,
    /// How long it took.
    pub(crate) seconds: f64,
    /// What the attackers did; nothing while the guests are alone.
    pub(crate) deeds: Option<Deeds>,
    /// Rendezvous circuits of the attackers: all, and the most at once.
    pub(crate) circuits: [usize; 2],
}

/// CPU seconds of the processes on the machine.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Cpu {
    pub(crate) room: f64,
    /// How long the room was ready to run and had no core.
    pub(crate) room_waited: f64,
    pub(crate) other_room: f64,
    pub(crate) relays: f64,
    /// The honest guests and their Tor client.
    pub(crate) honest: f64,
    /// The attackers and their Tor client.
    pub(crate) attackers: f64,
}

struct Running<'a, 'b> {
    setting: &'a Setting<'b>,
    room: Room,
    /// For the control.
    other: Option<Room>,
    ledger: Ledger,
    newcomers: JoinSet<()>,
}

/// Measures one attack on a new room of this build.
pub(crate) async fn measure(build: &Build, attack: &Attack, setting: &Setting<'_>) -> Outcome<Vec<Measured>> {
    let room = Room::start(build, setting.network).await?;
    let other = match setting.control {
        true => Some(Room::start(build, setting.network).await?),
        false => None,
    };
    let ledger = Ledger::new(setting.guests);
    let ending = CancellationToken::new();
    let (sender, mut entered) = mpsc::channel(64);
    let mut guests = JoinSet::new();
    for number in 0..setting.guests {
        let guest = Guest::new(number, room.route.clone(), ledger.clone(), ending.clone());
        guests.spawn(guest.talk(sender.clone()));
        sleep(PAUSE).await;
    }
    for _ in 0..setting.guests {
        within("welcome of all guests", entered.recv()).await?;
    }
    let mut running = Running { setting, room, other, ledger, newcomers: JoinSet::new() };
    let mut measured = vec![running.period(Period::Alone, attack).await?];
    if running.other.is_some() {
        measured.push(running.period(Period::Beside, attack).await?);
    }
    measured.push(running.period(Period::Against, attack).await?);
    running.ledger.settled(SETTLE).await;
    while running.newcomers.join_next().await.is_some() {}
    let mut figures = running.ledger.close();
    for measured in &mut measured {
        measured.figures = std::mem::take(&mut figures[measured.period as usize]);
    }
    // The guests leave while there is a room to leave.
    ending.cancel();
    let _ = tokio::time::timeout(REST, async { while guests.join_next().await.is_some() {} }).await;
    guests.shutdown().await;
    for room in [Some(running.room), running.other].into_iter().flatten() {
        room.stop().await?;
    }
    Ok(measured)
}

impl Running<'_, '_> {
    async fn period(&mut self, period: Period, attack: &Attack) -> Outcome<Measured> {
        let length = Duration::from_secs(self.setting.seconds);
        let target = match (period, &self.other) {
            (Period::Against, _) => Some(self.room.route.onion.clone()),
            (Period::Beside, Some(other)) => Some(other.route.onion.clone()),
            _ => None,
        };
        let mut attackers = match target.clone() {
            Some(onion) => Some(self.attackers(onion, attack.kind, length + TAIL).await?),
            None => None,
        };
        let id = self.room.id()?;
        let before = process::resident(id);
        let circuits = target.map(|onion| self.setting.attackers.watch_circuits(&onion));
        let (begin, cpu) = (Instant::now(), self.cpu(attackers.as_ref())?);
        self.ledger.begin(period);
        let mut peak = self.look(before, begin + length, Some(period)).await?;
        let took = begin.elapsed().as_secs_f64();
        let cpu = self.cpu(attackers.as_ref())?.since(cpu);
        self.ledger.begin(Period::Between);
        let mut deeds = None;
        if let Some(attackers) = &mut attackers {
            peak = self.look(peak, begin + length + TAIL, None).await?;
            deeds = Some(serde_json::from_str(&attackers.line("done ").await?)?);
        }
        sleep(REST).await;
        Ok(Measured {
            period,
            figures: Figures::default(),
            resident: [before, peak, process::resident(id)],
            cpu,
            seconds: took,
            deeds,
            circuits: circuits.map(|circuits| circuits.counts()).unwrap_or_default(),
        })
    }

    /// Looks at the memory of the room until then, and returns the most; newcomers come in this period, if any.
    async fn look(&mut self, mut peak: u64, until: Instant, newcomers: Option<Period>) -> Outcome<u64> {
        let id = self.room.id()?;
        let (mut samples, mut seconds) = (interval(SAMPLE), interval(NEWCOMERS));
        loop {
            tokio::select! {
                () = sleep_until(until) => return Ok(peak),
                _ = samples.tick() => peak = peak.max(process::resident(id)),
                _ = seconds.tick() => {
                    if let Some(period) = newcomers {
                        let (route, ledger) = (self.room.route.clone(), self.ledger.clone());
                        self.newcomers.spawn(newcomer(route, ledger, period));
                    }
                }
            }
        }
    }

    /// Starts the process of the attackers, and waits until it is ready.
    async fn attackers(&self, onion: String, kind: Kind, time: Duration) -> Outcome<Program> {
        let route = Route { proxy: self.setting.attackers.socks, onion };
        let order = Order { kind, route, seconds: time.as_secs() };
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("--attack").arg(serde_json::to_string(&order)?);
        let mut program = Program::start(command, &std::env::temp_dir())?;
        program.line("ready").await?;
        Ok(program)
    }

    fn cpu(&self, attackers: Option<&Program>) -> Outcome<Cpu> {
        let (relays, client) = cpu(self.setting.network);
        Ok(Cpu {
            room: process::cpu(self.room.id()?),
            room_waited: process::waited(self.room.id()?),
            other_room: self.other.as_ref().map_or(Ok(0.0), |room| room.id().map(process::cpu))?,
            relays,
            honest: client + process::cpu(std::process::id()),
            attackers: process::cpu(self.setting.attackers.id()?)
                + attackers.map_or(Ok(0.0), |program| program.id().map(process::cpu))?,
        })
    }
}

impl Cpu {
    fn since(self, before: Self) -> Self {
        Self {
            room: self.room - before.room,
            room_waited: self.room_waited - before.room_waited,
            other_room: self.other_room - before.other_room,
            relays: self.relays - before.relays,
            honest: self.honest - before.honest,
            attackers: self.attackers - before.attackers,
        }
    }

    /// Of all processes.
    pub(crate) fn sum(self) -> f64 {
        self.room + self.other_room + self.relays + self.honest + self.attackers
    }
}
