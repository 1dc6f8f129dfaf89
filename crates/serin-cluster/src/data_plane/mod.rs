//! Real traffic in an embedded cluster: pods that listen and answer, and an ingress proxy in front of them.
//!
//! Each pod listens on a loopback address of its own ([`loopback`]); its status shows another, since the Kubernetes API
//! takes no loopback address for an endpoint. [`Directory`] leads from the one to the other. What a pod answers
//! ([`persona`]), what is to listen ([`pods`]), what the proxy is told to do ([`config`]) and where it sends a request
//! ([`route`]) are pure functions; [`run`] connects them to an API and to sockets.

pub mod config;
mod directory;
mod driver;
pub mod persona;
pub mod pods;
mod probe;
mod proxy;
pub mod route;
mod server;
mod tally;

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

pub use directory::{Directory, Identity};
pub use driver::{DataPlane, run};
pub use tally::{Count, Origin, Tally};

/// How the data plane acts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Where the ingress proxy listens; 127.0.0.1 and a free port by default.
    pub ingress: SocketAddr,
    /// From a change of an Ingress, a Service or its endpoints until the proxy acts on it; 100 ms by default.
    pub delay: Duration,
    /// The second number of the loopback addresses that the first pods get: 127.NETWORK.0.1; 244 by default. Two
    /// clusters on one machine need different ones.
    pub network: u8,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            ingress: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            delay: Duration::from_millis(100),
            network: 244,
        }
    }
}

/// The loopback address at which a pod listens whose status shows `address`, which is one of 10.244.0.0 and following.
#[must_use]
pub fn loopback(address: Ipv4Addr, network: u8) -> Ipv4Addr {
    let [_, second, third, fourth] = address.octets();
    // 127.0.x.y is where everything else listens.
    let second = network.wrapping_add(second.wrapping_sub(244)).max(1);
    Ipv4Addr::new(127, second, third, fourth)
}

#[cfg(test)]
mod embedded_tests;
#[cfg(test)]
mod traffic_tests;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_pods_have_loopback_counterparts() {
        let at = |a, b, c, d| Ipv4Addr::new(a, b, c, d);
        assert_eq!(loopback(at(10, 244, 3, 7), 244), at(127, 244, 3, 7));
        assert_eq!(loopback(at(10, 245, 0, 1), 100), at(127, 101, 0, 1));
        assert_eq!(loopback(at(10, 245, 0, 1), 255), at(127, 1, 0, 1));
    }
}
