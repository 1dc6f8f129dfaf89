//! The manifests in examples/: that each is what this program can read.

use std::path::Path;

use serde::Deserialize;
use serde_json::Value;
use serin_core::api::{Rollout, decode};

fn documents() -> Vec<(String, Value)> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory).expect("examples/") {
        let path = entry.expect("an entry").path();
        let name = path.display().to_string();
        if path.extension().is_none_or(|extension| extension != "yaml") {
            continue;
        }
        let text = std::fs::read_to_string(&path).expect("a file");
        for document in serde_yaml::Deserializer::from_str(&text) {
            found.push((name.clone(), Value::deserialize(document).expect(&name)));
        }
    }
    found
}

#[test]
fn every_rollout_in_the_examples_is_read_and_written_without_loss() {
    let rollouts: Vec<_> =
        documents().into_iter().filter(|(_, document)| document["kind"] == "Rollout").collect();
    assert!(rollouts.len() >= 5, "only {} Rollouts", rollouts.len());
    for (name, document) in rollouts {
        let rollout: Rollout = decode(document.clone()).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(serde_json::to_value(rollout).expect("JSON"), document, "{name}");
    }
}

/// The workload that a Rollout in the file `name` takes its template from; it is in the same file.
fn workload(name: &str, reference: &Value) -> Value {
    let is_it = |document: &Value| {
        let fields = [("/apiVersion", "apiVersion"), ("/kind", "kind"), ("/metadata/name", "name")];
        fields.iter().all(|(path, field)| document.pointer(path) == Some(&reference[*field]))
    };
    let found = documents().into_iter().find(|(file, document)| file == name && is_it(document));
    found.unwrap_or_else(|| panic!("{name} has no {reference}")).1
}

#[test]
fn every_example_has_a_rollout_with_pods_to_run() {
    for (name, mut document) in documents() {
        if document["kind"] == "Rollout" {
            let reference = document["spec"]["workloadRef"].take();
            if !reference.is_null() {
                let workload = workload(&name, &reference);
                assert!(document["spec"]["template"].is_null(), "{name}: pods come from one place");
                document["spec"]["template"] = workload["spec"]["template"].clone();
                document["spec"]["selector"] = workload["spec"]["selector"].clone();
            }
            let rollout: Rollout = decode(document).unwrap_or_else(|error| panic!("{name}: {error}"));
            let spec = &rollout.spec;
            assert!(spec.template.images().count() > 0, "{name} runs nothing");
            let labels = spec.template.labels();
            for (key, value) in
                spec.selector.iter().flat_map(|selector| selector.match_labels.iter().flatten())
            {
                assert_eq!(labels.get(key.as_str()), Some(&value.as_str()), "{name}: label {key}");
            }
        }
    }
}
