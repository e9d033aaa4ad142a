//! The Tor network: bootstrap, the onion service, its keys and its status. The only place that names Arti.
