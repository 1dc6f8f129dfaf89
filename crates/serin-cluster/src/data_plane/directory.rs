//! Which pod really listens where.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, PoisonError, RwLock};

use super::persona::Persona;

/// Who answers at an address.
pub type Identity = Arc<RwLock<Persona>>;

/// Addresses of pods as the API has them, and where they listen.
#[derive(Debug, Default)]
pub struct Directory {
    entries: RwLock<BTreeMap<(Ipv4Addr, u16), (SocketAddr, Identity)>>,
}

impl Directory {
    /// Where the pod at `address` listens for `port`, and who it is; none while it does not listen.
    #[must_use]
    pub fn find(&self, address: Ipv4Addr, port: u16) -> Option<(SocketAddr, Persona)> {
        let entries = self.entries.read().unwrap_or_else(PoisonError::into_inner);
        let (at, identity) = entries.get(&(address, port))?;
        let persona = identity.read().unwrap_or_else(PoisonError::into_inner).clone();
        Some((*at, persona))
    }

    pub(super) fn insert(&self, address: Ipv4Addr, port: u16, at: SocketAddr, identity: &Identity) {
        let mut entries = self.entries.write().unwrap_or_else(PoisonError::into_inner);
        entries.insert((address, port), (at, Arc::clone(identity)));
    }

    pub(super) fn remove(&self, address: Ipv4Addr, port: u16) {
        self.entries.write().unwrap_or_else(PoisonError::into_inner).remove(&(address, port));
    }
}
