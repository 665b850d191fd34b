//! The only crate that knows AWS: the wire shapes of events (`events`), the SDK clients behind the
//! pipeline's ports, settings from the environment, and the clock. What is decided stays in `picket-pipeline`.

pub mod events;
