//! The bodies of patches and deletions, drawn by a seed.

use serde_json::{Value, json};

use super::changes::pick;
use super::draw::Draw;
use super::operation::{Change, OLD_VERSION, UID, VERSION, put};

impl Draw {
    /// The changes as an object; those within lists are left out.
    pub(super) fn merge(&mut self, changes: &[Change]) -> Value {
        let mut body = json!({});
        for change in
            changes.iter().filter(|change| !change.path.contains("/0/") && !change.path.contains("/1/"))
        {
            put(&mut body, change);
        }
        self.add_version(&mut body);
        body
    }

    pub(super) fn add_version(&mut self, body: &mut Value) {
        let version = match self.rng.next() % 8 {
            0 => VERSION,
            1 => OLD_VERSION,
            _ => return,
        };
        if body["metadata"].is_object() || body["metadata"].is_null() {
            body["metadata"]["resourceVersion"] = version.into();
        }
    }

    pub(super) fn strategic(&mut self, changes: &[Change]) -> Value {
        let mut body = self.merge(changes);
        let directives = [
            ("/spec/containers", json!([{"name": "side", "$patch": "delete"}])),
            ("/spec/template/spec/containers", json!([{"name": "side", "$patch": "delete"}])),
            (
                "/spec/template/spec/containers",
                json!([{"name": "only", "image": "o"}, {"$patch": "replace"}]),
            ),
            (
                "/spec/template/spec",
                json!({"$setElementOrder/containers": [{"name": "side"}, {"name": "main"}]}),
            ),
            ("/metadata/$deleteFromPrimitiveList~1finalizers", json!(["x.io/hold"])),
            ("/metadata/labels", json!({"$patch": "replace", "app": "b"})),
            ("/spec/ports", json!([{"port": 81, "name": "more"}])),
            ("/spec/ports", json!([{"port": 80, "$patch": "delete"}])),
            ("/spec/template/spec/containers", json!([{"image": "nameless"}])),
        ];
        if self.chance(40) {
            let (path, value) = pick(&mut self.rng, &directives);
            put(&mut body, &Change { path, value });
        }
        body
    }

    pub(super) fn json_patch(&mut self, changes: &[Change], name: &str) -> Value {
        let mut steps = Vec::new();
        if self.chance(30) {
            let value = if self.chance(70) { name } else { "nobody" };
            steps.push(json!({"op": "test", "path": "/metadata/name", "value": value}));
        }
        for Change { path, value } in changes {
            let op = match (value.is_null(), self.rng.next() % 3) {
                (true, _) => "remove",
                (false, 0) => "replace",
                (false, _) => "add",
            };
            steps.push(if value.is_null() {
                json!({"op": op, "path": path})
            } else {
                json!({"op": op, "path": path, "value": value})
            });
        }
        let others = [
            json!({"op": "test", "path": "/metadata/labels/app", "value": "a"}),
            json!({"op": "copy", "from": "/metadata/labels/app", "path": "/metadata/labels/tier"}),
            json!({"op": "move", "from": "/metadata/labels/app", "path": "/metadata/labels/moved"}),
            json!({"op": "add", "path": "/metadata/finalizers/-", "value": "x.io/added"}),
            json!({"op": "remove", "path": "/metadata/nothing"}),
            json!({"op": "other", "path": "/metadata/labels"}),
            json!({"op": "test", "path": "/metadata/resourceVersion", "value": VERSION}),
        ];
        if self.chance(30) {
            steps.push(pick(&mut self.rng, &others));
        }
        steps.into()
    }

    /// The options of a deletion.
    pub(super) fn delete_options(&mut self) -> Value {
        let options = [
            Value::Null,
            Value::Null,
            Value::Null,
            json!({}),
            json!({"gracePeriodSeconds": 0}),
            json!({"gracePeriodSeconds": 5}),
            json!({"gracePeriodSeconds": -1}),
            json!({"propagationPolicy": "Background"}),
            json!({"propagationPolicy": "Foreground"}),
            json!({"propagationPolicy": "Orphan"}),
            json!({"propagationPolicy": "Sometimes"}),
            json!({"orphanDependents": true}),
            json!({"orphanDependents": false, "propagationPolicy": "Orphan"}),
            json!({"preconditions": {"uid": UID}}),
            json!({"preconditions": {"uid": "wrong"}}),
            json!({"preconditions": {"resourceVersion": VERSION}}),
            json!({"preconditions": {"resourceVersion": OLD_VERSION}}),
            json!({"apiVersion": "v1", "kind": "DeleteOptions", "gracePeriodSeconds": 1}),
            json!({"dryRun": ["All"]}),
            json!({"dryRun": ["Some"]}),
            json!({"gracePeriodSeconds": "x"}),
        ];
        pick(&mut self.rng, &options)
    }
}
