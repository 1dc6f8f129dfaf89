//! The requests of actors, and the Events that tell of them.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::api::request::{Options, PatchType, Request, Target, Verb};
use crate::view::{Object, Place, View};
use serin_values::owner::controller_reference;

/// The name of the field manager and user agent that the actors write as: that of the program whose part they play.
pub const FIELD_MANAGER: &str = "kube-controller-manager";

/// A request of an actor.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    /// The request.
    pub request: Request,
    /// What it is about.
    pub place: Place,
    /// The Event to send when it is answered.
    pub report: Option<Report>,
}

/// The Event that tells how a request went.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// `involvedObject`.
    pub about: Value,
    /// The controller that speaks.
    pub component: &'static str,
    /// Reason and message where it went well; `{}` in the message stands for the name in the answer.
    pub done: Option<(&'static str, String)>,
    /// Reason and beginning of the message where it was refused; the refusal follows.
    pub refused: Option<(&'static str, String)>,
}

impl Report {
    /// A report about `object` by `component`, which says nothing yet.
    pub(super) fn new(object: &Object, component: &'static str) -> Self {
        Self { about: reference(object), component, done: None, refused: None }
    }

    pub(super) fn done(mut self, reason: &'static str, message: impl Into<String>) -> Self {
        self.done = Some((reason, message.into()));
        self
    }

    pub(super) fn refused(mut self, reason: &'static str, message: impl Into<String>) -> Self {
        self.refused = Some((reason, message.into()));
        self
    }
}

fn reference(object: &Object) -> Value {
    json!({
        "apiVersion": object.at("/apiVersion"),
        "kind": object.at("/kind"),
        "namespace": object.at("/metadata/namespace"),
        "name": object.name(),
        "uid": object.uid(),
        "resourceVersion": object.resource_version(),
    })
}

impl Call {
    fn new(view: &View, verb: Verb, place: &Place, body: Value) -> Self {
        let (plural, group) = place.parts();
        let version = view.resource(&place.resource).map_or("v1", |resource| resource.version.as_str());
        let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let target = Target {
            group: group.to_owned(),
            version: version.to_owned(),
            resource: plural.to_owned(),
            namespace: some(&place.namespace),
            name: some(&place.name),
            subresource: None,
        };
        let options = Options { field_manager: FIELD_MANAGER.to_owned(), ..Options::default() };
        let request = Request { verb, target, options, body, ..Request::default() };
        Self { request, place: place.clone(), report: None }
    }

    /// Reads the object at `place`.
    pub(super) fn get(view: &View, place: &Place) -> Self {
        Self::new(view, Verb::Get, place, Value::Null)
    }

    /// Makes an object in `namespace`.
    pub(super) fn create(view: &View, resource: &str, namespace: &str, body: Value) -> Self {
        Self::new(view, Verb::Create, &Place::new(resource, namespace, ""), body)
    }

    /// Replaces the object at `place`; the body says which version.
    pub(super) fn update(view: &View, place: &Place, body: Value) -> Self {
        Self::new(view, Verb::Update, place, body)
    }

    /// Changes `object`, provided that it is still as it was seen. Null removes a field.
    pub(super) fn patch(view: &View, place: &Place, object: &Object, mut body: Value) -> Self {
        body["metadata"]["uid"] = object.uid().into();
        body["metadata"]["resourceVersion"] = object.resource_version().into();
        let mut call = Self::new(view, Verb::Patch, place, body);
        call.request.patch_type = Some(PatchType::Merge);
        call
    }

    /// Changes the status of `object`, provided that it is still as it was seen.
    pub(super) fn patch_status(view: &View, place: &Place, object: &Object, status: &Value) -> Self {
        Self::patch(view, place, object, json!({"status": status})).through_status()
    }

    /// Goes through the status of the object: a change there, such as that of an annotation, is no new generation.
    pub(super) fn through_status(mut self) -> Self {
        self.request.target.subresource = Some("status".to_owned());
        self
    }

    /// Deletes `object`, and no other of the same name.
    pub(super) fn delete(view: &View, place: &Place, object: &Object, policy: Option<&str>) -> Self {
        let mut body =
            json!({"apiVersion": "v1", "kind": "DeleteOptions", "preconditions": {"uid": object.uid()}});
        if let Some(policy) = policy {
            body["propagationPolicy"] = policy.into();
        }
        let mut call = Self::new(view, Verb::Delete, place, body);
        call.request.options.propagation_policy = policy.map(str::to_owned);
        call
    }

    /// Deletes all objects of a resource in `namespace`.
    pub(super) fn delete_all(view: &View, resource: &str, namespace: &str) -> Self {
        Self::new(view, Verb::DeleteCollection, &Place::new(resource, namespace, ""), Value::Null)
    }

    /// Through this subresource.
    pub(super) fn through(mut self, subresource: &str) -> Self {
        self.request.target.subresource = Some(subresource.to_owned());
        self
    }

    /// With an Event about how it went.
    pub(super) fn reporting(mut self, report: Report) -> Self {
        self.report = Some(report);
        self
    }

    /// The Event that `report` makes of an answer: `outcome` is the answered object or the refusal.
    pub(super) fn event(
        view: &View,
        report: &Report,
        outcome: Result<&Value, &str>,
        now: Timestamp,
        number: u64,
    ) -> Option<Self> {
        let (kind, reason, message) = match (outcome, &report.done, &report.refused) {
            (Ok(object), Some((reason, message)), _) => {
                let name = object["metadata"]["name"].as_str().unwrap_or_default();
                ("Normal", reason, message.replace("{}", name))
            }
            (Err(refusal), _, Some((reason, message))) => ("Warning", reason, format!("{message}{refusal}")),
            (Ok(_), None, _) | (Err(_), _, None) => return None,
        };
        // Endings are failures, whatever request tells of them.
        let is_bad = matches!(*reason, "BackoffLimitExceeded" | "DeadlineExceeded");
        let kind = if is_bad { "Warning" } else { kind };
        let namespace = report.about["namespace"].as_str().unwrap_or("default");
        let name = report.about["name"].as_str().unwrap_or_default();
        let time = k8s_openapi::apimachinery::pkg::apis::meta::v1::Time(now);
        let moment = u64::try_from(now.as_nanosecond()).unwrap_or_default().wrapping_add(number);
        let body = json!({
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"namespace": namespace, "name": format!("{name}.{moment:x}")},
            "involvedObject": report.about,
            "type": kind,
            "reason": reason,
            "message": message,
            "source": {"component": report.component},
            "reportingComponent": report.component,
            "reportingInstance": "",
            "firstTimestamp": time,
            "lastTimestamp": time,
            "count": 1,
        });
        Some(Self::create(view, "events", namespace, body))
    }
}

