//! What requests do: reads, writes and the subresources, in the ways of a Kubernetes API server.

mod body;
mod call;
mod check;
mod create;
mod custom;
mod defaults;
mod definitions;
mod delete;
mod dispatch;
mod eviction;
mod jobs;
mod metadata;
mod metadata_codec;
mod options;
mod page;
mod pods;
mod read;
mod refuse;
mod scale;
mod secrets;
mod seed;
mod selection;
mod services;
mod strategy;
mod tracking;
mod update;
mod versions;
mod warn;

pub(super) use call::resolve;
pub(super) use page::{check_list_options, fields_with_name, parse_revision};
pub(super) use versions::view;
