//! Server-side apply, and who owns what after any other write.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::super::lists::Lists;
use super::super::status::{Reason, Status};
use super::field_set::{Element, FieldSet, path_text};
use super::managed::{self, Entry, Operation};
use super::typed::{Comparison, Walk};

/// The owner of fields that were there before anyone was tracked.
const BEFORE_FIRST_APPLY: &str = "before-first-apply";

/// Fields of `metadata` that nobody owns.
const UNOWNED_METADATA: [&str; 9] = [
    "name",
    "namespace",
    "creationTimestamp",
    "selfLink",
    "uid",
    "clusterName",
    "generation",
    "managedFields",
    "resourceVersion",
];

/// Who writes, and through which endpoint.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Manager<'a> {
    /// `fieldManager` of the request.
    pub name: &'a str,
    /// The subresource that is written, such as `status`; empty for the object itself.
    pub subresource: &'a str,
    /// Whether to take fields from their owners (`force` of server-side apply).
    pub force: bool,
    /// Paths of fields that this endpoint does not write, and which the manager therefore does not come to own:
    /// `status` for objects with a status subresource, `spec` for the status itself.
    pub reset: &'a [&'a [&'a str]],
}

/// What applying `config` to `live` gives, with `metadata.managedFields`; without `live`, a new object.
///
/// The configuration's fields become the manager's. Fields that it applied before and does not apply any more are
/// removed where nobody else owns them. Where it changes fields of others that is a conflict (409, one cause a field),
/// unless it is forced. A map or list that loses the last of its items but not its owner is null, as in the API server,
/// which drops nulls from built-in kinds when it decodes them: so has the caller. `metadata` of `live` that no patch may change, such as `uid`, is the caller's to check.
pub fn apply(
    lists: &dyn Lists,
    live: Option<&Value>,
    config: &Value,
    by: &Manager<'_>,
    now: Timestamp,
) -> Result<Value, Status> {
    check(lists, config)?;
    let mut before = live.cloned().unwrap_or_else(|| json!({}));
    let mut entries = managed::read(&before).ok_or_else(|| {
        Status::new(
            Reason::Unknown,
            "failed to decode managed fields: an entry of metadata.managedFields is invalid",
        )
    })?;
    let api_version = config["apiVersion"].as_str().unwrap_or_default();
    managed::strip(&mut before);
    if live.is_some() && entries.is_empty() {
        let mut first = entry(BEFORE_FIRST_APPLY, Operation::Update, api_version, by.subresource, Some(now));
        let changes = compare(lists, &lists.empty(), &before, by);
        first.fields = stripped(&changes.modified.union(&changes.added));
        entries.push(first);
    }

    let mut mine = entry(by.name, Operation::Apply, api_version, by.subresource, None);
    let (last, mut others): (Vec<Entry>, Vec<Entry>) =
        entries.into_iter().partition(|entry| entry.is_of(&mine));
    mine.fields = fields(lists, config).without(by.reset);
    mine.time = last.first().and_then(|entry| entry.time);

    let merged = Walk::new(lists).merge(Some(&before), Some(config)).unwrap_or_default();
    let mut after = match last.first() {
        Some(last) => prune(lists, &merged, &last.fields, &others, &mine),
        None => merged,
    };
    let mut changes = Changes::new(lists, &before, &after, by, api_version);
    let taken = take(&mut others, &mut changes);
    if !by.force && !taken.is_empty() {
        return Err(conflict(&taken));
    }
    mine.fields = stripped(&mine.fields);
    if before != after {
        mine.time = Some(now.as_second());
    }
    // The metadata of every kind is decoded.
    if let Some(metadata) = after.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.retain(|_, value| !value.is_null());
    }
    others.push(mine);
    managed::write(&mut after, others);
    Ok(after)
}

