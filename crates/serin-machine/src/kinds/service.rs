//! Services, of which selector and manager are kept.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Demand, Extent, KindRow, every};
use crate::entry::{Content, Entry};
use crate::object::RawObject;
use crate::trigger;
use serin_core::api::keys;
use serin_core::rollout::snapshot::{Identity, ServiceView};

/// How Services are watched.
pub(super) const ROW: KindRow = KindRow {
    demand: Demand::Always,
    extent: Extent::Whole,
    labels: every,
    prune,
    differs,
    watchers: trigger::namers_and_owner,
    decide: None,
};

/// What is kept of a Service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Service {
    selector: Box<[(Box<str>, Box<str>)]>,
    /// The name of the Rollout that it says it is managed by.
    pub managed_by: Option<Box<str>>,
}

impl Service {
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

fn prune(wire: RawObject) -> Entry {
    let selector = wire.spec.get("selector").and_then(Value::as_object);
    let pair = |(key, value): (&String, &Value)| Some((key.as_str().into(), value.as_str()?.into()));
    let annotations = wire.metadata.annotations.as_ref();
    let service = Service {
        selector: selector.into_iter().flatten().filter_map(pair).collect(),
        managed_by: annotations
            .and_then(|all| all.get(keys::MANAGED_BY_ROLLOUTS))
            .map(|name| name.as_str().into()),
    };
    Entry { owner: None, ..Entry::new(&wire, Content::Service(Box::new(service))) }
}

fn differs(now: &Entry, before: &Entry) -> bool {
    now.id.uid != before.id.uid || now.service() != before.service()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_service_keeps_selector_and_manager() {
        let wire = json!({
            "metadata": {"name": "s", "annotations": {"argo-rollouts.argoproj.io/managed-by-rollouts": "web"}},
            "spec": {"selector": {"app": "web"}, "clusterIP": "10.0.0.1"},
        });
        let entry = prune(serde_json::from_value(wire).expect("an object"));
        let view = entry.service().expect("a Service").view(&entry.id);
        assert_eq!(view.managed_by.as_deref(), Some("web"));
        assert_eq!(view.selector, BTreeMap::from([("app".to_owned(), "web".to_owned())]));
    }
}
