//! The node as a value: which pods there are, what is remembered of each, and what is due. No requests, no clock.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::core::v1::Pod;

use super::life::PodLife;
use super::settings::KubeletSettings;
use super::step::{PodKey, Request, step};
use serin_values::time::after;

/// When a request failed, or its effect is not seen, the pod is looked at again after this long.
const RETRY: Duration = Duration::from_millis(500);

/// The first address that a pod may get: 10.244.0.1.
const FIRST_ADDRESS: u32 = 0x0af4_0001;

/// How a request went.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// It took effect; the pod as the answer showed it, if it did.
    Done(Option<Box<Pod>>),
    /// The pod has changed meanwhile, or is gone.
    Outdated,
    /// It did not get through.
    Failed,
}

#[derive(Debug)]
struct Slot {
    pod: Pod,
    life: PodLife,
    due: Option<Timestamp>,
    /// The version of the pod that the request under way was computed from.
    asked: Option<String>,
}

/// All pods of the cluster as the kubelet knows them.
#[derive(Debug)]
pub struct Node {
    settings: KubeletSettings,
    pods: BTreeMap<PodKey, Slot>,
    due: BTreeSet<(Timestamp, PodKey)>,
    next_address: u32,
    is_probing: bool,
}

impl Node {
    /// A node that knows of no pod.
    #[must_use]
    pub fn new(settings: KubeletSettings) -> Self {
        Self {
            settings,
            pods: BTreeMap::new(),
            due: BTreeSet::new(),
            next_address: FIRST_ADDRESS,
            is_probing: false,
        }
    }

    /// From now on, every container that serves is probed: it is not ready before [`probed`](Self::probed) says so.
    #[must_use]
    pub fn probing(mut self) -> Self {
        self.is_probing = true;
        self
    }

    /// A pod is there, or has changed. What is older than what is known already does not count.
    pub fn applied(&mut self, pod: Pod, now: Timestamp) {
        let key = key_of(&pod);
        match self.pods.get_mut(&key) {
            Some(slot) if slot.pod.metadata.uid == pod.metadata.uid => {
                if version(&pod) < version(&slot.pod) {
                    return;
                }
                slot.pod = pod;
            }
            _ => {
                self.forget(&key);
                let probed = if self.is_probing { unprobed(&pod) } else { BTreeMap::new() };
                let life = PodLife { bound: None, deleted: None, address: self.address(), probed };
                self.pods.insert(key.clone(), Slot { pod, life, due: None, asked: None });
            }
        }
        if let Some(slot) = self.pods.get_mut(&key) {
            remember(&mut slot.life, &slot.pod, &self.settings, now);
        }
        self.schedule(&key, Some(now));
    }

    /// A pod is gone.
    pub fn deleted(&mut self, pod: &Pod) {
        let key = key_of(pod);
        if self.pods.get(&key).is_some_and(|slot| slot.pod.metadata.uid == pod.metadata.uid) {
            self.forget(&key);
        }
    }

    /// These are all pods that there are.
    pub fn relisted(&mut self, pods: Vec<Pod>, now: Timestamp) {
        let listed: BTreeSet<PodKey> = pods.iter().map(key_of).collect();
        let vanished: Vec<PodKey> = self.pods.keys().filter(|key| !listed.contains(key)).cloned().collect();
        for key in vanished {
            self.forget(&key);
        }
        for pod in pods {
            self.applied(pod, now);
        }
    }

    /// What a real probe of a container found.
    pub fn probed(&mut self, key: &PodKey, container: &str, is_answering: bool, now: Timestamp) {
        if let Some(slot) = self.pods.get_mut(key) {
            slot.life.probed.insert(container.to_owned(), is_answering);
            self.schedule(key, Some(now));
        }
    }

