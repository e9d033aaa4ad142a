//! A bad line: a TCP proxy that cuts connections at random bytes.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::dice::Dice;

/// About how many bytes a direction gets through at most before it is cut; the handshake has some hundred.
const BYTES: u64 = 300_000;

/// How long the room's end of a line that fell silent stays open: as long as a router may hide that its other
/// side is gone, in small.
const GHOST: Duration = Duration::from_secs(3);

/// How a connection ends.
#[derive(Debug, Clone, Copy)]
enum Cut {
    /// Both ends are told in good order.
    Closed,
    /// Both ends get a reset.
    Reset,
    /// Nobody is told: nothing comes through any more, in either direction.
    Silent,
    /// Nothing comes through any more in this direction; the other one works.
    OneWay,
}

/// A proxy in front of one address, for as long as it is held.
pub(crate) struct Proxy {
    address: SocketAddr,
    calm: Arc<AtomicBool>,
    cuts: watch::Receiver<usize>,
    _tasks: JoinSet<()>,
}

impl Proxy {
    /// Listens for connections that go to `room`.
    pub(crate) async fn before(room: SocketAddr, mut dice: Dice) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (calm, (told, cuts)) = (Arc::new(AtomicBool::new(false)), watch::channel(0));
        let mut tasks = JoinSet::new();
        let line = Line { calm: Arc::clone(&calm), told };
        tasks.spawn(async move {
            // Owned here, so that no line outlives the proxy.
            let mut lines = JoinSet::new();
            while let Ok((guest, _)) = listener.accept().await {
                let (line, dice) = (line.clone(), dice.fork());
                lines.spawn(async move { drop(line.carry(guest, room, dice).await) });
                while lines.try_join_next().is_some() {}
            }
        });
        Self { address, calm, cuts, _tasks: tasks }
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// How many connections it has cut.
    pub(crate) fn cuts(&self) -> usize {
        *self.cuts.borrow()
    }

    /// From now on nothing is cut.
    pub(crate) fn calm(&self) {
        self.calm.store(true, Ordering::Relaxed);
    }
}

#[derive(Clone)]
struct Line {
    calm: Arc<AtomicBool>,
    told: watch::Sender<usize>,
}

impl Line {
    async fn carry(&self, guest: TcpStream, room: SocketAddr, mut dice: Dice) -> io::Result<()> {
        let room = TcpStream::connect(room).await?;
        // Guests send less than they are sent.
        let (up, down) = (dice.spread(BYTES / 10), dice.spread(BYTES));
        let cut = [Cut::Closed, Cut::Reset, Cut::Closed, Cut::Reset, Cut::Silent, Cut::OneWay]
            [dice.below(6) as usize];
        for end in [&guest, &room] {
            end.set_nodelay(true)?;
            if matches!(cut, Cut::Reset) {
                end.set_zero_linger()?;
            }
        }
        let ((mut from_guest, mut to_guest), (mut from_room, mut to_room)) =
            (guest.into_split(), room.into_split());
        let went_up = self.copy(&mut from_guest, &mut to_room, up);
        let went_down = self.copy(&mut from_room, &mut to_guest, down);
        tokio::pin!(went_up, went_down);
        let cut_up = tokio::select! {
            cut = &mut went_up => match cut? { true => true, false => return Ok(()) },
            cut = &mut went_down => match cut? { true => false, false => return Ok(()) },
        };
        self.told.send_modify(|cuts| *cuts += 1);
        match cut {
            Cut::Closed | Cut::Reset => {}
            Cut::Silent => sleep(GHOST).await,
            Cut::OneWay if cut_up => drop(timeout(GHOST, went_down).await),
            Cut::OneWay => drop(timeout(GHOST, went_up).await),
        }
        Ok(())
    }

    /// Carries bytes until `budget` is used up (true) or the connection ends (false).
    async fn copy(
        &self,
        from: &mut OwnedReadHalf,
        to: &mut OwnedWriteHalf,
        mut budget: u64,
    ) -> io::Result<bool> {
        let mut buffer = [0; 8 * 1024];
        loop {
            let read = from.read(&mut buffer).await?;
            if read == 0 {
                return Ok(false);
            }
            if self.calm.load(Ordering::Relaxed) {
                budget = u64::MAX;
            }
            let carried = read.min(usize::try_from(budget).unwrap_or(usize::MAX));
            to.write_all(&buffer[..carried]).await?;
            budget -= carried as u64;
            if budget == 0 {
                return Ok(true);
            }
        }
    }
}
