//! What the caches take for the directory port of the authorities: it answers with the newest consensus and with
//! microdescriptors ([dir-spec](https://spec.torproject.org/dir-spec/general-use-http-urls.html)).

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use onionroom_bench::Outcome;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// What it answers with.
#[derive(Default)]
pub(crate) struct Documents {
    pub(crate) consensus: String,
    /// By their digests in base64; those of earlier consensuses as well.
    pub(crate) microdescriptors: HashMap<String, String>,
}

/// A running server; it ends with the program.
#[derive(Clone, Default)]
pub(crate) struct Authority {
    documents: Arc<Mutex<Documents>>,
}

impl Authority {
    /// Listens on one more address.
    pub(crate) async fn listen(&self, address: SocketAddr) -> Outcome<()> {
        let listener = TcpListener::bind(address).await?;
        let serving = self.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let serving = serving.clone();
                // A cache that breaks off asks again.
                tokio::spawn(async move { drop(serving.serve(stream).await) });
            }
        });
        Ok(())
    }

    /// Replaces the consensus, and adds microdescriptors.
    pub(crate) fn publish(&self, consensus: String, microdescriptors: HashMap<String, String>) {
        let mut documents = self.documents.lock().unwrap_or_else(PoisonError::into_inner);
        documents.consensus = consensus;
        documents.microdescriptors.extend(microdescriptors);
    }

    async fn serve(&self, stream: TcpStream) -> Outcome<()> {
        let mut stream = BufReader::new(stream);
        let mut request = String::new();
        stream.read_line(&mut request).await?;
        let mut header = String::new();
        while stream.read_line(&mut header).await? > 2 {
            header.clear();
        }
        let path = request.split(' ').nth(1).unwrap_or_default().trim_end_matches(".z");
        let response = match self.document(path) {
            Some(body) => format!("HTTP/1.0 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len()),
            None => "HTTP/1.0 404 Not found\r\nContent-Length: 0\r\n\r\n".to_owned(),
        };
        stream.write_all(response.as_bytes()).await?;
        Ok(stream.shutdown().await?)
    }

    fn document(&self, path: &str) -> Option<String> {
        let documents = self.documents.lock().unwrap_or_else(PoisonError::into_inner);
        if path.starts_with("/tor/status-vote/current/consensus-microdesc") {
            return Some(documents.consensus.clone());
        }
        let digests = path.strip_prefix("/tor/micro/d/")?.split('-');
        let found = digests.filter_map(|digest| documents.microdescriptors.get(digest));
        Some(found.map(String::as_str).collect()).filter(|text: &String| !text.is_empty())
    }
}
