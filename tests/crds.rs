//! The definitions of the five kinds: that crds/ holds what the types say, and that it is what users of the
//! reference rely on.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use serde_json::{Value, json};
use serin::cli::crds::{CrdFile, files};
use serin_core::api::schema::all_crds;

/// Far below the 256 KiB that `kubectl apply` has for its annotation.
const MAX_BYTES: usize = 128 * 1024;

fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn crd(kind: &str) -> CustomResourceDefinition {
    all_crds().into_iter().find(|crd| crd.spec.names.kind == kind).expect(kind)
}

fn schema(crd: &CustomResourceDefinition) -> Value {
    let validation = crd.spec.versions[0].schema.as_ref().expect("a schema");
    serde_json::to_value(&validation.open_api_v3_schema).expect("JSON")
}

/// Calls `visit` for each node with its path, such as `spec.template.spec.containers[].name`.
fn walk(node: &Value, path: &str, visit: &mut impl FnMut(&str, &Value)) {
    visit(path, node);
    for (name, property) in node["properties"].as_object().into_iter().flatten() {
        let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
        walk(property, &path, visit);
    }
    if let Some(items) = node.get("items") {
        walk(items, &format!("{path}[]"), visit);
    }
    if let Some(values @ Value::Object(_)) = node.get("additionalProperties") {
        walk(values, &format!("{path}.*"), visit);
    }
}

fn collect(schema: &Value, key: &str) -> BTreeMap<String, Value> {
    let mut found = BTreeMap::new();
    walk(schema, "", &mut |path, node| {
        if let Some(value) = node.get(key) {
            found.insert(path.to_owned(), value.clone());
        }
    });
    found
}

fn required_at(schema: &Value, path: &str) -> BTreeSet<String> {
    let required = collect(schema, "required").remove(path).unwrap_or_default();
    serde_json::from_value(required).unwrap_or_default()
}

#[test]
fn crds_are_current() {
    let directory = repository("crds");
    if std::env::var_os("UPDATE").is_some() {
        serin::cli::crds::run(Some(&directory)).expect("crds/ can be written");
    }
    for CrdFile { name, yaml } in files().expect("YAML") {
        let committed = std::fs::read_to_string(directory.join(&name)).unwrap_or_default();
        assert!(
            committed == yaml,
            "crds/{name} is not what the types say: run `UPDATE=1 cargo test --test crds`"
        );
    }
}

#[test]
fn definitions_are_small_enough_for_kubectl_apply() {
    for crd in all_crds() {
        let bytes = serde_json::to_vec(&crd).expect("JSON").len();
        assert!(bytes < MAX_BYTES, "{} takes {bytes} bytes", crd.spec.names.kind);
    }
}

#[test]
fn names_scopes_and_columns_are_those_of_the_reference() {
    let facts: Vec<_> = all_crds()
        .into_iter()
        .map(|crd| {
            let names = crd.spec.names;
            assert_eq!(crd.spec.group, "argoproj.io");
            assert_eq!(crd.metadata.name, Some(format!("{}.argoproj.io", names.plural)));
            assert_eq!(names.list_kind, Some(format!("{}List", names.kind)));
            assert_eq!(names.singular, Some(names.kind.to_lowercase()));
            assert_eq!(names.categories, None, "an empty list would differ from the server's copy for ever");
            let columns: Vec<_> = crd.spec.versions[0].additional_printer_columns.iter().flatten().collect();
            let columns: Vec<_> = columns.iter().map(|c| format!("{}={}", c.name, c.json_path)).collect();
            (
                names.kind,
                names.plural,
                names.short_names.unwrap_or_default(),
                crd.spec.scope,
                columns.join(" "),
            )
        })
        .collect();
    let age = "Age=.metadata.creationTimestamp";
    let status = "Status=.status.phase Age=.metadata.creationTimestamp";
    let rollout = "Desired=.spec.replicas Current=.status.replicas Up-to-date=.status.updatedReplicas \
                   Available=.status.availableReplicas Age=.metadata.creationTimestamp";
    let expected = [
        ("Rollout", "rollouts", "ro", "Namespaced", rollout),
        ("AnalysisTemplate", "analysistemplates", "at", "Namespaced", age),
        ("ClusterAnalysisTemplate", "clusteranalysistemplates", "cat", "Cluster", age),
        ("AnalysisRun", "analysisruns", "ar", "Namespaced", status),
        ("Experiment", "experiments", "exp", "Namespaced", status),
    ];
    let expected = expected.map(|(kind, plural, short, scope, columns)| {
        (kind.to_owned(), plural.to_owned(), vec![short.to_owned()], scope.to_owned(), columns.to_owned())
    });
    assert_eq!(facts, expected);
}

