//! The command line as its users meet it.

mod commands;
mod complaints;
mod double;
mod effects;
mod explain;
mod live;
mod plugin;
mod recorded;
mod refusals;
mod shells;
mod situations;
mod stage;
mod terminal;
mod verbs;
