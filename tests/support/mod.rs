//! The cluster that the tests of one binary share.

#![allow(dead_code, reason = "each test binary uses some of it")]

use std::time::Duration;

use serin_clock as clock;
use serin_cluster::kubelet::{Background, KubeletSettings};
use serin_testbed::{ControlPlane, PlaneError};
use tokio::sync::OnceCell;
use tokio::time::Instant;

/// A control plane with a kubelet, and with what `crds/` and `deploy/` install.
pub(crate) struct Cluster {
    // Stops before the control plane does.
    _kubelet: Option<Background>,
    pub(crate) plane: ControlPlane,
}

/// The cluster of this test binary, started by the first test that asks. `None`, after saying why and what would help,
/// where there is none to be had; with `CI=true` that is a failure.
pub(crate) async fn cluster() -> Option<&'static Cluster> {
    static CLUSTER: OnceCell<Result<Cluster, PlaneError>> = OnceCell::const_new();
    or_skip(CLUSTER.get_or_init(start).await.as_ref())
}

/// A control plane for one test alone, without kubelet and installation. `None` where there is none to be had, and where
/// the only one was there before.
pub(crate) async fn own_plane() -> Option<ControlPlane> {
    let started = ControlPlane::start().await;
    or_skip(started.as_ref())?;
    started.ok().filter(|plane| !plane.is_borrowed())
}

fn or_skip<T>(started: Result<T, &PlaneError>) -> Option<T> {
    started.map_err(skip).ok()
}

/// Says why a test is skipped and what would help; with `CI=true`, or where something is broken, it is a failure.
pub(crate) fn skip(error: &PlaneError) {
    let is_ci = std::env::var("CI").is_ok_and(|value| value == "true");
    match error {
        PlaneError::Failed(why) => panic!("the control plane did not start: {why}"),
        PlaneError::Unavailable(why) if is_ci => panic!("CI=true does not allow a skip: {why}"),
        PlaneError::Unavailable(why) => eprintln!("\n*** SKIPPED: {why}\n"),
    }
}

async fn start() -> Result<Cluster, PlaneError> {
    let plane = ControlPlane::start().await?;
    plane.install().await?;
    let kubelet = plane.start_kubelet(KubeletSettings::default()).await?;
    Ok(Cluster { _kubelet: kubelet, plane })
}

/// Asks again and again until the answer is `Some`, which it returns; panics with `what` after `limit`.
pub(crate) async fn eventually<T, F: Future<Output = Option<T>>>(
    what: &str,
    limit: Duration,
    mut ask: impl FnMut() -> F,
) -> T {
    let deadline = Instant::now() + limit;
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(Instant::now() < deadline, "not within {limit:?}: {what}");
        clock::sleep(Duration::from_millis(50)).await;
    }
}
