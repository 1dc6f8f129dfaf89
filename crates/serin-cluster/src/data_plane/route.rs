//! Where a request goes: a pure function of the configuration, the head of the request and a random number.
//!
//! The order of the rules is that of ingress-nginx: session affinity, header, cookie, weight.

use http::HeaderMap;
use http::header::COOKIE;
use regex::Regex;

use super::config::{Canary, Config, Location, PathType, Upstream};
use serin_values::text_hash::text_hash;

/// What a route is decided by.
#[derive(Debug, Clone, Copy)]
pub struct Head<'a> {
    /// The host that the request is for; a port may follow.
    pub host: &'a str,
    /// The path, without the query.
    pub path: &'a str,
    /// The headers.
    pub headers: &'a HeaderMap,
}

/// Where a request goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// To one of the endpoints of an upstream.
    Forward {
        /// The upstream.
        upstream: Upstream,
        /// Whether that is the canary.
        is_canary: bool,
        /// The cookie that binds the client, if clients are bound.
        binding: Option<Binding>,
    },
    /// No rule is about this host and path: 404.
    NoRule,
    /// The upstream has no endpoint: 503.
    NoEndpoint {
        /// The upstream.
        upstream: Upstream,
    },
}

/// Session affinity of a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binding {
    /// Name of the cookie.
    pub cookie: String,
    /// Its value, if the client has sent one that is for this upstream; else the client is to be given one.
    pub value: Option<String>,
}

/// Where the request of `head` goes. `random` is uniform over all numbers of its type; the weight is decided by it.
#[must_use]
pub fn route(config: &Config, head: &Head<'_>, random: u64) -> Decision {
    let Some(location) = location(config, head) else { return Decision::NoRule };
    let canary = location.canary.as_ref();
    // A canary without endpoints takes nothing.
    let usable = canary.and_then(|canary| {
        let upstream = canary.upstream.as_ref()?;
        config.upstreams.contains_key(upstream).then_some((canary, upstream))
    });
    let bound = bound(location, head);
    let chosen = usable.filter(|(canary, upstream)| match &bound {
        Some((_, key)) if is_sticky(location) && *key == binding_key(upstream) => true,
        Some((_, key)) if is_sticky(location) && *key == binding_key(&location.primary) => false,
        Some(_) | None => is_for_canary(canary, head, random),
    });
    let upstream = chosen.map_or(&location.primary, |(_, upstream)| upstream).clone();
    if !config.upstreams.contains_key(&upstream) {
        return Decision::NoEndpoint { upstream };
    }
    let binding = location.affinity.as_ref().map(|affinity| {
        let value = bound.filter(|(_, key)| *key == binding_key(&upstream)).map(|(value, _)| value);
        Binding { cookie: affinity.cookie.clone(), value }
    });
    Decision::Forward { upstream, is_canary: chosen.is_some(), binding }
}

/// The part of an affinity cookie, after `|`, that says which upstream it is for.
#[must_use]
pub fn binding_key(upstream: &Upstream) -> String {
    text_hash(&format!("{}-{}-{}", upstream.namespace, upstream.service, upstream.port))
}

fn is_sticky(location: &Location) -> bool {
    location.affinity.as_ref().is_some_and(|affinity| affinity.is_sticky)
}

/// The affinity cookie of the client, whole, and the upstream that it names.
fn bound(location: &Location, head: &Head<'_>) -> Option<(String, String)> {
    let value = cookie(head.headers, &location.affinity.as_ref()?.cookie)?;
    let (_, key) = value.split_once('|')?;
    Some((value.clone(), key.to_owned()))
}

/// The location of a request: that of the host itself, or of the longest wildcard, or of rules without host.
fn location<'a>(config: &'a Config, head: &Head<'_>) -> Option<&'a Location> {
    let host = head.host.rsplit_once(':').map_or(head.host, |(host, _)| host).to_ascii_lowercase();
    let wildcards = host.match_indices('.').map(|(index, _)| format!("*{}", &host[index..]));
    let mut names = std::iter::once(host.clone()).chain(wildcards).chain(std::iter::once(String::new()));
    let locations = names.find_map(|name| config.hosts.get(&name))?;
    locations.iter().find(|location| is_match(location, head.path))
}

fn is_match(location: &Location, path: &str) -> bool {
    match location.path_type {
        PathType::Exact => path == location.path,
        PathType::ImplementationSpecific => path.starts_with(&location.path),
        PathType::Prefix => {
            let prefix = location.path.trim_end_matches('/');
            path.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        }
    }
}

fn is_for_canary(canary: &Canary, head: &Head<'_>, random: u64) -> bool {
    by_header(canary, head).or_else(|| by_cookie(canary, head)).unwrap_or_else(|| by_weight(canary, random))
}

/// What the header says, if it says something.
fn by_header(canary: &Canary, head: &Head<'_>) -> Option<bool> {
    if canary.header.is_empty() {
        return None;
    }
    let values: Vec<&str> =
        head.headers.get_all(canary.header.as_str()).iter().filter_map(|value| value.to_str().ok()).collect();
    if values.is_empty() {
        return None;
    }
    let value = values.join(", ");
    if !canary.header_value.is_empty() {
        return (value == canary.header_value).then_some(true);
    }
    if !canary.header_pattern.is_empty() {
        // A pattern that is none lets nobody through.
        let Ok(pattern) = Regex::new(&canary.header_pattern) else { return Some(false) };
        return pattern.is_match(&value).then_some(true);
    }
    always_or_never(&value)
}

fn by_cookie(canary: &Canary, head: &Head<'_>) -> Option<bool> {
    if canary.cookie.is_empty() {
        return None;
    }
    always_or_never(&cookie(head.headers, &canary.cookie)?)
}

fn always_or_never(value: &str) -> Option<bool> {
    match value {
        "always" => Some(true),
        "never" => Some(false),
        _ => None,
    }
}

/// Whether a number of 1..=total, drawn by `random`, is at most the weight. A total below 100 counts as 100.
fn by_weight(canary: &Canary, random: u64) -> bool {
    let total = u64::try_from(canary.weight_total).unwrap_or(0).max(100);
    let drawn = u64::try_from((u128::from(random) * u128::from(total)) >> 64).unwrap_or(0) + 1;
    u64::try_from(canary.weight).is_ok_and(|weight| drawn <= weight)
}

/// The cookie `name` of a request.
fn cookie(headers: &HeaderMap, name: &str) -> Option<String> {
    let headers = headers.get_all(COOKIE).iter().filter_map(|header| header.to_str().ok());
    let mut pairs =
        headers.flat_map(|header| header.split(';')).filter_map(|pair| pair.trim().split_once('='));
    let found = pairs.find(|(known, _)| known.eq_ignore_ascii_case(name));
    found.map(|(_, value)| value.to_owned())
}

#[cfg(test)]
mod tests;
