//! The life of a pod: what a kubelet remembers of it, and its current stage.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use jiff::Timestamp;

/// What the kubelet knows of a pod beyond the object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PodLife {
    /// When the pod was first seen on this node.
    pub bound: Option<Timestamp>,
    /// When the pod was first seen being deleted.
    pub deleted: Option<Timestamp>,
    /// The address that it has, or would have.
    pub address: Ipv4Addr,
    /// What a real probe of a container found, by container name. A container without an entry is not probed: its delays
    /// alone decide.
    pub probed: BTreeMap<String, bool>,
}

/// Where a pod stands in its life, once it has begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Moment {
    /// Some image cannot be pulled.
    NoImage {
        /// Whether the next try is being waited for.
        is_backing_off: bool,
    },
    /// Some program fails at once.
    CrashLoops,
    /// All containers run.
    Runs {
        /// Since when.
        since: Timestamp,
    },
    /// All containers have ended.
    Over {
        /// When they were started.
        since: Timestamp,
        /// When the last ended.
        at: Timestamp,
    },
}
