//! Whole scenarios on a real Kubernetes API.

#![allow(clippy::unwrap_used, reason = "the code of tests may panic, outside of test functions, too")]

#[path = "../support/healthy.rs"]
mod healthy;
#[path = "../support/hostile.rs"]
mod hostile_cases;
#[path = "../support/mistakes.rs"]
mod mistakes;
#[path = "../support/mod.rs"]
mod support;

mod analysis_runs;
mod commands;
mod control_plane;
mod crash;
mod definitions;
mod economy;
mod errors;
mod faults;
mod faults_of_services;
mod faults_of_updates;
mod fields;
#[path = "../support/free_port.rs"]
mod free_port;
mod gate;
mod hostile;
mod instance;
mod kubelet;
mod leader;
mod leaving;
mod manifests;
mod outage;
mod quiet;
mod real_manifests;
mod restart;
mod rollouts;
mod serving;
mod side_by_side;
mod takeover;
mod template;
mod unreadable;
mod waits;
mod workload;
