//! Names while everything breaks: no roster has two guests whose names look the same.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use data_encoding::BASE64URL_NOPAD;
use onionroom::protocol::Name;
use serde_json::{Value, json};
use tokio::time::sleep;

use super::guests::{Nodes, any};
use super::wire::ask;
use crate::kit::dice::Dice;

/// Three spellings of one name.
const CONTESTED: [&str; 3] = ["Sam", "sam", "SAM"];

const JSON: &str = "Content-Type: application/json";

/// Wants a contested name, keeps it for a moment, leaves, and wants it again, without an end. Answers never.
pub(super) async fn contend(nodes: Nodes, mut dice: Dice) {
    let token: Vec<u8> = (0..32).map(|_| dice.below(256) as u8).collect();
    let token = BASE64URL_NOPAD.encode(&token);
    loop {
        let _ = once(&nodes, &token, &mut dice).await;
        sleep(dice.shorter_than(Duration::from_millis(300))).await;
    }
}

async fn once(nodes: &Nodes, token: &str, dice: &mut Dice) -> io::Result<()> {
    let name = CONTESTED[dice.below(3) as usize];
    let node = any(nodes, dice)?;
    let hello = json!({ "name": name, "token": token }).to_string();
    let answer = ask(node, "POST /rooms/main/guests", &[JSON], &hello).await?;
    match answer.status {
        201 => {
            sleep(dice.shorter_than(Duration::from_secs(2))).await;
            let bearer = format!("Authorization: Bearer {token}");
            ask(node, "DELETE /rooms/main/guests/me", &[&bearer], "").await?;
        }
        status => assert!([400, 409, 429, 503].contains(&status), "{status}"),
    }
    Ok(())
}

/// Asks every node for its roster again and again; fails at the first with two names that look the same.
pub(super) async fn watch(nodes: Nodes) {
    loop {
        for node in nodes.iter() {
            let address = *node.borrow();
            if let Some(address) = address {
                let _ = roster(address).await;
            }
        }
        sleep(Duration::from_millis(100)).await;
    }
}

/// Who is in the room as this node tells it, by number, without the one who asks.
///
/// # Panics
/// Two of the names look the same.
pub(super) async fn roster(node: SocketAddr) -> io::Result<HashMap<u64, (String, bool)>> {
    let token = BASE64URL_NOPAD.encode(&[0xA5; 32]);
    let hello = json!({ "name": "Inspector", "token": token }).to_string();
    let answer = ask(node, "POST /rooms/main/guests", &[JSON], &hello).await?;
    if answer.status != 201 {
        return Err(io::ErrorKind::Other.into());
    }
    answer.body().await?;
    let bearer = format!("Authorization: Bearer {token}");
    let answer = ask(node, "GET /rooms/main", &[&bearer], "").await?;
    if answer.status != 200 {
        return Err(io::ErrorKind::Other.into());
    }
    let room: Value = serde_json::from_str(&answer.body().await?)?;
    let mut holders: HashMap<String, u64> = HashMap::new();
    let mut guests = HashMap::new();
    for guest in room["guests"].as_array().unwrap() {
        let (id, name) = (guest["id"].as_u64().unwrap(), guest["name"].as_str().unwrap());
        for key in Name::parse(name).unwrap().confusable_key().parts() {
            let before = holders.insert(key, id);
            assert!(before.is_none_or(|before| before == id), "two guests look like {name}: {room}");
        }
        if name != "Inspector" {
            guests.insert(id, (name.to_owned(), guest["away"] == true));
        }
    }
    Ok(guests)
}
