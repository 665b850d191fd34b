//! The log, on standard error: silent unless `-v` or `RUST_LOG` asks for it.

use std::io::IsTerminal as _;

use tracing_subscriber::EnvFilter;

/// Begins it: `-v` shows what Picket does, `-vv` also each call of AWS.
pub fn begin(verbose: u8) {
    let filter = match verbose {
        0 => EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("off")),
        1 => EnvFilter::new("warn,picket=info,picket_aws=info,picket_pipeline=info"),
        _ => EnvFilter::new("debug"),
    };
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    log.with_ansi(std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none()).init();
}
