//! The live view: the steps, the pods of each revision, and who answers real requests.

use std::collections::{BTreeSet, VecDeque};
use std::fmt::Write as _;
use std::io::IsTerminal;
use std::time::Duration;

use k8s_openapi::api::apps::v1::ReplicaSet;
use k8s_openapi::api::networking::v1::Ingress;
use kube::Api;
use kube::api::ListParams;
use kube::core::DeserializeGuard;

use super::error::PlaygroundError;
use super::picture::{Scene, bars, line, rollout};
use super::screen::{Screen, room};
use super::traffic::Steady;
use super::world::World;
use crate::api::Rollout;
use crate::clock::sleep;
use crate::cluster::data_plane::Tally;

/// How often the view is drawn anew.
const FRAME: Duration = Duration::from_millis(500);
/// How many frames make a second, for which answers are shown.
const FRAMES: usize = 2;
/// How many visitors each host has.
const VISITORS: usize = 4;

/// Shows what goes on until stopped; on a terminal as a picture, else as a line for each change. `hints` says what can be
/// tried.
pub(super) async fn show(world: &World, hints: &str) -> Result<(), PlaygroundError> {
    let _visitors = visit_all(world).await?;
    if std::io::stdout().is_terminal() { picture(world, hints).await } else { lines(world, hints).await }
}

async fn lines(world: &World, hints: &str) -> Result<(), PlaygroundError> {
    println!("{}\n{hints}\nCtrl-C ends it all.\n", introduction(world));
    let mut last = String::new();
    loop {
        let now: String = scenes(world).await?.iter().map(|scene| line(&scene.rollout) + "\n").collect();
        if now != last {
            print!("{now}");
            last = now;
        }
        sleep(FRAME).await;
    }
}

async fn picture(world: &World, hints: &str) -> Result<(), PlaygroundError> {
    let mut screen = Screen::open(std::io::stdout().lock()).map_err(PlaygroundError::Terminal)?;
    let mut tallies = VecDeque::from([world.plane.tally()]);
    loop {
        let (columns, rows) = room();
        let now = world.plane.tally();
        let mut text = format!("{}\n\n", introduction(world));
        for scene in scenes(world).await? {
            let _ = writeln!(text, "{}", rollout(&scene));
        }
        let _ = writeln!(text, "{}", bars(&now.since(&tallies[0]), columns));
        let _ = writeln!(text, "{hints}\nCtrl-C ends it all.");
        screen.show(&text, rows).map_err(PlaygroundError::Terminal)?;
        remember(&mut tallies, now);
        sleep(FRAME).await;
    }
}

fn remember(tallies: &mut VecDeque<Tally>, now: Tally) {
    tallies.push_back(now);
    if tallies.len() > FRAMES {
        tallies.pop_front();
    }
}

fn introduction(world: &World) -> String {
    format!(
        "Kubernetes API {}   ingress http://{}\nexport KUBECONFIG={}",
        world.api_url,
        world.ingress,
        world.kubeconfig.display()
    )
}

/// All Rollouts, with the ReplicaSets of their namespaces.
async fn scenes(world: &World) -> Result<Vec<Scene>, PlaygroundError> {
    let all = ListParams::default();
    // One that cannot be read must not end the view.
    let rollouts = Api::<DeserializeGuard<Rollout>>::all(world.client.clone()).list(&all).await?.items;
    let sets = Api::<ReplicaSet>::all(world.client.clone()).list(&all).await?.items;
    let scene = |rollout: Rollout| Scene { rollout, replica_sets: sets.clone() };
    Ok(rollouts.into_iter().filter_map(|rollout| rollout.0.ok()).map(scene).collect())
}

/// Sends visitors to every host that an Ingress has rules for.
async fn visit_all(world: &World) -> Result<Vec<Steady>, PlaygroundError> {
    let ingresses = Api::<Ingress>::all(world.client.clone()).list(&ListParams::default()).await?.items;
    let rules = ingresses.into_iter().flat_map(|ingress| ingress.spec.and_then(|spec| spec.rules)).flatten();
    let hosts: BTreeSet<String> = rules.filter_map(|rule| rule.host).collect();
    let visitors = hosts.iter().flat_map(|host| (0..VISITORS).map(|_| world.visitor(host).stay()));
    Ok(visitors.collect())
}