/// `after`, which a create, an update or a patch made of `before`, with `metadata.managedFields`. Before a create there
/// is an object in which nothing is set.
///
/// What changed is the manager's from now on, and no longer that of others. Entries that the request itself has replace
/// those of the object before, except through a subresource. An object that was not tracked when it was written last
/// stays untracked, as does one whose entries the request emptied.
#[must_use]
pub fn track(lists: &dyn Lists, before: &Value, mut after: Value, by: &Manager<'_>, now: Timestamp) -> Value {
    let mut old = before.clone();
    let is_new = old["metadata"]["uid"].is_null();
    let of_live = managed::read(&old).unwrap_or_default();
    let of_request = managed::read(&after).filter(|entries| !entries.is_empty());
    let mut entries = match of_request {
        Some(entries) if by.subresource.is_empty() => entries,
        Some(_) | None if by.subresource.is_empty() && managed::is_reset(&after) => Vec::new(),
        Some(_) | None => of_live,
    };
    managed::strip(&mut old);
    managed::strip(&mut after);
    if !is_new && entries.is_empty() {
        return after;
    }

    let api_version = after["apiVersion"].as_str().unwrap_or_default().to_owned();
    let mut found = Changes::new(lists, &old, &after, by, &api_version);
    let _taken = take(&mut entries, &mut found);
    let changes = found.in_version(&api_version);
    let mut mine = entry(by.name, Operation::Update, &api_version, by.subresource, Some(now));
    mine.fields = stripped(&changes.modified.union(&changes.added));
    if !mine.fields.is_empty() {
        if let Some(place) = entries.iter().position(|entry| entry.is_of(&mine)) {
            mine.fields = mine.fields.union(&entries.remove(place).fields);
        }
        entries.push(mine);
    }
    managed::cap(&mut entries);
    managed::write(&mut after, entries);
    after
}

fn entry(
    manager: &str,
    operation: Operation,
    api_version: &str,
    subresource: &str,
    time: Option<Timestamp>,
) -> Entry {
    Entry {
        manager: if manager.is_empty() { "unknown" } else { manager }.to_owned(),
        operation,
        api_version: api_version.to_owned(),
        subresource: subresource.to_owned(),
        time: time.map(Timestamp::as_second),
        fields: FieldSet::default(),
    }
}

fn fields(lists: &dyn Lists, object: &Value) -> FieldSet {
    let mut set = FieldSet::default();
    Walk::new(lists).fields(object, &mut set);
    set
}

fn compare(lists: &dyn Lists, before: &Value, after: &Value, by: &Manager<'_>) -> Comparison {
    let mut changes = Comparison::default();
    Walk::new(lists).compare(Some(before), Some(after), &mut changes);
    changes.without(by.reset)
}

/// The set without what nobody owns.
fn stripped(fields: &FieldSet) -> FieldSet {
    let field = |name: &str| Element::Field(name.to_owned());
    let mut unowned = FieldSet::default();
    for name in ["apiVersion", "kind", "metadata"] {
        unowned.insert(&[field(name)]);
    }
    for name in UNOWNED_METADATA {
        unowned.insert(&[field("metadata"), field(name)]);
    }
    fields.difference(&unowned)
}

/// Whether `config` can be applied at all.
fn check(lists: &dyn Lists, config: &Value) -> Result<(), Status> {
    let kind = |object: &Value| {
        let text = |key: &str| object[key].as_str().unwrap_or_default().to_owned();
        let api_version = text("apiVersion");
        let api_version = if api_version.contains('/') { api_version } else { format!("/{api_version}") };
        format!("{api_version}, Kind={}", text("kind"))
    };
    if config["metadata"].get("managedFields").is_some_and(|fields| !fields.is_null()) {
        return Err(Status::new(Reason::BadRequest, "metadata.managedFields must be nil"));
    }
    let misfit = lists.misfit(config).or_else(|| Walk::new(lists).misfit(config));
    let Some(misfit) = misfit else { return Ok(()) };
    let text = |key: &str| config["metadata"][key].as_str().unwrap_or_default();
    let (namespace, name) = (text("namespace"), text("name"));
    // Here the group and version of the core group have no slash before them, as of every other.
    let kind = kind(config);
    let message = format!("failed to create typed patch object ({namespace}/{name}; {kind}): {misfit}");
    Err(Status::new(Reason::Unknown, message))
}

/// `merged` without what the manager applied last and does not apply now, unless others own it.
fn prune(lists: &dyn Lists, merged: &Value, last: &FieldSet, others: &[Entry], mine: &Entry) -> Value {
    let is_named = |path: &[&str]| !lists.is_free_key(path);
    let named = |set: &FieldSet| set.with_named(&is_named);
    let remove = |set: &FieldSet| Walk::new(lists).remove(merged, set).unwrap_or_else(|| json!({}));

    let all = named(&fields(lists, merged));
    let last = named(last);
    let managed = others.iter().fold(mine.fields.clone(), |all, entry| all.union(&entry.fields));
    let kept = named(&fields(lists, &remove(&last))).union(&named(&managed));
    // What is owned comes back, and so does what the manager never owned but stood within what was removed.
    let kept = named(&fields(lists, &remove(&all.difference(&kept))));
    remove(&all.difference(&kept).intersection(&last))
}

