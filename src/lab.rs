//! A private Tor network on this machine: real directory authorities, relays and a client, all on 127.0.0.1.
