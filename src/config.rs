//! The settings of the service. Each is an environment variable; they are read once and checked together.

mod reader;

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::PathBuf,
    time::Duration,
};

use tracing_subscriber::{EnvFilter, filter::LevelFilter};

use self::reader::{Reader, parse};
use ipnet::IpNet;

use crate::{connection_parameters::ConnectionParameters, connections::ConnectionLimits};

/// A setting, as `--help` and docs/operations.md describe it.
#[derive(Debug)]
pub struct Setting {
    /// The environment variable.
    pub name: &'static str,
    /// The value that applies when the variable is not set.
    pub default: &'static str,
    /// What the setting means.
    pub help: &'static str,
}

const fn setting(name: &'static str, default: &'static str, help: &'static str) -> Setting {
    Setting { name, default, help }
}

/// Every setting.
pub const SETTINGS: &[Setting] = &[
    setting("HOST", "127.0.0.1", "IP address to listen on; 0.0.0.0 for all IPv4 addresses of the machine"),
    setting("PORT", "8080", "port to listen on; 0 chooses a free port"),
    setting("METRICS_PORT", "off", "port of the metrics for Prometheus (GET /metrics) on HOST; it needs no token"),
    setting(
        "PUBLIC_URL",
        "http://HOST:PORT",
        "URL at which callers reach the service; it is in tokens (as issuer and audience) and in Location headers",
    ),
    setting(
        "DATABASE_URL",
        "a private PostgreSQL",
        "PostgreSQL database to use: postgres://user:password@host/database?sslmode=verify-full&sslrootcert=system",
    ),
    setting(
        "DATABASE_URL_FILE",
        "none",
        "file with the URL, instead of DATABASE_URL: a secret of systemd, Kubernetes or Docker",
    ),
    setting(
        "MIGRATION_DATABASE_URL",
        "DATABASE_URL",
        "the same database for migrations, as the role that owns the tables, so that DATABASE_URL can be of a weaker role",
    ),
    setting("MIGRATION_DATABASE_URL_FILE", "none", "file with the URL, instead of MIGRATION_DATABASE_URL"),
    setting(
        "DATA_DIR",
        "~/.local/share/kuntatutorit",
        "directory of the private PostgreSQL and the keys (for root, the default is /var/lib/kuntatutorit)",
    ),
    setting("KEY_DIR", "DATA_DIR/keys", "directory of the private keys (PEM, mode 0600) that sign access tokens"),
    setting("PG_BIN_DIR", "found automatically", "directory of PostgreSQL's programs, for the private PostgreSQL"),
    setting("PUBLIC_READ", "false", "true: callers without a token can read published data that is not personal"),
    setting(
        "CORS_ORIGINS",
        "none",
        "origins whose web pages may call the API, separated by commas: https://digituki.example",
    ),
    setting(
        "TRUSTED_PROXIES",
        "none",
        "IP addresses or networks (10.0.0.0/8) of proxies whose Forwarded and X-Forwarded-For headers are trusted, separated by commas",
    ),
    setting("WORKERS", "one for each core", "number of threads that serve requests"),
    setting("POOL_SIZE", "10", "number of database connections for writes; each worker has three more for reads"),
    setting(
        "REQUESTS_PER_SECOND",
        "100",
        "requests of one caller per second, on each instance; 3 times as many at once; 0 for no limit",
    ),
    setting("WRITE_QUOTA_MIB", "256", "mebibytes that one caller may write in a day (UTC); 0 for no limit"),
    setting(
        "DRAIN_SECONDS",
        "2",
        "after SIGTERM, how many seconds /readyz answers 503 while the service still serves requests",
    ),
    setting("LOG_FORMAT", "human", "human for people, or json for programs"),
    setting("LOG_LEVEL", "info", "error, warn, info, debug, trace, off, or a filter such as info,kuntatutorit=debug"),
];

/// The format of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// Lines for people.
    Human,
    /// One JSON object in each line, for programs.
    Json,
}

/// The settings. [`SETTINGS`] describes each of them.
#[derive(Clone, Debug)]
pub struct Config {
    /// The address to listen on.
    pub host: IpAddr,
    /// The port to listen on.
    pub port: u16,
    /// The port of the metrics; none when they are off.
    pub metrics_port: Option<u16>,
    /// The URL at which callers reach the service, without a slash at the end.
    pub public_url: String,
    /// The PostgreSQL database; none for the private PostgreSQL.
    pub database: Option<ConnectionParameters>,
    /// The same database as a role that may change its tables; none if the role of `database` may.
    pub migration_database: Option<ConnectionParameters>,
    /// The directory of the private PostgreSQL and the keys.
    pub data_dir: PathBuf,
    /// The directory of the private keys.
    pub key_dir: PathBuf,
    /// The directory of PostgreSQL's programs; none to search for it.
    pub pg_bin_dir: Option<PathBuf>,
    /// Whether callers without a token can read published data that is not personal.
    pub public_read: bool,
    /// The origins whose web pages may call the API.
    pub cors_origins: Vec<String>,
    /// The addresses of the proxies whose `Forwarded` and `X-Forwarded-For` headers are trusted.
    pub trusted_proxies: Vec<IpNet>,
    /// The number of threads that serve requests.
    pub workers: usize,
    /// The number of database connections for writes.
    pub pool_size: usize,
    /// How many requests one caller may send per second; 0 for any number.
    pub requests_per_second: u32,
    /// How many mebibytes one caller may write in a day; 0 for any number.
    pub write_quota_mib: u32,
    /// The time limits of connections. No setting changes them, but tests do.
    pub connection_limits: ConnectionLimits,
    /// How long the service still serves after SIGTERM while `/readyz` answers 503.
    pub drain: Duration,
    /// The format of the log.
    pub log_format: LogFormat,
    /// The level of the log, or a filter.
    pub log_level: String,
}

