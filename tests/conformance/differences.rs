//! Where this project differs from the recordings on purpose: `tests/conformance/differences.yaml`.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::compare::{Detail, Difference, leaves, sequence_fits};

/// The deliberate differences of all scenarios, by scenario and facet.
#[derive(Debug, Default, Deserialize)]
#[serde(transparent)]
pub(crate) struct Differences(BTreeMap<String, BTreeMap<String, Deliberate>>);

/// One difference that is meant to be there.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Deliberate {
    /// What is there instead: the values of a sequence, the value at a path, the `TYPE REASON` of each event; or one of
    /// the words `absent` (for a path) and `ignore` (anything).
    ours: Value,
    /// Whether a run may be as recorded, too: where things that race may come in either order.
    #[serde(default)]
    sometimes: bool,
    /// The reason.
    because: String,
}

const ABSENT: &str = "absent";
const IGNORE: &str = "ignore";

impl Differences {
    /// Reads the file; each entry must be about one of the scenarios and give a reason.
    pub(crate) fn parse(yaml: &str, scenarios: &[String]) -> Result<Self, String> {
        let all: Option<Self> = serde_yaml::from_str(yaml).map_err(|error| error.to_string())?;
        let all = all.unwrap_or_default();
        for (scenario, facets) in &all.0 {
            if !scenarios.contains(scenario) {
                return Err(format!("{scenario}: no such scenario"));
            }
            if let Some((facet, _)) = facets.iter().find(|(_, entry)| entry.because.trim().is_empty()) {
                return Err(format!("{scenario}: {facet}: 'because' is empty: say why ours differs"));
            }
        }
        Ok(all)
    }

    /// All but those about some facets.
    pub(crate) fn without(mut self, is_left_out: impl Fn(&str) -> bool) -> Self {
        for facets in self.0.values_mut() {
            facets.retain(|facet, _| !is_left_out(facet));
        }
        self
    }

    /// Of the differences found in a scenario those that were not meant, as text; and the meant ones that were not found,
    /// so that the list stays true.
    pub(crate) fn unexpected(&self, scenario: &str, found: &[Difference]) -> Vec<String> {
        let none = BTreeMap::new();
        let deliberate = self.0.get(scenario).unwrap_or(&none);
        let covering = |difference: &Difference| {
            deliberate.iter().find(|(facet, _)| covers(facet, &difference.facet)).map(|(facet, _)| facet)
        };
        let mut wrong: Vec<_> = found
            .iter()
            .filter(|difference| covering(difference).is_none())
            .map(ToString::to_string)
            .collect();
        for (facet, entry) in deliberate {
            let here: Vec<_> = found.iter().filter(|difference| covers(facet, &difference.facet)).collect();
            if here.is_empty() && !entry.sometimes {
                wrong.push(format!(
                    "{facet}\n  as recorded, but listed as a deliberate difference (because {})",
                    entry.because
                ));
            } else if !here.is_empty() && !entry.is_met(facet, &here) {
                let shown = here.iter().map(ToString::to_string);
                wrong.extend(shown.map(|text| format!("{text}\n  expected  {}", entry.ours)));
            }
        }
        wrong
    }
}

/// A facet covers itself, and a path all paths below it.
fn covers(listed: &str, facet: &str) -> bool {
    facet
        .strip_prefix(listed)
        .is_some_and(|rest| rest.is_empty() || listed.starts_with('/') && rest.starts_with('/'))
}

