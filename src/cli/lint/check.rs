//! All findings about some files.

use super::controller;
use super::finding::{Finding, Remark};
use super::object::Object;
use super::rule::Rule;
use super::rules::{self, INVALID_METADATA, NOT_AN_OBJECT, Subject, UNKNOWN_FIELD, WRONG_TYPE};
use super::world::World;
use super::{shape, strict};
use serin_core::api::{
    AnalysisRun, AnalysisTemplate, ClusterAnalysisTemplate, DecodeError, Experiment, Rollout, decode, keys,
};
use serin_core::rollout::validate::{NameForm, metadata_mistakes};

/// A readable Rollout, and the object that it was parsed from.
pub(super) struct Read<'o> {
    pub(super) object: &'o Object,
    pub(super) rollout: Rollout,
    /// Paths of fields that were ignored because their values have a wrong type.
    left_out: Vec<String>,
    /// Paths of unknown fields.
    unknown: Vec<String>,
}

/// Parses the Rollouts in `objects`, and reports unknown fields of all objects.
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
            // The remaining fields may be too few to parse, which is not a mistake of its own.
            Err(_) if !left_out.is_empty() => {}
            Err(error) => found.push(object.finding(misread(error))),
        }
    }
    (rollouts, found)
}

/// Invalid metadata of an object of a known kind.
fn metadata(object: &Object) -> Vec<(&'static Rule, Remark)> {
    let form = if object.name.kind == "Service" { NameForm::Label } else { NameForm::Subdomain };
    let mistakes = metadata_mistakes(&object.json["metadata"], form);
    mistakes.iter().map(|mistake| (&INVALID_METADATA, controller::remark(mistake))).collect()
}

/// The finding for an Ingress of a version that API servers no longer have.
fn outdated(object: &Object) -> Option<(&'static Rule, Remark)> {
    let versions = ["networking.k8s.io/v1beta1", "extensions/v1beta1"];
    let is_outdated = object.name.kind == "Ingress" && versions.contains(&object.api_version.as_str());
    is_outdated.then(|| {
        let remedy = "write networking.k8s.io/v1, where backends have service.name and service.port";
        let problem = "this version of Ingress was removed in Kubernetes 1.22";
        (&NOT_AN_OBJECT, Remark::new("apiVersion", object.api_version.as_str(), problem, remedy))
    })
}

/// Parses an object without its status and the fields of `left_out`. Returns it if it is a Rollout.
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

/// The objects that Rollouts may reference.
pub(super) fn world(objects: &[Object]) -> World {
    let mut world = World::default();
    for object in objects {
        world.add(&object.name, &object.json);
    }
    world
}

/// Reports what the controller would refuse in a Rollout, and what is probably not intended.
///
/// Suppresses consequences of an ignored field, and advice about an incomplete strategy.
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

/// True if a remark about `field` is only a consequence of an ignored field or of a misspelt router.
fn follows(read: &Read<'_>, field: &str) -> bool {
    const ROUTING: &str = "spec.strategy.canary.trafficRouting";
    let is_below = |path: &str, above: &str| {
        path.strip_prefix(above).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
    };
    let of_left_out = read.left_out.iter().any(|path| is_below(path, field) || is_below(field, path));
    of_left_out || field == ROUTING && read.unknown.iter().any(|path| is_below(path, ROUTING))
}
