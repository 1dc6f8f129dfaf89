//! Reading one object or a collection.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};

use super::super::status::{Reason, Status};
use super::super::store::object::{members, set};
use super::super::store::selector::Selector;
use super::super::store::{Key, Resource, Store};
use super::call::{Answer, Call};
use super::page::{Token, check_list_options, fields_with_name, parse_revision};
use super::refuse;
use super::versions::view;

/// Which state of the collection a list is made from.
enum State {
    Latest,
    At(u64),
}

impl Store {
    pub(super) fn get(&self, call: &Call<'_>) -> Result<Answer, Status> {
        let asked = call.request.options.resource_version.as_deref().unwrap_or_default();
        if !asked.is_empty() {
            self.check_reached(parse_revision(asked)?)?;
        }
        let found = self.read(&call.key(call.name()));
        let object = found.ok_or_else(|| refuse::not_found(&call.resource, call.name()))?;
        Ok(Answer::ok((*view(&call.resource, object)).clone()))
    }

    pub(super) fn list(&self, call: &Call<'_>) -> Result<Answer, Status> {
        let options = &call.request.options;
        check_list_options(options, false)?;
        let fields = fields_with_name(&call.request.target, options);
        let selector = Selector::parse(&call.resource, options.label_selector.as_deref(), fields.as_deref())?;
        let (state, start) = self.place(call)?;
        let objects = self.collection(call, &state).map_err(|status| match options.continue_token {
            Some(_) => too_old_to_continue(&start),
            None => status,
        })?;
        let base = call.namespace().map_or(0, |namespace| namespace.len() + 1);
        let relative = |key: &Key| key.path.get(base..).unwrap_or_default().to_owned();
        let selected = objects
            .iter()
            .filter(|(key, _)| relative(key) >= start)
            .filter(|(_, object)| selector.selects(object));
        // A list of any version is answered from memory as a whole.
        let whole = options.resource_version.as_deref() == Some("0") && options.continue_token.is_none();
        let limit = options.limit.filter(|limit| *limit > 0 && !whole).unwrap_or(usize::MAX);
        let page: Vec<_> = selected.take(limit).collect();
        // What is not read yet counts, selected or not. Who asks for one name is answered by one look.
        let is_one_place = call.namespace().is_some() || !call.resource.namespaced;
        let is_single = options.continue_token.is_none() && selector.name().is_some() && is_one_place;
        let last = page.last().filter(|_| page.len() == limit && !is_single).map(|(key, _)| *key);
        let remaining = last.map_or(0, |last| objects.keys().filter(|key| *key > last).count());
        let revision = match state {
            State::Latest => self.revision(),
            State::At(revision) => revision,
        };
        let mut metadata = json!({"resourceVersion": revision.to_string()});
        if call.resource.custom.is_some() {
            metadata["continue"] = "".into();
        }
        if let (Some(last), 1..) = (last, remaining) {
            let start = format!("{}\0", relative(last));
            metadata["continue"] = Token { revision: Some(revision), start }.encode().into();
            if selector.is_empty() {
                metadata["remainingItemCount"] = remaining.into();
            }
        }
        let items = page.into_iter().map(|(_, object)| item(&call.resource, object)).collect();
        Ok(Answer::ok(list_object(&call.resource, metadata, items)))
    }

    /// The state that a list asks for and where in it the page begins.
    fn place(&self, call: &Call<'_>) -> Result<(State, String), Status> {
        let options = &call.request.options;
        let version = options.resource_version.as_deref().unwrap_or_default();
        if let Some(token) = options.continue_token.as_deref().filter(|token| !token.is_empty()) {
            if !version.is_empty() && version != "0" {
                let why = "specifying resource version is not allowed when using continue";
                return Err(refuse::bad_request(why));
            }
            let token = Token::decode(token)?;
            return Ok((token.revision.map_or(State::Latest, State::At), token.start));
        }
        if version.is_empty() {
            return Ok((State::Latest, String::new()));
        }
        let revision = parse_revision(version)
            .map_err(|status| refuse::bad_request(format!("invalid resource version: {}", status.message)))?;
        self.check_reached(revision)?;
        let limited = options.limit.is_some_and(|limit| limit > 0);
        let exact = match options.resource_version_match.as_deref() {
            Some("Exact") => true,
            Some(_) => false,
            None => limited && revision > 0,
        };
        Ok((if exact { State::At(revision) } else { State::Latest }, String::new()))
    }

    fn check_reached(&self, revision: u64) -> Result<(), Status> {
        if revision > self.revision() {
            return Err(refuse::too_large_revision(revision, self.revision()));
        }
        Ok(())
    }

    /// The objects of the collection, as they are or as they were.
    fn collection(&self, call: &Call<'_>, state: &State) -> Result<BTreeMap<Key, Arc<Value>>, Status> {
        let (group, plural) = &call.resource.stored;
        let now = self.range(group, plural, call.namespace());
        let mut objects: BTreeMap<Key, Arc<Value>> =
            now.map(|(key, object)| (key.clone(), Arc::clone(object))).collect();
        let State::At(revision) = state else {
            return Ok(objects);
        };
        if *revision < self.log.floor() {
            let message = "The resourceVersion for the provided list is too old.";
            return Err(Status::new(Reason::Expired, message));
        }
        for change in self.log.since(*revision).rev() {
            if !change.key.is_in(group, plural, call.namespace()) {
                continue;
            }
            match &change.before {
                Some(before) => objects.insert(change.key.clone(), Arc::clone(before)),
                None => objects.remove(&change.key),
            };
        }
        Ok(objects)
    }
}

/// The refusal of a page whose list is forgotten, with a token for the rest of the list as it is now.
fn too_old_to_continue(start: &str) -> Status {
    let message = "The provided continue parameter is too old to display a consistent list result. You can start a new \
        list without the continue parameter, or use the continue token in this response to retrieve the remainder of the \
        results. Continuing with the provided token results in an inconsistent list - objects that were created, \
        modified, or deleted between the time the first chunk was returned and now may show up in the list.";
    let rest = Token { revision: None, start: start.to_owned() }.encode();
    Status { details: json!({"continue": rest}), ..Status::new(Reason::Expired, message) }
}

/// An object as an item of a list: items of built-in kinds do not repeat their kind.
fn item(resource: &Resource, object: &Arc<Value>) -> Value {
    let mut item = (*view(resource, object)).clone();
    if resource.custom.is_none() {
        members(&mut item).remove("kind");
        members(&mut item).remove("apiVersion");
    }
    item
}

fn list_object(resource: &Resource, metadata: Value, items: Vec<Value>) -> Value {
    let mut list = json!({"kind": resource.list_kind, "apiVersion": resource.api_version()});
    set(&mut list, &["metadata"], metadata);
    set(&mut list, &["items"], items.into());
    list
}
