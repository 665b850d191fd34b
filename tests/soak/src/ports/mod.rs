//! The pipeline's ports over the simulated world, one file each: a new method of a port is one place here.

mod clock;
mod cloud;
mod containment;
mod holds;
mod inventory;
mod levers;
mod pager;
mod policies;
mod queues;
mod releases;
