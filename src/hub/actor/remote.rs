//! The actor and the other nodes: what happens there.

use std::sync::Arc;

use super::RoomActor;
use crate::hub::cluster::ClusterEvent;

impl RoomActor {
    /// Takes what has happened at the other nodes.
    pub(super) fn heed(&mut self, events: Vec<ClusterEvent>) {
        for event in events {
            match event {
                ClusterEvent::Available(available) => {
                    if let Some(event) = self.notices.note_quorum(available) {
                        self.shared.publish_one(event);
                    }
                }
                ClusterEvent::Doors(doors) => {
                    let doors: Arc<[String]> = doors.into_iter().map(|door| door.origin).collect();
                    self.roster.set_doors(Arc::clone(&doors));
                    self.notices.set_doors(doors);
                }
                _ => {}
            }
        }
    }
}
