//! A deterministic AWS behind the pipeline's ports. One seed decides everything: what is launched, what goes wrong
//! with which call, who else acts, and in which order workers take turns. Time is simulated, one thread runs a seed,
//! and the same seed is always the same run.
//!
//! Modelled: EC2 with late reads and token buckets, instances with 1 to 15 interfaces of all kinds, connections,
//! the state table with its transactions, queues that deliver at least once and in any order, dead letters, the topic,
//! workers that die at any call or at their time limit with requests still under way, and other actors.
//! The invariants are in `invariants` (at every change) and `verdict` (in the end). `playbook` plays one containment and
//! its release with chosen faults, `scene` sets it up, `pairs` plays all of them.

pub mod actors;
pub mod agenda;
pub mod api;
pub mod call;
pub mod cloud;
pub mod dice;
pub mod engine;
pub mod invariants;
pub mod launch;
pub mod levers;
pub mod pairs;
pub mod paths;
pub mod people;
pub mod permission;
pub mod playbook;
mod ports;
pub mod queues;
pub mod rules;
pub mod scale;
pub mod scan;
pub mod scene;
pub mod soak;
pub mod store;
pub mod verdict;
pub mod weather;
pub mod workers;
pub mod world;
