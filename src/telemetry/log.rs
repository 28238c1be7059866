//! The log: its format, its filter, and panics.

use std::{
    fs::File,
    io::{self, IsTerminal as _},
    os::fd::AsFd as _,
};

use super::json_lines::JsonLines;
use crate::config::LogFormat;

/// The most detailed levels of libraries, which the operator's filter cannot exceed. The PostgreSQL driver would log the
/// parameters of statements, with secrets and personal data, and actix-web the paths of requests.
const LIBRARY_LIMITS: &str = "tokio_postgres=warn,actix_web=info";

/// Sends the log to standard error. `filter` has the syntax of `RUST_LOG` in tracing-subscriber.
pub fn start(format: LogFormat, filter: &str) -> io::Result<()> {
    // Each line is one write, which the system does not mix with other writes (in a pipe: up to 4 KiB). The standard
    // library's lock around standard error would be held during the write, and workers would often wait for each other.
    let stderr = File::from(io::stderr().as_fd().try_clone_to_owned()?);
    let filter = format!("actix_server=warn,actix_http=off,{filter},{LIBRARY_LIMITS}");
    let builder = tracing_subscriber::fmt()
        .with_env_filter(tracing_subscriber::EnvFilter::new(filter))
        .with_writer(stderr)
        .with_ansi(is_coloured())
        .with_target(false);
    match format {
        LogFormat::Human => builder.init(),
        LogFormat::Json => builder.fmt_fields(JsonLines).event_format(JsonLines).init(),
    }
    Ok(())
}

/// Returns whether the log has colours: on a terminal, unless `NO_COLOR` says otherwise (no-color.org).
fn is_coloured() -> bool {
    io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// Sends panics to the log, which names the request that panicked.
pub fn log_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let location = panic.location().map(ToString::to_string).unwrap_or_default();
        let message = panic.payload_as_str().unwrap_or_default();
        tracing::error!(location, message, "panicked");
    }));
}
