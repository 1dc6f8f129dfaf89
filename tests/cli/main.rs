//! The command line as its users meet it.

mod commands;
mod complaints;
mod double;
mod explain;
mod live;
mod plugin;
mod recorded;
mod refusals;
mod situations;
mod stage;
mod verbs;
