//! The examples of docs/cli.md are what the program prints.

use std::fs;

use k8s_openapi::api::coordination::v1::Lease;
use kube::api::{Api, DynamicObject, PostParams};
use kube::core::ApiResource;
use serde_json::{Value, json};
use serin_clock::Clock;
use serin_core::api::{AnalysisRun, Experiment};

use crate::plugin::ageless;
use crate::stage::{SERIN, Stage, outcome};

const PAGE: &str = "docs/cli.md";
const PROMPT: &str = "$ ";

/// The page with what the commands print now, each block in a namespace of its own.
async fn printed(page: &str) -> String {
    let mut lines = page.lines();
    let mut shown = String::new();
    let mut situation = None;
    while let Some(line) = lines.next() {
        shown += line;
        shown += "\n";
        if let Some(name) = line.strip_prefix("<!-- ").and_then(|line| line.strip_suffix(" -->")) {
            situation = Some(name.to_owned());
        }
        if line != "```console" {
            continue;
        }
        let situation = situation.take().expect("a situation before each example");
        let block: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
        let commands = block.into_iter().filter_map(|line| line.strip_prefix(PROMPT));
        let stage = stage(&situation).await;
        for command in commands {
            shown.extend([PROMPT, command, "\n", &run(&stage, &situation, command)]);
        }
        shown += "```\n";
    }
    shown
}

/// A Rollout of a recording, an Experiment and an `AnalysisRun`.
async fn stage(situation: &str) -> Stage {
    let stage = Stage::start().await;
    stage.play_named(situation).await;
    // Newly created objects start with the first generation.
    stage.patch_status(situation, "demo", json!({"observedGeneration": "1"})).await;
    let client = || stage.client.clone();
    let experiments = Api::namespaced_with(client(), situation, &ApiResource::erase::<Experiment>(&()));
    let runs = Api::namespaced_with(client(), situation, &ApiResource::erase::<AnalysisRun>(&()));
    let make = async |api: Api<DynamicObject>, kind: &str, name: &str, spec: Value| {
        let object = json!({"apiVersion": "argoproj.io/v1alpha1", "kind": kind, "metadata": {"name": name},
            "spec": spec, "status": {"phase": "Running"}});
        let object = serde_json::from_value(object).expect("an object");
        api.create(&PostParams::default(), &object).await.expect("an object");
    };
    make(experiments, "Experiment", "load", json!({"templates": []})).await;
    make(runs, "AnalysisRun", "check", json!({"metrics": []})).await;
    // A controller that runs, as far as can be seen.
    let now = Clock::System.now().strftime("%Y-%m-%dT%H:%M:%S.%6fZ").to_string();
    let lease = json!({"metadata": {"name": "argo-rollouts-controller-lock"},
        "spec": {"holderIdentity": "serin-1", "leaseDurationSeconds": 3600, "renewTime": now}});
    let leases: Api<Lease> = Api::namespaced(client(), situation);
    let lease = serde_json::from_value(lease).expect("a Lease");
    leases.create(&PostParams::default(), &lease).await.expect("a Lease");
    stage
}

/// The output of a command on both streams. The context's namespace is that of the situation.
fn run(stage: &Stage, situation: &str, command: &str) -> String {
    let path = stage.kubeconfig();
    let text = fs::read_to_string(&path).expect("a kubeconfig");
    let mut config: Value = serde_yaml::from_str(&text).expect("YAML");
    config["contexts"][0]["context"]["namespace"] = situation.into();
    fs::write(&path, config.to_string()).expect("a file");
    let words: Vec<&str> = command.split(' ').skip(1).map(|word| word.trim_matches('\'')).collect();
    let outcome = outcome(&mut stage.command(SERIN, &words));
    outcome.stdout + &outcome.stderr
}

/// Without ages and times, which are those of now.
fn timeless(text: &str) -> String {
    ageless(text)
        .lines()
        .map(|line| if line.starts_with("Since ") { "Since" } else { line })
        .collect::<Vec<_>>()
        .join("\n")
}

#[tokio::test(flavor = "multi_thread")]
async fn the_examples_are_what_is_printed() {
    let page = fs::read_to_string(PAGE).expect("the page");
    let shown = printed(&page).await;
    if std::env::var_os("UPDATE").is_some() {
        fs::write(PAGE, &shown).expect("a file");
        return;
    }
    let (page, shown) = (timeless(&page), timeless(&shown));
    for (written, printed) in page.lines().zip(shown.lines()) {
        assert_eq!(written, printed, "UPDATE=1 stores what is printed now");
    }
    assert_eq!(page.lines().count(), shown.lines().count());
}
