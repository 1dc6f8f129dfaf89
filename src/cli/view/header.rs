//! The lines above the tree.

use std::collections::BTreeMap;

use k8s_openapi::api::apps::v1::ReplicaSet;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use super::colour::Colour;
use super::field::Field;
use super::node::word;
use super::text::Text;
use serin_core::api::{Experiment, Rollout, keys};
use serin_insight::facts::{Role, actual_weight, replica_sets, roles, set_weight, step_counts, strategy};
use serin_insight::mark::Mark;
use serin_insight::object::{annotation, hash, is_owned};
use serin_insight::report::Counts;
use serin_insight::standing::Standing;
use serin_insight::surroundings::Surroundings;

/// The role of an image, in display order.
type Tags = Vec<(String, Option<Colour>)>;

pub(super) fn rollout(rollout: &Rollout, around: &Surroundings, is_short: bool) -> Vec<Field> {
    let standing = Standing::of(rollout);
    let status = Text::marked(Mark::of_rollout(standing.phase), standing.word());
    let mut fields = who(&rollout.metadata, status, standing.message);
    fields.push(Field::new("Strategy:", strategy(rollout)));
    if rollout.spec.strategy.canary.is_some() {
        let step = step(rollout).unwrap_or_default();
        let (asked, actual) = (set_weight(rollout).to_string(), actual_weight(rollout, around).to_string());
        fields.extend(group(
            [("  Step:", step), ("  SetWeight:", asked), ("  ActualWeight:", actual)],
            is_short,
        ));
    }
    fields.extend(images(&of_rollout(rollout, around)));
    fields.push(Field::title("Replicas:"));
    fields.extend(group(counts(rollout).map(|(label, count)| (label, count.to_string())), is_short));
    fields
}

/// Related fields: one per line, or all in one line.
fn group<const N: usize>(values: [(&'static str, String); N], is_short: bool) -> Vec<Field> {
    if !is_short {
        return values.into_iter().map(|(label, value)| Field::new(label, value)).collect();
    }
    let words = values.map(|(label, value)| format!("{} {value}", label.trim_start()));
    vec![Field::item("  ".into(), words.join(" "))]
}

pub(super) fn experiment(experiment: &Experiment, around: &Surroundings) -> Vec<Field> {
    let status = experiment.status.clone().unwrap_or_default();
    let phase = Text::marked(Mark::of_analysis(status.phase), word(status.phase));
    let mut fields = who(&experiment.metadata, phase, status.message.unwrap_or_default());
    let mut all = Images::new();
    add_experiment(&mut all, experiment, around);
    fields.extend(images(&all));
    fields
}

/// Name, namespace and status of an object.
fn who(meta: &ObjectMeta, status: Text, message: String) -> Vec<Field> {
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    let mut fields = vec![
        Field::new("Name:", text(&meta.name)),
        Field::new("Namespace:", text(&meta.namespace)),
        Field::new("Status:", status),
    ];
    if !message.is_empty() {
        fields.push(Field::new("Message:", message));
    }
    fields
}

fn images(images: &Images) -> impl Iterator<Item = Field> {
    let labels = std::iter::once("Images:").chain(std::iter::repeat(""));
    let images = images.iter().map(|(image, tags)| tagged(image, tags.clone()));
    labels.zip(images).map(|(label, image)| Field::new(label, image))
}

/// The step progress of a canary, such as `1/4`. `None` without steps, or before the first one.
pub(super) fn step(rollout: &Rollout) -> Option<String> {
    step_counts(rollout).map(|(done, all)| format!("{done}/{all}"))
}

fn counts(rollout: &Rollout) -> [(&'static str, i32); 5] {
    let Counts { desired, current, updated, ready, available } = Counts::of(rollout);
    [
        ("  Desired:", desired),
        ("  Current:", current),
        ("  Updated:", updated),
        ("  Ready:", ready),
        ("  Available:", available),
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

/// The running images, by name.
type Images = BTreeMap<String, Tags>;

fn of_rollout(rollout: &Rollout, around: &Surroundings) -> Images {
    let mut images = Images::new();
    for set in replica_sets(rollout, around) {
        let tag = |role: Role| (role.word().to_owned(), Some(Colour::of(role)));
        add(&mut images, set, &roles(rollout, hash(set)).into_iter().map(tag).collect());
    }
    let experiments = around.experiments.iter().filter(|one| is_owned(&one.metadata, &rollout.metadata));
    experiments.for_each(|experiment| add_experiment(&mut images, experiment, around));
    images
}

fn add_experiment(images: &mut Images, experiment: &Experiment, around: &Surroundings) {
    let owned = |set: &&ReplicaSet| is_owned(&set.metadata, &experiment.metadata);
    for set in around.replica_sets.iter().filter(owned) {
        let template = annotation(&set.metadata, keys::EXPERIMENT_TEMPLATE_NAME);
        add(images, set, &vec![(format!("Σ:{template}"), Some(Colour::Blue))]);
    }
}

/// Adds the images of a ReplicaSet with pods. Tags of an image that others also have are sorted.
fn add(images: &mut Images, set: &ReplicaSet, tags: &Tags) {
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
