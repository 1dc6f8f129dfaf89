//! Requests to the embedded API and its answers, as values.

use serde_json::Value;

use super::body::Form;
use super::status::Status;

/// What is done to a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Verb {
    /// Read one object.
    #[default]
    Get,
    /// Read a collection.
    List,
    /// Read a collection and what happens to it.
    Watch,
    /// Make an object.
    Create,
    /// Replace an object.
    Update,
    /// Change an object.
    Patch,
    /// Delete an object.
    Delete,
    /// Delete a collection.
    DeleteCollection,
}

/// How a patch is to be read, by its content type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PatchType {
    /// `application/json-patch+json` (RFC 6902).
    Json,
    /// `application/merge-patch+json` (RFC 7386).
    Merge,
    /// `application/strategic-merge-patch+json`; built-in kinds only.
    Strategic,
    /// `application/apply-patch+yaml`: server-side apply.
    Apply,
}

/// Which resource a request is about: the path of the URL, taken apart.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Target {
    /// API group, empty for the core group.
    pub group: String,
    /// API version, e.g. `v1`.
    pub version: String,
    /// Plural name of the resource, e.g. `replicasets`.
    pub resource: String,
    /// Namespace; none for cluster-scoped resources and for lists across namespaces.
    pub namespace: Option<String>,
    /// Name of the object; none for collections.
    pub name: Option<String>,
    /// `status`, `scale`, `eviction`, `binding`, ...
    pub subresource: Option<String>,
}

/// The query parameters that the API knows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Options {
    /// `labelSelector`.
    pub label_selector: Option<String>,
    /// `fieldSelector`.
    pub field_selector: Option<String>,
    /// `limit`.
    pub limit: Option<usize>,
    /// `continue`.
    pub continue_token: Option<String>,
    /// `resourceVersion`.
    pub resource_version: Option<String>,
    /// `resourceVersionMatch`.
    pub resource_version_match: Option<String>,
    /// `allowWatchBookmarks`.
    pub allow_bookmarks: bool,
    /// `sendInitialEvents`.
    pub send_initial_events: Option<bool>,
    /// `timeoutSeconds` of a watch.
    pub timeout_seconds: Option<u64>,
    /// `fieldManager`; where absent, the first part of the User-Agent up to `/`.
    pub field_manager: String,
    /// `force` of server-side apply.
    pub force: Option<bool>,
    /// `dryRun`: `All`, or nothing.
    pub dry_run: Vec<String>,
    /// `fieldValidation`: `Ignore`, `Warn` (default) or `Strict`.
    pub field_validation: Option<String>,
    /// `propagationPolicy`; a body of DELETE may say it, too.
    pub propagation_policy: Option<String>,
    /// `orphanDependents`; a body of DELETE may say it, too.
    pub orphan_dependents: Option<bool>,
    /// `gracePeriodSeconds`; a body of DELETE may say it, too.
    pub grace_period_seconds: Option<i64>,
}

/// One request.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Request {
    /// What is done.
    pub verb: Verb,
    /// How the body of a PATCH is to be read.
    pub patch_type: Option<PatchType>,
    /// To what.
    pub target: Target,
    /// With which parameters.
    pub options: Options,
    /// The body; null where there is none.
    pub body: Value,
    /// How the body was written, where it was a text.
    pub form: Form,
}

/// One answer. A watch is answered by a cursor instead (see the store).
#[derive(Debug, Clone, PartialEq)]
pub enum Response {
    /// An object, a list or a Status that says that all is well, with the HTTP code (200, 201, 202) and warnings.
    Done {
        /// HTTP code.
        code: u16,
        /// JSON body.
        body: Value,
        /// `Warning` headers (299), without code and agent.
        warnings: Vec<String>,
    },
    /// A refusal.
    Refused(Status),
}