    /// The requests that are due, at most `limit`; the rest stays due. Of each pod at most one is under way until
    /// [`finished`](Self::finished) tells how it went.
    pub fn step(&mut self, now: Timestamp, limit: usize) -> Vec<Request> {
        let mut requests = Vec::new();
        while requests.len() < limit && self.wake().is_some_and(|first| first <= now) {
            let Some((_, key)) = self.due.pop_first() else {
                break;
            };
            let Some(slot) = self.pods.get_mut(&key) else {
                continue;
            };
            slot.due = None;
            if slot.asked.is_some() {
                continue;
            }
            let next = step(&self.settings, &slot.life, &slot.pod, now);
            if let Some(request) = next.request {
                slot.asked = Some(slot.pod.metadata.resource_version.clone().unwrap_or_default());
                requests.push(request);
            } else {
                self.schedule(&key, next.wake);
            }
        }
        requests
    }

    /// When [`step`](Self::step) has something to do next.
    #[must_use]
    pub fn wake(&self) -> Option<Timestamp> {
        self.due.first().map(|(time, _)| *time)
    }

    /// How the request about `key` went.
    pub fn finished(&mut self, key: &PodKey, outcome: Outcome, now: Timestamp) {
        let Some(slot) = self.pods.get_mut(key) else {
            return;
        };
        let asked = slot.asked.take();
        match outcome {
            Outcome::Done(Some(pod)) => self.applied(*pod, now),
            Outcome::Done(None) | Outcome::Outdated | Outcome::Failed => {
                let is_newer = asked.is_some() && asked != slot.pod.metadata.resource_version;
                self.schedule(key, Some(if is_newer { now } else { after(now, RETRY) }));
            }
        }
    }

    fn schedule(&mut self, key: &PodKey, time: Option<Timestamp>) {
        let Some(slot) = self.pods.get_mut(key) else {
            return;
        };
        if let Some(old) = slot.due.take() {
            self.due.remove(&(old, key.clone()));
        }
        slot.due = time;
        if let Some(time) = time {
            self.due.insert((time, key.clone()));
        }
    }

    fn forget(&mut self, key: &PodKey) {
        self.schedule(key, None);
        self.pods.remove(key);
    }

    fn address(&mut self) -> Ipv4Addr {
        let address = self.next_address;
        self.next_address += 1;
        Ipv4Addr::from_bits(address)
    }
}

/// Notes when the pod was first seen on the node, and being deleted.
fn remember(life: &mut PodLife, pod: &Pod, settings: &KubeletSettings, now: Timestamp) {
    let is_here = pod.spec.as_ref().and_then(|spec| spec.node_name.as_ref()) == Some(&settings.node_name);
    if is_here && life.bound.is_none() {
        // A pod that was started before this kubelet was has had its latency.
        let started = pod.status.as_ref().and_then(|status| status.start_time.as_ref()).map(|time| time.0);
        let latency = SignedDuration::try_from(settings.start_latency).unwrap_or(SignedDuration::MAX);
        life.bound = started.and_then(|time| time.checked_sub(latency).ok()).or(Some(now));
    }
    if pod.metadata.deletion_timestamp.is_some() {
        life.deleted.get_or_insert(now);
    }
}

/// The containers of a pod that serves, none of them ready.
fn unprobed(pod: &Pod) -> BTreeMap<String, bool> {
    let spec = pod.spec.as_ref();
    let servers = spec.filter(|spec| spec.restart_policy.as_deref().unwrap_or("Always") == "Always");
    let containers = servers.into_iter().flat_map(|spec| &spec.containers);
    containers.map(|container| (container.name.clone(), false)).collect()
}

fn key_of(pod: &Pod) -> PodKey {
    let meta = &pod.metadata;
    PodKey {
        namespace: meta.namespace.clone().unwrap_or_default(),
        name: meta.name.clone().unwrap_or_default(),
    }
}

/// Versions of one kind are comparable as numbers; what is no number counts as the newest.
fn version(pod: &Pod) -> u64 {
    pod.metadata.resource_version.as_deref().and_then(|text| text.parse().ok()).unwrap_or(u64::MAX)
}
