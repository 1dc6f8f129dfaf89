//! The path of a URL, taken apart.

use http::Method;

use super::query::decoded;
use crate::api::request::{Target, Verb};

/// What a path leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Route {
    /// An object, a list, or a part of an object; whether the path itself asks to watch it.
    Resource(Target, bool),
    /// What is made from all that is served.
    Page(Page),
    /// `/healthz`, `/livez`, `/readyz` and what is below them.
    Health,
    /// Nothing.
    Unknown,
}

/// A document about what is served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Page {
    /// `/`: the paths that there are.
    Root,
    /// `/api`.
    CoreVersions,
    /// `/apis`.
    Groups,
    /// `/apis/GROUP`.
    Group(String),
    /// `/api/VERSION`, `/apis/GROUP/VERSION`.
    Resources(String, String),
    /// `/openapi/v3`.
    OpenApiIndex,
    /// `/openapi/v3/...`, by group and version.
    OpenApi(String, String),
    /// `/openapi/v2`.
    Swagger,
    /// `/version`.
    ServerVersion,
}

impl Route {
    pub(super) fn of(path: &str) -> Self {
        let segments: Vec<String> =
            path.split('/').filter(|segment| !segment.is_empty()).map(decoded_segment).collect();
        let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
        match segments[..] {
            [] => Self::Page(Page::Root),
            ["api"] => Self::Page(Page::CoreVersions),
            ["apis"] => Self::Page(Page::Groups),
            ["apis", group] => Self::Page(Page::Group(group.to_owned())),
            ["api", version] => Self::Page(Page::Resources(String::new(), version.to_owned())),
            ["apis", group, version] => Self::Page(Page::Resources(group.to_owned(), version.to_owned())),
            ["api", version, ref rest @ ..] => resource("", version, rest),
            ["apis", group, version, ref rest @ ..] => resource(group, version, rest),
            ["openapi", "v2"] => Self::Page(Page::Swagger),
            ["openapi", "v3"] => Self::Page(Page::OpenApiIndex),
            ["openapi", "v3", "api", version] => Self::Page(Page::OpenApi(String::new(), version.to_owned())),
            ["openapi", "v3", "apis", group, version] => {
                Self::Page(Page::OpenApi(group.to_owned(), version.to_owned()))
            }
            ["version"] => Self::Page(Page::ServerVersion),
            ["healthz" | "livez" | "readyz", ..] => Self::Health,
            _ => Self::Unknown,
        }
    }
}

/// In a path, unlike in a query, a plus sign is itself.
fn decoded_segment(segment: &str) -> String {
    decoded(&segment.replace('+', "%2B"))
}

fn resource(group: &str, version: &str, path: &[&str]) -> Route {
    let (path, is_watch) = path.strip_prefix(&["watch"]).map_or((path, false), |rest| (rest, true));
    let (namespace, path) = match *path {
        // What stands below one namespace: its own parts, or the resources in it.
        ["namespaces", _, "status" | "finalize"] => (None, path),
        ["namespaces", namespace, ref rest @ ..] if !rest.is_empty() => (Some(namespace), rest),
        _ => (None, path),
    };
    let (resource, name, subresource) = match *path {
        [resource] => (resource, None, None),
        [resource, name] => (resource, Some(name), None),
        [resource, name, part] => (resource, Some(name), Some(part)),
        _ => return Route::Unknown,
    };
    let owned = |part: Option<&str>| part.map(str::to_owned);
    let target = Target {
        group: group.to_owned(),
        version: version.to_owned(),
        resource: resource.to_owned(),
        namespace: owned(namespace),
        name: owned(name),
        subresource: owned(subresource),
    };
    Route::Resource(target, is_watch)
}

/// What a method does to a target; none where it does nothing.
pub(super) fn verb(method: &Method, target: &Target, is_watch: bool) -> Option<Verb> {
    let is_named = target.name.is_some();
    match *method {
        Method::GET if is_watch && target.subresource.is_none() => Some(Verb::Watch),
        Method::GET if is_named => Some(Verb::Get),
        Method::GET => Some(Verb::List),
        Method::POST => Some(Verb::Create),
        Method::PUT if is_named => Some(Verb::Update),
        Method::PATCH if is_named => Some(Verb::Patch),
        Method::DELETE if is_named => Some(Verb::Delete),
        Method::DELETE => Some(Verb::DeleteCollection),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(path: &str) -> [String; 6] {
        let Route::Resource(target, _) = Route::of(path) else { panic!("{path} is no resource") };
        let or = |part: Option<String>| part.unwrap_or_default();
        [
            target.group,
            target.version,
            target.resource,
            or(target.namespace),
            or(target.name),
            or(target.subresource),
        ]
    }

    #[test]
    fn paths_lead_to_resources() {
        for (path, expected) in [
            ("/api/v1/pods", ["", "v1", "pods", "", "", ""]),
            ("/api/v1/namespaces", ["", "v1", "namespaces", "", "", ""]),
            ("/api/v1/namespaces/a", ["", "v1", "namespaces", "", "a", ""]),
            ("/api/v1/namespaces/a/finalize", ["", "v1", "namespaces", "", "a", "finalize"]),
            ("/api/v1/namespaces/a/pods", ["", "v1", "pods", "a", "", ""]),
            ("/api/v1/namespaces/a/pods/b/eviction", ["", "v1", "pods", "a", "b", "eviction"]),
            ("/apis/apps/v1/namespaces/a/replicasets/b", ["apps", "v1", "replicasets", "a", "b", ""]),
            ("/apis/x.io/v1/things/a%3Ab+c", ["x.io", "v1", "things", "", "a:b+c", ""]),
        ] {
            assert_eq!(target(path), expected, "{path}");
        }
    }

    #[test]
    fn old_watch_paths_ask_to_watch() {
        let route = Route::of("/api/v1/watch/namespaces/a/pods");
        assert!(matches!(route, Route::Resource(target, true) if target.resource == "pods"));
        assert_eq!(Route::of("/api/v1/namespaces/a/pods/b/c/d"), Route::Unknown);
        assert_eq!(Route::of("/nothing"), Route::Unknown);
    }

    #[test]
    fn methods_are_verbs() {
        let list = Target::default();
        let one = Target { name: Some("a".to_owned()), ..Target::default() };
        assert_eq!(verb(&Method::GET, &list, true), Some(Verb::Watch));
        assert_eq!(verb(&Method::GET, &one, false), Some(Verb::Get));
        assert_eq!(verb(&Method::DELETE, &list, false), Some(Verb::DeleteCollection));
        assert_eq!(verb(&Method::PUT, &list, false), None);
        assert_eq!(verb(&Method::OPTIONS, &one, false), None);
    }
}
