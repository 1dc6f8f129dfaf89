use std::sync::Arc;

use serde_json::json;

use super::*;

fn ingress(
    name: &str,
    second: u32,
    host: &str,
    path: (&str, &str),
    service: &str,
    annotations: &Value,
) -> Value {
    let mut set = json!({});
    for (key, value) in annotations.as_object().into_iter().flatten() {
        set[format!("{PREFIX}{key}")] = value.clone();
    }
    json!({
        "metadata": {"namespace": "shop", "name": name, "uid": name, "resourceVersion": "1",
            "creationTimestamp": format!("2020-01-01T00:00:{second:02}Z"), "annotations": set},
        "spec": {"rules": [{"host": host, "http": {"paths": [{"path": path.0, "pathType": path.1,
            "backend": {"service": {"name": service, "port": {"number": 80}}}}]}}]},
    })
}

fn view(ingresses: Vec<Value>) -> View {
    let mut view = View::default();
    view.relisted(&Arc::from(INGRESSES), ingresses, 1);
    let service = |name: &str| {
        json!({"metadata": {"namespace": "shop", "name": name, "uid": name, "resourceVersion": "1"},
            "spec": {"ports": [{"name": "http", "port": 80}]}})
    };
    view.relisted(&Arc::from("services"), ["stable", "canary", "other"].map(service).to_vec(), 1);
    let slice = |(service, address, ready): (&str, &str, bool)| {
        json!({"metadata": {"namespace": "shop", "name": address, "uid": address, "resourceVersion": "1",
                "labels": {"kubernetes.io/service-name": service}},
            "ports": [{"name": "http", "port": 8080}],
            "endpoints": [{"addresses": [address], "conditions": {"ready": ready}}]})
    };
    let slices = [("stable", "10.0.0.1", true), ("stable", "10.0.0.2", false), ("canary", "10.0.0.3", true)];
    view.relisted(&Arc::from(SLICES), slices.map(slice).to_vec(), 1);
    view
}

fn stable() -> Value {
    ingress("stable", 0, "demo.local", ("/", "Prefix"), "stable", &json!({}))
}

fn canary_with(annotations: &Value) -> Config {
    config(&view(vec![stable(), ingress("canary", 1, "demo.local", ("/", "Prefix"), "canary", annotations)]))
}

fn has_canary(config: &Config) -> bool {
    config.hosts["demo.local"][0].canary.is_some()
}

#[test]
fn a_canary_joins_the_location_of_its_primary() {
    let config =
        canary_with(&json!({"canary": "true", "canary-weight": "20", "canary-by-header": "X-Canary"}));
    let location = &config.hosts["demo.local"][0];
    let canary = location.canary.as_ref().unwrap();
    assert_eq!((location.primary.service.as_str(), canary.weight, canary.weight_total), ("stable", 20, 100));
    assert_eq!(
        (canary.upstream.as_ref().unwrap().service.as_str(), canary.header.as_str()),
        ("canary", "X-Canary")
    );
    let ready = [Endpoint { address: "10.0.0.1".parse().unwrap(), port: 8080 }];
    assert_eq!(config.upstreams[&location.primary], ready);
    assert!(config.notes.is_empty(), "{:?}", config.notes);
}

