//! The live view: the steps, the pods of each revision, and who answers real requests.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{IsTerminal, Write as _};
use std::time::Duration;

use super::client::User;
use super::error::PlaygroundError;
use super::world::World;
use crate::api::{CanaryStep, Rollout, StepKind, keys};
use crate::clock::sleep;
use crate::cluster::data_plane::Tally;

/// How often the view is drawn anew; it shows the answers since the last time but one.
const FRAME: Duration = Duration::from_millis(500);
/// Columns of the bar that stands for all answers.
const BAR: usize = 50;

/// Shows what goes on until stopped; on a terminal as a picture, else as a line for each change.
pub(super) async fn show(world: &World) -> Result<(), PlaygroundError> {
    introduce(world);
    let (user, steady) = (world.user(), world.visitor("demo.local"));
    let _visitors: Vec<_> = (0..4).map(|_| steady.stay()).collect();
    let is_terminal = std::io::stdout().is_terminal();
    let mut earlier = world.plane.tally();
    let mut last = String::new();
    loop {
        sleep(FRAME).await;
        let Ok(rollout) = user.rollout().await else { continue };
        let now = world.plane.tally();
        let answers = now.since(&earlier);
        earlier = now;
        if is_terminal {
            let frame = frame(&rollout, &revisions(&user).await?, &answers);
            // The cursor goes home and what is left of the last frame is erased, so that nothing flickers.
            print!("\x1b[H\x1b[J{}{frame}", introduction(world));
            let _shown = std::io::stdout().flush();
        } else {
            let line = line(&rollout);
            if line != last {
                println!("{line}");
                last = line;
            }
        }
    }
}

fn introduce(world: &World) {
    println!("{}", introduction(world));
}

fn introduction(world: &World) -> String {
    let (url, ingress, port) = (&world.api_url, world.ingress, world.ingress.port());
    format!(
        "An embedded Kubernetes API at {url}, its ingress at http://{ingress}, and the controller.\n\n  \
         export KUBECONFIG={}\n  kubectl get rollout,replicaset,pod\n  \
         kubectl patch rollout demo --type json -p '[{{\"op\": \"replace\", \
         \"path\": \"/spec/template/spec/containers/0/image\", \"value\": \"argoproj/rollouts-demo:yellow\"}}]'\n  \
         kubectl patch rollout demo --subresource status --type merge -p '{{\"status\": {{\"pauseConditions\": null}}}}'\n  \
         curl -H 'Host: demo.local' http://127.0.0.1:{port}/\n\nCtrl-C ends it all.\n\n",
        world.kubeconfig.display(),
    )
}

/// A revision: number, colour, ready and wanted pods.
type Revisions = BTreeMap<i64, (String, i32, i32)>;

async fn revisions(user: &User) -> Result<Revisions, PlaygroundError> {
    let mut revisions = Revisions::new();
    for rs in user.replica_sets().await? {
        let annotations = rs.metadata.annotations.unwrap_or_default();
        let Some(number) = annotations.get(keys::REVISION).and_then(|r| r.parse().ok()) else { continue };
        let spec = rs.spec.unwrap_or_default();
        let pod = spec.template.and_then(|template| template.spec).unwrap_or_default();
        let image = pod.containers.into_iter().next().and_then(|c| c.image).unwrap_or_default();
        let ready = rs.status.and_then(|status| status.ready_replicas).unwrap_or(0);
        revisions.insert(number, (image, ready, spec.replicas.unwrap_or(0)));
    }
    Ok(revisions)
}

fn frame(rollout: &Rollout, revisions: &Revisions, answers: &Tally) -> String {
    let mut text = format!("{}\n\n", line(rollout));
    let canary = rollout.spec.strategy.canary.as_ref();
    let current = rollout.status.as_ref().and_then(|s| s.current_step_index).unwrap_or(0);
    for (index, step) in canary.into_iter().flat_map(|c| &c.steps).enumerate() {
        let mark = match i32::try_from(index).unwrap_or(i32::MAX).cmp(&current) {
            std::cmp::Ordering::Less => "done",
            std::cmp::Ordering::Equal => " -> ",
            std::cmp::Ordering::Greater => "    ",
        };
        let _ = writeln!(text, "  {mark}  {}", label(step));
    }
    text.push('\n');
    for (number, (image, ready, wanted)) in revisions.iter().rev() {
        let _ = writeln!(text, "  revision {number}: {ready} of {wanted} pods ready  {image}");
    }
    text.push('\n');
    text.push_str(&bars(answers));
    text
}

/// One bar a colour, by its share of the answers.
fn bars(answers: &Tally) -> String {
    let total = answers.total().max(1);
    let mut colours = BTreeMap::<&str, u64>::new();
    for (origin, count) in &answers.origins {
        *colours.entry(&origin.colour).or_default() += count.answers;
    }
    let mut text = format!("  {} real answers, {} failed\n", answers.total(), answers.failed());
    for (colour, count) in colours {
        let columns = usize::try_from(count * BAR as u64 / total).unwrap_or(0);
        let share = count * 100 / total;
        let _ = writeln!(text, "  {colour:>8} {share:>3} % {}", "#".repeat(columns));
    }
    text
}

fn label(step: &CanaryStep) -> String {
    match step.kind() {
        Some(StepKind::SetWeight(weight)) => format!("{weight} % of the requests"),
        Some(StepKind::Pause(pause)) => match &pause.duration {
            None => "wait for a promote".to_owned(),
            Some(duration) => {
                format!("wait {}", serde_json::to_string(duration).unwrap_or_default().trim_matches('"'))
            }
        },
        Some(StepKind::SetCanaryScale(_)) => "size of the canary".to_owned(),
        Some(
            StepKind::Experiment(_)
            | StepKind::Analysis(_)
            | StepKind::SetHeaderRoute(_)
            | StepKind::SetMirrorRoute(_)
            | StepKind::Plugin(_),
        )
        | None => "a step of another kind".to_owned(),
    }
}

fn line(rollout: &Rollout) -> String {
    let name = rollout.metadata.name.as_deref().unwrap_or_default();
    let Some(status) = &rollout.status else { return format!("{name}: not seen by the controller yet") };
    let phase = status.phase.map(|phase| format!("{phase:?}")).unwrap_or_default();
    let message = status.message.as_ref().map(|m| format!(", {m}")).unwrap_or_default();
    let weight = status.canary.weights.as_ref().map(|w| format!(", weight {} %", w.canary.weight));
    format!("{name}: {phase}{message}{}", weight.unwrap_or_default())
}
