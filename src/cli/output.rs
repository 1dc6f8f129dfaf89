//! Prints results: text for people, objects for programs.

use std::env;
use std::io::{self, IsTerminal, Write};
use std::str::FromStr;
use std::time::Duration;

use kube::api::DynamicObject;
use kube::core::TypeMeta;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use serde::Serialize;
use serde_json::{Value, json};

use super::failure::Failure;
use super::jsonpath::Template;
use serin_clock::sleep;
use serin_core::api::keys;

/// Interval of the checks that someone still reads the output.
const LOOK: Duration = Duration::from_millis(500);

/// An output format, named as in kubectl.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Form {
    /// Objects as JSON.
    Json,
    /// Objects as YAML.
    Yaml,
    /// Kind and name of each object.
    Name,
    /// Text with more columns.
    Wide,
    /// The result of a `jsonpath` template.
    JsonPath(Template),
}

impl FromStr for Form {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "json" => Ok(Self::Json),
            "yaml" => Ok(Self::Yaml),
            "name" => Ok(Self::Name),
            "wide" => Ok(Self::Wide),
            other => match other.strip_prefix("jsonpath=") {
                Some(template) => template.parse().map(Self::JsonPath),
                None => Err("one of json, yaml, name, wide, jsonpath=TEMPLATE".to_owned()),
            },
        }
    }
}

impl Form {
    /// The format, or `None` for text.
    pub(super) fn for_programs(form: Option<&Self>) -> Option<&Self> {
        form.filter(|form| **form != Self::Wide)
    }

    /// Formats one object.
    pub(super) fn object(&self, object: &DynamicObject) -> Result<String, Failure> {
        if *self == Self::Name {
            return Ok(name(object));
        }
        self.document(object)
    }

    /// Formats several objects, as a List in JSON and YAML. `kind` is used for objects that do not name their kind.
    pub(super) fn objects(&self, kind: &str, objects: &[DynamicObject]) -> Result<String, Failure> {
        let asked_for = || TypeMeta { api_version: keys::API_VERSION.to_owned(), kind: kind.to_owned() };
        // The items of a requested list do not repeat kind and version, but those of a mixed list must.
        let items = objects.iter().map(|object| DynamicObject {
            types: Some(object.types.clone().unwrap_or_else(asked_for)),
            ..object.clone()
        });
        let items: Vec<_> = items.collect();
        if *self == Self::Name {
            return Ok(items.iter().map(name).collect());
        }
        self.document(&json!({"apiVersion": "v1", "kind": "List", "items": items}))
    }

    /// Formats a document of Serin's own.
    pub(super) fn document(&self, value: &impl Serialize) -> Result<String, Failure> {
        let failed = |error: &dyn std::error::Error| Failure::Failed(error.to_string());
        // A JSON value sorts its keys.
        let value = serde_json::to_value(value).map_err(|error| failed(&error))?;
        match self {
            Self::JsonPath(template) => Ok(template.fill(&value)),
            Self::Yaml => yaml(&value),
            Self::Json | Self::Name | Self::Wide => {
                let text = serde_json::to_string_pretty(&value).map_err(|error| failed(&error))?;
                Ok(text + "\n")
            }
        }
    }
}

/// Formats a value as YAML.
pub(super) fn yaml(value: &Value) -> Result<String, Failure> {
    serde_yaml::to_string(value).map_err(|error| Failure::Failed(error.to_string()))
}

fn name(object: &DynamicObject) -> String {
    let types = object.types.clone().unwrap_or_default();
    let group = types.api_version.split_once('/').map(|(group, _)| format!(".{group}")).unwrap_or_default();
    let name = object.metadata.name.as_deref().unwrap_or_default();
    format!("{}{group}/{name}\n", types.kind.to_lowercase())
}

/// Prints a result. A closed pipe is not an error.
pub(super) fn print(text: &str) -> Result<(), Failure> {
    match print_on(text) {
        Err(Failure::Unread) => Ok(()),
        printed => printed,
    }
}

/// Prints a part of continuous output. Returns [`Failure::Unread`] when no one reads it any more.
pub(super) fn print_on(text: &str) -> Result<(), Failure> {
    let mut out = io::stdout();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).map_err(|error| unprinted(&error))
}

/// The failure for an error of the output.
pub(super) fn unprinted(error: &io::Error) -> Failure {
    if error.kind() == io::ErrorKind::BrokenPipe {
        Failure::Unread
    } else {
        Failure::Failed(format!("cannot print: {error}"))
    }
}

/// Returns when no one reads the output any more. Only pipes and terminals report this.
pub(super) async fn unread() -> Failure {
    loop {
        let out = io::stdout();
        let mut asked = [PollFd::new(&out, PollFlags::empty())];
        let told = poll(&mut asked, Some(&Timespec::default()));
        if told.is_ok() && asked[0].revents().intersects(PollFlags::ERR | PollFlags::HUP) {
            return Failure::Unread;
        }
        sleep(LOOK).await;
    }
}

/// True if the reader of the output sees colours.
pub(super) fn has_colours() -> bool {
    is_capable() && env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// True if the output is a terminal that supports cursor movement.
pub(super) fn is_capable() -> bool {
    io::stdout().is_terminal() && env::var_os("TERM").is_none_or(|term| term != "dumb")
}

#[cfg(test)]
mod tests {
    use kube::core::ObjectMeta;

    use super::*;

    #[test]
    fn an_object_of_a_list_is_of_the_kind_that_was_asked_for() {
        let metadata = ObjectMeta { name: Some("cart".to_owned()), ..ObjectMeta::default() };
        let object = DynamicObject { types: None, metadata, data: json!({}) };
        assert_eq!(Form::Name.objects(keys::ROLLOUT, &[object]).unwrap(), "rollout.argoproj.io/cart\n");
    }
}
