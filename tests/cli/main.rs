//! The command line as its users meet it.

mod commands;
mod complaints;
mod create;
mod double;
mod effects;
mod experiments;
mod explain;
mod lint;
mod live;
mod page;
mod plugin;
mod recorded;
mod refusals;
mod shells;
mod situations;
mod stage;
mod terminal;
mod verbs;
