//! Arguments: from `{{args.name}}` to text.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::api::analysis::{Argument, SecretKeyRef};
use crate::api::metric::Metric;
use crate::domain::effect::EffectFailure;
use crate::measure::{Inquiry, Unfinished};

/// The most bytes that a metric may have with its arguments filled in. Objects of more than some 1.5 MB cannot be stored.
const LARGEST_METRIC: usize = 1 << 20;
/// What stands for a Secret where its value does not matter.
const PLACEHOLDER: &str = "temp-for-secret";
/// What stands for the value of a Secret where people read.
const REDACTED: &str = "*****";

/// The values of arguments, by name.
#[derive(Clone, Default, PartialEq, Eq)]
pub(super) struct Arguments {
    values: BTreeMap<String, String>,
    /// Values that nobody may read.
    secrets: Vec<String>,
}

impl std::fmt::Debug for Arguments {
    /// Values may be secret.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.values.keys()).finish()
    }
}

/// Why arguments have no values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Unresolved {
    /// A Secret is not read yet.
    Waiting,
    /// There will be no value.
    Missing(String),
    /// A Secret could not be read this time.
    Unreadable(String),
}

impl Arguments {
    /// The arguments of a run with text in place of Secrets, to check what does not depend on them.
    ///
    /// # Errors
    /// An argument has no value.
    pub(super) fn without_secrets(args: &[Argument]) -> Result<Self, String> {
        let value = |arg: &Argument| match (secret_of(arg), &arg.value) {
            (Some(_), _) => Ok((arg.name.clone(), PLACEHOLDER.to_owned())),
            (None, Some(value)) => Ok((arg.name.clone(), value.clone())),
            (None, None) => Err(format!("argument \"{}\" was not supplied", arg.name)),
        };
        Ok(Self { values: args.iter().map(value).collect::<Result<_, _>>()?, secrets: Vec::new() })
    }

    /// The arguments of a run in that namespace that `metric` uses. Secrets are read for each measurement, one by one.
    ///
    /// # Errors
    /// A value is not known yet, or not to be had.
    pub(super) fn resolve(
        args: &[Argument],
        metric: &Metric,
        namespace: &str,
        inquiry: &mut Inquiry<'_>,
    ) -> Result<Self, Unresolved> {
        let mut arguments = Self::default();
        let used = used_names(metric);
        for arg in args.iter().filter(|arg| used.contains(&arg.name)) {
            let value = match (secret_of(arg), &arg.value) {
                (Some(secret), _) => {
                    let value = read(secret, namespace, inquiry)?;
                    if !value.is_empty() {
                        arguments.secrets.push(value.clone());
                    }
                    value
                }
                (None, Some(value)) => value.clone(),
                (None, None) => {
                    return Err(Unresolved::Missing(format!("argument \"{}\" was not supplied", arg.name)));
                }
            };
            arguments.values.insert(arg.name.clone(), value);
        }
        Ok(arguments)
    }

    /// The metric with its arguments filled in, in whatever field they stand.
    ///
    /// # Errors
    /// A tag names no argument, is not closed, or gives what no metric can have.
    pub(super) fn fill_in(&self, metric: &Metric) -> Result<Metric, String> {
        let mut json = serde_json::to_value(metric).map_err(|error| error.to_string())?;
        let mut room = LARGEST_METRIC;
        self.fill_value(&mut json, &mut room)?;
        serde_path_to_error::deserialize(&json).map_err(|error| {
            let path = error.path().to_string();
            self.redact(&format!("{path}: {}", error.into_inner()))
        })
    }

