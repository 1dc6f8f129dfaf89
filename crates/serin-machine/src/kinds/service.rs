//! Services, of which selector and manager are kept.

use super::row::{Demand, KindRow, named};
use crate::content::{Content, Service};
use crate::entry::Entry;
use crate::object::RawObject;

/// How Services are watched.
pub(super) const ROW: KindRow = KindRow { demand: Demand::Always, differs, ..named(prune) };

fn prune(wire: &mut RawObject) -> Entry {
    let service = Service::of(wire);
    Entry { owner: None, ..Entry::new(wire, Content::Service(Box::new(service))) }
}

fn differs(now: &Entry, before: &Entry) -> bool {
    now.id.uid != before.id.uid || now.service() != before.service()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;

    use super::*;

    #[test]
    fn a_service_keeps_selector_and_manager() {
        let wire = json!({
            "metadata": {"name": "s", "annotations": {"argo-rollouts.argoproj.io/managed-by-rollouts": "web"}},
            "spec": {"selector": {"app": "web"}, "clusterIP": "10.0.0.1"},
        });
        let entry = prune(&mut serde_json::from_value(wire).expect("an object"));
        let view = entry.service().expect("a Service").view(&entry.id);
        assert_eq!(view.managed_by.as_deref(), Some("web"));
        assert_eq!(view.selector, BTreeMap::from([("app".to_owned(), "web".to_owned())]));
    }
}
