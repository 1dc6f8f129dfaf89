//! The text of the live view: pure functions of the observed state.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fmt::Write as _;

use crossterm::style::{Color, Stylize};
use k8s_openapi::api::apps::v1::ReplicaSet;

use serin_cluster::data_plane::{Count, Tally};
use serin_core::api::{CanaryStep, Rollout, StepKind, keys};

/// Maximum width of a bar, for all answers.
const BAR: usize = 50;
/// Width of the percentage and the space before a bar.
const BEFORE_BAR: usize = 9;
/// Maximum width of an answer's name.
const LABEL: usize = 32;

/// A Rollout and the ReplicaSets of its namespace.
#[derive(Debug, Clone)]
pub(super) struct Scene {
    pub(super) rollout: Rollout,
    pub(super) replica_sets: Vec<ReplicaSet>,
}

/// The status of a Rollout in one line.
pub(super) fn line(rollout: &Rollout) -> String {
    let name = rollout.metadata.name.as_deref().unwrap_or_default();
    let Some(status) = &rollout.status else { return format!("{name}: not observed by the controller yet") };
    let phase = status.phase.map(|phase| format!("{phase:?}")).unwrap_or_default();
    let message = status.message.as_ref().map(|message| format!(", {message}"));
    let weight =
        status.canary.weights.as_ref().map(|weights| format!(", weight {} %", weights.canary.weight));
    format!("{name}: {phase}{}{}", message.unwrap_or_default(), weight.unwrap_or_default())
}

/// A Rollout with its steps and the pods of its revisions.
pub(super) fn rollout(scene: &Scene) -> String {
    format!("{}\n{}{}", line(&scene.rollout), steps(&scene.rollout), revisions(scene))
}

fn steps(rollout: &Rollout) -> String {
    let mut text = String::new();
    let current = rollout.status.as_ref().and_then(|status| status.current_step_index).unwrap_or(0);
    let canary = rollout.spec.strategy.canary.as_ref();
    for (index, step) in (0..).zip(canary.into_iter().flat_map(|canary| &canary.steps)) {
        let mark = match i32::cmp(&index, &current) {
            Ordering::Less => "done",
            Ordering::Equal => " -> ",
            Ordering::Greater => "    ",
        };
        let _ = writeln!(text, "  {mark}  {}", label(step));
    }
    text
}

