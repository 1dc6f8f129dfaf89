//! The embedded API over HTTP, for kubectl, for the controller, and for any other client.
//!
//! A [`Front`] turns HTTP requests into requests to the [`Store`](super::api::store::Store) and its answers into
//! responses; it needs no socket, and [`Front::client`] is a client that talks to it within the process. A [`Server`]
//! listens for it on the loopback address, with HTTP/1.1 and HTTP/2, and optionally with TLS and a token.
//!
//! Every request is allowed: there are no users but the one of the token.

mod accept;
mod answer;
mod documents;
mod front;
mod kubeconfig;
mod message;
mod protobuf;
mod query;
mod request;
mod reviews;
mod route;
mod server;
mod shaper;
mod shared;
mod tls;
mod watch;

pub use front::Front;
pub use message::Body;
pub use server::{Server, ServerSettings};
