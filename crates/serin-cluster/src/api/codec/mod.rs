//! Objects of built-in kinds as a server with types keeps them of what a client sent.
//!
//! Values that do not fit their field are refused, in the server's words; fields that the type does not have are dropped
//! and named; quantities and times get their one form; what is empty is there or not as the type says. The types are
//! those of [`serin_kubernetes::types`].

mod decode;
mod forms;
pub(super) mod quantity;
mod time;
mod zero;

pub(super) use decode::{Reader, decode};
pub(super) use forms::json_kind;
pub(super) use zero::empty;
