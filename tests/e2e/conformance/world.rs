//! The clusters that scenarios are played on.

use std::time::Duration;

use kube::Client;
use serin_clock::Clock;
use serin_cluster::kubelet::KubeletSettings;

/// A cluster with the controller, and with a kubelet that keeps the recorded times.
pub(crate) trait World {
    /// What it is called in reports.
    const NAME: &'static str;

    /// A client of its administrator.
    async fn client(&self) -> Result<Client, String>;

    /// The time there.
    fn clock(&self) -> Clock;

    /// What the controller has logged so far.
    fn log(&self) -> String;

    /// How the controller ended, if it has.
    fn ended(&self) -> Option<String>;
}

/// A kubelet as it was when the recordings were made.
pub(crate) fn kubelet_settings() -> KubeletSettings {
    KubeletSettings {
        start_latency: Duration::from_millis(2500),
        drain: Duration::ZERO,
        ..KubeletSettings::default()
    }
}
