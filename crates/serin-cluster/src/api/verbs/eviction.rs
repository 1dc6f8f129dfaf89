//! The subresources of pods: binding and eviction.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::super::codec::{self, Reader};
use super::super::patch::{self, Manager};
use super::super::request::{Request, Verb};
use super::super::status::{Reason, Status};
use super::super::store::object::{at, generation, is_terminating, items, name, set, text, time};
use super::super::store::{Key, Store};
use super::call::{Answer, Call};
use super::delete::DeleteOptions;
use super::selection::selects;
use super::{custom, refuse};
use serin_kubernetes::types;

/// How many evicted pods a budget may remember until its status was computed anew.
const DISRUPTED_MAX: usize = 2000;

impl Store {
    /// Puts a pod on a node: `pods/NAME/binding`.
    pub(super) fn bind(&mut self, call: &Call<'_>) -> Result<Answer, Status> {
        if name(&call.request.body) != call.name() {
            return Err(refuse::bad_request("name in URL does not match name in Binding object"));
        }
        let key = call.key(call.name());
        let pod = self.read(&key).cloned().ok_or_else(|| refuse::not_found(&call.resource, call.name()))?;
        let node = text(&call.request.body, &["target", "name"]);
        let conflict = |why: String| {
            let mut status = refuse::conflict(&call.resource, call.name(), &why);
            status.message = status.message.replacen("on pods ", "on pods/binding ", 1);
            set(&mut status.details, &["kind"], "pods/binding".into());
            status
        };
        if is_terminating(&pod) {
            return Err(conflict(format!(
                "pod {} is being deleted, cannot be assigned to a host",
                call.name()
            )));
        }
        let bound = text(&pod, &["spec", "nodeName"]);
        if !bound.is_empty() {
            return Err(conflict(format!("pod {} is already assigned to node \"{bound}\"", call.name())));
        }
        let mut after = (*pod).clone();
        set(&mut after, &["spec", "nodeName"], node.into());
        for (key, value) in
            at(&call.request.body, &["metadata", "annotations"]).as_object().into_iter().flatten()
        {
            set(&mut after, &["metadata", "annotations", key], value.clone());
        }
        let scheduled = json!({"type": "PodScheduled", "status": "True", "lastProbeTime": null,
            "lastTransitionTime": time(call.now)});
        set_condition(&mut after, scheduled);
        if !call.dry_run() {
            self.put(&key, after);
        }
        Ok(done())
    }

    /// Deletes a pod if its disruption budgets allow it: `pods/NAME/eviction`.
    pub(super) fn evict(&mut self, call: &Call<'_>) -> Result<Answer, Status> {
        let eviction = part(call, "Eviction")?;
        if name(&eviction) != call.name() {
            return Err(refuse::bad_request("name in URL does not match name in Eviction object"));
        }
        let options = eviction_options(call, &eviction)?;
        let key = call.key(call.name());
        let pod = self.read(&key).cloned().ok_or_else(|| refuse::not_found(&call.resource, call.name()))?;
        if needs_budget(&pod) {
            self.spend_budget(call, &pod, options.is_dry_run())?;
        }
        let mut then = options;
        if !then.is_dry_run() {
            then.check(&call.resource, &pod)?;
            let after = self.say_why(call, &key, &pod);
            // The pod that is deleted is the one that was looked at.
            then.resource_version = then
                .resource_version
                .map(|_| super::super::store::object::resource_version(&after).to_owned());
        }
        then.check_words()?;
        let request = Request { verb: Verb::Delete, ..call.request.clone() };
        let deletion = Call::new(&request, Arc::clone(&call.resource), call.now);
        self.delete_object(&deletion, &key, call.name(), &then)?;
        Ok(done())
    }

