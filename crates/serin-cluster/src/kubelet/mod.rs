//! A kubelet without a node: it binds pods, makes them ready after a while, lets jobs end, and removes what is deleted,
//! by requests to any Kubernetes API, and runs nothing.
//!
//! [`step`] decides about one pod, purely; [`Node`] keeps all pods and what is due, without a clock or requests; [`run`]
//! connects it to an API. What a pod "does" is read from its spec ([`behaviour`]). Readiness goes by the probes' delays;
//! a real probe reports through [`Node::probed`], and with [`run_probed`] no server is ready before one has.

pub mod behaviour;
mod driver;
mod life;
mod node;
mod settings;
mod status;
mod step;
#[cfg(test)]
mod tests;

pub use driver::{Background, Probed, run, run_probed};
pub use life::PodLife;
pub use node::{Node, Outcome};
pub use settings::KubeletSettings;
pub use step::{PodKey, Request, Step, step};
