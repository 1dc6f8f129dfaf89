//! The API server goes away in the middle of an update, and comes back.

use std::path::Path;
use std::time::Duration;

use serin_clock as clock;
use serin_cluster::kubelet::KubeletSettings;
use tokio::time::Instant;

use crate::rollouts::{SERIN, Stage, behind_nginx};
use crate::support::{eventually, own_plane};

const OUTAGE: Duration = Duration::from_secs(30);
/// How long the controller may take from the return on. What is left of the update needs no new pods, for which the
/// other controllers of the cluster would have to be back, too.
const RECOVERY: Duration = Duration::from_secs(30);

const PAUSED: &str = "Paused: CanaryPauseStep, step 1, weights 50/50
                      pods r1=1 r2=1
                      demo -> r1
                      demo-canary -> r2
                      demo-demo-canary: canary=true canary-weight=50";
const DONE: &str = "Healthy, step 2, weights 0/100
                    pods r1=1 r2=1
                    demo -> r2
                    demo-canary -> r2
                    demo-demo-canary: canary=true canary-weight=0";

#[tokio::test]
async fn an_update_goes_on_after_the_api_server_was_away() {
    let Some(plane) = own_plane().await else { return };
    plane.install().await.unwrap();
    let _kubelet = plane.start_kubelet(KubeletSettings::default()).await.unwrap();
    let mut controller = plane.start_controller(Path::new(SERIN), &[]).unwrap();
    let stage = Stage::new(&plane, "demo").await;
    // The pause ends, and the old pods are due, while nobody can be asked.
    stage.apply(&behind_nginx("10s", 600)).await;
    stage.wait_healthy().await;
    stage.set_image("demo:green").await;
    stage.shows(PAUSED).await;

    let id = controller.id();
    plane.stop_api_server().await.unwrap();
    clock::sleep(OUTAGE).await;
    plane.start_api_server().await.unwrap();
    let back = Instant::now();
    stage.shows_within(RECOVERY, DONE).await;
    eprintln!("the update was over {:?} after the return", back.elapsed());
    assert_eq!((controller.ended().unwrap(), controller.id()), (None, id));

    // It listens again.
    stage.set_image("demo:red").await;
    eventually("the next update begins", RECOVERY, async || {
        let sets = stage.replica_sets().await;
        sets.get(&3).filter(|set| set["spec"]["replicas"] == 1).map(|_| ())
    })
    .await;
    assert_eq!(controller.ended().unwrap(), None);
}
