use std::net::Ipv4Addr;

use http::HeaderValue;

use super::*;
use crate::data_plane::config::{Affinity, Endpoint};

fn upstream(service: &str) -> Upstream {
    Upstream { namespace: "shop".into(), service: service.into(), port: "80".into() }
}

fn location(path: &str, path_type: PathType, canary: Option<Canary>) -> Location {
    Location { path: path.into(), path_type, primary: upstream("stable"), canary, affinity: None }
}

fn canary() -> Canary {
    Canary { upstream: Some(upstream("canary")), weight_total: 100, ..Canary::default() }
}

fn config(canary: Option<Canary>) -> Config {
    let mut config = Config::default();
    config.hosts.insert("demo.local".into(), vec![location("/", PathType::Prefix, canary)]);
    for service in ["stable", "canary"] {
        let endpoint = Endpoint { address: Ipv4Addr::LOCALHOST, port: 80 };
        config.upstreams.insert(upstream(service), vec![endpoint]);
    }
    config
}

fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in pairs {
        headers.append(*name, HeaderValue::from_str(value).unwrap());
    }
    headers
}

fn is_canary(config: &Config, pairs: &[(&'static str, &str)], random: u64) -> bool {
    let headers = headers(pairs);
    match route(config, &Head { host: "demo.local", path: "/", headers: &headers }, random) {
        Decision::Forward { is_canary, upstream, .. } => {
            assert_eq!(upstream.service == "canary", is_canary);
            is_canary
        }
        other @ (Decision::NoRule | Decision::NoEndpoint { .. }) => panic!("{other:?}"),
    }
}

/// The share of canary answers in percent, over numbers spread evenly.
fn share(config: &Config, pairs: &[(&'static str, &str)]) -> f64 {
    let hits = (0..10_000_u64).filter(|i| is_canary(config, pairs, i * (u64::MAX / 10_000))).count();
    f64::from(u32::try_from(hits).unwrap()) / 100.0
}

#[test]
fn without_a_canary_all_goes_to_the_primary() {
    assert!(!is_canary(&config(None), &[("x-canary", "always")], 0));
}

#[test]
fn the_weight_is_a_share_of_the_total_which_is_at_least_a_hundred() {
    for (weight, weight_total, expected) in [
        (0, 100, 0.0),
        (20, 100, 20.0),
        (100, 100, 100.0),
        (20, 200, 10.0),
        (50, 50, 50.0),
        (30, 0, 30.0),
        (150, 100, 100.0),
        (1, 1000, 0.1),
        (-5, 100, 0.0),
    ] {
        let config = config(Some(Canary { weight, weight_total, ..canary() }));
        let share = share(&config, &[]);
        assert!((share - expected).abs() < 0.05, "{weight} of {weight_total}: {share}");
    }
}

#[test]
fn a_header_alone_knows_always_and_never() {
    let with = config(Some(Canary { weight: 50, header: "X-Canary".into(), ..canary() }));
    for (value, expected) in [("always", 100.0), ("never", 0.0), ("Always", 50.0), ("", 50.0), ("yes", 50.0)]
    {
        assert!((share(&with, &[("x-canary", value)]) - expected).abs() < 0.05, "{value}");
    }
    assert!((share(&with, &[]) - 50.0).abs() < 0.05);
}

#[test]
fn a_header_value_is_compared_whole_and_beats_the_pattern() {
    let rule = Canary {
        header: "X-User".into(),
        header_value: "anna".into(),
        header_pattern: ".*".into(),
        ..canary()
    };
    let with = config(Some(rule));
    for (value, expected) in [("anna", true), ("anna2", false), ("ANNA", false), ("always", false)] {
        assert_eq!(is_canary(&with, &[("x-user", value)], 0), expected, "{value}");
    }
    // What does not match goes on to the weight.
    let weighted = config(Some(Canary {
        weight: 100,
        header: "X-User".into(),
        header_value: "anna".into(),
        ..canary()
    }));
    assert!(is_canary(&weighted, &[("x-user", "never")], 0));
}

#[test]
fn a_pattern_is_searched_and_a_bad_one_never_matches() {
    let with = |pattern: &str, weight| {
        config(Some(Canary { weight, header: "X-User".into(), header_pattern: pattern.into(), ..canary() }))
    };
    for (value, expected) in [("anna-7", true), ("x-anna-7", false), ("anna", false), ("always", false)] {
        assert_eq!(is_canary(&with("^anna-[0-9]$", 0), &[("x-user", value)], 0), expected, "{value}");
    }
    assert!(is_canary(&with("^anna$", 100), &[("x-user", "otto")], 0));
    assert!(!is_canary(&with("(anna", 100), &[("x-user", "(anna")], 0));
    assert!(is_canary(&with("(anna", 100), &[], 0));
}

#[test]
fn a_cookie_knows_always_and_never() {
    let with = config(Some(Canary { weight: 50, cookie: "trial".into(), ..canary() }));
    for (value, expected) in
        [("trial=always", 100.0), ("a=b; trial=never", 0.0), ("trial=x", 50.0), ("other=always", 50.0)]
    {
        assert!((share(&with, &[("cookie", value)]) - expected).abs() < 0.05, "{value}");
    }
}

#[test]
fn the_header_beats_the_cookie_which_beats_the_weight() {
    let rule = Canary { weight: 100, header: "X-Canary".into(), cookie: "trial".into(), ..canary() };
    let with = config(Some(rule));
    for (header, cookie, expected) in [
        ("always", "trial=never", true),
        ("never", "trial=always", false),
        ("other", "trial=never", false),
        ("other", "trial=other", true),
    ] {
        let pairs = [("x-canary", header), ("cookie", cookie)];
        assert_eq!(is_canary(&with, &pairs, 0), expected, "{header} {cookie}");
    }
}

#[test]
fn a_bound_client_stays_unless_the_behaviour_is_legacy() {
    for (is_sticky, bound_to_canary) in [(true, true), (true, false), (false, true), (false, false)] {
        let mut with = config(Some(Canary { weight: 50, header: "X-Canary".into(), ..canary() }));
        let affinity = Some(Affinity { cookie: "route".into(), is_sticky });
        with.hosts.get_mut("demo.local").unwrap()[0].affinity = affinity;
        let service = if bound_to_canary { "canary" } else { "stable" };
        let cookie = format!("route=1.2|{}", binding_key(&upstream(service)));
        for header in ["always", "never"] {
            let expected = if is_sticky { bound_to_canary } else { header == "always" };
            let pairs = [("cookie", cookie.as_str()), ("x-canary", header)];
            assert_eq!(is_canary(&with, &pairs, 0), expected, "{is_sticky} {service} {header}");
        }
        // Somebody else's cookie binds nobody.
        assert!(is_canary(&with, &[("cookie", "route=1|x"), ("x-canary", "always")], 0));
    }
}

#[test]
fn a_canary_without_endpoints_takes_nothing_and_a_primary_without_answers_503() {
    let mut with = config(Some(Canary { weight: 100, header: "X-Canary".into(), ..canary() }));
    with.upstreams.remove(&upstream("canary"));
    assert!(!is_canary(&with, &[("x-canary", "always")], 0));
    with.upstreams.clear();
    let headers = HeaderMap::new();
    let decision = route(&with, &Head { host: "demo.local", path: "/", headers: &headers }, 0);
    assert_eq!(decision, Decision::NoEndpoint { upstream: upstream("stable") });
}

#[test]
fn hosts_match_themselves_then_wildcards_then_none() {
    let mut with = Config::default();
    for (host, service) in
        [("a.demo.local", "exact"), ("*.demo.local", "wild"), ("*.local", "wider"), ("", "any")]
    {
        let mut place = location("/", PathType::Prefix, None);
        place.primary = upstream(service);
        with.upstreams.insert(upstream(service), Vec::new());
        with.hosts.insert(host.into(), vec![place]);
    }
    let headers = HeaderMap::new();
    for (host, expected) in [
        ("a.demo.local", "exact"),
        ("A.Demo.Local:8080", "exact"),
        ("b.demo.local", "wild"),
        ("demo.local", "wider"),
        ("localhost", "any"),
    ] {
        match route(&with, &Head { host, path: "/", headers: &headers }, 0) {
            Decision::Forward { upstream, .. } => assert_eq!(upstream.service, expected, "{host}"),
            other @ (Decision::NoRule | Decision::NoEndpoint { .. }) => panic!("{host}: {other:?}"),
        }
    }
}

#[test]
fn paths_match_by_their_type() {
    for (path_type, rule, path, expected) in [
        (PathType::Exact, "/a", "/a", true),
        (PathType::Exact, "/a", "/a/", false),
        (PathType::Prefix, "/a", "/a", true),
        (PathType::Prefix, "/a", "/a/b", true),
        (PathType::Prefix, "/a", "/ab", false),
        (PathType::Prefix, "/a/", "/a", true),
        (PathType::Prefix, "/", "/anything", true),
        (PathType::ImplementationSpecific, "/a", "/ab", true),
        (PathType::ImplementationSpecific, "/a", "/b", false),
    ] {
        let mut with = config(None);
        with.hosts.insert("demo.local".into(), vec![location(rule, path_type, None)]);
        let headers = HeaderMap::new();
        let decision = route(&with, &Head { host: "demo.local", path, headers: &headers }, 0);
        assert_eq!(decision != Decision::NoRule, expected, "{path_type:?} {rule} {path}");
    }
}
