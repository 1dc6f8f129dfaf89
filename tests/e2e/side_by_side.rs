//! Many cases at a time on one control plane with one controller, each in a namespace of its own.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::path::Path;
use std::pin::Pin;
use std::time::Duration;

use futures::{FutureExt, StreamExt, stream};
use serin_cluster::kubelet::{Background, KubeletSettings};
use serin_testbed::{ControlPlane, Held};

use crate::rollouts::SERIN;
use crate::support::own_plane;

/// How long a change may take on a machine that is busy with all cases. Nothing waits that long where all is well.
pub(crate) const LIMIT: Duration = Duration::from_mins(4);

/// How many cases are played at a time.
const AT_ONCE: usize = 10;

/// A case: its name, and what its user does.
pub(crate) type Case<'a> = (&'a str, Pin<Box<dyn Future<Output = ()> + 'a>>);

/// A control plane with a kubelet and one controller for all namespaces.
pub(crate) struct Field {
    controller: Held,
    _kubelet: Option<Background>,
    pub(crate) plane: ControlPlane,
}

impl Field {
    /// None where there is no control plane to be had.
    pub(crate) async fn start() -> Option<Self> {
        let plane = own_plane().await?;
        plane.install().await.unwrap();
        let kubelet = plane.start_kubelet(KubeletSettings::default()).await.unwrap();
        let args = ["--healthzPort", "0", "--metricsPort", "0", "--leader-elect=false"];
        let controller = plane.start_controller(Path::new(SERIN), &args).unwrap();
        Some(Self { controller, _kubelet: kubelet, plane })
    }

    /// Fails with everything that went wrong, and if the controller did not live through it.
    pub(crate) fn conclude(mut self, failed: &[String], of: usize) {
        assert_eq!(self.controller.ended().unwrap(), None, "the controller has ended");
        assert!(failed.is_empty(), "{} of {of} cases:\n\n{}", failed.len(), failed.join("\n\n"));
    }
}

/// Plays all cases, also after one has failed. `SERIN_CASES="a b"` plays those alone whose names contain one of the words.
pub(crate) async fn play(cases: Vec<Case<'_>>) -> Vec<String> {
    let wanted = std::env::var("SERIN_CASES").unwrap_or_default();
    let is_wanted = |name: &str| wanted.is_empty() || wanted.split(' ').any(|word| name.contains(word));
    let chosen = cases.into_iter().filter(|(name, _)| is_wanted(name));
    let played = stream::iter(chosen).map(async |(name, case)| {
        let failed = AssertUnwindSafe(case).catch_unwind().await.err();
        eprintln!("{} {name}", if failed.is_none() { "passed" } else { "FAILED" });
        failed.map(|panic| format!("{name}: {}", words(panic.as_ref())))
    });
    played.buffer_unordered(AT_ONCE).filter_map(async |failed| failed).collect().await
}

fn words(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    text.or_else(|| panic.downcast_ref::<&str>().map(|&text| text.to_owned())).unwrap_or_default()
}
