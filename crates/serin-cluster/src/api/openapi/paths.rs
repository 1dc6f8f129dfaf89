//! The paths in OpenAPI documents: as far as clients look at them, which is for the kind and the parameters.

use serde_json::{Map, Value, json};

use super::super::kinds::{Kind, Subresource};
use super::types::{Dialect, list_name, meta_name, part_name};

/// Every path of the kinds.
pub(super) fn all(kinds: &[&Kind], dialect: Dialect) -> Map<String, Value> {
    let mut paths = Map::new();
    for kind in kinds {
        let writer = Writer { kind, dialect };
        paths.extend(writer.paths());
    }
    paths
}

struct Writer<'a> {
    kind: &'a Kind,
    dialect: Dialect,
}

/// One operation: its verb in discovery, its HTTP method, and the action that it is marked with.
const ON_OBJECTS: [(&str, &str, &str); 4] = [
    ("get", "get", "get"),
    ("update", "put", "put"),
    ("patch", "patch", "patch"),
    ("delete", "delete", "delete"),
];
const ON_LISTS: [(&str, &str, &str); 3] =
    [("list", "get", "list"), ("create", "post", "post"), ("deletecollection", "delete", "deletecollection")];

impl Writer<'_> {
    fn paths(&self) -> Vec<(String, Value)> {
        let kind = self.kind;
        let root = if kind.group.is_empty() { "/api" } else { "/apis" };
        let (root, plural) = (format!("{root}/{}", kind.api_version()), &kind.plural);
        let base = if kind.namespaced {
            format!("{root}/namespaces/{{namespace}}/{plural}")
        } else {
            format!("{root}/{plural}")
        };
        let own = [&kind.group, &kind.version, &kind.kind].map(String::as_str);
        let allows = |verb: &str| kind.allows(verb);
        let mut paths = vec![(base.clone(), self.path(&ON_LISTS, allows, own, &kind.type_name(), false))];
        if kind.is_stored() {
            let object = self.path(&ON_OBJECTS, allows, own, &kind.type_name(), true);
            paths.push((format!("{base}/{{name}}"), object));
            if kind.namespaced {
                let lists = self.path(&ON_LISTS[..1], allows, own, &kind.type_name(), false);
                paths.push((format!("{root}/{plural}"), lists));
            }
        }
        paths.extend(
            kind.subresources.iter().map(|part| (format!("{base}/{{name}}/{}", part.name), self.part(part))),
        );
        paths
    }

    fn part(&self, part: &Subresource) -> Value {
        let what = [&part.group, &part.version, &part.kind].map(String::as_str);
        let allows = |verb: &str| part.verbs.iter().any(|own| own == verb);
        let body = if part.kind == self.kind.kind { self.kind.type_name() } else { part_name(part) };
        let operations: Vec<_> = ON_OBJECTS.into_iter().chain([ON_LISTS[1]]).collect();
        self.path(&operations, allows, what, &body, true)
    }

    fn path(
        &self,
        operations: &[(&str, &str, &str)],
        allows: impl Fn(&str) -> bool,
        what: [&str; 3],
        body: &str,
        is_named: bool,
    ) -> Value {
        let mut path = Map::new();
        for (_, method, action) in operations.iter().filter(|(verb, _, _)| allows(verb)) {
            path.insert((*method).to_owned(), self.operation(method, action, what, body));
        }
        let in_path = [("name", is_named), ("namespace", self.kind.namespaced)];
        let in_path = in_path.into_iter().filter(|(_, applies)| *applies);
        let parameters = in_path.map(|(name, _)| self.parameter(name, "path", "string"));
        path.insert("parameters".to_owned(), parameters.collect());
        path.into()
    }

    fn operation(&self, method: &str, action: &str, [group, version, kind]: [&str; 3], body: &str) -> Value {
        let query: &[(&str, &str)] = match method {
            "get" => &GET,
            "patch" => &PATCH,
            "delete" => &DELETE,
            _ => &WRITE,
        };
        let query = query.iter().map(|(name, kind)| self.parameter(name, "query", kind));
        let answer = if action == "list" { list_name(self.kind) } else { body.to_owned() };
        let mut operation = json!({
            "description": format!("{action} {kind}"),
            "x-kubernetes-action": action,
            "x-kubernetes-group-version-kind": {"group": group, "version": version, "kind": kind},
            "parameters": query.collect::<Vec<_>>(),
            "responses": {"200": self.content("OK", "application/json", &answer)},
        });
        if let Some((media, sent)) = match method {
            "post" | "put" => Some(("application/json", body.to_owned())),
            "patch" => Some(("application/apply-patch+yaml", meta_name("Patch"))),
            "delete" => Some(("application/json", meta_name("DeleteOptions"))),
            _ => None,
        } {
            self.add_body(&mut operation, media, &sent);
        }
        operation
    }

    fn add_body(&self, operation: &mut Value, media: &str, name: &str) {
        match self.dialect {
            Dialect::Three => operation["requestBody"] = self.content("What is sent.", media, name),
            Dialect::Two => {
                let body = json!({"name": "body", "in": "body", "schema": self.dialect.reference(name)});
                if let Some(parameters) = operation["parameters"].as_array_mut() {
                    parameters.push(body);
                }
            }
        }
    }

    fn content(&self, description: &str, media: &str, name: &str) -> Value {
        let reference = self.dialect.reference(name);
        match self.dialect {
            Dialect::Two => json!({"description": description, "schema": reference}),
            Dialect::Three => json!({"description": description, "content": {media: {"schema": reference}}}),
        }
    }

    fn parameter(&self, name: &str, place: &str, kind: &str) -> Value {
        let mut parameter = json!({"name": name, "in": place});
        if place == "path" {
            parameter["required"] = true.into();
        }
        match self.dialect {
            Dialect::Two => parameter["type"] = kind.into(),
            Dialect::Three => parameter["schema"] = json!({"type": kind}),
        }
        parameter
    }
}

const GET: [(&str, &str); 9] = [
    ("allowWatchBookmarks", "boolean"),
    ("continue", "string"),
    ("fieldSelector", "string"),
    ("labelSelector", "string"),
    ("limit", "integer"),
    ("resourceVersion", "string"),
    ("resourceVersionMatch", "string"),
    ("timeoutSeconds", "integer"),
    ("watch", "boolean"),
];
const WRITE: [(&str, &str); 3] =
    [("dryRun", "string"), ("fieldManager", "string"), ("fieldValidation", "string")];
const PATCH: [(&str, &str); 4] = [WRITE[0], WRITE[1], WRITE[2], ("force", "boolean")];
const DELETE: [(&str, &str); 3] =
    [("dryRun", "string"), ("gracePeriodSeconds", "integer"), ("propagationPolicy", "string")];
