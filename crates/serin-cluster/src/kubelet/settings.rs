//! The settings of a kubelet.

use std::time::Duration;

/// How the kubelet acts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KubeletSettings {
    /// From the binding of a pod until its containers run; 2.5 s by default, so that what happens in between can be seen.
    pub start_latency: Duration,
    /// From the deletion of a pod until its object goes; 1 s by default, for the same reason.
    pub drain: Duration,
    /// The name of the node that it registers and binds pods to; `node` by default.
    pub node_name: String,
}

impl Default for KubeletSettings {
    fn default() -> Self {
        Self {
            start_latency: Duration::from_millis(2500),
            drain: Duration::from_secs(1),
            node_name: "node".to_owned(),
        }
    }
}
