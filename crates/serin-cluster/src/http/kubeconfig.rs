//! The file by which clients find the server.

use k8s_openapi::ByteString;
use serde_json::{Value, json};

/// The text of a kubeconfig for the server at `url`. `authority` is a certificate as PEM.
pub(super) fn text(url: &str, authority: Option<&str>, token: Option<&str>) -> String {
    let mut cluster = json!({"server": url});
    if let Some(authority) = authority {
        let bytes = ByteString(authority.as_bytes().to_vec());
        cluster["certificate-authority-data"] = serde_json::to_value(bytes).unwrap_or(Value::Null);
    }
    let user = token.map_or_else(|| json!({}), |token| json!({"token": token}));
    let name = "serin";
    let config = json!({
        "apiVersion": "v1", "kind": "Config", "current-context": name,
        "clusters": [{"name": name, "cluster": cluster}],
        "users": [{"name": name, "user": user}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": name, "namespace": "default"}}],
    });
    serde_yaml::to_string(&config).unwrap_or_default()
}
