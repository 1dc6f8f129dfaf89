//! What is kept of a Service.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::object::RawObject;
use serin_core::api::keys;
use serin_core::rollout::snapshot::{Identity, ServiceView};

/// What is kept of a Service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Service {
    selector: Box<[(Box<str>, Box<str>)]>,
    /// The name of the Rollout that it says it is managed by.
    pub managed_by: Option<Box<str>>,
}

impl Service {
    /// What is kept of `wire`.
    pub(crate) fn of(wire: &RawObject) -> Self {
        let selector = wire.spec.get("selector").and_then(Value::as_object);
        let pair = |(key, value): (&String, &Value)| Some((key.as_str().into(), value.as_str()?.into()));
        let manager = wire.metadata.annotations.as_ref().and_then(|all| all.get(keys::MANAGED_BY_ROLLOUTS));
        Self {
            selector: selector.into_iter().flatten().filter_map(pair).collect(),
            managed_by: manager.map(|name| name.as_str().into()),
        }
    }

    /// What decisions read of the Service of that entry.
    #[must_use]
    pub fn view(&self, id: &Identity) -> ServiceView {
        let pair = |(key, value): &(Box<str>, Box<str>)| (key.to_string(), value.to_string());
        ServiceView {
            id: id.clone(),
            selector: self.selector.iter().map(pair).collect::<BTreeMap<_, _>>(),
            managed_by: self.managed_by.as_deref().map(str::to_owned),
        }
    }
}
