//! Circuits that end before their guests do.

use serde_json::json;

use super::visitor::Visitors;
use crate::kit::Guest;

/// The room notices at once, without waiting for a ping; the guest comes back to their seat over another
/// circuit; and the seat of one who does not come back is free.
pub(crate) async fn a_closed_circuit_frees_the_seat(visitors: &Visitors, host: &str) {
    let mut stays = visitors.guest("Stays", host).await;
    let mut goes = visitors.guest("Goes", host).await;
    assert_eq!(stays.expect("joined").await["guest"]["name"], "Goes");
    let (id, token) = (goes.id(), goes.welcome["token"].clone());
    close(visitors, "Goes", goes, &mut stays).await;

    goes = Guest::connect(visitors.connect_as("Goes", host).await, host).await;
    let welcome = goes.hello_as(json!({ "token": token })).await;
    assert_eq!((&welcome["resumed"], goes.id()), (&true.into(), id));
    assert_eq!(stays.expect("back").await["guest"]["id"], id);
    close(visitors, "Goes", goes, &mut stays).await;

    assert_eq!(stays.expect("left").await["guest"]["id"], id);
    let other = visitors.guest("Goes", host).await;
    assert_ne!(other.id(), id, "the name belongs to whoever takes it");
}

/// Closes the circuit that belongs to `name`, and waits until the other guest hears of it.
async fn close(visitors: &Visitors, name: &str, mut guest: Guest, other: &mut Guest) {
    let circuit = visitors.circuit_of(name).await;
    visitors.control().await.command(&format!("CLOSECIRCUIT {circuit}")).await.unwrap();
    assert_eq!(other.expect("away").await["guest"]["id"], guest.id());
    guest.gone().await;
}
