//! The query of a URL.

use percent_encoding::percent_decode_str;

use crate::api::request::Options;
use crate::api::status::{Reason, Status};
use crate::api::table::Include;

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
        let mut seen: Vec<String> = Vec::new();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let name = decoded(name);
            // Of several values the first counts, unless there may be several.
            if name == "dryRun" || !seen.contains(&name) {
                read.set(&name, decoded(value))?;
            }
            seen.push(name);
        }
        Ok(read)
    }

    fn set(&mut self, name: &str, value: String) -> Result<(), Status> {
        let options = &mut self.options;
        match name {
            "labelSelector" => options.label_selector = some(value),
            "fieldSelector" => options.field_selector = some(value),
            "limit" => options.limit = positive(&value)?,
            "continue" => options.continue_token = some(value),
            "resourceVersion" => options.resource_version = some(value),
            "resourceVersionMatch" => options.resource_version_match = some(value),
            "allowWatchBookmarks" => options.allow_bookmarks = flag(&value),
            "sendInitialEvents" => options.send_initial_events = Some(flag(&value)),
            "timeoutSeconds" => options.timeout_seconds = positive(&value)?,
            "fieldManager" => options.field_manager = value,
            "force" => options.force = Some(flag(&value)),
            "dryRun" => options.dry_run.push(value),
            "fieldValidation" => options.field_validation = some(value),
            "propagationPolicy" => options.propagation_policy = some(value),
            "orphanDependents" => options.orphan_dependents = Some(flag(&value)),
            "gracePeriodSeconds" => options.grace_period_seconds = Some(number(&value)?),
            "watch" => self.is_watch = flag(&value),
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

fn number(value: &str) -> Result<i64, Status> {
    value.parse().map_err(|_| {
        let message = format!("strconv.ParseInt: parsing {value:?}: invalid syntax");
        Status::new(Reason::BadRequest, message)
    })
}

/// A number that counts as none where it is not positive.
fn positive<T: TryFrom<i64>>(value: &str) -> Result<Option<T>, Status> {
    Ok(Some(number(value)?).filter(|number| *number > 0).and_then(|number| T::try_from(number).ok()))
}

/// Whatever does not say that it is not so says that it is.
fn flag(value: &str) -> bool {
    value != "0" && !value.eq_ignore_ascii_case("false")
}

fn include(value: &str) -> Result<Include, Status> {
    match value {
        "" | "Metadata" => Ok(Include::Metadata),
        "None" => Ok(Include::None),
        "Object" => Ok(Include::Object),
        _ => {
            let why = "must be 'Metadata', 'Object', 'None', or empty";
            let message = format!(
                "Unable to convert to Table as requested: includeObject: Invalid value: {value:?}: {why}"
            );
            Err(Status::new(Reason::BadRequest, message))
        }
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
        assert_eq!((query.options.limit, query.is_watch), (Some(5), true));
        assert_eq!(query.options.dry_run, ["All"]);
        assert_eq!(Query::parse("").unwrap(), Query::default());
        assert_eq!(
            Query::parse("limit=-1&watch=0&force=maybe").unwrap().options,
            Options { force: Some(true), ..Options::default() }
        );
    }

    #[test]
    fn a_wrong_value_is_named() {
        let status = Query::parse("limit=x").unwrap_err();
        assert_eq!(status.message, r#"strconv.ParseInt: parsing "x": invalid syntax"#);
        assert_eq!(status.reason, Reason::BadRequest);
        assert!(Query::parse("includeObject=x").is_err());
    }
}
