//! The command line as its users meet it.

mod complaints;
mod plugin;
mod recorded;
mod refusals;
mod stage;
mod verbs;
