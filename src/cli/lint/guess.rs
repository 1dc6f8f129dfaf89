//! Suggestions for unknown fields.

use std::collections::BTreeMap;

use super::shape::Place;
use super::source::node::Entry;

/// The known fields of a place, with its path.
pub(super) struct Known<'a> {
    pub(super) path: String,
    pub(super) fields: BTreeMap<&'a str, Place<'a>>,
}

/// Maximum number of field names in a suggestion.
const LISTED_MAX: usize = 8;

/// Maximum number of letters that a typo changes.
const SLIPS_MAX: usize = 2;

/// Common mistakes that no similar field explains: the name of the place, the field, and the suggestion.
const TOLD: &[(&str, &str, &str)] = &[
    ("trafficRouting", "ingress", "did you mean nginx.stableIngress, or alb.ingress?"),
    ("nginx", "annotation", "did you mean additionalIngressAnnotations?"),
    ("nginx", "annotations", "did you mean additionalIngressAnnotations?"),
    ("blueGreen", "activeReplicaCount", "the active revision has spec.replicas pods"),
    ("canary", "pauseConditions", "a pause is a step, as in `- pause: {duration: 30s}`"),
    ("strategy", "type", "the strategy of a Rollout is named by its field, canary or blueGreen"),
    ("strategy", "rollingUpdate", "maxSurge and maxUnavailable are fields of canary"),
];

/// Fields of a metric that people write into the analysis of a Rollout.
const OF_METRICS: [&str; 7] =
    ["interval", "count", "successCondition", "failureCondition", "failureLimit", "initialDelay", "provider"];

/// A suggestion for an unknown field in the last of `places`, which start at the whole object. Empty if there is
/// none.
pub(super) fn remedy(entry: &Entry, places: &[Known<'_>]) -> String {
    let Some((here, around)) = places.split_last() else { return String::new() };
    let key = entry.key.as_str();
    let same = here.fields.keys().find(|name| name.eq_ignore_ascii_case(key));
    let meant = same.map(|name| (*name).to_owned());
    if let Some(told) = meant.is_none().then(|| told(entry, here)).flatten() {
        return told;
    }
    if let Some(meant) = meant.or_else(|| near(key, here)).or_else(|| inside(key, here)) {
        return format!("did you mean {meant}?");
    }
    if let Some(owner) = elsewhere(key, around) {
        return format!("it is a field of {owner}");
    }
    if let Some(meant) = by_content(entry, here) {
        return format!("did you mean {meant}?");
    }
    let names: Vec<&str> = here.fields.keys().copied().collect();
    if names.len() <= LISTED_MAX { format!("known fields are {}", names.join(", ")) } else { String::new() }
}

fn told(entry: &Entry, here: &Known<'_>) -> Option<String> {
    let key = entry.key.as_str();
    let place = here.path.rsplit('.').next().unwrap_or_default();
    if key.contains('/') && here.fields.contains_key("metadata") {
        return Some(
            "put a label into metadata.labels, and an annotation into metadata.annotations".to_owned(),
        );
    }
    if place.ends_with("nalysis") && OF_METRICS.contains(&key) {
        return Some("it is a field of a metric, in the AnalysisTemplate".to_owned());
    }
    // The contents of a router are more significant than its name.
    if let Some(meant) = by_content(entry, here).filter(|_| place == "trafficRouting") {
        return Some(format!("did you mean {meant}?"));
    }
    let row = TOLD.iter().find(|(at, field, _)| *at == place && *field == key);
    row.map(|(_, _, remedy)| (*remedy).to_owned())
}

/// The only known field of the place with a value of the same type.
fn by_content(entry: &Entry, here: &Known<'_>) -> Option<String> {
    let keys = entry.value.entries();
    let holds_all = |place: &Place<'_>| {
        place
            .holds()
            .fields()
            .is_some_and(|fields| keys.iter().all(|inner| fields.contains_key(inner.key.as_str())))
    };
    let mut able =
        here.fields.iter().filter(|(_, place)| !here.path.is_empty() && !keys.is_empty() && holds_all(place));
    let (name, _) = able.next()?;
    able.next().is_none().then(|| (*name).to_owned())
}

/// A field of that name inside a field of the place.
fn inside(key: &str, here: &Known<'_>) -> Option<String> {
    here.fields.iter().find_map(|(name, place)| {
        if has(*place, key) {
            return Some(format!("{name}.{key}"));
        }
        place.holds().items().filter(|item| has(*item, key)).map(|_| format!("{name}[].{key}"))
    })
}

/// True if the place has a field of that name.
fn has(place: Place<'_>, name: &str) -> bool {
    place.holds().fields().is_some_and(|fields| fields.contains_key(name))
}

/// A field that differs by a typo or a missing ending.
fn near(key: &str, here: &Known<'_>) -> Option<String> {
    let distance = |name: &str| {
        let is_cut = key.len() > 3 && (name.starts_with(key) || key.starts_with(name));
        if is_cut { 0 } else { strsim::osa_distance(name, key) }
    };
    let slips = SLIPS_MAX.min(key.len() / 3);
    let near =
        here.fields.keys().map(|name| (distance(name), *name)).filter(|(distance, _)| *distance <= slips);
    near.min().map(|(_, name)| name.to_owned())
}

/// An enclosing place that has a field of that name, or contains an object that has it.
fn elsewhere(key: &str, around: &[Known<'_>]) -> Option<String> {
    around.iter().rev().find_map(|place| {
        if place.fields.contains_key(key) {
            return Some(if place.path.is_empty() {
                "the object itself".to_owned()
            } else {
                place.path.clone()
            });
        }
        let owner = place.fields.iter().find(|(name, inner)| **name != "status" && has(**inner, key));
        owner.map(|(name, _)| join(&place.path, name))
    })
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}
