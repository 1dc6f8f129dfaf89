//! What form of answer a client asks for.

use crate::api::status::{Reason, Status};
use crate::api::table::Include;

/// The form of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// The object as JSON.
    Json,
    /// The object as YAML.
    Yaml,
    /// A table for people.
    Table(Include),
    /// Kind and metadata of each object.
    Metadata,
    /// All of discovery in one document.
    Discovery,
}

impl Form {
    /// The first form of an `Accept` header that can be given, by falling quality; no header accepts everything.
    pub(super) fn choose(accept: Option<&str>, include: Include) -> Result<Self, Status> {
        let Some(accept) = accept.filter(|accept| !accept.trim().is_empty()) else { return Ok(Self::Json) };
        let mut ranges: Vec<Range<'_>> = accept.split(',').map(Range::parse).collect();
        ranges.sort_by_key(|range| std::cmp::Reverse(range.quality));
        ranges.iter().find_map(|range| range.form(include)).ok_or_else(|| {
            let message =
                "406: Not Acceptable\n\nAvailable representations: application/json, application/yaml";
            Status::new(Reason::NotAcceptable, message)
        })
    }
}

/// One media range of the header.
struct Range<'a> {
    media: &'a str,
    parameters: Vec<(&'a str, &'a str)>,
    /// In thousandths.
    quality: u16,
}

impl<'a> Range<'a> {
    fn parse(text: &'a str) -> Self {
        let mut parts = text.split(';').map(str::trim);
        let media = parts.next().unwrap_or_default();
        let parameters: Vec<(&str, &str)> = parts.filter_map(|part| part.split_once('=')).collect();
        let quality = parameters.iter().find(|(name, _)| *name == "q");
        let quality = quality.and_then(|(_, value)| thousandths(value)).unwrap_or(1000);
        Self { media, parameters, quality }
    }

    fn parameter(&self, name: &str) -> &str {
        self.parameters.iter().find(|(own, _)| *own == name).map_or("", |(_, value)| value)
    }

    fn form(&self, include: Include) -> Option<Form> {
        let is_json = matches!(self.media, "application/json" | "application/*" | "*/*");
        let meta = ("meta.k8s.io", "v1");
        match (self.parameter("as"), (self.parameter("g"), self.parameter("v"))) {
            ("", _) if is_json => Some(Form::Json),
            ("", _) if self.media == "application/yaml" => Some(Form::Yaml),
            ("Table", version) if is_json && version == meta => Some(Form::Table(include)),
            ("PartialObjectMetadata" | "PartialObjectMetadataList", version)
                if is_json && version == meta =>
            {
                Some(Form::Metadata)
            }
            ("APIGroupDiscoveryList", ("apidiscovery.k8s.io", "v2")) if is_json => Some(Form::Discovery),
            _ => None,
        }
    }
}

/// `0.5` as 500.
fn thousandths(text: &str) -> Option<u16> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = format!("{whole}{fraction:0<3}");
    digits.get(..whole.len() + 3)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_form_that_can_be_given_is_chosen() {
        let table = "application/json;as=Table;v=v1;g=meta.k8s.io";
        for (accept, expected) in [
            (None, Some(Form::Json)),
            (Some("*/*"), Some(Form::Json)),
            (Some("application/vnd.kubernetes.protobuf,application/json"), Some(Form::Json)),
            (Some("application/vnd.kubernetes.protobuf"), None),
            (Some("application/yaml"), Some(Form::Yaml)),
            (Some(table), Some(Form::Table(Include::None))),
            (Some("application/json;as=Table;v=v1beta1;g=meta.k8s.io, application/json"), Some(Form::Json)),
            (Some("application/json;q=0.5, application/yaml;q=0.8"), Some(Form::Yaml)),
            (Some("application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"), Some(Form::Metadata)),
            (
                Some("application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"),
                Some(Form::Discovery),
            ),
            (Some("application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList"), None),
        ] {
            assert_eq!(Form::choose(accept, Include::None).ok(), expected, "{accept:?}");
        }
    }
}
