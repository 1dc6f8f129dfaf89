//! Questions about rights: everything is allowed.

use serde_json::{Value, json};

use crate::api::request::{Request, Verb};

/// The answer to a review; none where the request is about something else.
pub(super) fn answer(request: &Request) -> Option<Value> {
    let group = request.target.group.as_str();
    if request.verb != Verb::Create || !matches!(group, "authorization.k8s.io" | "authentication.k8s.io") {
        return None;
    }
    let (kind, status) = match request.target.resource.as_str() {
        "selfsubjectaccessreviews" => ("SelfSubjectAccessReview", allowed()),
        "subjectaccessreviews" => ("SubjectAccessReview", allowed()),
        "localsubjectaccessreviews" => ("LocalSubjectAccessReview", allowed()),
        "selfsubjectrulesreviews" => ("SelfSubjectRulesReview", rules()),
        "selfsubjectreviews" => ("SelfSubjectReview", json!({"userInfo": user()})),
        _ => return None,
    };
    let mut review = match &request.body {
        Value::Object(_) => request.body.clone(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => json!({}),
    };
    review["kind"] = kind.into();
    review["apiVersion"] = format!("{group}/{}", request.target.version).into();
    review["status"] = status;
    Some(review)
}

fn allowed() -> Value {
    json!({"allowed": true, "reason": "every request is allowed here"})
}

fn rules() -> Value {
    json!({
        "incomplete": false,
        "resourceRules": [{"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}],
        "nonResourceRules": [{"verbs": ["*"], "nonResourceURLs": ["*"]}],
    })
}

fn user() -> Value {
    json!({"username": "admin", "groups": ["system:masters", "system:authenticated"]})
}