impl Deliberate {
    /// Whether what differs at a listed facet is just what is meant to be there.
    fn is_met(&self, facet: &str, found: &[&Difference]) -> bool {
        if self.ours == IGNORE {
            return true;
        }
        let is_list =
            |is_so: &dyn Fn(&[Value]) -> bool| self.ours.as_array().is_some_and(|meant| is_so(meant));
        let mut at_paths = BTreeMap::new();
        for difference in found {
            match &difference.detail {
                Detail::Sequence { ours, .. } => return is_list(&|meant| sequence_fits(facet, ours, meant)),
                Detail::Events { ours, .. } => {
                    return is_list(&|meant| ours.iter().eq(meant.iter().filter_map(Value::as_str)));
                }
                Detail::Final { ours: Some(ours), .. } => at_paths.extend(leaves(&difference.facet, ours)),
                Detail::Final { ours: None, .. } => {}
            }
        }
        at_paths == if self.ours == ABSENT { BTreeMap::new() } else { leaves(facet, &self.ours) }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn at_path(facet: &str, ours: Option<Value>) -> Difference {
        Difference { facet: facet.to_owned(), detail: Detail::Final { ours, recorded: Some(json!("other")) } }
    }

    fn sequence(facet: &str, ours: &[i32]) -> Difference {
        let ours = ours.iter().map(|value| json!(value)).collect();
        Difference { facet: facet.to_owned(), detail: Detail::Sequence { ours, recorded: Vec::new() } }
    }

    fn events(ours: &[&str]) -> Difference {
        let ours = ours.iter().map(|event| (*event).to_owned()).collect();
        Difference { facet: "events".to_owned(), detail: Detail::Events { ours, recorded: Vec::new() } }
    }

    /// What is not as listed, in short.
    fn wrong(listed: &Value, found: &[Difference]) -> Vec<String> {
        let yaml = json!({"a": listed}).to_string();
        let differences = Differences::parse(&yaml, &["a".to_owned()]).unwrap();
        let first_word = |text: &String| text.split_whitespace().next().unwrap_or_default().to_owned();
        differences.unexpected("a", found).iter().map(first_word).collect()
    }

    #[test]
    fn what_is_not_listed_is_wrong() {
        let found = [at_path("/svc/a/x", None), sequence("rollout.step", &[1])];
        assert_eq!(wrong(&json!({}), &found), ["/svc/a/x", "rollout.step"]);
        let listed = json!({"rollout.step": {"ours": [1], "because": "it is better"}});
        assert_eq!(wrong(&listed, &found), ["/svc/a/x"]);
        assert!(!Differences::default().unexpected("b", &found).is_empty());
    }

    #[test]
    fn what_is_listed_must_be_so() {
        let steps = json!({"rollout.step": {"ours": [1, 2], "because": "it is better"}});
        assert!(wrong(&steps, &[sequence("rollout.step", &[1, 2])]).is_empty());
        assert_eq!(wrong(&steps, &[sequence("rollout.step", &[1])]), ["rollout.step"]);
        assert_eq!(wrong(&steps, &[]), ["rollout.step"]);
        let sometimes = json!({"rollout.step": {"ours": [1, 2], "sometimes": true, "because": "they race"}});
        assert!(wrong(&sometimes, &[]).is_empty());
        assert!(wrong(&sometimes, &[sequence("rollout.step", &[1, 2])]).is_empty());
        assert_eq!(wrong(&sometimes, &[sequence("rollout.step", &[1])]), ["rollout.step"]);
        let listed = json!({"events": {"ours": ["Normal A"], "because": "it is better"}});
        assert!(wrong(&listed, &[events(&["Normal A"])]).is_empty());
        assert_eq!(wrong(&listed, &[events(&["Normal A", "Normal B"])]), ["events"]);
        assert_eq!(wrong(&listed, &[events(&[])]), ["events"]);
    }

    #[test]
    fn a_path_covers_what_is_below_it() {
        let found = [at_path("/svc/a/x/y", Some(json!(1))), at_path("/svc/a/x/z", None)];
        let listed = |ours: Value| json!({"/svc/a/x": {"ours": ours, "because": "it is better"}});
        assert!(wrong(&listed(json!({"y": 1})), &found).is_empty());
        assert_eq!(wrong(&listed(json!({"y": 2})), &found), ["/svc/a/x/y", "/svc/a/x/z"]);
        assert_eq!(wrong(&listed(json!({"y": 1, "z": 1})), &found).len(), 2);
        assert_eq!(
            wrong(&listed(json!({"y": 1, "w": 1})), &found).len(),
            2,
            "w is as recorded, or not there"
        );
        assert_eq!(wrong(&listed(json!("absent")), &found).len(), 2);
        assert!(wrong(&listed(json!("absent")), &found[1..]).is_empty());
        assert!(wrong(&listed(json!("ignore")), &found).is_empty());
        assert_eq!(wrong(&listed(json!("ignore")), &[at_path("/svc/a/xy", None)]).len(), 2);
    }

    #[test]
    fn the_list_is_about_scenarios_and_reasons() {
        let parse = |yaml: &str| Differences::parse(yaml, &["a".to_owned()]).err();
        assert_eq!(parse("# nothing\n"), None);
        assert_eq!(parse("b: {}"), Some("b: no such scenario".to_owned()));
        assert!(
            parse("a: {events: {ours: ignore, because: ' '}}")
                .is_some_and(|error| error.contains("'because' is empty"))
        );
        assert!(parse("a: {events: {ours: ignore}}").is_some_and(|error| error.contains("because")));
        assert!(parse("a: {events: {is: ignore, because: x}}").is_some());
    }
}
