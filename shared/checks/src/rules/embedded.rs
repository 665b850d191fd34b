//! What is built in, as `build.rs` lists it.

include!(concat!(env!("OUT_DIR"), "/data.rs"));