    /// Has a pod say that it is evicted.
    fn say_why(&mut self, call: &Call<'_>, key: &Key, pod: &Arc<Value>) -> Arc<Value> {
        let known = items(pod, &["status", "conditions"]).iter();
        let is_said = known
            .clone()
            .any(|condition| condition["type"] == "DisruptionTarget" && condition["status"] == "True");
        if is_said {
            return Arc::clone(pod);
        }
        let mut after = (**pod).clone();
        let condition = json!({"type": "DisruptionTarget", "status": "True", "lastProbeTime": null,
            "lastTransitionTime": time(call.now), "reason": "EvictionByEvictionAPI",
            "message": "Eviction API: evicting"});
        set_condition(&mut after, condition);
        self.put(key, after)
    }

    /// Takes one disruption from the budget of a pod.
    fn spend_budget(&mut self, call: &Call<'_>, pod: &Value, is_dry_run: bool) -> Result<(), Status> {
        let namespace = call.namespace().unwrap_or_default().to_owned();
        let budgets: Vec<(Key, Arc<Value>)> = self
            .range("policy", "poddisruptionbudgets", Some(&namespace))
            .filter(|(_, budget)| selects(at(budget, &["spec", "selector"]), pod))
            .map(|(key, budget)| (key.clone(), Arc::clone(budget)))
            .collect();
        let (key, budget) = match budgets.as_slice() {
            [] => return Ok(()),
            [one] => one.clone(),
            [_, _, ..] => {
                let why = "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.";
                return Err(Status::new(Reason::Unknown, why));
            }
        };
        if !is_ready(pod) && may_evict_unready(&budget) {
            return Ok(());
        }
        let after = spent(&budget, call.name(), call.now)?;
        if !is_dry_run {
            let (manager, lists) =
                (Manager { subresource: "status", ..SERVER }, custom::lists_of(self, &key));
            let after = patch::track(&*lists, &budget, after, &manager, call.now);
            self.put(&key, after);
        }
        Ok(())
    }
}

/// What writes the status of a budget when a pod is evicted: the server itself.
const SERVER: Manager<'_> =
    Manager { name: "kube-apiserver", subresource: "", force: false, reset: &[&["spec"]] };

/// The body of a request to a part of a pod, as its type has it.
fn part(call: &Call<'_>, kind: &str) -> Result<Value, Status> {
    let known =
        call.request.target.subresource.as_deref().and_then(|name| call.resource.entry.subresource(name));
    let Some(known) = known else { return Err(refuse::no_resource()) };
    let type_name = types::name(&known.group, &known.version, kind);
    let decoded =
        codec::decode(&type_name, &call.request.body, Reader::Json).unwrap_or_else(|| Err(String::new()));
    let refused = |why: String| {
        refuse::bad_request(format!(
            "{kind} in version \"{}\" cannot be handled as a {kind}: {why}",
            known.version
        ))
    };
    Ok(decoded.map_err(refused)?.object)
}

/// How an eviction deletes. Whether it does may be said in two places, which have to agree.
fn eviction_options(call: &Call<'_>, eviction: &Value) -> Result<DeleteOptions, Status> {
    let asked = &call.request.options.dry_run;
    let mut options = DeleteOptions::of(&eviction["deleteOptions"]);
    if options.dry_run.is_empty() {
        options.dry_run.clone_from(asked);
    } else if !asked.is_empty() && *asked != options.dry_run {
        let why = format!(
            "Non-matching dry-run options in request and content: [{}] and [{}]",
            asked.join(" "),
            options.dry_run.join(" ")
        );
        return Err(Status::new(Reason::Unknown, why));
    }
    Ok(options)
}

/// Pods that do not run are nobody's loss.
fn needs_budget(pod: &Value) -> bool {
    let phase = text(pod, &["status", "phase"]);
    !is_terminating(pod) && !matches!(phase, "Pending" | "Succeeded" | "Failed")
}

fn is_ready(pod: &Value) -> bool {
    let conditions = items(pod, &["status", "conditions"]);
    conditions.iter().any(|condition| condition["type"] == "Ready" && condition["status"] == "True")
}

