//! The lines above the tree.

use std::collections::BTreeMap;

use k8s_openapi::api::apps::v1::ReplicaSet;

use super::facts::{Role, actual_weight, replica_sets, roles, set_weight, step, strategy};
use super::mark::Mark;
use super::standing::Standing;
use super::text::{Colour, Text};
use super::{Surroundings, annotation, hash, is_owned};
use crate::api::{Rollout, keys};

/// What a value is preceded by, at least.
const LABEL: usize = 17;

/// What an image is for, in the order in which it is shown.
type Tags = Vec<(String, Option<Colour>)>;

pub(super) fn rollout(rollout: &Rollout, around: &Surroundings, is_coloured: bool) -> String {
    let standing = Standing::of(rollout);
    let meta = &rollout.metadata;
    let text = |value: &Option<String>| Text::from(value.clone().unwrap_or_default());
    let mut lines = vec![
        ("Name:", text(&meta.name)),
        ("Namespace:", text(&meta.namespace)),
        ("Status:", Text::marked(Mark::of_rollout(standing.phase), standing.word())),
    ];
    if !standing.message.is_empty() {
        lines.push(("Message:", standing.message.into()));
    }
    lines.push(("Strategy:", strategy(rollout).into()));
    if rollout.spec.strategy.canary.is_some() {
        lines.push(("  Step:", step(rollout).unwrap_or_default().into()));
        lines.push(("  SetWeight:", set_weight(rollout).to_string().into()));
        lines.push(("  ActualWeight:", actual_weight(rollout, around).to_string().into()));
    }
    let images = images(rollout, around).into_iter().map(|(image, tags)| tagged(&image, tags));
    let labels = std::iter::once("Images:").chain(std::iter::repeat(""));
    lines.extend(labels.zip(images));
    let mut shown: String = lines.iter().map(|(label, value)| line(label, value, is_coloured)).collect();
    shown += "Replicas:\n";
    let counts = counts(rollout).into_iter().map(|(label, count)| (label, count.to_string().into()));
    shown.extend(counts.map(|(label, count)| line(label, &count, is_coloured)));
    shown
}

fn line(label: &str, value: &Text, is_coloured: bool) -> String {
    format!("{label:<LABEL$}{}\n", value.shown(is_coloured))
}

fn counts(rollout: &Rollout) -> [(&'static str, i32); 5] {
    let status = rollout.status.clone().unwrap_or_default();
    [
        ("  Desired:", rollout.spec.replicas.unwrap_or(1)),
        ("  Current:", status.replicas),
        ("  Updated:", status.updated_replicas),
        ("  Ready:", status.ready_replicas),
        ("  Available:", status.available_replicas),
    ]
}

fn tagged(image: &str, tags: Tags) -> Text {
    if tags.is_empty() {
        return image.into();
    }
    let mut text = Text::from(format!("{image} ("));
    for (index, (tag, colour)) in tags.into_iter().enumerate() {
        text = text.with(if index == 0 { "" } else { ", " }, None).with(tag, colour);
    }
    text.with(")", None)
}

/// The images that run, by name.
fn images(rollout: &Rollout, around: &Surroundings) -> BTreeMap<String, Tags> {
    let mut images = BTreeMap::new();
    for set in replica_sets(rollout, around) {
        let tag = |role: Role| (role.word().to_owned(), Some(role.colour()));
        add(&mut images, set, &roles(rollout, hash(set)).into_iter().map(tag).collect());
    }
    let experiments = around.experiments.iter().filter(|one| is_owned(&one.metadata, &rollout.metadata));
    for experiment in experiments {
        let owned = |set: &&ReplicaSet| is_owned(&set.metadata, &experiment.metadata);
        for set in around.replica_sets.iter().filter(owned) {
            let template = annotation(&set.metadata, keys::EXPERIMENT_TEMPLATE_NAME);
            add(&mut images, set, &vec![(format!("Σ:{template}"), Some(Colour::Blue))]);
        }
    }
    images
}

/// Adds the images of a ReplicaSet, if it has pods. Tags of an image that others have, too, are sorted.
fn add(images: &mut BTreeMap<String, Tags>, set: &ReplicaSet, tags: &Tags) {
    if set.status.as_ref().is_none_or(|status| status.replicas == 0) {
        return;
    }
    let spec = set.spec.as_ref().and_then(|spec| spec.template.as_ref()?.spec.as_ref());
    let names = spec.into_iter().flat_map(|spec| &spec.containers).filter_map(|one| one.image.clone());
    for name in names {
        let Some(known) = images.get_mut(&name) else {
            images.insert(name, tags.clone());
            continue;
        };
        known.extend(tags.iter().filter(|tag| !known.contains(tag)).cloned().collect::<Tags>());
        known.sort_by(|(one, _), (other, _)| one.cmp(other));
    }
}