#[test]
fn only_rollouts_have_subresources() {
    for crd in all_crds() {
        let subresources = serde_json::to_value(&crd.spec.versions[0].subresources).expect("JSON");
        let expected = if crd.spec.names.kind == "Rollout" {
            json!({"status": {}, "scale": {
                "specReplicasPath": ".spec.replicas",
                "statusReplicasPath": ".status.HPAReplicas",
                "labelSelectorPath": ".status.selector",
            }})
        } else {
            json!({})
        };
        assert_eq!(subresources, expected, "{}", crd.spec.names.kind);
    }
}

#[test]
fn defaults_list_keys_and_open_fields_are_those_of_the_reference() {
    let directory =
        std::env::var_os("SERIN_VECTORS").map_or_else(|| repository("tests/vectors"), PathBuf::from);
    let text = std::fs::read_to_string(directory.join("crd-defaults.json")).expect("the recorded facts");
    let recorded: BTreeMap<String, Value> = serde_json::from_str(&text).expect("JSON");
    assert_eq!(recorded.len(), 5);
    for (kind, facts) in recorded {
        let schema = schema(&crd(&kind));
        let sorted =
            |value: &Value| serde_json::from_value::<BTreeMap<String, Value>>(value.clone()).expect("a map");
        assert_eq!(collect(&schema, "default"), sorted(&facts["defaults"]), "defaults of {kind}");
        let keys = collect(&schema, "x-kubernetes-list-map-keys");
        assert_eq!(keys, sorted(&facts["listMapKeys"]), "list keys of {kind}");
        let open = collect(&schema, "x-kubernetes-preserve-unknown-fields");
        for path in facts["preserveUnknownFields"].as_array().expect("a list") {
            assert!(
                open.contains_key(path.as_str().expect("a path")),
                "{kind}: {path} keeps no unknown fields"
            );
        }
    }
}

#[test]
fn schemas_are_structural() {
    let known = [
        "additionalProperties",
        "anyOf",
        "default",
        "description",
        "format",
        "items",
        "properties",
        "required",
        "type",
        "x-kubernetes-int-or-string",
        "x-kubernetes-list-map-keys",
        "x-kubernetes-list-type",
        "x-kubernetes-map-type",
        "x-kubernetes-preserve-unknown-fields",
        "x-kubernetes-validations",
    ];
    for crd in all_crds() {
        walk(&schema(&crd), "", &mut |path, node| {
            let kind = &crd.spec.names.kind;
            let fields = node.as_object().expect("an object");
            let strange = fields.keys().find(|key| !known.contains(&key.as_str()));
            assert_eq!(strange, None, "{kind} {path}");
            let int_or_string = fields.contains_key("x-kubernetes-int-or-string");
            let open = fields.contains_key("x-kubernetes-preserve-unknown-fields");
            assert!(fields.contains_key("type") || int_or_string || open, "{kind} {path} has no type");
            assert_eq!(fields.contains_key("anyOf"), int_or_string, "{kind} {path}");
        });
    }
}

#[test]
fn every_field_outside_templates_says_what_it_is_for() {
    for crd in all_crds() {
        walk(&schema(&crd), "", &mut |path, node| {
            let named =
                !path.is_empty() && !path.ends_with("[]") && !path.ends_with(".*") && path != "metadata";
            let in_template = path.contains("template.") || path.contains("job.spec.");
            if named && !in_template {
                let text = node["description"].as_str().unwrap_or_default();
                assert!(text.ends_with('.') && text.len() < 160, "{} {path}: {text:?}", crd.spec.names.kind);
            }
            assert!(!in_template || node.get("description").is_none(), "{} {path}", crd.spec.names.kind);
        });
    }
}

#[test]
fn templates_keep_fields_that_are_not_known() {
    for (kind, root) in [
        ("Rollout", "spec.template.spec"),
        ("Experiment", "spec.templates[].template.spec"),
        ("AnalysisRun", "spec.metrics[].provider.job.spec"),
    ] {
        let mut nodes = 0;
        walk(&schema(&crd(kind)), "", &mut |path, node| {
            if path.starts_with(root) && node.get("properties").is_some() && !path.ends_with("metadata") {
                nodes += 1;
                assert_eq!(node["x-kubernetes-preserve-unknown-fields"], true, "{kind} {path}");
            }
        });
        assert!(nodes > 50, "{kind} has only {nodes} objects in its template");
    }
}