/// Some settings are wrong. The error has one sentence for each of them.
#[derive(Debug, thiserror::Error)]
#[error("some settings are wrong; correct these environment variables, here or in the file .env:\n  {}", .0.join("\n  "))]
pub struct ConfigError(pub Vec<String>);

impl Config {
    /// Reads the settings from the environment of the process.
    ///
    /// # Errors
    /// [`ConfigError`] with every mistake.
    pub fn from_env() -> Result<Self, ConfigError> {
        Self::read(&|name| std::env::var(name).ok())
    }

    /// Reads the settings through `lookup`.
    ///
    /// # Errors
    /// [`ConfigError`] with every mistake.
    pub fn read(lookup: &dyn Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        const PORT_NUMBER: &str = "a port number from 0 to 65535";
        const LOG_LEVELS: &str = "error, warn, info, debug, trace or off, or a filter such as info,kuntatutorit=debug";
        let mut env = Reader { lookup, mistakes: Vec::new() };
        let host = env.parsed("HOST", Ipv4Addr::LOCALHOST.into(), "an IP address", parse);
        let port = env.parsed("PORT", 8080, PORT_NUMBER, parse);
        let own_url = format!("http://{}", SocketAddr::new(host, port));
        let data_dir = env.text("DATA_DIR").map_or_else(|| default_data_dir(lookup), PathBuf::from);
        let config = Self {
            host,
            port,
            metrics_port: env.optional("METRICS_PORT", PORT_NUMBER, parse).filter(|metrics| env.differ(*metrics, port)),
            public_url: env.parsed("PUBLIC_URL", own_url, "an http or https URL without a path", origin),
            database: env.database("DATABASE_URL"),
            migration_database: env.database("MIGRATION_DATABASE_URL"),
            key_dir: env.text("KEY_DIR").map_or_else(|| data_dir.join("keys"), PathBuf::from),
            data_dir,
            pg_bin_dir: env.text("PG_BIN_DIR").map(PathBuf::from),
            public_read: env.parsed("PUBLIC_READ", false, "true or false", parse),
            cors_origins: env.list("CORS_ORIGINS", "origins such as https://digituki.example", origin),
            trusted_proxies: env.list("TRUSTED_PROXIES", "IP addresses or networks such as 10.0.0.0/8", network),
            workers: env.number("WORKERS", cores(), 1..=256),
            pool_size: env.number("POOL_SIZE", 10, 1..=1000),
            requests_per_second: env.number("REQUESTS_PER_SECOND", 100, 0..=1_000_000),
            write_quota_mib: env.number("WRITE_QUOTA_MIB", 256, 0..=1_048_576),
            connection_limits: ConnectionLimits::default(),
            drain: Duration::from_secs(env.number("DRAIN_SECONDS", 2, 0..=300)),
            log_format: env.parsed("LOG_FORMAT", LogFormat::Human, "human or json", log_format),
            log_level: env.parsed("LOG_LEVEL", "info".to_owned(), LOG_LEVELS, log_level),
        };
        if env.mistakes.is_empty() { Ok(config) } else { Err(ConfigError(env.mistakes)) }
    }

    /// Puts the port that was chosen for `PORT=0` into the public URL.
    pub fn set_bound_address(&mut self, address: SocketAddr) {
        if self.port == 0 && self.public_url.ends_with(":0") {
            self.public_url = format!("http://{address}");
        }
    }
}

/// Parses an IP address or a network. An IPv4 address that is mapped into IPv6 becomes an IPv4 address.
fn network(text: &str) -> Option<IpNet> {
    parse(text).or_else(|| parse::<IpAddr>(text).map(|address| address.to_canonical().into()))
}

/// Parses an origin (RFC 6454): scheme, host and port, and nothing else.
fn origin(text: &str) -> Option<String> {
    let url = url::Url::parse(text).ok()?;
    let is_bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none() && url.username().is_empty();
    (matches!(url.scheme(), "http" | "https") && is_bare).then(|| url.origin().ascii_serialization())
}

fn log_format(text: &str) -> Option<LogFormat> {
    match text {
        "human" => Some(LogFormat::Human),
        "json" => Some(LogFormat::Json),
        _ => None,
    }
}

/// Checks a filter of the log. A single word is a level: tracing-subscriber takes any other word for the name of a
/// module, and logs nothing else.
fn log_level(text: &str) -> Option<String> {
    let is_word = |part: &&str| part.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    let words = text.split(',').map(str::trim).filter(|part| !part.is_empty()).filter(is_word);
    let are_levels = words.into_iter().all(|word| word.parse::<LevelFilter>().is_ok());
    (are_levels && EnvFilter::try_new(text).is_ok()).then(|| text.to_owned())
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, Into::into)
}

fn default_data_dir(lookup: &dyn Fn(&str) -> Option<String>) -> PathBuf {
    if rustix::process::geteuid().is_root() {
        return "/var/lib/kuntatutorit".into();
    }
    let base = lookup("XDG_DATA_HOME").filter(|path| path.starts_with('/')).map(PathBuf::from);
    let home = || PathBuf::from(lookup("HOME").unwrap_or_else(|| ".".into())).join(".local/share");
    base.unwrap_or_else(home).join("kuntatutorit")
}
