//! What the ingress proxy is told to do, read from Ingresses, Services and `EndpointSlices`, with the rules of
//! ingress-nginx for its canary annotations.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;

use serde_json::Value;

use crate::view::{Object, View};

/// The prefix of the annotations.
const PREFIX: &str = "nginx.ingress.kubernetes.io/";
const INGRESSES: &str = "ingresses.networking.k8s.io";
const SLICES: &str = "endpointslices.discovery.k8s.io";

/// All that the proxy needs to know.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Config {
    /// Locations by host, the one to be looked at first in front; the host is empty for rules without one, and may
    /// begin with `*.`.
    pub hosts: BTreeMap<String, Vec<Location>>,
    /// Endpoints by upstream. One without endpoints has no entry.
    pub upstreams: BTreeMap<Upstream, Vec<Endpoint>>,
    /// Why something of an Ingress has no effect, one line each.
    pub notes: Vec<String>,
}

/// Where requests can be sent: a port of a Service.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Upstream {
    /// Namespace.
    pub namespace: String,
    /// Service.
    pub service: String,
    /// Name or number of the port.
    pub port: String,
}

/// A pod behind an upstream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Endpoint {
    /// Its address as the API has it.
    pub address: Ipv4Addr,
    /// Its port.
    pub port: u16,
}

/// How a path is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum PathType {
    /// The path alone.
    Exact,
    /// The path and what is below it, by whole elements.
    Prefix,
    /// As nginx does it: every path that begins with these characters.
    ImplementationSpecific,
}

/// A path of a host.
#[derive(Debug, Clone, PartialEq)]
pub struct Location {
    /// The path.
    pub path: String,
    /// How it is compared.
    pub path_type: PathType,
    /// Where requests go that no canary takes.
    pub primary: Upstream,
    /// The canary and its rules.
    pub canary: Option<Canary>,
    /// Clients are bound to what they got first by a cookie.
    pub affinity: Option<Affinity>,
}

/// A second upstream of a location, and who gets there.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Canary {
    /// Where.
    pub upstream: Option<Upstream>,
    /// `canary-weight`.
    pub weight: i64,
    /// `canary-weight-total`.
    pub weight_total: i64,
    /// `canary-by-header`; empty for none.
    pub header: String,
    /// `canary-by-header-value`; empty for none.
    pub header_value: String,
    /// `canary-by-header-pattern`; empty for none.
    pub header_pattern: String,
    /// `canary-by-cookie`; empty for none.
    pub cookie: String,
}

/// Session affinity by cookie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Affinity {
    /// Name of the cookie.
    pub cookie: String,
    /// Whether a client is bound to primary or canary, too; not so with `affinity-canary-behavior: legacy`.
    pub is_sticky: bool,
}

/// One path of an Ingress.
struct Rule<'a> {
    ingress: &'a Object,
    host: String,
    path: String,
    path_type: PathType,
    upstream: Upstream,
}

/// The configuration that the objects of `view` ask for.
#[must_use]
pub fn config(view: &View) -> Config {
    let mut config = Config::default();
    let mut ingresses: Vec<&Object> = view.all(INGRESSES).filter(|ingress| !ingress.is_deleted()).collect();
    ingresses.sort_by_key(|ingress| {
        (
            ingress.time("/metadata/creationTimestamp"),
            ingress.namespace().to_owned(),
            ingress.name().to_owned(),
        )
    });
    let mut canaries = Vec::new();
    for ingress in ingresses {
        match canary(ingress) {
            Ok(None) => primary(&mut config, ingress),
            Ok(Some(canary)) => canaries.push((ingress, canary)),
            Err(problem) => config.notes.push(format!("{}: {problem}; it is ignored", called(ingress))),
        }
    }
    let primaries: BTreeSet<Upstream> =
        config.hosts.values().flatten().map(|location| location.primary.clone()).collect();
    for (ingress, canary) in canaries {
        for rule in rules(ingress) {
            add_canary(&mut config, &primaries, rule, canary.clone());
        }
    }
    for locations in config.hosts.values_mut() {
        // An exact path comes before a prefix, and a longer one before a shorter.
        locations.sort_by_key(|location| (std::cmp::Reverse(location.path.len()), location.path_type));
    }
    let wanted: BTreeSet<Upstream> = config
        .hosts
        .values()
        .flatten()
        .flat_map(|location| {
            let canary = location.canary.as_ref().and_then(|canary| canary.upstream.clone());
            [Some(location.primary.clone()), canary].into_iter().flatten()
        })
        .collect();
    for upstream in wanted {
        let endpoints = endpoints(view, &upstream);
        if !endpoints.is_empty() {
            config.upstreams.insert(upstream, endpoints);
        }
    }
    config
}

