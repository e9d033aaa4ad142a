//! On this machine alone: the handshake to the byte, requests, chat, limits, closing.

mod chat;
mod closing;
mod crowd;
mod described;
mod documented;
mod events;
mod flood;
mod handshake;
mod limits;
mod noscript;
mod polling;
mod presence;
mod requests;
mod rest;
mod violations;
