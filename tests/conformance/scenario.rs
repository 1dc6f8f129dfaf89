//! Scenario files: a summary, a manifest, a script of what the user does, and manifests that the script applies later.
//!
//! ```text
//! # Summary.
//! === manifest
//! YAML
//! === do
//! wait Healthy
//! === later NAME
//! YAML
//! ```

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde_json::Value;

use super::kinds::Kind;

/// How long a script waits for a phase unless it says otherwise.
const PATIENCE: Duration = Duration::from_mins(2);

#[derive(Debug)]
pub(crate) struct Scenario {
    pub(crate) summary: String,
    pub(crate) manifest: String,
    pub(crate) script: Vec<Line>,
    /// Manifests by the name that `apply` calls them.
    pub(crate) later: BTreeMap<String, String>,
}

/// One line of a script.
#[derive(Debug)]
pub(crate) struct Line {
    /// In the file, from 1.
    pub(crate) number: usize,
    pub(crate) text: String,
    pub(crate) act: Act,
}

/// What the user of a scenario does; the subject is its Rollout unless said otherwise.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Act {
    /// Until the phase is this, at this step, for the present generation.
    Wait {
        phase: String,
        step: Option<i64>,
        limit: Duration,
    },
    /// A new revision: an annotation `v` of the pod template.
    Update(String),
    /// A new image of the first container.
    Image(String),
    /// A merge patch of the spec.
    Spec(Value),
    /// A merge patch of the status.
    Status(Value),
    Promote,
    PromoteFull,
    Abort,
    Retry,
    Pause,
    Resume,
    Scale(i32),
    /// Back to the template of a revision.
    Undo(String),
    /// New pods from now on.
    Restart,
    Patch {
        kind: Kind,
        name: String,
        body: Value,
    },
    Delete {
        kind: Kind,
        name: String,
    },
    /// One of the later manifests.
    Apply(String),
    Settle(Duration),
}

/// A line that cannot be read.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ScenarioError {
    line: usize,
    message: String,
}

impl fmt::Display for ScenarioError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.message)
    }
}

/// A part of the file: what follows `=== `, and the lines below.
struct Section<'a> {
    line: usize,
    head: &'a str,
    body: Vec<(usize, &'a str)>,
}

impl Section<'_> {
    fn text(&self) -> String {
        self.body.iter().flat_map(|(_, line)| [*line, "\n"]).collect()
    }
}

impl FromStr for Scenario {
    type Err = ScenarioError;

    fn from_str(text: &str) -> Result<Self, ScenarioError> {
        let (head, sections) = sections(text);
        let summary = head.iter().find_map(|line| line.strip_prefix("# "));
        let summary = summary.ok_or_else(|| error(1, "no summary: the first line is '# ' and a sentence"))?;
        let (mut manifest, mut script, mut later) = (None, None, BTreeMap::new());
        for section in &sections {
            let is_new = match section.head.split_once(' ') {
                None if section.head == "manifest" => manifest.replace(section.text()).is_none(),
                None if section.head == "do" => script.replace(parse_script(&section.body)?).is_none(),
                Some(("later", name)) => later.insert(name.trim().to_owned(), section.text()).is_none(),
                _ => {
                    let known = "'manifest', 'do' and 'later NAME'";
                    return Err(error(
                        section.line,
                        format!("no section '{}': there are {known}", section.head),
                    ));
                }
            };
            if !is_new {
                return Err(error(section.line, format!("a second section '{}'", section.head)));
            }
        }
        let end = text.lines().count();
        let scenario = Self {
            summary: summary.to_owned(),
            manifest: manifest.ok_or_else(|| error(end, "no section '=== manifest'"))?,
            script: script.ok_or_else(|| error(end, "no section '=== do'"))?,
            later,
        };
        scenario.names_what_is_there()
    }
}

impl Scenario {
    /// Each `apply` names a later manifest, and each of those is applied.
    fn names_what_is_there(self) -> Result<Self, ScenarioError> {
        let mut unused: Vec<_> = self.later.keys().collect();
        for line in &self.script {
            if let Act::Apply(name) = &line.act {
                unused.retain(|later| *later != name);
                if !self.later.contains_key(name) {
                    return Err(error(line.number, format!("no section '=== later {name}'")));
                }
            }
        }
        match unused.first() {
            Some(name) => Err(error(1, format!("the section '=== later {name}' is applied nowhere"))),
            None => Ok(self),
        }
    }
}

fn error(line: usize, message: impl Into<String>) -> ScenarioError {
    ScenarioError { line, message: message.into() }
}

