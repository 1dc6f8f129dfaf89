//! `get`, `status` and `explain` agree on every pause, and on its end.

use std::time::Duration;

use serde_json::{Value, json};
use serin_clock::sleep;

use super::world::Live;
use crate::stage::SERIN;

/// The number of polls before a Rollout counts as stuck.
const LOOKS: usize = 300;

/// The end of a Rollout.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Done,
    Aborted,
    /// It waits for a user.
    User,
    /// It waits for a user, or for the end of its time.
    Timed,
}

/// A Rollout with a pause, and what its user does about it.
struct Case {
    name: String,
    strategy: Value,
    is_paused: bool,
    is_aborted: bool,
    /// The state before that.
    begun: End,
    end: End,
}

/// Every kind of pause with every act of its user.
fn cases() -> Vec<Case> {
    let canary = |pause: Value| json!({"canary": {"steps": [{"setWeight": 50}, {"pause": pause}]}});
    let mut strategies =
        vec![(canary(json!({})), End::User), (canary(json!({"duration": "1h"})), End::Timed)];
    for enabled in [None, Some(true), Some(false)] {
        for seconds in [0, 3_600] {
            let end = match (enabled, seconds) {
                (Some(false), _) => End::User,
                (None | Some(true), 0) => End::Done,
                (None | Some(true), _) => End::Timed,
            };
            let fields = json!({"autoPromotionEnabled": enabled, "autoPromotionSeconds": seconds});
            strategies.push((json!({"blueGreen": fields}), end));
        }
    }
    let acts = [(false, false), (true, false), (false, true), (true, true)];
    let all = strategies.into_iter().flat_map(|strategy| acts.map(|act| (strategy.clone(), act)));
    let case = |(number, ((strategy, end), (is_paused, is_aborted)))| Case {
        name: format!("p{number}"),
        strategy,
        is_paused,
        is_aborted,
        begun: end,
        end: match end {
            End::Done if is_paused => End::User,
            End::Done => End::Done,
            _ if is_aborted => End::Aborted,
            _ if is_paused => End::User,
            End::Aborted | End::User | End::Timed => end,
        },
    };
    all.enumerate().map(case).collect()
}

impl Case {
    async fn make(&self, live: &Live) {
        let labels = json!({"app": self.name});
        let service = json!({
            "apiVersion": "v1", "kind": "Service", "metadata": {"name": self.name},
            "spec": {"selector": labels, "ports": [{"port": 80}]},
        });
        live.make(&service).await;
        let mut strategy = self.strategy.clone();
        if strategy["blueGreen"].is_object() {
            strategy["blueGreen"]["activeService"] = self.name.as_str().into();
        }
        let template =
            json!({"metadata": {"labels": labels}, "spec": {"containers": [{"name": "a", "image": "a:1"}]}});
        let rollout = json!({
            "apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "metadata": {"name": self.name},
            "spec": {"replicas": 2, "selector": {"matchLabels": labels}, "template": template, "strategy": strategy},
        });
        live.make(&rollout).await;
    }

    async fn change(&self, live: &Live, patch: &Value) {
        live.patch("argoproj.io/v1alpha1", "Rollout", &self.name, patch).await;
    }

    /// The results of status, get and explain.
    fn said(&self, live: &Live) -> [String; 3] {
        let run = |args: &[&str]| live.stage.run(SERIN, &[args, &["-n", &live.namespace]].concat());
        let status = match run(&["status", &self.name, "--watch=false"]).exit {
            0 => End::Done,
            10 => End::Aborted,
            11 => End::User,
            12 => End::Timed,
            other => panic!("status of {} ends with {other}", self.name),
        };
        let got = run(&["get", "rollout", &self.name]).stdout;
        let waits = got.lines().find_map(|line| line.strip_prefix("Waits for:")).unwrap_or_default().trim();
        let got = match waits {
            "" if got.contains("Healthy") => End::Done,
            text if text.starts_with("a retry") => End::Aborted,
            text if text.starts_with("the end of the pause in ") => End::Timed,
            text if text == "a promotion" || text.starts_with("a user") => End::User,
            other => return [format!("{status:?}"), other.to_owned(), String::new()],
        };
        let told = run(&["explain", &self.name, "-o", "json"]).stdout;
        let told: Value = serde_json::from_str(&told).expect("JSON");
        let word = told["waitsFor"].as_str().unwrap_or_default().to_owned();
        let explained = match word.as_str() {
            "nothing" => End::Done,
            "retry" => End::Aborted,
            "pause" | "promotion" if told["until"].is_string() => End::Timed,
            "pause" | "promotion" | "resume" => End::User,
            _ => return [format!("{status:?}"), format!("{got:?}"), word],
        };
        [status, got, explained].map(|end| format!("{end:?}"))
    }

    /// Waits until all three say so.
    async fn ends(&self, live: &Live, end: End) {
        let expected = [(); 3].map(|()| format!("{end:?}"));
        let mut said = self.said(live);
        for _ in 0..LOOKS {
            if said == expected {
                return;
            }
            sleep(Duration::from_millis(100)).await;
            said = self.said(live);
        }
        let Self { name, strategy, is_paused, is_aborted, .. } = self;
        panic!("{name} {strategy}, paused {is_paused}, aborted {is_aborted}: {said:?} and not {end:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn get_status_and_explain_agree_on_every_pause() {
    let live = Live::controlled().await;
    let cases = cases();
    for case in &cases {
        case.make(&live).await;
    }
    for case in &cases {
        case.ends(&live, End::Done).await;
        let containers = json!([{"name": "a", "image": "a:2"}]);
        case.change(&live, &json!({"spec": {"template": {"spec": {"containers": containers}}}})).await;
    }
    for case in &cases {
        case.ends(&live, case.begun).await;
        if case.is_paused {
            case.change(&live, &json!({"spec": {"paused": true}})).await;
        }
        if case.is_aborted {
            live.stage.patch_status(&live.namespace, &case.name, json!({"abort": true})).await;
        }
    }
    for case in &cases {
        case.ends(&live, case.end).await;
    }
}
