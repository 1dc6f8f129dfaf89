//! Serin: progressive delivery for Kubernetes.
//!
//! This is the program and its command line. The controller, what it decides by, and what it is tried on, are crates of
//! their own under `crates/`.
//!
//! | crate | what it is | may use |
//! |---|---|---|
//! | [`serin_values`] | values and arithmetic that know nothing of Rollouts | |
//! | [`serin_kubernetes`] | what the types of Kubernetes are made of, and how kubectl puts its objects in words | |
//! | [`serin_core`] | the custom resources, and decisions: pure functions from what was observed to a plan | values |
//! | [`serin_machine`] | the controller as values: kinds, caches, the queue, carrying out a plan | values, core |
//! | [`serin_insight`] | facts about Rollouts, causes for their state, and a forecast, as data | values, core, machine |
//! | [`serin_clock`] | the time, and waiting for it | |
//! | [`serin_client`] | a client of Kubernetes that reads again where the connection broke | |
//! | `serin_cluster` | an embedded Kubernetes API with its actors, kubelet and data plane | values, kubernetes, clock |
//! | `serin_testbed` | a real control plane, for tests | client, clock, cluster |
//! | [`serin_controller`] | the shell: watches, tasks, requests, Events, the lease, metrics | values, core, machine, clock, client |
//! | [`cli`] | the command line, and the playground | all but the testbed |

pub mod cli;
