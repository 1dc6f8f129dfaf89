//! Runs from their creation to their end, in virtual time, with answers that the test gives.

use std::sync::Arc;

use serde_json::{Value, json};

use super::*;
use crate::api::analysis::AnalysisRunStatus;
use crate::domain::effect::{Effect, EffectFailure, EffectOutput, KnownEffect, KnownEffects};
use crate::rollout::snapshot::{Failure, FailureCause, Identity};
use serin_values::merge_patch::apply_merge_patch;

fn run(spec: &Value, status: &Value) -> Run {
    let id = Identity { name: "run".into(), uid: "u".into(), resource_version: "1".into() };
    Run::read(id, "shop", false, spec, status)
}

const START: &str = "2026-01-01T00:00:00Z";

fn at(seconds: i64) -> Timestamp {
    START.parse::<Timestamp>().expect("a time") + SignedDuration::from_secs(seconds)
}

#[test]
fn a_run_that_has_ended_is_deleted_when_its_time_to_live_is_over() {
    let completion = json!({"secondsAfterCompletion": 86_400});
    let success = json!({"secondsAfterSuccess": 86_400, "secondsAfterCompletion": 172_800});
    let failure = json!({"secondsAfterFailure": 86_400, "secondsAfterCompletion": 172_800});
    for (ttl, phase, elapsed, is_deleted) in [
        (&completion, "Successful", 86_400, false),
        (&completion, "Successful", 86_401, true),
        (&completion, "Inconclusive", 86_401, true),
        (&success, "Successful", 86_401, true),
        (&success, "Failed", 86_401, false),
        (&failure, "Successful", 86_401, false),
        (&failure, "Failed", 86_401, true),
        (&failure, "Error", 172_801, true),
    ] {
        let run =
            run(&json!({"metrics": [], "ttlStrategy": ttl}), &json!({"phase": phase, "completedAt": START}));
        let plan = decide(&run, &Settings::default(), at(elapsed));
        assert_eq!(plan.ops().count() == 1, is_deleted, "{ttl} {phase} {elapsed}");
        assert!(plan.status.patch.is_null());
        assert_eq!(matches!(plan.wake, Wake::At(_)), !is_deleted, "it is looked at again in time");
    }
}

#[test]
fn a_run_without_an_end_or_a_time_to_live_stays() {
    let ttl = json!({"metrics": [], "ttlStrategy": {"secondsAfterCompletion": 1}});
    let never_ended = run(&ttl, &json!({"phase": "Error"}));
    let mut leaving = run(&ttl, &json!({"phase": "Error", "completedAt": START}));
    leaving.deleting = true;
    let kept = run(&json!({"metrics": []}), &json!({"phase": "Failed", "completedAt": START}));
    for run in [never_ended, leaving, kept] {
        let plan = decide(&run, &Settings::default(), at(1_000_000));
        assert!(plan.is_empty() && plan.wake == Wake::OnChange, "{run:?}");
    }
}

/// A run whose effects the test answers, and whose status is stored.
struct Lab {
    spec: Value,
    status: Value,
    effects: KnownEffects,
    now: i64,
    events: Vec<String>,
    writes: usize,
}

impl Lab {
    fn new(spec: Value) -> Self {
        let (status, effects) = (json!({}), KnownEffects::new());
        Self { spec, status, effects, now: 0, events: Vec::new(), writes: 0 }
    }

