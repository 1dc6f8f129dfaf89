//! All that there is to say about some files.

use super::controller;
use super::finding::{Finding, Remark};
use super::object::Object;
use super::rules::{self, Rule, Subject, WRONG_TYPE};
use super::world::World;
use super::{shape, strict};
use crate::api::{
    AnalysisRun, AnalysisTemplate, ClusterAnalysisTemplate, DecodeError, Experiment, Rollout, decode, keys,
};

/// A Rollout that can be read, and the object that it was read from.
pub(super) struct Read<'o> {
    pub(super) object: &'o Object,
    pub(super) rollout: Rollout,
}

/// The Rollouts of `objects` that can be read, and every field of any object that its kind does not have.
pub(super) fn read(objects: &[Object]) -> (Vec<Read<'_>>, Vec<Finding>) {
    let mut rollouts = Vec::new();
    let mut found = Vec::new();
    for object in objects {
        let Some(place) = shape::of_kind(&object.api_version, &object.name.kind) else { continue };
        let broken = strict::check(&object.node, place);
        let is_sound = broken.iter().all(|(rule, _)| *rule != &WRONG_TYPE);
        found.extend(broken.into_iter().map(|remark| object.finding(remark)));
        if !is_sound {
            continue;
        }
        match decoded(object) {
            Ok(rollout) => rollouts.extend(rollout.map(|rollout| Read { object, rollout })),
            Err(error) => found.push(object.finding(misread(error))),
        }
    }
    (rollouts, found)
}

/// Reads an object as its type; there is more to say only about Rollouts.
fn decoded(object: &Object) -> Result<Option<Rollout>, DecodeError> {
    let json = || object.json.clone();
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
pub(super) fn judge(read: &Read<'_>, world: &World) -> Vec<Finding> {
    let filled = controller::filled(&read.rollout, world);
    let subject = Subject { rollout: &filled, world };
    let refused = controller::check(&read.rollout, world);
    refused.into_iter().chain(rules::advise(&subject)).map(|remark| read.object.finding(remark)).collect()
}
