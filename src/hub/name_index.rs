//! The names in use.

use std::collections::{BTreeSet, HashMap};

use crate::protocol::{GuestId, Name};

/// The names in use, by both parts of their confusable keys.
#[derive(Debug, Default)]
pub(super) struct NameIndex(HashMap<String, GuestId>);

impl NameIndex {
    /// Whether the guest may have this name: no other guest has it, or one confusable with it.
    pub(super) fn is_available(&self, name: &Name, id: GuestId) -> bool {
        name.confusable_key().parts().iter().all(|key| self.0.get(key).is_none_or(|holder| *holder == id))
    }

    /// The other guests who have this name, or one confusable with it.
    pub(super) fn holders(&self, name: &Name, id: GuestId) -> BTreeSet<GuestId> {
        let holders = name.confusable_key().parts().into_iter().filter_map(|key| self.0.get(&key).copied());
        holders.filter(|holder| *holder != id).collect()
    }

    /// Whether the guest has this name, or one confusable with it.
    pub(super) fn is_held(&self, name: &Name, id: GuestId) -> bool {
        name.confusable_key().parts().iter().any(|key| self.0.get(key) == Some(&id))
    }

    /// Notes that the guest has this name.
    pub(super) fn insert(&mut self, name: &Name, id: GuestId) {
        self.0.extend(name.confusable_key().parts().map(|key| (key, id)));
    }

    /// Frees a name.
    pub(super) fn remove(&mut self, name: &Name) {
        for key in name.confusable_key().parts() {
            self.0.remove(&key);
        }
    }
}