    /// Decides again and again until nothing follows; the time of the next look.
    fn settle(&mut self) -> Wake {
        for _ in 0..20 {
            let mut run = run(&self.spec, &self.status);
            run.effects = self.effects.clone();
            let plan = decide(&run, &Settings::default(), at(self.now));
            let is_quiet = plan.status.patch.is_null() && plan.ops().count() == 0;
            if !plan.status.patch.is_null() {
                let stored = apply_merge_patch(&json!({"status": self.status}), &plan.status.patch);
                self.status = stored["status"].clone();
            }
            self.writes += usize::from(!plan.status.patch.is_null());
            let told = plan.status.events.iter();
            self.events.extend(told.map(|event| format!("{}: {}", event.reason, event.message)));
            let known = |effect: &Effect| self.effects.get(&effect.name).cloned();
            let asked =
                |effect: &Effect| known(effect).unwrap_or(KnownEffect { asked: at(self.now), answer: None });
            let effects = plan.effects.iter().map(|effect| (effect.name.clone(), asked(effect)));
            self.effects = effects.collect();
            if is_quiet {
                return plan.wake;
            }
        }
        panic!("it never rests: {}", self.status)
    }

    /// Answers what is asked with a body of JSON.
    fn answer(&mut self, body: &str) {
        assert!(
            self.effects.values().any(|known| known.answer.is_none()),
            "nothing is asked: {}",
            self.status
        );
        let response = EffectOutput::Response { status: 200, body: body.as_bytes().to_vec() };
        self.end_effects(&Ok(response));
    }

    fn end_effects(&mut self, answer: &Result<EffectOutput, EffectFailure>) {
        for known in self.effects.values_mut() {
            known.answer.get_or_insert_with(|| Arc::new(answer.clone()));
        }
        self.settle();
    }

    /// Lets the time pass until the next look, which comes after so many seconds.
    fn wait(&mut self, seconds: i64) {
        let wake = self.settle();
        assert_eq!(wake, Wake::At(at(self.now + seconds)), "{}", self.status);
        self.now += seconds;
        self.settle();
    }

    fn phase(&self) -> &str {
        self.status["phase"].as_str().unwrap_or_default()
    }
}

fn web(name: &str, fields: &Value) -> Value {
    let provider = json!({"web": {"url": "http://127.0.0.1/", "jsonPath": "{$.value}"}});
    let mut metric = json!({"name": name, "successCondition": "result == 1", "provider": provider});
    for (key, value) in fields.as_object().expect("fields") {
        metric[key] = value.clone();
    }
    metric
}

#[test]
fn a_run_that_is_wrong_ends_once_with_the_reason() {
    let web = |url: &str| json!({"name": "m", "provider": {"web": {"url": url}}});
    for (spec, message) in [
        (json!({"metrics": []}), "Analysis spec invalid: no metrics specified"),
        (
            json!({"metrics": [{"name": "m", "provider": {}}]}),
            "Analysis spec invalid: metrics[0]: no provider specified",
        ),
        (
            json!({"metrics": [web("u")], "dryRun": [{"metricName": "x"}]}),
            "Analysis spec invalid: dryRun[0]: Rule didn't match any metric name(s)",
        ),
        (
            json!({"metrics": [web("{{args.none}}")]}),
            "Unable to resolve metric arguments: failed to resolve {{args.none}}",
        ),
        (
            json!({"metrics": [web("u")], "args": [{"name": "x"}]}),
            "Unable to resolve metric arguments: argument \"x\" was not supplied",
        ),
    ] {
        let mut lab = Lab::new(spec);
        assert_eq!(lab.settle(), Wake::OnChange);
        let now = at(0).to_string();
        let status = json!({"phase": "Error", "message": message, "startedAt": now, "completedAt": now});
        assert_eq!(lab.status, status);
        assert_eq!(lab.events, ["AnalysisRunError: Analysis Completed. Result: Error"]);
    }
    let mut unreadable = Lab::new(json!({"metrics": [{"name": "m", "count": {}, "provider": {}}]}));
    unreadable.settle();
    let message = unreadable.status["message"].as_str().unwrap_or_default();
    assert!(message.contains("spec.metrics[0].count: "), "{message}");
}

