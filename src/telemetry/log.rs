//! What the operator sees: the log's form, and a span for each request.

use std::{fs::File, io, os::fd::AsFd as _};

use super::json_lines::JsonLines;
use crate::config::LogFormat;

/// What libraries may tell at most, whatever the filter: the driver of PostgreSQL would tell the parameters of statements,
/// and with them secrets and what is personal, the framework the paths of requests.
const AT_MOST: &str = "tokio_postgres=warn,actix_web=info";

/// Sends the log to standard error: `filter` as `RUST_LOG` of tracing-subscriber takes it.
///
/// # Errors
/// When there is no standard error.
pub fn start(format: LogFormat, filter: &str) -> io::Result<()> {
    // Each line is one write, which the system does not mix with others (a pipe: up to 4 KiB). The standard library's lock
    // around standard error would be held for as long as that takes: workers would wait for each other at most requests.
    let stderr = File::from(io::stderr().as_fd().try_clone_to_owned()?);
    let filter = format!("actix_server=warn,actix_http=off,{filter},{AT_MOST}");
    let builder = tracing_subscriber::fmt()
        .with_env_filter(tracing_subscriber::EnvFilter::new(filter))
        .with_writer(stderr)
        .with_target(false);
    match format {
        LogFormat::Human => builder.init(),
        LogFormat::Json => builder.fmt_fields(JsonLines).event_format(JsonLines).init(),
    }
    Ok(())
}

/// Sends panics to the log, where the request that they end is known.
pub fn log_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let location = panic.location().map(ToString::to_string).unwrap_or_default();
        let message = panic.payload_as_str().unwrap_or_default();
        tracing::error!(location, message, "panicked");
    }));
}
