//! A kubelet without a node: it binds pods, makes them ready after a while, lets jobs end, and removes what is deleted,
//! by requests to any Kubernetes API, and runs nothing.
//!
//! [`step`] decides about one pod, purely; [`Node`] keeps all pods and what is due, without a clock or requests; [`run`]
//! connects it to an API. What a pod "does" is read from its spec ([`behaviour`]). Readiness goes by the probes' delays;
//! a real probe reports through [`Node::probed`], and with [`run_probed`] no server is ready before one has.

pub mod behaviour;
mod driver;
mod node;
mod status;
mod step;
#[cfg(test)]
mod tests;

use std::time::Duration;

pub use driver::{Background, Probed, run, run_probed};
pub use node::{Node, Outcome};
pub use step::{PodKey, PodLife, Request, Step, step};

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
