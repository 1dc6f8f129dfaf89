//! Traffic routers: pure renderers of the objects that carry weights.
//!
//! A router here gets objects as they were observed and a weight, and returns what has to be written; it has no
//! client, no clock and no state. Objects are opaque JSON, so fields that are newer than this program survive.

pub mod error;
pub mod nginx;

use serde_json::Value;

pub use error::TrafficError;

use crate::api::Rollout;
use crate::domain::object::{ObjectRef, Objects};
use crate::domain::plan::{ObjectKind, Op};
use nginx::NginxRouter;

/// The kinds of objects that routers create, and that a Rollout therefore may control.
pub const CREATED: [ObjectKind; 1] = [ObjectKind::Ingress];

/// A router that a Rollout is configured for.
#[derive(Debug)]
pub enum Router<'a> {
    /// ingress-nginx.
    Nginx(NginxRouter<'a>),
}

/// The routers of a Rollout, in the order in which they are written.
#[must_use]
pub fn routers(rollout: &Rollout) -> Vec<Router<'_>> {
    NginxRouter::of(rollout).map(Router::Nginx).into_iter().collect()
}

/// What takes all traffic from the canary at `object`, if it is one of the Rollout with `uid` that gets some. It needs
/// nothing of the Rollout's spec.
#[must_use]
pub fn withdraw(uid: &str, object: &Value) -> Option<Op> {
    nginx::release(uid, object).ok().flatten()
}

impl Router<'_> {
    /// The objects that the router reads or writes.
    #[must_use]
    pub fn observe_keys(&self) -> Vec<ObjectRef> {
        match self {
            Self::Nginx(nginx) => nginx.observe_keys(),
        }
    }

    /// What to write so that the canary gets `weight`; nothing where it has it already. `objects` are those of
    /// [`observe_keys`](Self::observe_keys) that exist.
    pub fn render(&self, objects: &Objects, weight: i32) -> Result<Vec<Op>, TrafficError> {
        match self {
            Self::Nginx(nginx) => nginx.render_all(objects, weight),
        }
    }
}
