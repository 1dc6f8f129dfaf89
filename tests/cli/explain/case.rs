//! A situation in which a Rollout waits, with the commands that `explain` names for it.

use serde_json::{Value, json};

use super::world::Live;

/// A situation, and what is to come of the commands that are named for it.
pub(super) struct Case {
    /// Objects besides the Rollout.
    pub(super) objects: Vec<Value>,
    /// The Rollout's spec, except for the common part.
    pub(super) spec: Value,
    /// The change that blocks the Rollout; `None` if it is blocked from the start.
    pub(super) update: Option<Value>,
    /// The cause that it is waiting for afterwards.
    pub(super) waits_for: &'static str,
    /// A part of the explanation.
    pub(super) says: &'static str,
    /// Which of the commands are run.
    pub(super) commands: &'static [usize],
    /// The effect of an editor that a command opens.
    pub(super) editor: &'static str,
    /// The cause that it is waiting for after the commands.
    pub(super) then: &'static str,
}

impl Default for Case {
    fn default() -> Self {
        Self {
            objects: Vec::new(),
            spec: canary(&json!([])),
            update: None,
            waits_for: "",
            says: "",
            commands: &[0],
            editor: "false",
            then: "nothing",
        }
    }
}

pub(super) fn canary(steps: &Value) -> Value {
    json!({"strategy": {"canary": {"steps": steps}}})
}

pub(super) fn blue_green(service: &str) -> Value {
    json!({"strategy": {"blueGreen": {"activeService": service, "autoPromotionEnabled": false}}})
}

pub(super) fn image(image: &str) -> Value {
    json!({"spec": {"template": {"spec": {"containers": [{"name": "web", "image": image}]}}}})
}

pub(super) fn service(selector: &str, annotations: &Value) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Service", "metadata": {"name": "active", "annotations": annotations},
        "spec": {"selector": {"app": selector}, "ports": [{"port": 80}]},
    })
}

pub(super) fn rollout(spec: &Value) -> Value {
    let mut all = json!({
        "replicas": 2, "selector": {"matchLabels": {"app": "demo"}},
        "template": {
            "metadata": {"labels": {"app": "demo"}},
            "spec": {"containers": [{"name": "web", "image": "shop:1"}]},
        },
    });
    for (key, value) in spec.as_object().expect("a spec") {
        all[key] = value.clone();
    }
    json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "metadata": {"name": "demo"}, "spec": all})
}

/// A Rollout with a pause that only a user ends.
pub(super) fn stepwise() -> Value {
    rollout(&canary(&json!([{"setWeight": 50}, {"pause": {}}])))
}

impl Case {
    /// The situation comes up, is explained, and ends when the commands were run.
    pub(super) async fn ends(self) {
        let live = Live::controlled().await;
        if !live.has_kubectl() {
            return;
        }
        for object in &self.objects {
            live.make(object).await;
        }
        live.make(&rollout(&self.spec)).await;
        if let Some(update) = &self.update {
            live.waits_for("nothing").await;
            live.change(update).await;
        }
        let said = live.waits_for(self.waits_for).await;
        self.help(&live, &said);
        live.waits_for(self.then).await;
    }

    pub(super) fn help(&self, live: &Live, said: &Value) {
        let because = said["because"].as_str().expect("a reason");
        assert!(because.contains(self.says), "{because}");
        for index in self.commands {
            let command =
                said["commands"][index]["run"].as_str().unwrap_or_else(|| panic!("no command: {said:#}"));
            let done = live
                .shell(&command.replace("IMAGE", "shop:3").replace("HOST", "shop.example.com"), self.editor);
            assert_eq!(done.exit, 0, "{command}: {}", done.stderr);
        }
    }
}
