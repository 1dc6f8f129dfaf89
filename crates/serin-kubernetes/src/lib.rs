//! What the types of Kubernetes are made of, and how kubectl puts its objects in words.
//!
//! | module | what it has |
//! |---|---|
//! | [`types`] | the fields of each type, from a table |
//! | [`age`] | spans of time as `kubectl get` prints them |
//! | [`object`] | fields of objects as JSON |
//! | [`pod`] | a pod in short |

pub mod age;
pub mod object;
pub mod pod;
pub mod types;