fn called(ingress: &Object) -> String {
    format!("Ingress {}/{}", ingress.namespace(), ingress.name())
}

fn primary(config: &mut Config, ingress: &Object) {
    let affinity = affinity(ingress);
    for rule in rules(ingress) {
        let locations = config.hosts.entry(rule.host.clone()).or_default();
        let is_taken = |known: &Location| known.path == rule.path && known.path_type == rule.path_type;
        if locations.iter().any(is_taken) {
            let (name, host, path) = (called(ingress), &rule.host, &rule.path);
            config.notes.push(format!("{name}: {host}{path} is defined in an older Ingress already"));
            continue;
        }
        locations.push(Location {
            path: rule.path,
            path_type: rule.path_type,
            primary: rule.upstream,
            canary: None,
            affinity: affinity.clone(),
        });
    }
}

fn add_canary(config: &mut Config, primaries: &BTreeSet<Upstream>, rule: Rule<'_>, canary: Canary) {
    let (name, host, path) = (called(rule.ingress), &rule.host, &rule.path);
    let mut locations = config.hosts.get_mut(&rule.host).into_iter().flatten();
    let place = locations.find(|known| known.path == rule.path && known.path_type == rule.path_type);
    let Some(location) = place else {
        let note =
            format!("{name}: {host}{path} is in no Ingress that is not a canary, with the same pathType");
        config.notes.push(note);
        return;
    };
    if location.canary.is_some() {
        config.notes.push(format!("{name}: {host}{path} has another canary Ingress already"));
        return;
    }
    if primaries.contains(&rule.upstream) {
        let service = &rule.upstream.service;
        config.notes.push(format!("{name}: Service {service} serves an Ingress that is not a canary, too"));
        return;
    }
    location.canary = Some(Canary { upstream: Some(rule.upstream), ..canary });
}

fn rules(ingress: &Object) -> Vec<Rule<'_>> {
    let mut rules = Vec::new();
    for rule in ingress.list("/spec/rules") {
        for path in rule.pointer("/http/paths").and_then(Value::as_array).into_iter().flatten() {
            let Some(upstream) = upstream(ingress, &path["backend"]) else { continue };
            let path_type = match path["pathType"].as_str() {
                Some("Exact") => PathType::Exact,
                Some("Prefix") => PathType::Prefix,
                _ => PathType::ImplementationSpecific,
            };
            let text = path["path"].as_str().filter(|path| !path.is_empty()).unwrap_or("/");
            rules.push(Rule {
                ingress,
                host: rule["host"].as_str().unwrap_or_default().to_ascii_lowercase(),
                path: text.to_owned(),
                path_type,
                upstream,
            });
        }
    }
    if let Some(upstream) = upstream(ingress, ingress.at("/spec/defaultBackend"))
        && rules.is_empty()
    {
        let path_type = PathType::Prefix;
        rules.push(Rule { ingress, host: String::new(), path: "/".to_owned(), path_type, upstream });
    }
    rules
}

fn upstream(ingress: &Object, backend: &Value) -> Option<Upstream> {
    let service = &backend["service"];
    let port = match (&service["port"]["name"], &service["port"]["number"]) {
        (Value::String(name), _) => name.clone(),
        (_, number) => number.as_i64()?.to_string(),
    };
    let service = service["name"].as_str()?.to_owned();
    Some(Upstream { namespace: ingress.namespace().to_owned(), service, port })
}