/// What a write changes, in each of the versions in which somebody owns fields.
struct Changes<'a> {
    lists: &'a dyn Lists,
    before: &'a Value,
    after: &'a Value,
    by: &'a Manager<'a>,
    known: BTreeMap<String, Comparison>,
}

impl<'a> Changes<'a> {
    /// Of the version that is written in.
    fn new(
        lists: &'a dyn Lists,
        before: &'a Value,
        after: &'a Value,
        by: &'a Manager<'a>,
        version: &str,
    ) -> Self {
        let known = BTreeMap::from([(version.to_owned(), compare(lists, before, after, by))]);
        Self { lists, before, after, by, known }
    }

    fn in_version(&mut self, version: &str) -> &Comparison {
        let Self { lists, before, after, by, known } = self;
        known.entry(version.to_owned()).or_insert_with(|| {
            let shown = |object: &Value| lists.in_version(object, version);
            match (shown(before), shown(after)) {
                (Some((lists, before)), Some((_, after))) => compare(&*lists, &before, &after, by),
                _ => compare(*lists, before, after, by),
            }
        })
    }
}

/// Takes what changed from its owners; returns what was taken of whom.
fn take(entries: &mut Vec<Entry>, changes: &mut Changes<'_>) -> Vec<Entry> {
    let mut taken = Vec::new();
    entries.retain(|entry| changes.lists.has_version(&entry.api_version));
    for entry in entries {
        let changes = changes.in_version(&entry.api_version);
        let touched = changes.modified.union(&changes.added);
        let conflict = entry.fields.intersection(&touched);
        if !conflict.is_empty() {
            taken.push(Entry { fields: conflict.clone(), ..entry.clone() });
        }
        entry.fields = entry.fields.difference(&conflict).difference(&changes.removed);
    }
    taken
}

/// Whether nothing but times of entries changed from one object to another.
#[must_use]
pub fn is_same_but_for_times(before: &Value, after: &Value) -> bool {
    let timeless = |object: &Value| {
        let mut object = object.clone();
        let entries = object.pointer_mut("/metadata/managedFields").and_then(Value::as_array_mut);
        for entry in entries.into_iter().flatten() {
            entry.as_object_mut().map(|entry| entry.remove("time"));
        }
        object
    };
    before == after || timeless(before) == timeless(after)
}

/// The refusal that names each field and its owner.
fn conflict(taken: &[Entry]) -> Status {
    let mut taken: Vec<&Entry> = taken.iter().collect();
    // Those without a subresource come last.
    taken.sort_by_key(|entry| {
        let subresource = (entry.subresource.is_empty(), &entry.subresource);
        (&entry.manager, entry.operation, &entry.api_version, subresource)
    });
    let mut causes = Vec::new();
    let mut groups = Vec::new();
    for entry in taken {
        let owner = owner(entry);
        let paths: Vec<String> = entry.fields.paths().iter().map(|path| path_text(path)).collect();
        causes.extend(paths.iter().map(|path| {
            json!({"reason": "FieldManagerConflict", "message": format!("conflict with {owner}"), "field": path})
        }));
        groups.push((owner, paths));
    }
    let message = match groups.as_slice() {
        [(owner, paths)] if paths.len() == 1 => {
            format!("Apply failed with 1 conflict: conflict with {owner}: {}", paths.concat())
        }
        groups => {
            let groups: Vec<String> = groups
                .iter()
                .map(|(owner, paths)| format!("conflicts with {owner}:\n- {}", paths.join("\n- ")))
                .collect();
            format!("Apply failed with {} conflicts: {}", causes.len(), groups.join("\n"))
        }
    };
    Status::with(Reason::Conflict, message, json!({"causes": causes}))
}

fn owner(entry: &Entry) -> String {
    let mut owner = format!("{:?}", entry.manager);
    if !entry.subresource.is_empty() {
        owner = format!("{owner} with subresource {:?}", entry.subresource);
    }
    match entry.operation {
        Operation::Apply => owner,
        Operation::Update => format!("{owner} using {}", entry.api_version),
    }
}
