//! On this machine alone: the handshake to the byte, requests, chat, limits, closing.

mod chat;
mod closing;
mod crowd;
mod handshake;
mod limits;
mod requests;
mod violations;
