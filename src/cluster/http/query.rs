//! The query of a URL.

use percent_encoding::percent_decode_str;

use crate::cluster::api::request::Options;
use crate::cluster::api::status::{Reason, Status};
use crate::cluster::api::table::Include;

/// What the query of a request says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Query {
    /// For the API.
    pub(super) options: Options,
    /// `watch`.
    pub(super) is_watch: bool,
    /// `includeObject`.
    pub(super) include: Include,
}

impl Query {
    /// Reads a query; parameters that the API does not know are ignored, as by the real one.
    pub(super) fn parse(query: &str) -> Result<Self, Status> {
        let mut read = Self::default();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            read.set(&decoded(name), decoded(value))?;
        }
        Ok(read)
    }

    fn set(&mut self, name: &str, value: String) -> Result<(), Status> {
        let options = &mut self.options;
        match name {
            "labelSelector" => options.label_selector = some(value),
            "fieldSelector" => options.field_selector = some(value),
            "limit" => options.limit = Some(number(name, &value)?).filter(|limit| *limit > 0),
            "continue" => options.continue_token = some(value),
            "resourceVersion" => options.resource_version = some(value),
            "resourceVersionMatch" => options.resource_version_match = some(value),
            "allowWatchBookmarks" => options.allow_bookmarks = flag(name, &value)?,
            "sendInitialEvents" => options.send_initial_events = Some(flag(name, &value)?),
            "timeoutSeconds" => {
                options.timeout_seconds = Some(number(name, &value)?).filter(|seconds| *seconds > 0);
            }
            "fieldManager" => options.field_manager = value,
            "force" => options.force = flag(name, &value)?,
            "dryRun" => options.dry_run = is_dry_run(&value)?,
            "fieldValidation" => options.field_validation = some(value),
            "propagationPolicy" => options.propagation_policy = some(value),
            "gracePeriodSeconds" => options.grace_period_seconds = Some(number(name, &value)?),
            "watch" => self.is_watch = flag(name, &value)?,
            "includeObject" => self.include = include(&value)?,
            _ => {}
        }
        Ok(())
    }
}

/// A part of a URL without its escapes.
pub(super) fn decoded(text: &str) -> String {
    percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned()
}

fn some(value: String) -> Option<String> {
    (!value.is_empty()).then_some(value)
}

fn invalid(name: &str, value: &str, expected: &str) -> Status {
    Status::new(
        Reason::BadRequest,
        format!("the query parameter {name} is {value:?}; it should be {expected}"),
    )
}

fn number<T: std::str::FromStr>(name: &str, value: &str) -> Result<T, Status> {
    value.parse().map_err(|_| invalid(name, value, "a whole number"))
}

/// A parameter without a value is set.
fn flag(name: &str, value: &str) -> Result<bool, Status> {
    match value {
        "" | "1" | "true" | "True" | "t" => Ok(true),
        "0" | "false" | "False" | "f" => Ok(false),
        _ => Err(invalid(name, value, "true or false")),
    }
}

fn is_dry_run(value: &str) -> Result<bool, Status> {
    match value {
        "" => Ok(false),
        "All" => Ok(true),
        _ => Err(invalid("dryRun", value, "All")),
    }
}

fn include(value: &str) -> Result<Include, Status> {
    match value {
        "" | "Metadata" => Ok(Include::Metadata),
        "None" => Ok(Include::None),
        "Object" => Ok(Include::Object),
        _ => Err(invalid("includeObject", value, "None, Metadata or Object")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_read_and_unescaped() {
        let query = Query::parse("labelSelector=a%3Db%2Cc+in+%28d%29&limit=5&watch=1&dryRun=All&pretty=true")
            .unwrap();
        assert_eq!(query.options.label_selector.as_deref(), Some("a=b,c in (d)"));
        assert_eq!((query.options.limit, query.is_watch, query.options.dry_run), (Some(5), true, true));
        assert_eq!(Query::parse("").unwrap(), Query::default());
    }

    #[test]
    fn a_wrong_value_is_named() {
        for (query, name) in [("limit=x", "limit"), ("dryRun=Some", "dryRun"), ("watch=maybe", "watch")] {
            let status = Query::parse(query).unwrap_err();
            assert!(status.message.contains(name), "{}", status.message);
            assert_eq!(status.reason, Reason::BadRequest);
        }
    }
}
