//! All that there is to say about some files.

use super::controller;
use super::finding::{Finding, Remark};
use super::object::Object;
use super::rules::{self, INVALID_METADATA, NOT_AN_OBJECT, Rule, Subject, UNKNOWN_FIELD, WRONG_TYPE};
use super::world::World;
use super::{shape, strict};
use serin_core::api::{
    AnalysisRun, AnalysisTemplate, ClusterAnalysisTemplate, DecodeError, Experiment, Rollout, decode, keys,
};
use serin_core::rollout::validate::{NameForm, metadata_mistakes};

/// A Rollout that can be read, and the object that it was read from.
pub(super) struct Read<'o> {
    pub(super) object: &'o Object,
    pub(super) rollout: Rollout,
    /// Paths of the fields that it was read without, because they hold what they cannot hold.
    left_out: Vec<String>,
    /// Paths of fields that do not exist.
    unknown: Vec<String>,
}

/// The Rollouts of `objects` that can be read, and every field of any object that its kind does not have.
pub(super) fn read(objects: &[Object]) -> (Vec<Read<'_>>, Vec<Finding>) {
    let mut rollouts = Vec::new();
    let mut found = Vec::new();
    for object in objects {
        found.extend(outdated(object).map(|remark| object.finding(remark)));
        let Some(place) = shape::of_kind(&object.api_version, &object.name.kind) else { continue };
        let broken = strict::check(&object.node, place);
        let of = |wanted: &'static Rule| {
            let broken = broken.iter().filter(move |(rule, _)| *rule == wanted);
            broken.map(|(_, remark)| remark.field.clone()).collect::<Vec<_>>()
        };
        let (left_out, unknown) = (of(&WRONG_TYPE), of(&UNKNOWN_FIELD));
        found.extend(broken.into_iter().chain(metadata(object)).map(|remark| object.finding(remark)));
        match decoded(object, &left_out) {
            Ok(rollout) => {
                rollouts.extend(rollout.map(|rollout| Read { object, rollout, left_out, unknown }));
            }
            // What is left may be too little to be read, which is no mistake of its own.
            Err(_) if !left_out.is_empty() => {}
            Err(error) => found.push(object.finding(misread(error))),
        }
    }
    (rollouts, found)
}

/// What the API server refuses in the metadata of an object that it knows.
fn metadata(object: &Object) -> Vec<(&'static Rule, Remark)> {
    let form = if object.name.kind == "Service" { NameForm::Label } else { NameForm::Subdomain };
    let mistakes = metadata_mistakes(&object.json["metadata"], form);
    mistakes.iter().map(|mistake| (&INVALID_METADATA, controller::remark(mistake))).collect()
}

/// An Ingress of a version that no API server has any more.
fn outdated(object: &Object) -> Option<(&'static Rule, Remark)> {
    let versions = ["networking.k8s.io/v1beta1", "extensions/v1beta1"];
    let is_outdated = object.name.kind == "Ingress" && versions.contains(&object.api_version.as_str());
    is_outdated.then(|| {
        let remedy = "write networking.k8s.io/v1, where backends have service.name and service.port";
        let problem = "Kubernetes has no such version of Ingress since 1.22";
        (&NOT_AN_OBJECT, Remark::new("apiVersion", object.api_version.as_str(), problem, remedy))
    })
}

/// Reads an object as its type, without its status and the fields of `left_out`; there is more to say only about Rollouts.
fn decoded(object: &Object, left_out: &[String]) -> Result<Option<Rollout>, DecodeError> {
    let json = || {
        let mut node = object.node.without("status");
        for path in left_out {
            node = node.without(path);
        }
        node.to_json()
    };
    if object.is(keys::ROLLOUT) {
        return decode(json()).map(Some);
    }
    if object.is(keys::ANALYSIS_TEMPLATE) {
        decode::<AnalysisTemplate>(json())?;
    } else if object.is(keys::CLUSTER_ANALYSIS_TEMPLATE) {
        decode::<ClusterAnalysisTemplate>(json())?;
    } else if object.is(keys::ANALYSIS_RUN) {
        decode::<AnalysisRun>(json())?;
    } else if object.is(keys::EXPERIMENT) {
        decode::<Experiment>(json())?;
    }
    Ok(None)
}

fn misread(error: DecodeError) -> (&'static Rule, Remark) {
    (&WRONG_TYPE, Remark { field: error.path, ..Remark::whole(error.reason) })
}

/// The objects that Rollouts may refer to.
pub(super) fn world(objects: &[Object]) -> World {
    let mut world = World::default();
    for object in objects {
        world.add(&object.name, &object.json);
    }
    world
}

/// What the controller would refuse of a Rollout, and what is surely not meant.
///
/// What follows from a field that was left out is not told, nor advice about a strategy that is not whole.
pub(super) fn judge(read: &Read<'_>, world: &World) -> Vec<Finding> {
    let filled = controller::filled(&read.rollout, world);
    let subject = Subject { rollout: &filled, world };
    let is_whole = !read
        .left_out
        .iter()
        .any(|path| ["spec.strategy", "spec.replicas"].iter().any(|part| path.starts_with(part)));
    let advice = if is_whole { rules::advise(&subject) } else { Vec::new() };
    let all = controller::check(&read.rollout, world).into_iter().chain(advice);
    all.filter(|(_, remark)| !follows(read, &remark.field))
        .map(|remark| read.object.finding(remark))
        .collect()
}

/// Whether a remark about `field` is only the consequence of a field that was left out, or of a misspelt router.
fn follows(read: &Read<'_>, field: &str) -> bool {
    const ROUTING: &str = "spec.strategy.canary.trafficRouting";
    let is_below = |path: &str, above: &str| {
        path.strip_prefix(above).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
    };
    let of_left_out = read.left_out.iter().any(|path| is_below(path, field) || is_below(field, path));
    of_left_out || field == ROUTING && read.unknown.iter().any(|path| is_below(path, ROUTING))
}
