//! What ingress-nginx would not do with a canary Ingress, although Kubernetes accepts it.
//!
//! ingress-nginx ignores a canary Ingress with an annotation that it finds malformed, and one whose Service already
//! serves as a primary; all traffic then stays on stable and nothing says why. These findings say it. They are
//! advice and not errors: older versions, and those started without annotation validation, are more lenient.

use std::fmt;

use serde_json::Value;

use super::router::NginxRouter;
use super::{annotations, rules};

/// A setting that keeps ingress-nginx from sending traffic to the canary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Advice {
    /// Where the setting is: a path in the Rollout, or an Ingress.
    pub field: String,
    /// Its value.
    pub value: String,
    /// What ingress-nginx makes of it, and what would be right.
    pub problem: String,
}

impl fmt::Display for Advice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {:?}: {}", self.field, self.value, self.problem)
    }
}

/// What ingress-nginx would not do with the canary Ingress that belongs to `stable`.
#[must_use]
pub fn advice(router: &NginxRouter<'_>, stable: &Value) -> Vec<Advice> {
    let Ok(annotations) = annotations::desired(router, stable, 0) else {
        return Vec::new();
    };
    let texts = annotations.iter().filter_map(|(key, value)| Some((key.as_str(), value.as_str()?)));
    texts
        .filter_map(|(key, value)| about_annotation(router.annotation_prefix, key, value))
        .chain(about_canary_service(router, stable))
        .collect()
}

fn about_annotation(prefix: &str, key: &str, value: &str) -> Option<Advice> {
    let name = key.strip_prefix(prefix)?.strip_prefix('/')?;
    let problem = if value.contains(['\r', '\n']) {
        "ingress-nginx refuses values with line breaks; write it on one line"
    } else {
        match name {
            "canary-by-header" | "canary-by-header-value" | "canary-by-cookie" => {
                let allowed = |c: char| c.is_ascii_alphanumeric() || " -._~/:".contains(c);
                if value.chars().all(allowed) {
                    return None;
                }
                "ingress-nginx accepts letters, digits and - . _ ~ / : here"
            }
            "canary-by-header-pattern" => {
                let allowed = |c: char| c.is_ascii_alphanumeric() || r"-._~/:^$[](){}*+?|&=\".contains(c);
                if value.chars().all(allowed) {
                    return None;
                }
                r"ingress-nginx accepts letters, digits and - . _ ~ / : ^ $ [ ] ( ) { } * + ? | & = \ here, and no spaces"
            }
            other if other.starts_with("canary") => return None,
            other => return about_primary_setting(key, other, value),
        }
    };
    Some(Advice { field: format!("annotation {key}"), value: value.to_owned(), problem: problem.to_owned() })
}

/// Of the settings that are not about canaries, ingress-nginx reads three from a canary Ingress and the rest from
/// the primary.
fn about_primary_setting(key: &str, name: &str, value: &str) -> Option<Advice> {
    let read_from_canary = name == "load-balance"
        || name.starts_with("upstream-hash-by")
        || name.starts_with("affinity")
        || name.starts_with("session-cookie");
    let advice = Advice {
        field: format!("annotation {key}"),
        value: value.to_owned(),
        problem: "ingress-nginx takes this setting from the stable Ingress and ignores it on a canary; set it there"
            .to_owned(),
    };
    (!read_from_canary).then_some(advice)
}

/// A Service that is a backend of a primary Ingress cannot be an alternative of another one.
fn about_canary_service(router: &NginxRouter<'_>, stable: &Value) -> Option<Advice> {
    rules::uses_service(stable, router.canary_service).then(|| Advice {
        field: format!(
            "backends of ingress `{}`",
            stable.pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default()
        ),
        value: router.canary_service.to_owned(),
        problem: format!(
            "ingress-nginx sends no weighted traffic to a Service that an ordinary Ingress also uses; remove the path \
             to {}, or give it another Service with the same selector",
            router.canary_service
        ),
    })
}
