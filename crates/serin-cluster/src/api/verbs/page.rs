//! Lists in pages: what a list may ask for, and the token that the next page begins with.

use base64::alphabet::URL_SAFE;
use base64::engine::general_purpose::{GeneralPurpose, NO_PAD};
use base64::{DecodeError, Engine};
use serde_json::{Value, json};

use super::super::body;
use super::super::request::{Options, Target};
use super::super::status::{Cause, Reason, Status};
use super::refuse;

/// The letters of tokens.
const ALPHABET: GeneralPurpose = GeneralPurpose::new(&URL_SAFE, NO_PAD.with_decode_allow_trailing_bits(true));

/// Refuses what a list or watch may not ask for.
pub(crate) fn check_list_options(options: &Options, watch: bool) -> Result<(), Status> {
    let causes = list_causes(options, watch);
    if causes.is_empty() {
        return Ok(());
    }
    Err(refuse::invalid_kind("meta.k8s.io", "ListOptions", "", &causes))
}

fn list_causes(options: &Options, watch: bool) -> Vec<Cause> {
    let version = options.resource_version.as_deref().unwrap_or_default();
    let matching = options.resource_version_match.as_deref().unwrap_or_default();
    let field = "resourceVersionMatch";
    if options.send_initial_events.is_some() {
        if !watch {
            let why = "sendInitialEvents is forbidden for list";
            return vec![refuse::not_allowed("sendInitialEvents", why)];
        }
        if matching != "NotOlderThan" {
            let why = "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan";
            return vec![refuse::not_allowed(field, why)];
        }
        return Vec::new();
    }
    match matching {
        "" => Vec::new(),
        _ if watch => {
            let why = "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided";
            let mut causes = vec![refuse::not_allowed(field, why)];
            if matching != "NotOlderThan" {
                causes.push(refuse::unsupported(field, matching, &["NotOlderThan"]));
            }
            causes
        }
        _ if version.is_empty() => {
            let why = "resourceVersionMatch is forbidden unless resourceVersion is provided";
            vec![refuse::not_allowed(field, why)]
        }
        _ if options.continue_token.is_some() => {
            vec![refuse::not_allowed(field, "resourceVersionMatch is forbidden when continue is provided")]
        }
        "Exact" if version == "0" => {
            let why = "resourceVersionMatch \"exact\" is forbidden for resourceVersion \"0\"";
            vec![refuse::not_allowed(field, why)]
        }
        "Exact" | "NotOlderThan" => Vec::new(),
        other => vec![refuse::unsupported(field, other, &["Exact", "NotOlderThan", ""])],
    }
}

/// The field selector of a request; a watch of one name in the URL selects that name.
pub(crate) fn fields_with_name(target: &Target, options: &Options) -> Option<String> {
    match (&target.name, &options.field_selector) {
        (None, fields) => fields.clone(),
        (Some(name), None) => Some(format!("metadata.name={name}")),
        (Some(name), Some(fields)) => Some(format!("metadata.name={name},{fields}")),
    }
}

/// A resourceVersion as a number.
pub(crate) fn parse_revision(text: &str) -> Result<u64, Status> {
    text.parse().map_err(|_| {
        let message =
            format!("resourceVersion: Invalid value: \"{text}\": strconv.ParseUint: parsing \"{text}\": invalid syntax");
        Status::new(Reason::Unknown, message)
    })
}

/// What tokens have in the place of a revision for the latest one.
const LATEST: i64 = -1;

/// Where the next page begins: after a path, in the state of a revision.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Token {
    /// None: as it is when the page is asked for.
    pub(super) revision: Option<u64>,
    /// The path of the first object, relative to the collection.
    pub(super) start: String,
}

impl Token {
    pub(super) fn encode(&self) -> String {
        let revision = self.revision.map_or_else(|| Value::from(LATEST), Value::from);
        let token = json!({"v": "meta.k8s.io/v1", "rv": revision, "start": self.start});
        ALPHABET.encode(token.to_string())
    }

    pub(super) fn decode(text: &str) -> Result<Self, Status> {
        let bad = |why: &str| {
            refuse::bad_request(format!("invalid continue token: continue key is not valid: {why}"))
        };
        let bytes = ALPHABET.decode(text).map_err(|error| bad(&no_base64(&error)))?;
        let token = body::json(&bytes).map_err(|why| bad(&why))?.value;
        let version = token["v"].as_str().unwrap_or_default();
        let start = token["start"].as_str().unwrap_or_default();
        let revision = match &token["rv"] {
            latest if *latest == LATEST => Some(None),
            revision => revision.as_u64().filter(|revision| *revision > 0).map(Some),
        };
        match (version, revision) {
            ("meta.k8s.io/v1", None) => {
                Err(bad("incorrect encoded start resourceVersion (version meta.k8s.io/v1)"))
            }
            ("meta.k8s.io/v1", Some(_)) if start.is_empty() => {
                Err(bad("encoded start key empty (version meta.k8s.io/v1)"))
            }
            ("meta.k8s.io/v1", Some(revision)) => Ok(Self { revision, start: start.to_owned() }),
            (version, _) => Err(bad(&format!("server does not recognize this encoded version {version}"))),
        }
    }
}

fn no_base64(error: &DecodeError) -> String {
    let place = match error {
        DecodeError::InvalidByte(place, _) | DecodeError::InvalidLastSymbol(place, _) => *place,
        DecodeError::InvalidLength(length) => length.saturating_sub(1),
        DecodeError::InvalidPadding => 0,
    };
    format!("illegal base64 data at input byte {place}")
}
