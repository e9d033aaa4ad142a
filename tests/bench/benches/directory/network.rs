//! A private network some of whose relays have the large directory, and hand it out.

use std::collections::HashMap;
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant, SystemTime};

use onionroom::lab::{Control, Network, Plan};
use onionroom::tor::{Authority as Description, PrivateNetwork};
use onionroom_bench::{Outcome, process, within};
use tokio::process::{Child, Command};
use tokio::time::sleep;

use crate::authority::Authority;
use crate::consensus::{Lifetime, Template};
use crate::relays::Relays;

/// How many relays are caches and guards: as many as a client has primary guards, and one more.
const CACHES: usize = 4;

/// For the caches to have a new directory, once it is published.
const DEADLINE: Duration = Duration::from_secs(90);

/// The caches count as idle when they use less CPU time than this, in seconds, in such a period.
const IDLE_SECONDS: f64 = 0.1;
const IDLE_PERIOD: Duration = Duration::from_millis(500);
const IDLE_DEADLINE: Duration = Duration::from_secs(5);

/// A private network with made-up relays.
pub(crate) struct LargeNetwork {
    network: Network,
    template: Template,
    relays: Relays,
    authority: Authority,
    caches: Vec<Cache>,
    /// Where the caches are connected to.
    addresses: Vec<SocketAddr>,
    /// The description for the program, with the caches as fallback directories.
    pub(crate) description: PathBuf,
    /// Of the newest directory.
    pub(crate) sizes: Sizes,
    interval: Duration,
    /// When the newest consensus became valid.
    valid_after: SystemTime,
}

/// One of its relays, started again with the large directory.
struct Cache {
    control: Control,
    tor: Child,
}

/// The sizes of a published directory in bytes, as they are without compression.
#[derive(Debug, Clone, Copy, Default, serde::Serialize)]
pub(crate) struct Sizes {
    consensus: usize,
    microdescriptors: usize,
}

/// Bytes by the own addresses of connections.
#[derive(Debug, Clone, Default)]
pub(crate) struct Received(HashMap<String, u64>);

impl Received {
    /// What has arrived after `before`, on the connections that are still open.
    pub(crate) fn since(&self, before: &Self) -> u64 {
        let new = |(local, bytes): (&String, &u64)| bytes.saturating_sub(*before.0.get(local).unwrap_or(&0));
        self.0.iter().map(new).sum()
    }
}

impl LargeNetwork {
    /// Starts it with so many made-up relays; a consensus is fresh for `interval`.
    pub(crate) async fn start(relays: usize, directories: bool, interval: Duration) -> Outcome<Self> {
        let network = Plan::default().prepare(|_| ()).await?.start(|step| eprintln!("{step}")).await?;
        let directory = network.directory().to_owned();
        let names: Vec<String> = (1..=CACHES).map(|number| format!("relay{number}")).collect();
        let known = PrivateNetwork::read(network.network_file())?.authorities;
        let authorities: Vec<PathBuf> = known.iter().map(|it| directory.join(&it.nickname)).collect();
        let authorities: Vec<&Path> = authorities.iter().map(PathBuf::as_path).collect();
        let template = Template::read(&directory.join(&names[0]), &authorities, &names)?;
        let description = directory.join("large.toml");
        let described: Outcome<Vec<_>> =
            known.into_iter().zip(&names).map(|(it, name)| describe(it, &directory.join(name))).collect();
        PrivateNetwork { authorities: described? }.write(&description)?;
        let addresses: Outcome<_> = names.iter().map(|name| or_address(&directory.join(name))).collect();
        let addresses = addresses?;
        let authority = Authority::default();
        for data in authorities {
            take_over(data, &authority).await?;
        }
        let relays = Relays::new(relays, directories);
        let caches = Vec::new();
        let valid_after = SystemTime::UNIX_EPOCH;
        let sizes = Sizes::default();
        let mut this = Self {
            network,
            template,
            relays,
            authority,
            caches,
            addresses,
            description,
            sizes,
            interval,
            valid_after,
        };
        let (consensus, microdescriptors) = this.documents()?;
        for name in names {
            let cache = Cache::start(&directory.join(name), &this, &consensus, &microdescriptors).await?;
            this.caches.push(cache);
        }
        this.distributed().await?;
        Ok(this)
    }

