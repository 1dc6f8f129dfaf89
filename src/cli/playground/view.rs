//! The live view: steps, pods of each revision, and answers to real requests.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt::Write as _;
use std::io::{IsTerminal, Write as _};
use std::time::Duration;

use k8s_openapi::api::apps::v1::ReplicaSet;
use k8s_openapi::api::networking::v1::Ingress;
use kube::Api;
use kube::api::ListParams;
use kube::core::DeserializeGuard;
use tokio::task::JoinSet;

use super::error::PlaygroundError;
use super::picture::{Scene, bars, line, rollout};
use super::world::World;
use crate::cli::screen::{Screen, room};
use serin_clock::sleep;
use serin_cluster::data_plane::Tally;
use serin_core::api::Rollout;

/// Interval for redrawing.
const FRAME: Duration = Duration::from_millis(500);
/// Frames per second; answers are shown per second.
const FRAMES: usize = 2;
/// Number of clients per host.
const VISITORS: usize = 4;

/// Shows the state until stopped: as a picture on a terminal, otherwise one line per change. `hints` lists commands
/// to try.
pub(super) async fn show(world: &World, hints: &str) -> Result<(), PlaygroundError> {
    let visitors = visit_all(world);
    let shown = async {
        if std::io::stdout().is_terminal() {
            picture(world, || hints.to_owned()).await
        } else {
            lines(world, hints).await
        }
    };
    tokio::select! {
        Err(error) = visitors => Err(error),
        shown = shown => shown,
    }
}

async fn lines(world: &World, hints: &str) -> Result<(), PlaygroundError> {
    let print = |text: &str| std::io::stdout().write_all(text.as_bytes()).map_err(PlaygroundError::Terminal);
    print(&format!("{}\n{hints}\n\n", introduction(world, hosts(world).await?.first())))?;
    let mut last = String::new();
    loop {
        let now: String = scenes(world).await?.iter().map(|scene| line(&scene.rollout) + "\n").collect();
        if now != last {
            print(&now)?;
            last = now;
        }
        sleep(FRAME).await;
    }
}

/// Draws everything on the terminal, with the text of `below` under it.
pub(super) async fn picture(world: &World, below: impl Fn() -> String) -> Result<(), PlaygroundError> {
    let mut screen = Screen::open(std::io::stdout().lock()).map_err(PlaygroundError::Terminal)?;
    let mut tallies = VecDeque::from([world.plane.tally()]);
    loop {
        let room = room();
        let now = world.plane.tally();
        let mut parts = vec![introduction(world, hosts(world).await?.first())];
        parts.extend(scenes(world).await?.iter().map(rollout));
        parts.push(bars(&now.since(&tallies[0]), room.0));
        parts.push(below());
        let text = parts.iter().map(|part| part.trim_end()).collect::<Vec<_>>().join("\n\n");
        screen.show(&text, room).map_err(PlaygroundError::Terminal)?;
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

/// Addresses, and commands for another terminal.
fn introduction(world: &World, host: Option<&String>) -> String {
    let World { api_url, ingress, kubeconfig, link, .. } = world;
    let mut text = format!(
        "Kubernetes API {api_url}, ingress http://{ingress}\n  export KUBECONFIG={}\n",
        kubeconfig.display()
    );
    if let Some(folder) = link {
        let _ = writeln!(text, "  export PATH={}:$PATH  # for serin", folder.display());
    }
    text += "  kubectl get rollout,replicaset,pod  # Ctrl-C stops everything here";
    if let Some(host) = host {
        let _ = write!(text, "\n  curl -H 'Host: {host}' http://{ingress}");
    }
    text
}

/// All Rollouts, with the ReplicaSets of their namespaces.
async fn scenes(world: &World) -> Result<Vec<Scene>, PlaygroundError> {
    let all = ListParams::default();
    // An unreadable Rollout must not end the view.
    let rollouts = Api::<DeserializeGuard<Rollout>>::all(world.client.clone()).list(&all).await?.items;
    let sets = Api::<ReplicaSet>::all(world.client.clone()).list(&all).await?.items;
    let scene = |rollout: Rollout| Scene { rollout, replica_sets: sets.clone() };
    Ok(rollouts.into_iter().filter_map(|rollout| rollout.0.ok()).map(scene).collect())
}

/// Every host in the rules of an Ingress.
async fn hosts(world: &World) -> Result<BTreeSet<String>, PlaygroundError> {
    let ingresses = Api::<Ingress>::all(world.client.clone()).list(&ListParams::default()).await?.items;
    let rules = ingresses.into_iter().filter_map(|ingress| ingress.spec?.rules).flatten();
    Ok(rules.filter_map(|rule| rule.host).collect())
}

/// Sends requests to every host while Ingresses have rules for it.
async fn visit_all(world: &World) -> Result<(), PlaygroundError> {
    let mut visitors = BTreeMap::<String, JoinSet<()>>::new();
    loop {
        let hosts = hosts(world).await?;
        visitors.retain(|host, _| hosts.contains(host));
        for host in hosts {
            visitors.entry(host).or_insert_with_key(|host| {
                let visitor = world.visitor(host);
                (0..VISITORS).map(|_| visitor.clone().keep_coming(drop)).collect()
            });
        }
        sleep(FRAME).await;
    }
}
