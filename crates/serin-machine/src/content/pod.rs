//! What is kept of a Pod.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::object::RawObject;
use crate::packed::Packed;
use serin_core::rollout::snapshot::{Identity, PodView};

/// What is kept of a Pod.
#[derive(Debug, Clone, PartialEq)]
pub struct Pod {
    created: Timestamp,
    metadata: Packed<Metadata>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct Metadata {
    labels: BTreeMap<String, String>,
    annotations: BTreeMap<String, String>,
}

impl Pod {
    /// What is kept of `wire`, from which it is taken.
    pub(crate) fn of(wire: &mut RawObject) -> Self {
        let meta = &mut wire.metadata;
        let metadata = Metadata {
            labels: meta.labels.take().unwrap_or_default(),
            annotations: meta.annotations.take().unwrap_or_default(),
        };
        Self { created: wire.created(), metadata: Packed::new(&metadata) }
    }

    /// What decisions read of the Pod with that identity, whose controller has the uid `owner`.
    #[must_use]
    pub fn view(&self, id: &Identity, owner: Option<&str>, deleting: bool) -> PodView {
        let Metadata { labels, annotations } = self.metadata.get().unwrap_or_default();
        PodView {
            id: id.clone(),
            created: self.created,
            owner_uid: owner.unwrap_or_default().to_owned(),
            deleting,
            labels,
            annotations,
        }
    }
}