fn endpoints(view: &View, upstream: &Upstream) -> Vec<Endpoint> {
    let Some(service) = view.find("services", &upstream.namespace, &upstream.service) else {
        return Vec::new();
    };
    let is_meant = |port: &&Value| {
        port["name"] == upstream.port.as_str()
            || port["port"].as_i64().is_some_and(|n| n.to_string() == upstream.port)
    };
    let Some(port) = service.list("/spec/ports").find(is_meant) else { return Vec::new() };
    let name = port["name"].as_str().unwrap_or_default();
    let slices = view.within(SLICES, &upstream.namespace);
    let slices = slices.filter(|slice| slice.label("kubernetes.io/service-name") == Some(&upstream.service));
    let mut endpoints: Vec<Endpoint> = slices.flat_map(|slice| ready(slice, name)).collect();
    endpoints.sort_unstable();
    endpoints.dedup();
    endpoints
}

fn ready(slice: &Object, port_name: &str) -> Vec<Endpoint> {
    let port = slice.list("/ports").find(|port| port["name"].as_str().unwrap_or_default() == port_name);
    let Some(port) = port.and_then(|port| u16::try_from(port["port"].as_i64()?).ok()) else {
        return Vec::new();
    };
    let is_ready = |endpoint: &&Value| endpoint["conditions"]["ready"].as_bool().unwrap_or(true);
    let addresses = slice.list("/endpoints").filter(is_ready);
    let addresses = addresses.flat_map(|endpoint| endpoint["addresses"].as_array().into_iter().flatten());
    addresses.filter_map(|text| Some(Endpoint { address: text.as_str()?.parse().ok()?, port })).collect()
}

fn affinity(ingress: &Object) -> Option<Affinity> {
    let annotation = |name: &str| ingress.annotation(&format!("{PREFIX}{name}"));
    if annotation("affinity") != Some("cookie") {
        return None;
    }
    Some(Affinity {
        cookie: annotation("session-cookie-name").unwrap_or("INGRESSCOOKIE").to_owned(),
        is_sticky: annotation("affinity-canary-behavior") != Some("legacy"),
    })
}

/// The canary rules of an Ingress; none for one that is no canary, an error for one that must be ignored.
fn canary(ingress: &Object) -> Result<Option<Canary>, String> {
    let text = |name: &str| -> Result<String, String> {
        let value = ingress.annotation(&format!("{PREFIX}{name}")).unwrap_or_default();
        checked(name, value).map(str::to_owned)
    };
    let number = |name: &str, default: i64| -> Result<i64, String> {
        let value = text(name)?;
        if value.is_empty() {
            return Ok(default);
        }
        value.parse().map_err(|_| format!("annotation {PREFIX}{name}: \"{value}\" is no integer"))
    };
    let is_canary = match text("canary")?.as_str() {
        "" | "0" | "f" | "F" | "false" | "False" | "FALSE" => false,
        "1" | "t" | "T" | "true" | "True" | "TRUE" => true,
        other => return Err(format!("annotation {PREFIX}canary: \"{other}\" is no boolean")),
    };
    let canary = Canary {
        upstream: None,
        weight: number("canary-weight", 0)?,
        weight_total: number("canary-weight-total", 100)?,
        header: text("canary-by-header")?,
        header_value: text("canary-by-header-value")?,
        header_pattern: text("canary-by-header-pattern")?,
        cookie: text("canary-by-cookie")?,
    };
    if is_canary {
        return Ok(Some(canary));
    }
    let texts = [&canary.header, &canary.header_value, &canary.header_pattern, &canary.cookie];
    if canary.weight != 0 || texts.iter().any(|text| !text.is_empty()) {
        return Err(format!("it has canary annotations, but {PREFIX}canary is not \"true\""));
    }
    Ok(None)
}

/// The value of a canary annotation, if it has only characters that it may have.
fn checked<'a>(name: &str, value: &'a str) -> Result<&'a str, String> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-._~/:".contains(c);
    let is_fine = match name {
        "canary-by-header-pattern" => value.chars().all(|c| is_plain(c) || "^$[](){}*+?|&=\\".contains(c)),
        "canary-by-header" | "canary-by-header-value" | "canary-by-cookie" => {
            value.chars().filter(|c| *c != ' ').all(is_plain)
        }
        _ => !value.contains(['\r', '\n']),
    };
    if is_fine {
        Ok(value)
    } else {
        Err(format!("annotation {PREFIX}{name}: \"{value}\" has a character that is not allowed"))
    }
}

#[cfg(test)]
mod tests;
