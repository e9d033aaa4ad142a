//! A key-value bucket of the room, with sealed values.
//!
//! It is a JetStream stream in the form that NATS defines for buckets (ADR-8). Reads go to the leader, so that what was
//! written before is seen; the client's own buckets may ask any replica.

use std::sync::Arc;
use std::time::Duration;

use async_nats::HeaderMap;
use async_nats::jetstream::ErrorCode;
use async_nats::jetstream::response::Response;
use async_nats::jetstream::stream::{Config, DiscardPolicy};
use data_encoding::BASE64;
use serde::Deserialize;

use super::connection::{ApiError, Connection};
use super::error::ClusterError;
use super::sealing::Sealer;

/// How long one write may take.
const WRITE: Duration = Duration::from_secs(3);

/// A bucket of the room.
pub struct Bucket {
    connection: Arc<Connection>,
    /// The name of its stream.
    stream: String,
    /// What the subjects of its keys begin with.
    prefix: String,
    sealer: Sealer,
}

/// What a bucket has under a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// The value; `None` if it cannot be opened, because it was sealed under another key.
    pub value: Option<Vec<u8>>,
    /// Its number, for [`Bucket::update`].
    pub revision: u64,
    /// When a server wrote it: nanoseconds of Unix time by that server's clock.
    pub written: i128,
}

/// The newest message of a subject, as JetStream tells it.
#[derive(Deserialize)]
struct Got {
    message: Stored,
}

#[derive(Deserialize)]
struct Stored {
    seq: u64,
    #[serde(default)]
    data: String,
    time: String,
}

/// What JetStream says of a write.
#[derive(Deserialize)]
struct Written {
    seq: u64,
}

impl Bucket {
    /// The bucket for this purpose; made if it is not there.
    ///
    /// # Errors
    /// The servers refuse it, or do not answer.
    pub async fn open(connection: Arc<Connection>, purpose: &str) -> Result<Self, ClusterError> {
        let bucket = connection.name(purpose);
        let (stream, prefix) = (format!("KV_{bucket}"), format!("$KV.{bucket}."));
        let config = Config {
            name: stream.clone(),
            subjects: vec![format!("{prefix}>")],
            max_messages: -1,
            max_bytes: -1,
            max_messages_per_subject: 1,
            max_consumers: -1,
            discard: DiscardPolicy::New,
            allow_rollup: true,
            deny_delete: true,
            ..Config::default()
        };
        connection.stream("the room's key-value bucket", config).await?;
        let sealer = connection.sealer(&format!("bucket {purpose}"));
        Ok(Self { connection, stream, prefix, sealer })
    }

    /// What there is under the key; keys are of `a–z 0–9 - _ . =`.
    ///
    /// # Errors
    /// The servers do not answer.
    pub async fn get(&self, key: &str) -> Result<Option<Kept>, ApiError> {
        let subject = format!("{}{key}", self.prefix);
        let ask = serde_json::json!({ "last_by_subj": subject });
        let got: Got = match self.connection.api(&format!("STREAM.MSG.GET.{}", self.stream), &ask).await {
            Err(error) if error.code() == Some(ErrorCode::NO_MESSAGE_FOUND) => return Ok(None),
            got => got?,
        };
        let Stored { seq, data, time } = got.message;
        let sealed = BASE64.decode(data.as_bytes()).map_err(|error| ApiError::NoAnswer(error.to_string()))?;
        let written = async_nats::datetime::parse_rfc3339(&time)
            .map_err(|error| ApiError::NoAnswer(error.to_string()))?
            .unix_timestamp_nanos();
        Ok(Some(Kept { value: self.sealer.open(key.as_bytes(), &sealed), revision: seq, written }))
    }

    /// Writes the value in place of that of this revision, 0 where there is none. Returns its own; `None` if there is another by
    /// now.
    ///
    /// # Errors
    /// The servers refuse it, or do not answer; then it may have been written all the same.
    pub async fn update(&self, key: &str, value: &[u8], revision: u64) -> Result<Option<u64>, ApiError> {
        self.write(key, value, Some(revision)).await
    }

    /// Writes the value whatever is there.
    ///
    /// # Errors
    /// As [`Bucket::update`].
    pub async fn put(&self, key: &str, value: &[u8]) -> Result<(), ApiError> {
        self.write(key, value, None).await.map(drop)
    }

    async fn write(&self, key: &str, value: &[u8], expected: Option<u64>) -> Result<Option<u64>, ApiError> {
        let no_answer = |reason: &dyn std::fmt::Display| ApiError::NoAnswer(reason.to_string());
        let sealed = self.sealer.seal(key.as_bytes(), value).map_err(|error| no_answer(&error))?;
        let mut headers = HeaderMap::new();
        if let Some(revision) = expected {
            headers.insert(async_nats::header::NATS_EXPECTED_LAST_SUBJECT_SEQUENCE, revision.to_string());
        }
        let request = async_nats::Request::new().headers(headers).payload(sealed.into()).timeout(Some(WRITE));
        let asked = self.connection.client().send_request(format!("{}{key}", self.prefix), request);
        let answer = tokio::time::timeout(WRITE + Duration::from_secs(1), asked)
            .await
            .map_err(|_| no_answer(&"timed out"))?
            .map_err(|error| no_answer(&error))?;
        match serde_json::from_slice(&answer.payload) {
            Ok(Response::Ok(Written { seq })) => Ok(Some(seq)),
            Ok(Response::Err { error }) if error.error_code() == ErrorCode::STREAM_WRONG_LAST_SEQUENCE => {
                Ok(None)
            }
            // Another write of the same key is under way (server 2.12 and newer).
            Ok(Response::Err { error })
                if error.error_code() == ErrorCode::STREAM_WRONG_LAST_SEQUENCE_CONSTANT =>
            {
                Ok(None)
            }
            Ok(Response::Err { error }) => Err(ApiError::Refused(error)),
            Err(error) => Err(no_answer(&error)),
        }
    }
}