#[test]
fn metadata_of_templates_holds_labels_and_annotations_only() {
    let schema = schema(&crd("Rollout"));
    let metadata =
        schema.pointer("/properties/spec/properties/template/properties/metadata").expect("metadata");
    let fields: Vec<_> = metadata["properties"].as_object().expect("an object").keys().collect();
    assert_eq!(fields, ["annotations", "labels"]);
    assert_eq!(metadata.get("x-kubernetes-preserve-unknown-fields"), None);
}

#[test]
fn the_selector_of_a_rollout_is_immutable() {
    let rules = collect(&schema(&crd("Rollout")), "x-kubernetes-validations");
    let rule = json!([{"rule": "self == oldSelf", "message": "is immutable"}]);
    assert_eq!(rules, BTreeMap::from([("spec.selector".to_owned(), rule)]));
}

#[test]
fn limits_and_durations_are_numbers_or_words() {
    let rollout = schema(&crd("Rollout"));
    let found: Vec<_> = collect(&rollout, "x-kubernetes-int-or-string").into_keys().collect();
    let found: Vec<_> = found.iter().filter(|path| !path.starts_with("spec.template.")).collect();
    assert_eq!(
        found,
        [
            "spec.strategy.blueGreen.maxUnavailable",
            "spec.strategy.canary.maxSurge",
            "spec.strategy.canary.maxUnavailable",
            "spec.strategy.canary.steps[].pause.duration",
        ]
    );
}

#[test]
fn fields_are_required_where_the_reference_requires_them() {
    let set = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>();
    let rollout = schema(&crd("Rollout"));
    let canary = "spec.strategy.canary";
    let routing = "spec.strategy.canary.trafficRouting";
    let expected: BTreeMap<String, BTreeSet<String>> = [
        (String::new(), set(&["spec"])),
        ("spec.selector.matchExpressions[]".into(), set(&["key", "operator"])),
        ("spec.strategy.blueGreen".into(), set(&["activeService"])),
        (format!("{canary}.pingPong"), set(&["pingService", "pongService"])),
        (format!("{canary}.replicaProgressThreshold"), set(&["type", "value"])),
        (format!("{canary}.steps[].experiment"), set(&["templates"])),
        (format!("{canary}.steps[].experiment.templates[]"), set(&["name", "specRef"])),
        (format!("{canary}.steps[].experiment.analyses[]"), set(&["name", "templateName"])),
        (format!("{canary}.steps[].plugin"), set(&["name"])),
        (format!("{canary}.steps[].setHeaderRoute.match[]"), set(&["headerName", "headerValue"])),
        (format!("{canary}.steps[].setHeaderRoute"), set(&[])),
        (format!("{canary}.steps[].setMirrorRoute"), set(&["name"])),
        (format!("{canary}.steps[].analysis.args[]"), set(&["name"])),
        (format!("{canary}.steps[].analysis.measurementRetention[]"), set(&["limit", "metricName"])),
        (format!("{routing}.alb"), set(&["servicePort"])),
        (format!("{routing}.alb.stickinessConfig"), set(&["durationSeconds", "enabled"])),
        (format!("{routing}.ambassador"), set(&["mappings"])),
        (format!("{routing}.apisix.route"), set(&["name"])),
        (format!("{routing}.istio.destinationRule"), set(&["canarySubsetName", "name", "stableSubsetName"])),
        (format!("{routing}.traefik"), set(&["weightedTraefikServiceName"])),
        (format!("{routing}.managedRoutes[]"), set(&["name"])),
        ("spec".into(), set(&[])),
        ("spec.template.spec".into(), set(&["containers"])),
        ("status".into(), set(&[])),
        (
            "status.conditions[]".into(),
            set(&["lastTransitionTime", "lastUpdateTime", "message", "reason", "status", "type"]),
        ),
        ("status.pauseConditions[]".into(), set(&["reason", "startTime"])),
        ("status.canary.weights".into(), set(&["canary", "stable"])),
        ("status.canary.weights.canary".into(), set(&["weight"])),
        ("status.canary.currentStepAnalysisRunStatus".into(), set(&["name", "status"])),
        ("status.canary.stepPluginStatuses[]".into(), set(&["index", "name", "operation"])),
        ("status.alb.loadBalancer".into(), set(&["arn", "name"])),
    ]
    .into();
    for (path, names) in expected {
        assert_eq!(required_at(&rollout, &path), names, "{path}");
    }
    let run = schema(&crd("AnalysisRun"));
    assert_eq!(required_at(&run, "spec"), set(&["metrics"]));
    assert_eq!(required_at(&run, "spec.metrics[]"), set(&["name", "provider"]));
    let experiment = schema(&crd("Experiment"));
    assert_eq!(required_at(&experiment, "spec.templates[]"), set(&["name", "selector", "template"]));
}