    /// Publishes the next directory when the last one is no longer fresh, and waits until every cache has it. Caches ask at a
    /// random time between a sixteenth of the interval and nine sixteenths after that.
    pub(crate) async fn publish(&mut self) -> Outcome<()> {
        let due = self.valid_after + self.interval;
        sleep(due.duration_since(SystemTime::now()).unwrap_or_default()).await;
        self.relays.change();
        let (consensus, microdescriptors) = self.documents()?;
        self.authority.publish(consensus, microdescriptors);
        self.distributed().await
    }

    /// Waits until the caches have compressed what they hand out and have computed the difference to the last directory.
    async fn idle(&self) {
        let used =
            || self.caches.iter().map(|cache| process::cpu(cache.tor.id().unwrap_or_default())).sum::<f64>();
        let began = Instant::now();
        loop {
            let before = used();
            sleep(IDLE_PERIOD).await;
            if used() - before < IDLE_SECONDS || began.elapsed() > IDLE_DEADLINE {
                return;
            }
        }
    }

    /// How long the newest consensus has been valid.
    pub(crate) fn age(&self) -> Duration {
        self.valid_after.elapsed().unwrap_or_default()
    }

    /// A consensus that is valid from now on, and its microdescriptors.
    fn documents(&mut self) -> Outcome<(String, HashMap<String, String>)> {
        let since_1970 = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?;
        self.valid_after = SystemTime::UNIX_EPOCH + Duration::from_secs(since_1970.as_secs());
        let lifetime = Lifetime { after: self.valid_after, interval: self.interval };
        let consensus = self.template.sign(&self.relays, lifetime)?;
        let microdescriptors = self.relays.microdescriptors();
        self.sizes = Sizes {
            consensus: consensus.len(),
            microdescriptors: microdescriptors.values().map(String::len).sum(),
        };
        Ok((consensus, microdescriptors))
    }

    /// Waits until every cache has the newest directory.
    async fn distributed(&mut self) -> Outcome<()> {
        let due = utc(self.valid_after);
        let began = Instant::now();
        for Cache { control, .. } in &mut self.caches {
            loop {
                let valid = control.get_info("consensus/valid-after").await?;
                let enough = control.get_info("status/enough-dir-info").await?;
                if valid.first().is_some_and(|at| *at == due) && enough == ["1"] {
                    break;
                }
                if began.elapsed() > DEADLINE {
                    return Err(format!("a cache has the consensus of {valid:?} in place of {due}").into());
                }
                sleep(Duration::from_millis(100)).await;
            }
        }
        self.idle().await;
        eprintln!("the caches have the directory of {due} after {:.1} s", began.elapsed().as_secs_f32());
        Ok(())
    }

    /// The bytes that have arrived on each connection to the caches that a program has open, other than `tor`. That the caches
    /// send to each other is most of what they send.
    pub(crate) async fn received(&self) -> Outcome<Received> {
        let sockets = Command::new("ss").args(["-tnipH", "state", "established"]).output().await?.stdout;
        let sockets = String::from_utf8_lossy(&sockets);
        let mut received = Received::default();
        let mut local = None;
        for line in sockets.lines() {
            // The second line of a socket is indented.
            if !line.starts_with(char::is_whitespace) {
                let mut words = line.split_whitespace().skip(2);
                local = words.next().filter(|_| {
                    let peer = words.next().and_then(|peer| peer.parse().ok());
                    peer.is_some_and(|peer| self.addresses.contains(&peer)) && !line.contains("(\"tor\",")
                });
            } else if let Some(local) = local.take() {
                let bytes = line.split_whitespace().find_map(|word| word.strip_prefix("bytes_received:"));
                received.0.insert(local.to_owned(), bytes.map_or(Ok(0), str::parse)?);
            }
        }
        Ok(received)
    }

    pub(crate) async fn stop(self) {
        drop(self.caches);
        self.network.stop().await;
    }
}

