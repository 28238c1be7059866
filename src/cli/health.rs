//! `kuntatutorit healthcheck`. It speaks HTTP itself, because the image of the container has no HTTP client.

use std::{
    io::{Read as _, Write as _},
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream},
    time::Duration,
};

use kuntatutorit::config::Config;

use super::outcome::Outcome;

/// The longest time to wait for the connection, and for the answer.
const LIMIT: Duration = Duration::from_secs(5);

pub(super) fn run(config: &Config) -> Outcome {
    let host = match config.host {
        IpAddr::V4(any) if any.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(any) if any.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        host => host,
    };
    let address = SocketAddr::new(host, config.port);
    let answer = ask(address).map_err(|error| {
        format!("no service answers at {address} ({error}); start it with `kuntatutorit serve`, or check HOST and PORT")
    })?;
    let status = answer.lines().next().unwrap_or_default();
    if status.starts_with("HTTP/1.1 200 ") {
        return Ok(());
    }
    Err(format!("the service at {address} is not ready ({status}); its log says why").into())
}

fn ask(address: SocketAddr) -> std::io::Result<String> {
    let mut stream = TcpStream::connect_timeout(&address, LIMIT)?;
    stream.set_read_timeout(Some(LIMIT))?;
    write!(stream, "GET /readyz HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}