#[test]
fn values_and_consistency_decide_whether_an_ingress_counts() {
    for (annotations, is_canary, note) in [
        (json!({"canary": "1", "canary-weight": "5"}), true, None),
        (json!({"canary": "T"}), true, None),
        (json!({"canary": "yes"}), false, Some("is no boolean")),
        (json!({"canary": "true", "canary-weight": "5.5"}), false, Some("is no integer")),
        (json!({"canary": "true", "canary-weight-total": "x"}), false, Some("is no integer")),
        (json!({"canary": "true", "canary-by-header": "X Canary"}), true, None),
        (json!({"canary": "true", "canary-by-header": "X+Canary"}), false, Some("not allowed")),
        (json!({"canary": "true", "canary-by-header-value": "a;b"}), false, Some("not allowed")),
        (json!({"canary": "true", "canary-by-header-pattern": "^a|b$"}), true, None),
        (json!({"canary": "true", "canary-by-header-pattern": "a b"}), false, Some("not allowed")),
        (json!({"canary": "true", "canary-by-cookie": "c\nd"}), false, Some("not allowed")),
        (json!({"canary": "false", "canary-weight": "20"}), false, Some("is not \"true\"")),
        (json!({"canary-by-cookie": "c"}), false, Some("is not \"true\"")),
        (json!({"canary": "false", "canary-weight": "0"}), false, Some("older Ingress")),
    ] {
        let config = canary_with(&annotations);
        assert_eq!(has_canary(&config), is_canary, "{annotations}");
        let notes = config.notes.join("\n");
        assert_eq!(config.notes.len(), usize::from(note.is_some()), "{annotations}: {notes}");
        assert!(note.is_none_or(|note| notes.contains(note)), "{annotations}: {notes}");
    }
}

#[test]
fn host_path_and_path_type_must_be_those_of_a_primary() {
    let on = json!({"canary": "true"});
    for (host, path) in
        [("other.local", ("/", "Prefix")), ("demo.local", ("/x", "Prefix")), ("demo.local", ("/", "Exact"))]
    {
        let config = config(&view(vec![stable(), ingress("canary", 1, host, path, "canary", &on)]));
        assert!(!has_canary(&config), "{host} {path:?}");
        assert!(config.notes[0].contains("in no Ingress that is not a canary"), "{:?}", config.notes);
    }
}

#[test]
fn a_second_canary_of_a_location_is_ignored() {
    let on = json!({"canary": "true"});
    let path = ("/", "Prefix");
    let late = ingress("a-late", 2, "demo.local", path, "other", &on);
    let config = config(&view(vec![late, stable(), ingress("canary", 1, "demo.local", path, "canary", &on)]));
    let canary = config.hosts["demo.local"][0].canary.as_ref().unwrap();
    assert_eq!(canary.upstream.as_ref().unwrap().service, "canary");
    assert_eq!(config.notes, ["Ingress shop/a-late: demo.local/ has another canary Ingress already"]);
}

#[test]
fn a_service_is_not_canary_and_primary_at_once() {
    let on = json!({"canary": "true"});
    let path = ("/", "Prefix");
    let own = ingress("own", 3, "own.local", path, "canary", &json!({}));
    let config = config(&view(vec![stable(), own, ingress("canary", 1, "demo.local", path, "canary", &on)]));
    assert!(!has_canary(&config));
    assert!(config.notes[0].contains("Service canary serves an Ingress that is not a canary"));
}

#[test]
fn longer_paths_and_exact_ones_come_first() {
    let paths =
        [("/", "Prefix"), ("/shop", "Prefix"), ("/shop", "Exact"), ("/shop/cart", "ImplementationSpecific")];
    let all = paths
        .iter()
        .enumerate()
        .map(|(index, path)| ingress(&format!("i{index}"), 0, "demo.local", *path, "stable", &json!({})));
    let config = config(&view(all.collect()));
    let order: Vec<(&str, PathType)> = config.hosts["demo.local"]
        .iter()
        .map(|location| (location.path.as_str(), location.path_type))
        .collect();
    let expected = [
        ("/shop/cart", PathType::ImplementationSpecific),
        ("/shop", PathType::Exact),
        ("/shop", PathType::Prefix),
        ("/", PathType::Prefix),
    ];
    assert_eq!(order, expected);
}

#[test]
fn an_ingress_with_a_default_backend_alone_is_for_every_host() {
    let mut ingress = stable();
    ingress["spec"] = json!({"defaultBackend": {"service": {"name": "stable", "port": {"name": "http"}}}});
    let config = config(&view(vec![ingress]));
    assert_eq!(config.hosts[""][0].primary.port, "http");
    assert_eq!(config.upstreams.len(), 1);
}