    fn fill_value(&self, value: &mut Value, room: &mut usize) -> Result<(), String> {
        match value {
            Value::String(text) => *text = self.fill_text(text, room)?,
            Value::Array(items) => items.iter_mut().try_for_each(|item| self.fill_value(item, room))?,
            Value::Object(fields) => {
                let old = std::mem::take(fields);
                *fields = old
                    .into_iter()
                    .map(|field| self.fill_field(field, room))
                    .collect::<Result<Map<_, _>, _>>()?;
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
        Ok(())
    }

    fn fill_field(
        &self,
        (name, mut value): (String, Value),
        room: &mut usize,
    ) -> Result<(String, Value), String> {
        self.fill_value(&mut value, room)?;
        Ok((self.fill_text(&name, room)?, value))
    }

    /// Values are put in as they are: tags in them stay text.
    fn fill_text(&self, text: &str, room: &mut usize) -> Result<String, String> {
        let mut filled = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("{{") {
            let no_end =
                || format!("Cannot find end tag=\"}}}}\" in the template={text:?} starting from {after:?}");
            let (tag, after) = after.split_once("}}").ok_or_else(no_end)?;
            let name = tag.trim().strip_prefix("args.");
            let value = name.and_then(|name| self.values.get(name));
            let value = value.ok_or_else(|| format!("failed to resolve {{{{{}}}}}", tag.trim()))?;
            filled += before;
            filled += value;
            rest = after;
            if filled.len() > *room {
                break;
            }
        }
        filled += rest;
        *room = room.checked_sub(filled.len()).ok_or_else(|| {
            format!("with its arguments filled in, the metric is larger than {LARGEST_METRIC} bytes")
        })?;
        Ok(filled)
    }

    /// The text without the values of Secrets.
    #[must_use]
    pub(super) fn redact(&self, text: &str) -> String {
        self.secrets.iter().fold(text.to_owned(), |text, secret| text.replace(secret, REDACTED))
    }
}

/// A Secret wins over a value, as in the reference.
fn secret_of(arg: &Argument) -> Option<&SecretKeyRef> {
    arg.value_from.as_ref()?.secret_key_ref.as_ref()
}

fn read(secret: &SecretKeyRef, namespace: &str, inquiry: &mut Inquiry<'_>) -> Result<String, Unresolved> {
    let SecretKeyRef { name, key } = secret;
    let data = match inquiry.secret_data(namespace, name) {
        Ok(data) => data,
        Err(Unfinished::Waiting | Unfinished::Later { .. }) => return Err(Unresolved::Waiting),
        Err(Unfinished::Failed(problem)) => return Err(Unresolved::Unreadable(problem)),
    };
    match data {
        Ok(data) => {
            let value = data.get(key).map(|value| String::from_utf8_lossy(value).into_owned());
            value.ok_or_else(|| Unresolved::Missing(format!("key '{key}' does not exist in secret '{name}'")))
        }
        Err(EffectFailure::NotFound(_)) => Err(Unresolved::Missing(format!("secrets \"{name}\" not found"))),
        Err(failure) => Err(Unresolved::Unreadable(format!("Secret \"{name}\" cannot be read: {failure}"))),
    }
}

/// The names of all arguments that stand in the fields of a metric.
fn used_names(metric: &Metric) -> Vec<String> {
    let json = serde_json::to_string(metric).unwrap_or_default();
    let tags = json.split("{{").skip(1).filter_map(|text| text.split_once("}}"));
    tags.filter_map(|(tag, _)| tag.trim().strip_prefix("args.").map(str::to_owned)).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain::effect::{EffectName, EffectOutput, KnownEffect, KnownEffects};

    fn args(json: Value) -> Vec<Argument> {
        serde_json::from_value(json).expect("arguments")
    }

    fn metric(url: &str) -> Metric {
        serde_json::from_value(json!({"name": "m", "provider": {"web": {"url": url}}})).expect("a metric")
    }

    fn filled(arguments: &[Argument], url: &str) -> Result<String, String> {
        let metric = Arguments::without_secrets(arguments)?.fill_in(&metric(url))?;
        Ok(metric.provider.web.expect("web").url)
    }

    #[test]
    fn tags_become_values() {
        let service =
            args(json!([{"name": "service-name", "value": "svc"}, {"name": "q", "value": "a \"b\"\n\u{7}"}]));
        for (url, expected) in [
            ("{{args.service-name}}", Ok("svc")),
            ("{{ args.service-name }}", Ok("svc")),
            ("a-{{args.service-name}}-b{{args.service-name}}", Ok("a-svc-bsvc")),
            ("{{args.q}}", Ok("a \"b\"\n\u{7}")),
            ("{{args.x}}", Err("failed to resolve {{args.x}}")),
            ("{{ other }}", Err("failed to resolve {{other}}")),
        ] {
            assert_eq!(filled(&service, url), expected.map(str::to_owned).map_err(str::to_owned), "{url}");
        }
        let open = filled(&service, "{{args.q").expect_err("it is not closed");
        assert!(open.starts_with("Cannot find end tag=\"}}\" in the template="), "{open}");
        let none = args(json!([{"name": "x"}]));
        assert_eq!(filled(&none, "anything"), Err("argument \"x\" was not supplied".into()));
    }

    #[test]
    fn values_are_not_expanded_again() {
        let nested = args(json!([{"name": "a", "value": "{{args.b}}"}, {"name": "b", "value": "no"}]));
        assert_eq!(filled(&nested, "{{args.a}}"), Ok("{{args.b}}".into()));
    }

    #[test]
    fn arguments_that_grow_without_bound_are_refused() {
        let large = args(json!([{"name": "a", "value": "x".repeat(100_000)}]));
        let problem = filled(&large, &"{{args.a}}".repeat(1_000)).expect_err("too large");
        assert!(problem.contains("larger than"), "{problem}");
    }

    #[test]
    fn what_no_metric_can_have_is_named() {
        let text = args(json!([{"name": "seconds", "value": "x"}]));
        let metric = json!({"name": "m", "count": "{{args.seconds}}", "provider": {"web": {"url": "u"}}});
        let metric: Metric = serde_json::from_value(metric).expect("a metric");
        let filled = Arguments::without_secrets(&text).expect("values").fill_in(&metric).expect("it is text");
        assert_eq!(serde_json::to_value(filled.count).expect("JSON"), json!("x"));
    }

    #[test]
    fn secrets_are_read_where_they_are_used_and_shown_nowhere() {
        let from = json!({"secretKeyRef": {"name": "keys", "key": "token"}});
        let secret = args(json!([{"name": "token", "valueFrom": from}, {"name": "other", "value": "o"}]));
        let (used, unused) = (metric("http://h/?t={{args.token}}"), metric("http://h/{{args.other}}"));
        let known = KnownEffects::new();
        let resolve = |metric: &Metric, known: &KnownEffects| {
            Arguments::resolve(&secret, metric, "shop", &mut Inquiry::new("m/1".into(), known))
        };
        assert!(resolve(&unused, &known).is_ok());
        assert_eq!(resolve(&used, &known), Err(Unresolved::Waiting));
        let answered = |answer: Result<EffectOutput, EffectFailure>| -> KnownEffects {
            let known =
                KnownEffect { asked: jiff::Timestamp::UNIX_EPOCH, answer: Some(std::sync::Arc::new(answer)) };
            [(EffectName("m/1/secret/shop/keys".into()), known)].into()
        };
        let read = answered(Ok(EffectOutput::Secret([("token".to_owned(), b"hush".to_vec())].into())));
        let arguments = resolve(&used, &read).expect("it is read");
        assert_eq!(
            arguments.fill_in(&used).expect("a metric").provider.web.expect("web").url,
            "http://h/?t=hush"
        );
        assert_eq!(arguments.redact("no answer from http://h/?t=hush"), "no answer from http://h/?t=*****");
        assert!(!format!("{arguments:?}").contains("hush"));
        for (answer, expected) in [
            (
                Ok(EffectOutput::Secret([].into())),
                Unresolved::Missing("key 'token' does not exist in secret 'keys'".into()),
            ),
            (
                Err(EffectFailure::NotFound("keys".into())),
                Unresolved::Missing("secrets \"keys\" not found".into()),
            ),
            (
                Err(EffectFailure::Failed("forbidden".into())),
                Unresolved::Unreadable("Secret \"keys\" cannot be read: forbidden".into()),
            ),
        ] {
            assert_eq!(resolve(&used, &answered(answer)), Err(expected));
        }
    }
}
