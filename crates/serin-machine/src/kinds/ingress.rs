//! Ingresses without their status.

use serde_json::{Value, json};

use super::row::{Demand, KindRow, named};
use crate::content::Content;
use crate::entry::{Entry, Owner};
use crate::object::RawObject;
use crate::packed::Packed;

/// How Ingresses are watched.
pub(super) const ROW: KindRow = KindRow { demand: Demand::Always, differs, ..named(prune) };

/// The parts of the metadata that routers read.
const READ_METADATA: [&str; 5] = ["uid", "labels", "annotations", "ownerReferences", "deletionTimestamp"];

fn prune(wire: &mut RawObject) -> Entry {
    let managed_fields = wire.metadata.managed_fields.take();
    wire.slim();
    let owner = Owner::of(&wire.metadata).filter(Owner::is_rollout);
    if owner.is_some() {
        // Who set an annotation decides whether it may be taken away again.
        wire.metadata.managed_fields = managed_fields;
    }
    let object = json!({
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": wire.metadata,
        "spec": wire.spec,
    });
    Entry { owner, ..Entry::new(wire, Content::Json(Packed::new(&object))) }
}

fn differs(now: &Entry, before: &Entry) -> bool {
    let (now, before) = (now.json().unwrap_or_default(), before.json().unwrap_or_default());
    let of = |object: &Value, field: &str| object["metadata"].get(field).cloned();
    now["spec"] != before["spec"]
        || READ_METADATA.into_iter().any(|field| of(&now, field) != of(&before, field))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ingress_loses_its_status_and_differs_by_what_routers_read() {
        let ingress = |version: &str, weight: &str| {
            let wire = json!({
                "metadata": {"name": "i", "uid": "u", "resourceVersion": version, "annotations": {"weight": weight},
                    "managedFields": [{"manager": "m"}]},
                "spec": {"ingressClassName": "nginx"},
                "status": {"loadBalancer": {}},
            });
            prune(&mut serde_json::from_value(wire).expect("an object"))
        };
        let entry = ingress("1", "5");
        let object = entry.json().expect("an object");
        assert!(object.get("status").is_none() && object["metadata"].get("managedFields").is_none());
        assert!(!differs(&ingress("2", "5"), &entry) && differs(&ingress("2", "6"), &entry));
    }
}
