//! A stream of which some bytes were read before.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::listen::forward::forward_writes;

/// Reads first what was read already.
#[derive(Debug)]
pub(super) struct Rest<S> {
    /// What is still to be given.
    bytes: Bytes,
    stream: S,
}

impl<S> Rest<S> {
    pub(super) fn new(bytes: Vec<u8>, stream: S) -> Self {
        Self { bytes: bytes.into(), stream }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Rest<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.bytes.is_empty() || buffer.remaining() == 0 {
            return Pin::new(&mut self.stream).poll_read(context, buffer);
        }
        let count = self.bytes.len().min(buffer.remaining());
        buffer.put_slice(&self.bytes.split_to(count));
        if self.bytes.is_empty() {
            // An empty part still holds the memory of the whole.
            self.bytes = Bytes::new();
        }
        Poll::Ready(Ok(()))
    }
}

forward_writes!(Rest<S: AsyncWrite> by stream);