fn label(step: &CanaryStep) -> String {
    match step.kind() {
        Some(StepKind::SetWeight(weight)) => format!("{weight} % of the requests"),
        Some(StepKind::Pause(pause)) => match &pause.duration {
            None => "wait for a promotion".to_owned(),
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

/// The revisions with existing or wanted pods, newest first.
fn revisions(scene: &Scene) -> String {
    let uid = scene.rollout.metadata.uid.as_deref();
    let is_owned = |rs: &&ReplicaSet| {
        rs.metadata.owner_references.iter().flatten().any(|owner| Some(owner.uid.as_str()) == uid)
    };
    let mut rows: Vec<_> =
        scene.replica_sets.iter().filter(is_owned).filter_map(|rs| revision(&scene.rollout, rs)).collect();
    rows.sort_by_key(|(number, _)| std::cmp::Reverse(*number));
    rows.into_iter().map(|(_, row)| row).collect()
}

fn revision(rollout: &Rollout, rs: &ReplicaSet) -> Option<(i64, String)> {
    let annotations = rs.metadata.annotations.as_ref()?;
    let number = annotations.get(keys::REVISION)?.parse().ok()?;
    let spec = rs.spec.as_ref()?;
    let status = rs.status.clone().unwrap_or_default();
    let (wanted, there) = (spec.replicas.unwrap_or(0), status.replicas);
    let ready = status.ready_replicas.unwrap_or(0);
    if wanted == 0 && there == 0 {
        return None;
    }
    let container = spec.template.as_ref()?.spec.as_ref()?.containers.first();
    let image = container.and_then(|container| container.image.as_deref()).unwrap_or_default();
    let hash = rs.metadata.labels.as_ref().and_then(|labels| labels.get(keys::POD_HASH_LABEL));
    let pods = pods(ready, there, wanted);
    let role = role(rollout, hash.map_or("", String::as_str));
    Some((number, format!("  revision {number} {role:<8} {pods} {ready} of {wanted} pods ready  {image}\n")))
}

/// One symbol per pod: ready, existing, wanted.
fn pods(ready: i32, there: i32, wanted: i32) -> String {
    let signs = |sign: &str, number: i32| sign.repeat(usize::try_from(number).unwrap_or(0));
    signs("o", ready) + &signs(".", there - ready) + &signs("_", wanted - there)
}

/// The role of a revision.
fn role(rollout: &Rollout, hash: &str) -> &'static str {
    let Some(status) = &rollout.status else { return "" };
    let is = |field: &Option<String>| field.as_deref() == Some(hash);
    if is(&status.blue_green.active_selector) {
        "active"
    } else if is(&status.blue_green.preview_selector) {
        "preview"
    } else if is(&status.stable_rs) {
        "stable"
    } else if is(&status.current_pod_hash) {
        if rollout.spec.strategy.canary.is_some() { "canary" } else { "new" }
    } else {
        "old"
    }
}

/// For each host one bar per colour, by its share of the answers.
pub(super) fn bars(answers: &Tally, columns: u16) -> String {
    let mut hosts = BTreeMap::<&str, BTreeMap<&str, Count>>::new();
    for (origin, count) in &answers.origins {
        *hosts.entry(&origin.host).or_default().entry(&origin.colour).or_default() += *count;
    }
    let mut text = String::new();
    for (host, colours) in hosts {
        let total: Count = colours.values().copied().sum();
        let Count { answers, errors } = total;
        let _ = writeln!(text, "{host}, last second: {answers} real answers, {errors} of them errors");
        let width = colours.keys().map(|colour| colour.chars().count()).max().unwrap_or(0).clamp(8, LABEL);
        let most = usize::from(columns).saturating_sub(width + BEFORE_BAR).min(BAR);
        for (colour, count) in colours {
            let _ = writeln!(text, "{}", bar(colour, width, count.answers, answers, most));
        }
    }
    if answers.unanswered > 0 {
        let _ = writeln!(text, "{} requests were not answered", answers.unanswered);
    }
    text
}

/// A colour, its percentage of the answers, and a bar with `most` columns for all answers.
fn bar(colour: &str, width: usize, answers: u64, total: u64, most: usize) -> String {
    let label: String = colour.chars().take(width).collect();
    let percent = (answers * 200 + total) / (total * 2).max(1);
    let columns = usize::try_from(answers).unwrap_or(0) * most / usize::try_from(total.max(1)).unwrap_or(1);
    let bar = "#".repeat(columns);
    let bar = match Color::try_from(colour) {
        Ok(paint) => bar.with(paint).to_string(),
        Err(()) => bar,
    };
    format!("  {label:>width$} {percent:>3} % {bar}")
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use serin_cluster::data_plane::Origin;

    fn scene(status: &Value) -> Scene {
        let rollout = json!({
            "apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout",
            "metadata": {"name": "demo", "uid": "r"},
            "spec": {"strategy": {"canary": {"steps": [{"setWeight": 20}, {"pause": {}}, {"setWeight": 80}]}}},
            "status": status,
        });
        let set = |revision: &str, hash: &str, wanted: i32, there: i32, ready: i32| {
            json!({
                "metadata": {
                    "name": hash, "annotations": {(keys::REVISION): revision}, "labels": {(keys::POD_HASH_LABEL): hash},
                    "ownerReferences": [{"apiVersion": "a", "kind": "Rollout", "name": "demo", "uid": "r"}],
                },
                "spec": {"replicas": wanted, "selector": {},
                    "template": {"spec": {"containers": [{"name": "c", "image": format!("demo:{hash}")}]}}},
                "status": {"replicas": there, "readyReplicas": ready},
            })
        };
        let sets = [set("1", "first", 0, 0, 0), set("2", "blue", 4, 4, 4), set("3", "yellow", 3, 2, 1)];
        Scene {
            rollout: serde_json::from_value(rollout).unwrap(),
            replica_sets: sets.into_iter().map(|set| serde_json::from_value(set).unwrap()).collect(),
        }
    }

    #[test]
    fn a_rollout_shows_steps_and_pods() {
        let status = json!({"phase": "Paused", "message": "CanaryPauseStep", "currentStepIndex": 1,
            "stableRS": "blue", "currentPodHash": "yellow",
            "canary": {"weights": {"canary": {"weight": 20}, "stable": {"weight": 80}}}});
        let expected = "\
demo: Paused, CanaryPauseStep, weight 20 %
  done  20 % of the requests
   ->   wait for a promotion
        80 % of the requests
  revision 3 canary   o._ 1 of 3 pods ready  demo:yellow
  revision 2 stable   oooo 4 of 4 pods ready  demo:blue
";
        assert_eq!(rollout(&scene(&status)), expected);
    }

    #[test]
    fn roles_of_blue_green_are_those_of_its_services() {
        let status = json!({"stableRS": "blue", "currentPodHash": "yellow",
            "blueGreen": {"activeSelector": "blue", "previewSelector": "yellow"}});
        let rollout = scene(&status).rollout;
        assert_eq!(
            ["blue", "yellow", "first"].map(|hash| role(&rollout, hash)),
            ["active", "preview", "old"]
        );
    }

    fn tally(answers: &[(&str, &str, u64)]) -> Tally {
        let origin = |host: &str, colour: &str| Origin {
            host: host.to_owned(),
            namespace: String::new(),
            service: String::new(),
            revision: String::new(),
            colour: colour.to_owned(),
        };
        let origins = answers.iter().map(|(host, colour, answers)| {
            (origin(host, colour), Count { answers: *answers, errors: answers / 10 })
        });
        Tally { origins: origins.collect(), unanswered: 0, unruled: 0 }
    }

    #[test]
    fn bars_are_shares_of_what_a_host_answered() {
        let shown = bars(&tally(&[("a.b", "orange", 30), ("a.b", "pink", 10), ("c.d", "teal", 5)]), 37);
        let expected = format!(
            "a.b, last second: 40 real answers, 4 of them errors\n    orange  75 % {}\n      pink  25 % {}\n\
             c.d, last second: 5 real answers, 0 of them errors\n      teal 100 % {}\n",
            "#".repeat(15),
            "#".repeat(5),
            "#".repeat(20)
        );
        assert_eq!(shown, expected);
    }

    #[test]
    fn bars_leave_room_for_names_of_images() {
        let shown = bars(&tally(&[("a.b", "registry.example.com/team/shop:1.27", 1)]), 80);
        let expected = format!("  registry.example.com/team/shop:1 100 % {}", "#".repeat(39));
        assert_eq!(shown.lines().last(), Some(expected.as_str()));
    }
}