/// Whether a budget lets pods that are not ready go: always, or while it is met without them.
fn may_evict_unready(budget: &Value) -> bool {
    let number = |field: &str| at(budget, &["status", field]).as_i64().unwrap_or(0);
    match text(budget, &["spec", "unhealthyPodEvictionPolicy"]) {
        "AlwaysAllow" => true,
        _ => number("currentHealthy") >= number("desiredHealthy") && number("desiredHealthy") > 0,
    }
}

/// A budget with one disruption less, or why it has none.
fn spent(budget: &Value, pod: &str, now: Timestamp) -> Result<Value, Status> {
    let number = |field: &str| at(budget, &["status", field]).as_i64().unwrap_or(0);
    let name = name(budget);
    if number("observedGeneration") < generation(budget).unwrap_or(0) {
        let why = format!("The disruption budget {name} is still being processed by the server.");
        return Err(no_disruption(&why, Some(10)));
    }
    let disrupted = at(budget, &["status", "disruptedPods"]).as_object().map_or(0, Map::len);
    if disrupted > DISRUPTED_MAX {
        let why = "DisruptedPods map too big - too many evictions not confirmed by PDB controller";
        return Err(refuse::forbidden_budget(name, why));
    }
    let allowed = number("disruptionsAllowed");
    if allowed < 0 {
        return Err(refuse::forbidden_budget(name, "pdb disruptions allowed is negative"));
    }
    if allowed == 0 {
        return Err(no_disruption(&why_none(budget), None));
    }
    let mut after = budget.clone();
    set(&mut after, &["status", "disruptionsAllowed"], (allowed - 1).into());
    set(&mut after, &["status", "disruptedPods", pod], time(now).into());
    if allowed == 1 {
        let condition = json!({"type": "DisruptionAllowed", "status": "False", "reason": "InsufficientPods",
            "message": "", "observedGeneration": number("observedGeneration"), "lastTransitionTime": time(now)});
        set_condition(&mut after, condition);
    }
    Ok(after)
}

/// Why a budget allows no disruption.
fn why_none(budget: &Value) -> String {
    let number = |field: &str| at(budget, &["status", field]).as_i64().unwrap_or(0);
    let (desired, current) = (number("desiredHealthy"), number("currentHealthy"));
    let name = name(budget);
    let conditions = items(budget, &["status", "conditions"]).iter();
    let said = conditions.clone().find(|condition| condition["type"] == "DisruptionAllowed");
    let said =
        said.filter(|condition| condition["status"] == "False" && !text(condition, &["message"]).is_empty());
    let (reason, message) =
        said.map_or(("", ""), |condition| (text(condition, &["reason"]), text(condition, &["message"])));
    let beginning = format!("The disruption budget {name} does not allow evicting pods currently");
    match reason {
        "SyncFailed" => format!("{beginning} because it failed sync: {message}"),
        _ if current <= desired => {
            format!("The disruption budget {name} needs {desired} healthy pods and has {current} currently")
        }
        _ if !message.is_empty() => format!("{beginning} ({reason}): {message}"),
        _ => beginning,
    }
}

fn no_disruption(why: &str, retry_after_seconds: Option<i64>) -> Status {
    let mut details = json!({"causes": [{"reason": "DisruptionBudget", "message": why}]});
    if let Some(seconds) = retry_after_seconds {
        details["retryAfterSeconds"] = seconds.into();
    }
    let message = "Cannot evict pod as it would violate the pod's disruption budget.";
    Status::with(Reason::TooManyRequests, message, details)
}

/// Sets a condition, in place of one of its type.
fn set_condition(object: &mut Value, condition: Value) {
    if at(object, &["status", "conditions"]).as_array().is_none() {
        set(object, &["status", "conditions"], json!([]));
    }
    if let Some(Value::Array(conditions)) = object.pointer_mut("/status/conditions") {
        match conditions.iter_mut().find(|known| known["type"] == condition["type"]) {
            Some(known) => *known = condition,
            None => conditions.push(condition),
        }
    }
}

fn done() -> Answer {
    Answer::created(
        json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201}),
    )
}
