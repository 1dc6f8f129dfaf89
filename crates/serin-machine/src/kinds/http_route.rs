//! HTTPRoutes of Gateway API.

use super::row::{KindRow, named, whole};
use crate::entry::Entry;
use crate::object::RawObject;
use serin_core::domain::plan::ObjectKind;

/// How HTTPRoutes are watched.
pub(super) const ROW: KindRow = named(prune);

/// The status stays: it says which gateways have taken the route over.
fn prune(wire: &mut RawObject) -> Entry {
    whole(ObjectKind::HttpRoute, wire)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_route_keeps_what_gateways_say_of_it() {
        let status = json!({"parents": [{"controllerName": "example.net/gateway"}]});
        let wire = json!({
            "metadata": {"name": "web", "namespace": "shop", "managedFields": [{"manager": "kubectl"}]},
            "spec": {"rules": []},
            "status": status,
        });
        let route = prune(&mut serde_json::from_value(wire).expect("an object")).json().expect("JSON");
        assert_eq!((&route["kind"], &route["status"]), (&json!("HTTPRoute"), &status));
        assert!(route["metadata"].get("managedFields").is_none());
    }
}
