//! A bucket: a stream that keeps the newest value of each key, written by compare and set.
//!
//! The revision of a value is its number in the stream, so the revisions of all keys are in one order. A value is deleted by
//! its revision, which is a compare and set too: a value that was written since has another. Reads ask the leader of the stream,
//! never a replica that may be behind.

use std::time::Duration;

use async_nats::HeaderMap;
use async_nats::header::NATS_EXPECTED_LAST_SUBJECT_SEQUENCE;
use async_nats::jetstream::context::{PublishError, PublishErrorKind};
use async_nats::jetstream::message::StreamMessage;
use async_nats::jetstream::stream::{
    Config, DeleteMessageErrorKind, DiscardPolicy, LastRawMessageErrorKind, RawMessageError, RetentionPolicy,
    StorageType, Stream,
};
use async_nats::jetstream::{self, Context, ContextBuilder, ErrorCode};
use bytes::Bytes;
use tokio::time::timeout;

use crate::cluster::{ApiError, ClusterError, Connection};

/// How long one request may take.
const ANSWER_WAIT: Duration = Duration::from_millis(1500);

/// The largest value, in bytes.
const VALUE_MAX: i32 = 1024;

/// A bucket of the room.
#[derive(Debug, Clone)]
pub(super) struct Bucket {
    context: Context,
    stream: Stream<()>,
    prefix: String,
}

/// A value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) revision: u64,
    pub(super) value: Bytes,
}

/// There was no answer, or none that says what happened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(super) struct Unanswered(pub(super) String);

/// Why a value was not written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum WriteError {
    /// The key has another revision than was expected; nothing was written.
    #[error("the key has another revision")]
    Conflict,
    /// It may have been written, or may be written later.
    #[error(transparent)]
    Unanswered(#[from] Unanswered),
}

/// What the stream of a bucket is set to; `subjects` begins the subjects of its keys.
pub(super) fn settings(name: String, subjects: &str, max_age: Duration) -> Config {
    Config {
        name,
        subjects: vec![format!("{subjects}.*")],
        retention: RetentionPolicy::Limits,
        max_messages: -1,
        max_bytes: -1,
        max_messages_per_subject: 1,
        max_consumers: -1,
        discard: DiscardPolicy::New,
        max_message_size: VALUE_MAX,
        max_age,
        storage: StorageType::File,
        // Nothing is told apart by ids here; the least that servers allow.
        duplicate_window: Duration::from_millis(100),
        ..Config::default()
    }
}

impl Bucket {
    /// Opens the bucket, or makes it; `what` is its name in messages.
    ///
    /// # Errors
    /// JetStream refuses or does not answer.
    pub(super) async fn open(
        connection: &Connection,
        what: &str,
        settings: Config,
    ) -> Result<Self, ClusterError> {
        let (name, subject) = (settings.name.clone(), settings.subjects.first().cloned().unwrap_or_default());
        connection.stream(what, settings).await?;
        let context = ContextBuilder::new().timeout(ANSWER_WAIT).build(connection.client().clone());
        let stream = context.get_stream_no_info(name).await;
        let stream = stream.map_err(|error| ApiError::NoAnswer(error.to_string()).about(what))?;
        Ok(Self { context, stream, prefix: subject.trim_end_matches(".*").to_owned() })
    }

    /// Writes a value where the key has this revision, 0 for none, and returns the new one.
    pub(super) async fn put(&self, key: &str, expected: u64, value: Vec<u8>) -> Result<u64, WriteError> {
        let mut headers = HeaderMap::new();
        headers.insert(NATS_EXPECTED_LAST_SUBJECT_SEQUENCE, expected.to_string());
        let subject = format!("{}.{key}", self.prefix);
        let acknowledged = timeout(ANSWER_WAIT, async {
            self.context.publish_with_headers(subject, headers, value.into()).await?.await
        });
        match acknowledged.await {
            Ok(Ok(acknowledged)) => Ok(acknowledged.sequence),
            Ok(Err(error)) if error.kind() == PublishErrorKind::WrongLastSequence => {
                Err(WriteError::Conflict)
            }
            Ok(Err(error)) if is_under_way(&error) => Err(WriteError::Conflict),
            Ok(Err(error)) => Err(Unanswered(error.to_string()).into()),
            Err(_) => Err(no_answer().into()),
        }
    }

    /// The value of a key, by the leader.
    pub(super) async fn get(&self, key: &str) -> Result<Option<Entry>, Unanswered> {
        let subject = format!("{}.{key}", self.prefix);
        self.read(self.stream.get_last_raw_message_by_subject(&subject)).await
    }

    /// The value with the lowest revision from this one on.
    pub(super) async fn next(&self, revision: u64) -> Result<Option<Entry>, Unanswered> {
        let subject = format!("{}.*", self.prefix);
        self.read(self.stream.raw_message_builder().sequence(revision).next_by_subject(subject).send()).await
    }

    async fn read(
        &self,
        read: impl Future<Output = Result<StreamMessage, RawMessageError>>,
    ) -> Result<Option<Entry>, Unanswered> {
        match timeout(ANSWER_WAIT, read).await {
            Ok(Ok(message)) => {
                let key = message.subject.strip_prefix(&*self.prefix).and_then(|key| key.strip_prefix('.'));
                let key = key.unwrap_or_default().to_owned();
                Ok(Some(Entry { key, revision: message.sequence, value: message.payload }))
            }
            Ok(Err(error)) if error.kind() == LastRawMessageErrorKind::NoMessageFound => Ok(None),
            Ok(Err(error)) => Err(Unanswered(error.to_string())),
            Err(_) => Err(no_answer()),
        }
    }

    /// Deletes the value with this revision; returns whether it was there.
    pub(super) async fn delete(&self, revision: u64) -> Result<bool, Unanswered> {
        match timeout(ANSWER_WAIT, self.stream.delete_message(revision)).await {
            Ok(Ok(deleted)) => Ok(deleted),
            Ok(Err(error)) => match error.kind() {
                DeleteMessageErrorKind::JetStream(error) if is_gone(&error) => Ok(false),
                _ => Err(Unanswered(error.to_string())),
            },
            Err(_) => Err(no_answer()),
        }
    }
}

/// The number is not in the stream: it was overwritten, deleted, or has come of age.
fn is_gone(error: &jetstream::Error) -> bool {
    matches!(
        error.error_code(),
        ErrorCode::NO_MESSAGE_FOUND | ErrorCode::STREAM_MESSAGE_DELETE_FAILED | ErrorCode::SEQUENCE_NOT_FOUND
    )
}

/// Another write to the same key came first, and newer servers do not say which number it has.
fn is_under_way(error: &PublishError) -> bool {
    std::error::Error::source(error)
        .and_then(|source| source.downcast_ref::<jetstream::Error>())
        .is_some_and(|error| error.error_code() == ErrorCode::STREAM_WRONG_LAST_SEQUENCE_CONSTANT)
}

fn no_answer() -> Unanswered {
    Unanswered("NATS did not answer in time".into())
}
