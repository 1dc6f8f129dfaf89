//! `serin explain`, offline and on a cluster that lives.

mod case;
mod elsewhere;
mod ingresses;
mod offline;
mod pauses;
mod remedies;
mod situations;
mod truth;
mod world;
