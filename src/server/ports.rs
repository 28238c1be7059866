//! The ports that the service listens on.

use std::{
    io::{Error, ErrorKind},
    net::{SocketAddr, TcpListener},
};

use crate::config::Config;

/// The setting of the service's port.
pub(super) const PORT: &str = "PORT";
/// The setting of the metrics' port.
pub(super) const METRICS_PORT: &str = "METRICS_PORT";

/// The service cannot listen on the port of a setting.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address}: {cause}; {}", advice(.setting, .cause))]
pub struct ListenError {
    setting: &'static str,
    address: SocketAddr,
    cause: Error,
}

impl ListenError {
    /// Returns the error for this setting, whose port is in the address.
    pub fn new(setting: &'static str, address: SocketAddr, cause: Error) -> Self {
        Self { setting, address, cause }
    }
}

fn advice(setting: &str, cause: &Error) -> String {
    match cause.kind() {
        ErrorKind::AddrInUse => format!("stop the process that listens there, or set {setting} to another port"),
        ErrorKind::PermissionDenied => format!(
            "ports below 1024 need root or the capability CAP_NET_BIND_SERVICE; set {setting} to a port from 1024 on, and let a \
             proxy listen on the other one"
        ),
        _ => format!("set HOST to an address of this machine, or {setting} to another port"),
    }
}

/// Checks that the service can listen on its ports, before a start that may take long.
///
/// # Errors
/// [`ListenError`] for the first port that it cannot listen on.
pub fn check(config: &Config) -> Result<(), ListenError> {
    let ports = [(PORT, Some(config.port)), (METRICS_PORT, config.metrics_port)];
    for (setting, port) in ports.into_iter().filter_map(|(setting, port)| Some((setting, port?))) {
        listen(setting, SocketAddr::new(config.host, port))?;
    }
    Ok(())
}

/// Listens on this address. Returns the listener and its address, which has the port that the system chose for port 0.
pub(super) fn listen(setting: &'static str, wanted: SocketAddr) -> Result<(TcpListener, SocketAddr), ListenError> {
    let bound = TcpListener::bind(wanted).and_then(|listener| {
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        Ok((listener, address))
    });
    bound.map_err(|cause| ListenError::new(setting, wanted, cause))
}
