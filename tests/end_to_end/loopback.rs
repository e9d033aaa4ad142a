//! On this machine alone: the handshake to the byte, requests, chat, limits, closing, and what strangers can take.

mod chat;
mod closing;
mod crowd;
mod described;
mod described_events;
mod documented;
mod entering;
mod events;
mod flood;
mod governing;
mod handshake;
mod head;
mod history;
mod identities;
mod invitations;
mod limits;
mod memory;
mod noscript;
mod noscript_session;
mod polling;
mod presence;
mod requests;
mod rest;
mod searching;
mod strangers;
mod violations;