/// The lines before the first section, and the sections.
fn sections(text: &str) -> (Vec<&str>, Vec<Section<'_>>) {
    let (mut head, mut sections) = (Vec::new(), Vec::<Section<'_>>::new());
    for (number, line) in (1..).zip(text.lines()) {
        match (line.strip_prefix("=== "), sections.last_mut()) {
            (Some(title), _) => sections.push(Section { line: number, head: title.trim(), body: Vec::new() }),
            (None, Some(section)) => section.body.push((number, line)),
            (None, None) => head.push(line),
        }
    }
    (head, sections)
}

fn parse_script(body: &[(usize, &str)]) -> Result<Vec<Line>, ScenarioError> {
    let mut script = Vec::new();
    for (number, line) in body {
        let text = line.split(" #").next().unwrap_or_default().trim();
        if text.is_empty() || text.starts_with('#') {
            continue;
        }
        let act = parse_act(text).map_err(|message| error(*number, format!("'{text}': {message}")))?;
        script.push(Line { number: *number, text: text.to_owned(), act });
    }
    Ok(script)
}

fn parse_act(text: &str) -> Result<Act, String> {
    let (word, rest) = text.split_once(' ').unwrap_or((text, ""));
    let rest = rest.trim();
    let alone = |act: Act| if rest.is_empty() { Ok(act) } else { Err(format!("{word} stands alone")) };
    let named =
        |what: &str| if rest.is_empty() { Err(format!("which {what}?")) } else { Ok(rest.to_owned()) };
    match word {
        "wait" => parse_wait(rest),
        "update" => named("version").map(Act::Update),
        "image" => named("image").map(Act::Image),
        "spec" => parse_object(rest).map(Act::Spec),
        "status" => parse_object(rest).map(Act::Status),
        "promote" => alone(Act::Promote),
        "promote-full" => alone(Act::PromoteFull),
        "abort" => alone(Act::Abort),
        "retry" => alone(Act::Retry),
        "pause" => alone(Act::Pause),
        "resume" => alone(Act::Resume),
        "scale" => parse_number(rest).map(Act::Scale),
        "undo" => named("revision").map(Act::Undo),
        "restart" => alone(Act::Restart),
        "patch" => parse_patch(rest),
        "delete" => {
            let (kind, name) = parse_object_name(rest)?;
            Ok(Act::Delete { kind, name: name.to_owned() })
        }
        "apply" => named("later manifest").map(Act::Apply),
        "settle" => parse_seconds(rest).map(Act::Settle),
        other => Err(format!("{other} is no word of scripts")),
    }
}

fn parse_wait(rest: &str) -> Result<Act, String> {
    let mut words = rest.split_whitespace();
    let phase = words.next().ok_or("which phase?")?.to_owned();
    let (mut step, mut limit) = (None, PATIENCE);
    for word in words {
        match word.split_once('=') {
            Some(("step", index)) => step = Some(parse_number(index)?),
            Some(("timeout", seconds)) => limit = parse_seconds(seconds)?,
            _ => return Err(format!("{word} is neither step=INDEX nor timeout=SECONDS")),
        }
    }
    Ok(Act::Wait { phase, step, limit })
}

fn parse_patch(rest: &str) -> Result<Act, String> {
    let at = rest.find('{').ok_or("the patch is no JSON object")?;
    let (kind, name) = parse_object_name(rest[..at].trim())?;
    Ok(Act::Patch { kind, name: name.to_owned(), body: parse_object(&rest[at..])? })
}

fn parse_object_name(words: &str) -> Result<(Kind, &str), String> {
    let (kind, name) = words.split_once(' ').ok_or("which object? KIND NAME")?;
    let words = Kind::ALL.map(Kind::word).join(", ");
    let kind = Kind::of_word(kind).ok_or_else(|| format!("no kind {kind}: there are {words}"))?;
    Ok((kind, name))
}

fn parse_object(json: &str) -> Result<Value, String> {
    match serde_json::from_str(json) {
        Ok(value @ Value::Object(_)) => Ok(value),
        Ok(_) => Err("not a JSON object".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

fn parse_number<N: FromStr<Err: fmt::Display>>(text: &str) -> Result<N, String> {
    text.parse().map_err(|error| format!("'{text}': {error}"))
}

fn parse_seconds(text: &str) -> Result<Duration, String> {
    let seconds = parse_number(text)?;
    Duration::try_from_secs_f64(seconds).map_err(|error| format!("'{text}': {error}"))
}

/// Whether a Rollout shows this phase and step for its present generation.
pub(crate) fn is_at(rollout: &Value, phase: &str, step: Option<i64>) -> bool {
    let status = &rollout["status"];
    let generation = rollout["metadata"]["generation"].to_string();
    status["observedGeneration"].as_str() == Some(&generation)
        && status["phase"] == phase
        && step.is_none_or(|step| status["currentStepIndex"] == step)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const FILE: &str = "\
# What it is about.
=== manifest
kind: A
---
kind: B
=== do
# by hand
wait Paused step=1 timeout=2.5
patch svc web {\"spec\": {\"selector\": {\"a b\": \"c\"}}} # by another
apply more
=== later more
kind: C
";

    fn act(text: &str) -> Result<Act, String> {
        parse_act(text)
    }

    fn error_of(file: &str) -> String {
        file.parse::<Scenario>().unwrap_err().to_string()
    }

    #[test]
    fn a_file_has_a_summary_sections_and_numbered_lines() {
        let scenario: Scenario = FILE.parse().unwrap();
        assert_eq!(scenario.summary, "What it is about.");
        assert_eq!(scenario.manifest, "kind: A\n---\nkind: B\n");
        assert_eq!(scenario.later["more"], "kind: C\n");
        let numbers: Vec<_> = scenario.script.iter().map(|line| line.number).collect();
        assert_eq!(numbers, [8, 9, 10]);
        let wait =
            Act::Wait { phase: "Paused".to_owned(), step: Some(1), limit: Duration::from_millis(2500) };
        assert_eq!(scenario.script[0].act, wait);
        let body = json!({"spec": {"selector": {"a b": "c"}}});
        let patch = Act::Patch { kind: Kind::Service, name: "web".to_owned(), body };
        assert_eq!(scenario.script[1].act, patch);
    }

    #[test]
    fn each_word_is_an_act() {
        let text = ToOwned::to_owned;
        let patient = Act::Wait { phase: text("Healthy"), step: None, limit: PATIENCE };
        assert_eq!(act("wait Healthy"), Ok(patient));
        assert_eq!(act("update 2"), Ok(Act::Update(text("2"))));
        assert_eq!(act("image a:b"), Ok(Act::Image(text("a:b"))));
        assert_eq!(act("spec {\"a\":1}"), Ok(Act::Spec(json!({"a": 1}))));
        assert_eq!(act("status {\"a\":1}"), Ok(Act::Status(json!({"a": 1}))));
        assert_eq!(act("scale 4"), Ok(Act::Scale(4)));
        assert_eq!(act("undo 1"), Ok(Act::Undo(text("1"))));
        let delete = Act::Delete { kind: Kind::ReplicaSet, name: text("x") };
        assert_eq!(act("delete rs x"), Ok(delete));
        assert_eq!(act("apply later"), Ok(Act::Apply(text("later"))));
        assert_eq!(act("settle 0.5"), Ok(Act::Settle(Duration::from_millis(500))));
        for (word, meant) in [
            ("promote", Act::Promote),
            ("promote-full", Act::PromoteFull),
            ("abort", Act::Abort),
            ("retry", Act::Retry),
            ("pause", Act::Pause),
            ("resume", Act::Resume),
            ("restart", Act::Restart),
        ] {
            assert_eq!(act(word), Ok(meant));
        }
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for text in [
            "dance",
            "promote 3",
            "wait",
            "wait Paused steps=1",
            "wait Paused step=one",
            "scale many",
            "settle -1",
            "settle",
            "update",
            "spec [1]",
            "spec {",
            "patch svc web",
            "patch pod web {}",
            "delete svc",
        ] {
            assert!(act(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_faulty_file_is_refused_by_line() {
        assert!(error_of("=== manifest\n=== do\n").starts_with("line 1: no summary"));
        assert_eq!(
            error_of(&FILE.replace("=== do", "=== done")),
            "line 6: no section 'done': there are 'manifest', 'do' and 'later NAME'"
        );
        assert_eq!(error_of(&format!("{FILE}=== do\n")), "line 13: a second section 'do'");
        assert_eq!(
            error_of(&FILE.replace("apply more", "apply less")),
            "line 10: no section '=== later less'"
        );
        assert_eq!(
            error_of(&FILE.replace("apply more", "")),
            "line 1: the section '=== later more' is applied nowhere"
        );
        assert_eq!(error_of("# S.\n=== do\n"), "line 2: no section '=== manifest'");
        assert!(error_of(&FILE.replace("wait Paused", "await Paused")).starts_with("line 8: 'await Paused"));
    }

    #[test]
    fn a_phase_counts_for_the_present_generation_only() {
        let rollout = |observed: &str, step: i64| {
            let status = json!({"observedGeneration": observed, "phase": "Paused", "currentStepIndex": step});
            json!({"metadata": {"generation": 2}, "status": status})
        };
        assert!(is_at(&rollout("2", 1), "Paused", None));
        assert!(is_at(&rollout("2", 1), "Paused", Some(1)));
        assert!(!is_at(&rollout("2", 1), "Paused", Some(2)));
        assert!(!is_at(&rollout("1", 1), "Paused", None));
        assert!(!is_at(&rollout("2", 1), "Healthy", None));
        assert!(!is_at(&json!({"metadata": {"generation": 2}}), "Paused", None));
    }
}
