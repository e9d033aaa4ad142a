//! The actor and the other nodes: what happens there.

use std::sync::Arc;

use tokio::time::Instant;

use super::RoomActor;
use crate::hub::cluster::ClusterEvent;

impl RoomActor {
    /// Takes what has happened at the other nodes.
    pub(super) fn heed(&mut self, events: Vec<ClusterEvent>) {
        let (mut changes, now) = (Vec::new(), Instant::now());
        for event in events {
            match event {
                ClusterEvent::Present(node, seated) => {
                    let mut told = self.roster.present(node, seated);
                    changes.append(&mut self.roster.take_displaced());
                    changes.append(&mut told);
                }
                ClusterEvent::Absent(node, guest) => self.roster.absent(node, guest, now),
                ClusterEvent::LeaseLost => {
                    tracing::warn!("this node was taken for dead; its guests' names are claimed again");
                    let guests = self.roster.doubt_all();
                    self.claims.iter_mut().for_each(|claims| claims.begin_lease(guests.clone()));
                }
                ClusterEvent::Available(available) => {
                    if let Some(nodes) = &self.shared.nodes {
                        nodes.set_available(available);
                    }
                    if let Some(event) = self.notices.note_quorum(available) {
                        self.shared.publish_one(event);
                    }
                }
                ClusterEvent::Doors(doors) => {
                    let doors: Arc<[String]> = doors.into_iter().map(|door| door.origin).collect();
                    self.roster.set_doors(Arc::clone(&doors));
                    if let Some(nodes) = &self.shared.nodes {
                        nodes.set_doors(&doors);
                    }
                    self.notices.set_doors(doors);
                }
            }
        }
        self.announce(&changes);
    }
}
