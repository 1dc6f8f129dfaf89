//! Mistakes in pod templates, and what is nearly one; the controller and a real API server have to agree on each.

use serde::Deserialize;
use serde_json::Value;

/// A mistake in a template, or what is nearly one.
#[derive(Deserialize)]
pub(crate) struct Mistake {
    /// Fields of the pod's spec.
    #[serde(default)]
    pub(crate) spec: Value,
    /// Fields of its container.
    #[serde(default)]
    pub(crate) container: Value,
    /// Where the mistake is; absent where there is none.
    pub(crate) at: Option<String>,
}

/// All of them.
pub(crate) fn mistakes() -> Vec<Mistake> {
    serde_yaml::from_str(include_str!("../vectors/template-mistakes.yaml")).expect("mistakes")
}
