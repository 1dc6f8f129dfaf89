//! The command line as its users meet it.

mod commands;
mod complaints;
mod double;
mod lint;
mod plugin;
mod recorded;
mod refusals;
mod situations;
mod stage;
mod verbs;
