//! The hosts of a URL, each with its own parameters.

use std::time::Duration;

use tokio_postgres::{Config, config, config::SslMode};

use super::{error::ParameterError, tls::Mode, url::EXAMPLE};

/// When PostgreSQL does not confirm what was sent for this long, its host has vanished, and the connection is closed.
const UNCONFIRMED_LIMIT: Duration = Duration::from_secs(4);

/// One server of the list of hosts.
pub struct Host {
    /// The host and the port.
    pub name: String,
    /// The parameters of connections to this host.
    pub config: Config,
    pub(super) is_socket: bool,
}

/// Splits the parameters into those of each host.
pub(super) fn hosts(config: &Config, mode: Mode) -> Result<Vec<Host>, ParameterError> {
    let (names, addresses, ports) = (config.get_hosts(), config.get_hostaddrs(), config.get_ports());
    let count = names.len().max(addresses.len());
    let have_equal_lengths = |length: usize| length == 0 || length == count;
    if count == 0 {
        return Err(ParameterError(format!("{EXAMPLE}, but it has no host")));
    }
    if !have_equal_lengths(names.len())
        || !have_equal_lengths(addresses.len())
        || !(ports.len() == 1 || have_equal_lengths(ports.len()))
    {
        return Err(ParameterError("must have one port for all hosts, or as many ports as hosts".to_owned()));
    }
    (0..count).map(|index| Host::new(config, index, mode)).collect()
}

impl Host {
    fn new(all: &Config, index: usize, mode: Mode) -> Result<Self, ParameterError> {
        let port = all.get_ports().get(index).or(all.get_ports().first()).copied().unwrap_or(5432);
        let mut config = Config::new();
        config.port(port).ssl_negotiation(all.get_ssl_negotiation()).channel_binding(all.get_channel_binding());
        config.application_name(all.get_application_name().unwrap_or("kuntatutorit"));
        config.tcp_user_timeout(all.get_tcp_user_timeout().copied().unwrap_or(UNCONFIRMED_LIMIT));
        config.keepalives(all.get_keepalives()).keepalives_idle(all.get_keepalives_idle());
        let (user, name, options) = (all.get_user(), all.get_dbname(), all.get_options());
        user.map(|user| config.user(user));
        name.map(|name| config.dbname(name));
        options.map(|options| config.options(options));
        all.get_password().map(|password| config.password(password));
        all.get_hostaddrs().get(index).map(|address| config.hostaddr(*address));
        let (name, is_socket) = match all.get_hosts().get(index) {
            Some(config::Host::Tcp(name)) => {
                require_host_name(name)?;
                config.host(name);
                (format!("{name}:{port}"), false)
            }
            #[cfg(unix)]
            Some(config::Host::Unix(path)) => {
                config.host_path(path);
                (path.display().to_string(), true)
            }
            None => (all.get_hostaddrs().get(index).map(ToString::to_string).unwrap_or_default(), false),
        };
        config.ssl_mode(match mode {
            _ if is_socket => SslMode::Disable,
            Mode::Disable => SslMode::Disable,
            Mode::Prefer => SslMode::Prefer,
            Mode::Require | Mode::VerifyCa | Mode::VerifyFull => SslMode::Require,
        });
        Ok(Self { name, config, is_socket })
    }
}

fn require_host_name(name: &str) -> Result<(), ParameterError> {
    let is_possible = !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || ".-_:%[]".contains(c));
    if is_possible {
        return Ok(());
    }
    Err(ParameterError(format!("has a host that cannot exist: `{name}`")))
}
