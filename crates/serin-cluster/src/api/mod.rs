//! The embedded Kubernetes API: one in-memory store with the semantics of a real API server, for tests and demos.
//!
//! Everything in here is synchronous and deterministic: a [request](request::Request) and the time go in, a
//! [response](request::Response) comes out, and watchers read on from where they are. The HTTP front, and drivers in
//! virtual time, are wrapped around it.

pub mod body;
mod codec;
mod conversion;
pub mod discovery;
pub mod kinds;
pub mod lists;
mod misfit;
mod names;
pub mod openapi;
pub mod patch;
pub mod request;
pub mod schema;
mod shown;
pub mod status;
pub mod store;
pub mod table;
#[cfg(test)]
mod tests;
mod verbs;
pub mod watch;
