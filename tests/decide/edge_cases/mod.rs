//! The edge cases that the reference's own tests cover; `table.yaml` says which test covers which.

mod affinity;
mod blue_green;
mod canary;
mod metadata;
mod promotion;
mod restart;
mod revisions;
mod services;
mod sizes;
mod status;
mod traffic;
mod whole;
