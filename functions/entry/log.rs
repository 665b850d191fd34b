//! The log: one JSON object a line in AWS. The level comes from `RUST_LOG`.

use tracing_subscriber::EnvFilter;

/// Starts logging. Called once, first.
pub fn start() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt().json().flatten_event(true).with_target(false).with_env_filter(filter).init();
}