#[test]
fn one_measurement_is_one_question_and_one_write() {
    let mut lab = Lab::new(json!({"metrics": [web("m", &json!({}))]}));
    lab.settle();
    assert_eq!((lab.writes, lab.effects.len()), (0, 1), "it is asked and nothing written");
    lab.answer(r#"{"value": 1}"#);
    assert_eq!((lab.writes, lab.phase()), (1, "Successful"));
    let now = at(0).to_string();
    let measurement = json!({"phase": "Successful", "value": "1", "startedAt": now, "finishedAt": now});
    let result = json!({
        "name": "m", "phase": "Successful", "count": 1, "successful": 1, "consecutiveSuccess": 1,
        "measurements": [measurement],
    });
    let expected = json!({
        "phase": "Successful", "startedAt": now, "completedAt": now, "metricResults": [result],
        "runSummary": {"count": 1, "successful": 1}, "dryRunSummary": {},
    });
    assert_eq!(lab.status, expected);
    let events = [
        "MetricSuccessful: Metric 'm' Completed. Result: Successful",
        "AnalysisRunSuccessful: Analysis Completed. Result: Successful",
    ];
    assert_eq!(lab.events, events);
    assert!(lab.effects.is_empty(), "nothing goes on");
}

#[test]
fn measurements_follow_each_other_at_the_interval() {
    let fields = json!({"interval": "60s", "count": 3, "initialDelay": "20s", "failureLimit": 1});
    let mut lab = Lab::new(json!({"metrics": [web("m", &fields)]}));
    lab.wait(20);
    assert_eq!((lab.phase(), lab.writes), ("Running", 1), "it has a start");
    lab.answer(r#"{"value": 1}"#);
    lab.wait(60);
    lab.answer(r#"{"value": 0}"#);
    assert_eq!((lab.phase(), lab.writes), ("Running", 3));
    lab.wait(60);
    lab.answer(r#"{"value": 1}"#);
    assert_eq!((lab.phase(), lab.writes), ("Successful", 4));
    assert_eq!(lab.status["metricResults"][0]["failed"], 1);
}

#[test]
fn a_failure_ends_the_run_and_what_else_is_asked() {
    let metrics = [web("forever", &json!({"interval": "60s"})), web("bad", &json!({"interval": "30s"}))];
    let mut lab = Lab::new(json!({"metrics": metrics}));
    lab.settle();
    lab.answer(r#"{"value": 1}"#);
    lab.wait(30);
    lab.answer(r#"{"value": 0}"#);
    assert_eq!(lab.phase(), "Failed");
    assert_eq!(lab.status["message"], "Metric \"bad\" assessed Failed due to failed (1) > failureLimit (0)");
    assert_eq!(lab.status["runSummary"], json!({"count": 2, "successful": 1, "failed": 1}));
    assert!(lab.effects.is_empty());
}

#[test]
fn errors_are_tried_again_and_end_the_run_when_they_are_too_many() {
    let mut lab = Lab::new(json!({"metrics": [web("m", &json!({}))]}));
    for attempt in 1..=5 {
        lab.settle();
        lab.end_effects(&Err(EffectFailure::Failed("connection refused".into())));
        assert_eq!(lab.phase(), if attempt < 5 { "Running" } else { "Error" });
        if attempt < 5 {
            lab.wait(10);
        }
    }
    let message = "Metric \"m\" assessed Error due to consecutiveErrors (5) > consecutiveErrorLimit (4): \"Error Message: ";
    assert!(lab.status["message"].as_str().is_some_and(|text| text.starts_with(message)), "{}", lab.status);
}

#[test]
fn one_that_is_terminated_has_the_verdict_of_what_it_measured() {
    let mut lab = Lab::new(json!({"metrics": [web("m", &json!({"interval": "60s"}))]}));
    let mut never = Lab::new(lab.spec.clone());
    lab.settle();
    lab.answer(r#"{"value": 1}"#);
    for lab in [&mut lab, &mut never] {
        lab.spec["terminate"] = json!(true);
        assert_eq!(lab.settle(), Wake::OnChange);
        assert!(lab.effects.is_empty());
    }
    assert_eq!((lab.phase(), &lab.status["message"]), ("Successful", &json!("Run Terminated")));
    assert_eq!(never.phase(), "Inconclusive");
}

#[test]
fn a_run_that_gets_no_answer_says_that_it_runs() {
    let mut lab = Lab::new(json!({"metrics": [web("m", &json!({}))]}));
    lab.wait(2);
    assert_eq!((lab.phase(), lab.writes), ("Running", 1));
    assert_eq!(lab.settle(), Wake::OnChange);
    lab.now += 3;
    lab.answer(r#"{"value": 1}"#);
    let measurement = &lab.status["metricResults"][0]["measurements"][0];
    assert_eq!(measurement["startedAt"], at(0).to_string(), "it began with the question");
    assert_eq!(measurement["finishedAt"], at(5).to_string());
}

#[test]
fn dry_runs_have_no_effect() {
    let spec =
        json!({"metrics": [web("a", &json!({})), web("b", &json!({}))], "dryRun": [{"metricName": ".*"}]});
    let mut lab = Lab::new(spec);
    lab.settle();
    lab.answer(r#"{"value": 0}"#);
    assert_eq!((lab.phase(), &lab.status["message"]), ("Successful", &Value::Null));
    assert_eq!(lab.status["dryRunSummary"], json!({"count": 2, "failed": 2}));
    assert_eq!(lab.status["runSummary"], Value::Null);
    let result = &lab.status["metricResults"][0];
    assert_eq!(result["message"], "Metric assessed Failed due to failed (1) > failureLimit (0)");
    assert_eq!(result["dryRun"], true);
}

/// Whatever a controller does not live to write down is measured again, and counted once.
#[test]
fn what_is_not_written_down_is_asked_again() {
    let mut lab = Lab::new(json!({"metrics": [web("m", &json!({"interval": "60s", "count": 2}))]}));
    lab.settle();
    lab.effects.clear();
    lab.settle();
    lab.answer(r#"{"value": 1}"#);
    let before = lab.status.clone();
    lab.effects.clear();
    lab.settle();
    assert_eq!((lab.status["metricResults"][0]["count"].clone(), &before), (json!(1), &lab.status));
    lab.wait(60);
    lab.answer(r#"{"value": 1}"#);
    assert_eq!((lab.phase(), lab.writes), ("Successful", 2));
}

#[test]
fn the_query_is_shown_as_it_was_asked_without_secrets() {
    let metric = json!({
        "name": "rate", "successCondition": "result[0] > 0",
        "provider": {"prometheus": {"address": "http://127.0.0.1:9090", "query": "up{app=\"{{args.app}}\"} {{args.token}}"}},
    });
    let from = json!({"secretKeyRef": {"name": "keys", "key": "token"}});
    let args = json!([{"name": "app", "value": "web"}, {"name": "token", "valueFrom": from}]);
    let mut lab = Lab::new(json!({"metrics": [metric], "args": args}));
    lab.settle();
    lab.end_effects(&Ok(EffectOutput::Secret([("token".to_owned(), b"hush".to_vec())].into())));
    lab.answer(r#"{"status": "success", "data": {"resultType": "vector", "result": [{"value": [1, "2"]}]}}"#);
    let result = &lab.status["metricResults"][0];
    assert_eq!((lab.phase(), &result["measurements"][0]["value"]), ("Successful", &json!("[2]")));
    assert_eq!(result["metadata"]["ResolvedPrometheusQuery"], "up{app=\"web\"} *****");
}

fn job_run() -> Run {
    let spec = json!({"metrics": [{"name": "check", "provider": {"job": {"spec": {"template": {}}}}}]});
    run(&spec, &Value::Null)
}

/// A Job as it is created, and then observed with these conditions.
fn observed(op: &Op, conditions: &Value) -> (ObjectKey, Value) {
    let Action::Create { body } = &op.action else { panic!("{op:?}") };
    let mut job = body.clone();
    job["metadata"]["uid"] = json!("job-uid");
    job["metadata"]["resourceVersion"] = json!("1");
    job["status"] = json!({"conditions": conditions});
    (ObjectKey::new("shop", &*op.name), job)
}

#[test]
fn a_job_is_made_once_watched_and_judged() {
    let settings = Settings::default();
    let mut run = job_run();
    let plan = decide(&run, &settings, at(0));
    let created = plan.ops().next().expect("a Job").clone();
    assert_eq!(
        (created.name.as_str(), &plan.status.patch["status"]["phase"]),
        ("u.check.1", &json!("Running"))
    );
    assert_eq!(plan.wake, Wake::At(at(1)), "it is looked for");
    let is_true = |kind: &str| json!([{"type": kind, "status": "True"}]);
    for (conditions, phase) in
        [(json!([]), "Running"), (is_true("Complete"), "Successful"), (is_true("Failed"), "Failed")]
    {
        run.jobs = [observed(&created, &json!([]))].into();
        run.status = AnalysisRunStatus::default();
        let begun = decide(&run, &settings, at(2)).status.patch["status"].clone();
        let measurement = &begun["metricResults"][0]["measurements"][0];
        assert_eq!(measurement["metadata"], json!({"job-name": "u.check.1", "job-namespace": "shop"}));
        run.status = serde_json::from_value(begun).expect("a status");
        run.jobs = [observed(&created, &conditions)].into();
        let ended = decide(&run, &settings, at(3));
        let said = ended.status.patch["status"]["phase"].as_str().unwrap_or("Running");
        assert_eq!(said, phase, "{conditions}");
    }
}

#[test]
fn a_job_whose_image_cannot_be_pulled_is_no_verdict() {
    let settings = Settings::default();
    let mut run = job_run();
    let created = decide(&run, &settings, at(0)).ops().next().expect("a Job").clone();
    run.jobs = [observed(&created, &json!([]))].into();
    let begun = decide(&run, &settings, at(0)).status.patch["status"].clone();
    run.status = serde_json::from_value(begun).expect("a status");
    let asked = decide(&run, &settings, at(1));
    assert!(asked.status.patch.is_null(), "nothing is written while it runs");
    let [effect] = &asked.effects[..] else { panic!("{asked:?}") };
    let waiting = json!({"reason": "ImagePullBackOff", "message": "no such image"});
    let status = json!({"containerStatuses": [{"name": "main", "state": {"waiting": waiting}}]});
    let pod = json!({"metadata": {"name": "pod"}, "status": status});
    let answer = Some(Arc::new(Ok(EffectOutput::Pods(vec![pod]))));
    run.effects = [(effect.name.clone(), KnownEffect { asked: at(1), answer })].into();
    let ended = decide(&run, &settings, at(2)).status.patch["status"].clone();
    assert_eq!(ended["phase"], "Inconclusive");
    let said = "Pod pod, container main has terminal error (ImagePullBackOff): no such image\n";
    assert_eq!(ended["metricResults"][0]["measurements"][0]["message"], said);
}

#[test]
fn what_is_in_the_way_of_a_job_is_told() {
    let settings = Settings::default();
    let mut run = job_run();
    let created = decide(&run, &settings, at(0)).ops().next().expect("a Job").clone();
    let message = |run: &Run| {
        let plan = decide(run, &settings, at(0));
        plan.status.patch["status"]["metricResults"][0]["measurements"][0]["message"].clone()
    };
    let cause = FailureCause::Rejected("no quota".into());
    run.last_failure = Some(Failure { kind: ObjectKind::Job, name: created.name.clone(), cause });
    assert_eq!(message(&run), "Job u.check.1 cannot be created: no quota");
    run.last_failure = None;
    let (key, mut job) = observed(&created, &json!([]));
    job["metadata"]["labels"] = json!({});
    run.jobs = [(key, job)].into();
    assert_eq!(message(&run), "Job u.check.1 exists and is not of this run");
}
