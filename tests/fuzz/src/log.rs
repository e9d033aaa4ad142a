//! The log's files, changed. The input is changes of three bytes: where, and the new byte. What is left over at the end
//! cuts the files off. Positions count through all files of a log with some messages and a state, the first first.

use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use onionroom::log::sqlite::Synchronous;
use onionroom::log::{Entry, Log, Retention, RoomState, SqliteLog};
use onionroom::protocol::{Body, GuestId, MessageId, Name};
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};

/// How many messages are kept.
const KEPT: usize = 10;

thread_local! {
    static PLACE: (TempDir, Runtime) = (
        TempDir::new().expect("a temporary directory"),
        Builder::new_current_thread().build().expect("a runtime"),
    );
}

/// A file's name and content.
type File = (String, Vec<u8>);

/// The log that is changed.
static TEMPLATE: LazyLock<Vec<File>> = LazyLock::new(|| {
    let directory = TempDir::new().expect("a temporary directory");
    let path = directory.path().join("log");
    let log = open(&path).expect("a new log");
    let runtime = Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(log.state(RoomState::new("Tea"))).expect("a new log takes a state");
    let entries = (0..5).map(entry).chain([title("Cake")]);
    runtime.block_on(log.append(entries.collect())).expect("entries are appended");
    drop(log);
    files(directory.path())
});

/// Changed files are refused and then left as they were, or opened; nothing panics whatever is done with them then.
pub fn run(data: &[u8]) {
    PLACE.with(|(directory, runtime)| {
        let path = directory.path().join("log");
        let changed = changed(TEMPLATE.clone(), data);
        for (name, content) in &changed {
            fs::write(directory.path().join(name), content).expect("the file is written");
        }
        match open(&path) {
            Ok(log) => runtime.block_on(exercise(&log)),
            Err(error) => {
                assert!(error.to_string().contains(&*path.to_string_lossy()), "where? {error}");
                let now = files(directory.path());
                let whole = |file: &&File| !now.contains(file);
                let lost: Vec<_> = changed.iter().filter(whole).map(|file| &file.0).collect();
                assert!(lost.is_empty(), "{lost:?} changed: {error}");
            }
        }
        for (name, _) in files(directory.path()) {
            fs::remove_file(directory.path().join(name)).expect("the file is removed");
        }
    });
}

/// The files of a directory, in the order of their names.
fn files(directory: &Path) -> Vec<File> {
    let entries = fs::read_dir(directory).expect("the directory is there").flatten();
    let file = |entry: fs::DirEntry| {
        let content = fs::read(entry.path()).expect("the file can be read");
        (entry.file_name().to_string_lossy().into_owned(), content)
    };
    let mut files: Vec<File> = entries.map(file).collect();
    files.sort();
    files
}

fn open(path: &Path) -> Result<SqliteLog, impl std::error::Error + use<>> {
    SqliteLog::open(path, Retention { messages: KEPT, bytes: 0, age: None }, Synchronous::Normal)
}

async fn exercise(log: &SqliteLog) {
    let identity = log.identity().await.expect("an open log has an identity");
    let _ = log.span().await;
    let _ = log.state(RoomState::new("Pie")).await;
    let _ = log.read(0, 100).await;
    let _ = log.follow(2).await;
    let _ = log.append(vec![entry(1), title("Bread"), entry(9)]).await;
    let _ = log.trim(identity.clock).await;
    let _ = log.read(3, 2).await;
    log.close().await.expect("an open log closes");
}

fn entry(number: u64) -> Entry {
    Entry {
        at: number,
        author: GuestId(number),
        id: MessageId::parse(&format!("id-{number}")).expect("an id"),
        body: Body::Message { name: Name::parse("Ann").expect("a name"), text: "a text ".repeat(20) },
    }
}

fn title(title: &str) -> Entry {
    let id = MessageId::parse(title).expect("an id");
    Entry { at: 5, author: GuestId::ROOM, id, body: Body::Title { title: title.into() } }
}

/// The files with these changes.
fn changed(mut files: Vec<File>, changes: &[u8]) -> Vec<File> {
    let mut changes = changes.chunks_exact(3);
    for change in &mut changes {
        let at = usize::from(u16::from_be_bytes([change[0], change[1]]));
        if let Some(byte) = files.iter_mut().flat_map(|(_, content)| content).nth(at) {
            *byte = change[2];
        }
    }
    if let [first, rest @ ..] = changes.remainder() {
        let mut left = usize::from(u16::from_be_bytes([*first, rest.first().copied().unwrap_or(0)]));
        for (_, content) in &mut files {
            content.truncate(left);
            left -= content.len();
        }
    }
    files
}