impl Cache {
    /// Ends the relay in the directory `data` and starts it again with this consensus, and with the authority to ask for the
    /// next one.
    async fn start(
        data: &Path,
        network: &LargeNetwork,
        consensus: &str,
        microdescriptors: &HashMap<String, String>,
    ) -> Outcome<Self> {
        let pid = fs::read_to_string(data.join("pid"))?.trim().to_owned();
        // It may end before it answers.
        let _ = connect(data).await?.command("SIGNAL HALT").await;
        within("end of a relay", async {
            while running(&pid) {
                sleep(Duration::from_millis(20)).await;
            }
        })
        .await?;
        // It may have removed it by itself.
        let _ = fs::remove_file(data.join("control_port"));
        let torrc = data.join("torrc");
        redirect(&torrc)?;
        fs::write(data.join("cached-microdesc-consensus"), consensus)?;
        let mut stored = OpenOptions::new().append(true).open(data.join("cached-microdescs.new"))?;
        let listed = utc(network.valid_after);
        for text in microdescriptors.values() {
            write!(stored, "@last-listed {listed}\n{text}")?;
        }
        // What it computes of a new directory does not take the room's place.
        let mut tor = Command::new("nice");
        tor.args(["-n", "5", "tor", "--defaults-torrc"])
            .arg(network.network.directory().join("torrc-defaults"));
        tor.arg("-f").arg(torrc).stdin(Stdio::null()).stdout(fs::File::create(data.join("log-again"))?);
        let tor = tor.kill_on_drop(true).spawn()?;
        let opened = async {
            loop {
                match connect(data).await {
                    Ok(control) => return control,
                    Err(_) => sleep(Duration::from_millis(50)).await,
                }
            }
        };
        Ok(Self { control: within("control port of a relay", opened).await?, tor })
    }
}

/// Whether the process runs. One that has ended stays until its parent has asked for its end.
fn running(pid: &str) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit(") ").next().is_some_and(|rest| !rest.is_empty() && !rest.starts_with('Z'))
}

/// The control connection to the node in this directory.
async fn connect(data: &Path) -> Outcome<Control> {
    let port = fs::read_to_string(data.join("control_port"))?;
    let port = port.trim().strip_prefix("PORT=").ok_or("no control port")?.parse()?;
    Ok(Control::connect(port, &data.join("control_cookie")).await?)
}

/// As it stands in the documents: `2026-11-23 17:00:00`.
fn utc(time: SystemTime) -> String {
    humantime::format_rfc3339_seconds(time).to_string().replace('T', " ").replace('Z', "")
}

/// Has the authority in this directory listen elsewhere, and `authority` at its directory port. Its certificate names that
/// port, and the caches go by the certificate.
async fn take_over(data: &Path, authority: &Authority) -> Outcome<()> {
    let torrc = fs::read_to_string(data.join("torrc"))?;
    let address = torrc.lines().find_map(|line| line.strip_prefix("DirPort ")?.split(' ').next());
    let address = address.ok_or("an authority without a directory port")?.parse()?;
    // Not "auto", for which it keeps the listener that it has.
    let other = std::net::TcpListener::bind(("127.0.0.1", 0))?.local_addr()?;
    connect(data).await?.command(&format!("SETCONF DirPort=\"{other} IPv4Only\"")).await?;
    let listening = async {
        while authority.listen(address).await.is_err() {
            sleep(Duration::from_millis(20)).await;
        }
    };
    within("directory port of an authority", listening).await
}

/// Has a relay ask the authorities at their directory ports: at the others it would get the small directory.
fn redirect(torrc: &Path) -> Outcome<()> {
    let text = fs::read_to_string(torrc)?;
    let kept = |line: &str| {
        let words = line.split(' ').filter(|word| !word.starts_with("orport="));
        words.collect::<Vec<_>>().join(" ") + "\n"
    };
    Ok(fs::write(torrc, text.lines().map(kept).collect::<String>())?)
}

/// An authority's signing key, but at a cache's address and with its keys, so that it is the fallback directory.
fn describe(authority: Description, cache: &Path) -> Outcome<Description> {
    let second = |file: &str| -> Outcome<String> {
        let text = fs::read_to_string(cache.join(file))?;
        Ok(text.split_whitespace().nth(1).ok_or("a file without a fingerprint")?.to_owned())
    };
    Ok(Description {
        rsa_identity: second("fingerprint")?,
        ed25519_identity: second("fingerprint-ed25519")?,
        or_address: or_address(cache)?,
        ..authority
    })
}

/// Where the relay in this directory is connected to.
fn or_address(data: &Path) -> Outcome<SocketAddr> {
    let torrc = fs::read_to_string(data.join("torrc"))?;
    let address = torrc.lines().find_map(|line| line.strip_prefix("ORPort ")?.split(' ').next());
    Ok(address.ok_or("a relay without a port")?.parse()?)
}
