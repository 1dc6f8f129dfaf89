//! The pods of the model: what the ReplicaSet controller and the kubelet do.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use serin_core::domain::plan::ObjectKind;
use serin_core::domain::template::EphemeralMetadata;

use super::healthy::annotations;
use super::{World, name_of};

/// How many pods of a ReplicaSet the model has room for.
pub(super) const ROOM: usize = 50;

/// What is known of a pod beside its object.
#[derive(Debug, Clone)]
pub(super) struct Pod {
    pub(super) name: String,
    pub(super) ready_at: Timestamp,
    /// Whether its image is one that starts.
    starts: bool,
    /// The template that it was made of.
    pub(super) template: Value,
    /// The ephemeral metadata that was in it then.
    pub(super) injected: EphemeralMetadata,
}

impl World {
    /// Creates a ReplicaSet whose status is as it says, with as many available pods, and the rest broken.
    pub(crate) fn create_settled(&mut self, rs: Value) {
        let name = name_of(&rs).to_owned();
        self.create(ObjectKind::ReplicaSet, rs);
        let rs = self.objects[&(ObjectKind::ReplicaSet, name.clone())].clone();
        let count = |field: &str| rs["status"][field].as_u64().unwrap_or(0);
        let settled = self.now - settling_time(&rs);
        let mut pods = Vec::new();
        for number in 0..count("replicas") {
            self.pods_made += 1;
            let pod = Pod {
                name: format!("{name}-{}", self.pods_made),
                ready_at: if number < count("availableReplicas") { settled } else { Timestamp::MAX },
                starts: starts(&rs["spec"]["template"]),
                template: rs["spec"]["template"].clone(),
                injected: EphemeralMetadata::recorded(&annotations(&rs)),
            };
            let mut object = pod_of(&rs, &pod.name);
            object["metadata"]["creationTimestamp"] = rs["metadata"]["creationTimestamp"].clone();
            self.create(ObjectKind::Pod, object);
            pods.push(pod);
        }
        self.pods.insert(name, pods);
    }

    /// The ReplicaSet controller and the kubelet: pods come and go, and the counts follow.
    pub(super) fn run_pods(&mut self) {
        let sets: Vec<Value> = self.all(ObjectKind::ReplicaSet).cloned().collect();
        for mut rs in sets {
            let name = name_of(&rs).to_owned();
            self.resize(&rs);
            let pods = self.pods.get(&name).map_or(&[][..], Vec::as_slice);
            let settling = settling_time(&rs);
            let count =
                |since: SignedDuration| pods.iter().filter(|p| p.ready_at <= self.now - since).count();
            let status = json!({
                "replicas": pods.len(),
                "readyReplicas": count(SignedDuration::ZERO),
                "availableReplicas": count(settling),
                "observedGeneration": rs["metadata"]["generation"],
            });
            if rs["status"] != status {
                rs["status"] = status;
                self.store(ObjectKind::ReplicaSet, name, rs);
            }
        }
    }

    /// Gives a ReplicaSet as many pods as it asks for; those that are ready longest stay.
    fn resize(&mut self, rs: &Value) {
        let name = name_of(rs).to_owned();
        let wanted = usize::try_from(rs["spec"]["replicas"].as_i64().unwrap_or(1)).unwrap_or(0).min(ROOM);
        let template = &rs["spec"]["template"];
        let starts = starts(template);
        let mut ready_at = if starts { self.now + self.start_latency } else { Timestamp::MAX };
        let mut pods = self.pods.remove(&name).unwrap_or_default();
        pods.sort_by_key(|pod| pod.ready_at);
        for gone in pods.split_off(wanted.min(pods.len())) {
            self.forget(ObjectKind::Pod, &gone.name);
        }
        while pods.len() < wanted {
            self.pods_made += 1;
            let pod = Pod {
                name: format!("{name}-{}", self.pods_made),
                ready_at,
                starts,
                template: template.clone(),
                injected: EphemeralMetadata::recorded(&annotations(rs)),
            };
            self.create(ObjectKind::Pod, pod_of(rs, &pod.name));
            pods.push(pod);
            ready_at = ready_at.saturating_add(self.stagger).unwrap();
        }
        self.pods.insert(name, pods);
    }

    /// So many pods of the ReplicaSet of that hash that are not ready become so now.
    pub(crate) fn ready_pods(&mut self, hash: &str, count: usize) {
        let now = self.now;
        let sets = self.pods.iter_mut().filter(|(name, _)| name.ends_with(hash));
        let waiting = sets.flat_map(|(_, pods)| pods).filter(|pod| pod.ready_at > now);
        waiting.take(count).for_each(|pod| pod.ready_at = now);
    }

    /// The pods of a ReplicaSet stop being ready.
    pub(crate) fn unready_pods(&mut self, replica_set: &str) {
        self.pods.get_mut(replica_set).into_iter().flatten().for_each(|pod| pod.ready_at = Timestamp::MAX);
    }

    /// Every pod is ready now, but those whose image never starts.
    pub(crate) fn heal_pods(&mut self) {
        let now = self.now;
        let pods = self.pods.values_mut().flatten().filter(|pod| pod.starts);
        pods.for_each(|pod| pod.ready_at = pod.ready_at.min(now));
    }

    pub(super) fn next_pod(&self) -> Option<Timestamp> {
        let sets = self.all(ObjectKind::ReplicaSet);
        let times = sets.flat_map(|rs| {
            let pods = self.pods.get(name_of(rs)).into_iter().flatten();
            let pods = pods.filter(|pod| pod.ready_at < Timestamp::MAX);
            pods.flat_map(|pod| [pod.ready_at, pod.ready_at + settling_time(rs)])
        });
        times.filter(|at| *at > self.now).min()
    }
}

/// Whether pods of the template become ready.
fn starts(template: &Value) -> bool {
    let image = template["spec"]["containers"][0]["image"].as_str().unwrap_or_default();
    !image.contains("nonexistent") && !image.contains("error")
}

/// How long a ready pod takes to count as available.
fn settling_time(rs: &Value) -> SignedDuration {
    SignedDuration::from_secs(rs["spec"]["minReadySeconds"].as_i64().unwrap_or(0))
}

fn pod_of(rs: &Value, name: &str) -> Value {
    let template = &rs["spec"]["template"]["metadata"];
    json!({
        "metadata": {
            "name": name,
            "labels": template["labels"],
            "annotations": template["annotations"],
            "ownerReferences": [{
                "apiVersion": "apps/v1", "kind": "ReplicaSet", "name": name_of(rs),
                "uid": rs["metadata"]["uid"], "controller": true,
            }],
        },
    })
}
