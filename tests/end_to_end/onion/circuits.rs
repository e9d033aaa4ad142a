//! Circuits that end before their guests do.

use super::visitor::Visitors;
use super::visits::hears;

/// A guest whose circuit is closed is away at once, without waiting for a ping, and their seat is free after the
/// grace time.
pub(crate) async fn a_closed_circuit_frees_the_seat(visitors: &Visitors, host: &str) {
    let mut stays = visitors.guest("Stays", host).await;
    let mut goes = visitors.guest("Goes", host).await;
    assert_eq!(stays.expect("joined").await["guest"]["name"], "Goes");

    let circuit = visitors.circuit_of("Goes").await;
    visitors.control().await.command(&format!("CLOSECIRCUIT {circuit}")).await.unwrap();
    for news in ["away", "left"] {
        assert_eq!(stays.expect(news).await["guest"]["id"], goes.id());
    }
    goes.gone().await;

    // Others are not touched, and the name is free again.
    let mut back = visitors.guest("Goes", host).await;
    back.say("1", "here again").await;
    assert_eq!(hears(&mut stays, "here again").await, back.id());
}