/// The `metadata.ownerReferences` entry of what `owner` controls.
pub(super) fn controlled_by(owner: &Object) -> Value {
    controller_reference(owner.text("/apiVersion"), owner.text("/kind"), owner.name(), owner.uid())
}

/// A count for a status: one that is zero is left out, as the API does.
pub(super) fn nonzero(count: i64) -> Value {
    if count == 0 { Value::Null } else { count.into() }
}

/// Whether merging `patch` into `present` changes nothing.
pub(super) fn is_merged(present: &Value, patch: &Value) -> bool {
    match patch {
        Value::Object(fields) => fields.iter().all(|(name, value)| {
            let old = present.get(name).unwrap_or(&Value::Null);
            is_merged(old, value)
        }),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            present == patch
        }
    }
}

/// `conditions` with the one of `kind` as given; its transition time moves only with its status.
pub(super) fn with_condition(
    conditions: &[Value],
    kind: &str,
    (status, reason, message): (&str, &str, &str),
    now: Timestamp,
) -> Vec<Value> {
    let old = conditions.iter().find(|condition| condition["type"] == kind);
    let time = old
        .filter(|old| old["status"] == status)
        .map_or_else(|| json!(seconds(now)), |old| old["lastTransitionTime"].clone());
    let new = json!({"type": kind, "status": status, "reason": reason, "message": message, "lastTransitionTime": time});
    let mut conditions = conditions.to_vec();
    match conditions.iter_mut().find(|condition| condition["type"] == kind) {
        Some(condition) => {
            for (field, value) in new.as_object().into_iter().flatten() {
                condition[field] = value.clone();
            }
        }
        None => conditions.push(new),
    }
    conditions
}

/// The whole second that `time` is in, as the API writes it.
pub(super) fn seconds(time: Timestamp) -> String {
    Timestamp::from_second(time.as_second()).unwrap_or(time).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_patch_that_changes_nothing_is_known() {
        let present = json!({"replicas": 2, "conditions": [{"type": "A"}]});
        assert!(is_merged(&present, &json!({"replicas": 2, "readyReplicas": null})));
        assert!(!is_merged(&present, &json!({"replicas": 3})));
        assert!(!is_merged(&present, &json!({"conditions": []})));
        assert!(is_merged(&Value::Null, &json!({"a": null})));
    }

    #[test]
    fn a_condition_keeps_its_time_while_its_status_stays() {
        let old = vec![
            json!({"type": "A", "status": "True", "reason": "x", "lastTransitionTime": "1970-01-01T00:00:01Z"}),
        ];
        let now = Timestamp::from_second(9).unwrap();
        let same = with_condition(&old, "A", ("True", "y", ""), now);
        assert_eq!(
            (&same[0]["reason"], &same[0]["lastTransitionTime"]),
            (&json!("y"), &old[0]["lastTransitionTime"])
        );
        let changed = with_condition(&old, "A", ("False", "y", ""), now);
        assert_eq!(changed[0]["lastTransitionTime"], "1970-01-01T00:00:09Z");
    }
}
