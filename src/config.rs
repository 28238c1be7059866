//! Every setting: an environment variable, typed, read once, explained where it is declared.

use std::{net::IpAddr, path::PathBuf, time::Duration};

use crate::domain::words::words;

/// A setting, as `--help` and the README tell it.
#[derive(Debug)]
pub struct Setting {
    /// The environment variable.
    pub name: &'static str,
    /// What it is when it is not set.
    pub default: &'static str,
    /// What it is for.
    pub help: &'static str,
}

const fn setting(name: &'static str, default: &'static str, help: &'static str) -> Setting {
    Setting { name, default, help }
}

/// All settings.
pub const SETTINGS: &[Setting] = &[
    setting("HOST", "127.0.0.1", "address to listen on"),
    setting("PORT", "8080", "port to listen on; 0 takes a free one"),
    setting("METRICS_PORT", "off", "port of the metrics for Prometheus, on HOST and without a token: GET /metrics"),
    setting(
        "PUBLIC_URL",
        "http://HOST:PORT",
        "where callers reach the service: the issuer of tokens and the start of every Location",
    ),
    setting("DATABASE_URL", "a private PostgreSQL", "the PostgreSQL to use: postgres://user:password@host/database"),
    setting(
        "DATA_DIR",
        "~/.local/share/kuntatutorit",
        "where the private PostgreSQL and the keys are kept (root: /var/lib/kuntatutorit)",
    ),
    setting("KEY_DIR", "DATA_DIR/keys", "directory of the private keys (PEM, mode 0600) that sign access tokens"),
    setting("PG_BIN_DIR", "searched for", "directory of PostgreSQL's programs, for the private PostgreSQL"),
    setting("PUBLIC_READ", "false", "true: published, non-personal data can be read without a token"),
    setting("CORS_ORIGINS", "none", "origins whose pages may call, separated by commas: https://digituki.example"),
    setting(
        "TRUSTED_PROXIES",
        "none",
        "addresses of proxies whose Forwarded and X-Forwarded-For are believed, separated by commas",
    ),
    setting("WORKERS", "one for each core", "threads that serve requests"),
    setting("POOL_SIZE", "10", "connections for writes; reads use three more for each worker"),
    setting("DRAIN_SECONDS", "2", "seconds for which /readyz fails on SIGTERM while the service still serves"),
    setting("LOG_FORMAT", "human", "human or json"),
    setting("LOG_LEVEL", "info", "error, warn, info, debug, or a filter such as info,kuntatutorit=debug"),
];

words! {
    /// The form of the log.
    pub enum LogFormat {
        /// For people.
        Human = "human",
        /// A JSON object a line, for programs.
        Json = "json",
    }
}

/// The settings, read and checked.
#[derive(Clone, Debug)]
pub struct Config {
    /// Address to listen on.
    pub host: IpAddr,
    /// Port to listen on.
    pub port: u16,
    /// The port of the metrics; none when they are off.
    pub metrics_port: Option<u16>,
    /// Where callers reach the service; no slash at the end.
    pub public_url: String,
    /// The PostgreSQL to use; none for a private one.
    pub database_url: Option<Secret>,
    /// Where the private PostgreSQL and the keys are kept.
    pub data_dir: PathBuf,
    /// Directory of the private keys.
    pub key_dir: PathBuf,
    /// Directory of PostgreSQL's programs.
    pub pg_bin_dir: Option<PathBuf>,
    /// Whether published, non-personal data can be read without a token.
    pub public_read: bool,
    /// Origins whose pages may call.
    pub cors_origins: Vec<String>,
    /// Proxies whose word on the client's address is believed.
    pub trusted_proxies: Vec<IpAddr>,
    /// Threads that serve requests.
    pub workers: usize,
    /// Connections for writes.
    pub pool_size: usize,
    /// How long `/readyz` fails on SIGTERM while the service still serves.
    pub drain: Duration,
    /// The form of the log.
    pub log_format: LogFormat,
    /// What the log has.
    pub log_level: String,
}

/// A value that is never printed.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    /// The value itself.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl From<String> for Secret {
    fn from(value: String) -> Self {
        Self(value)
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[secret]")
    }
}

/// Everything that is wrong with the settings.
#[derive(Debug, thiserror::Error)]
#[error("the settings are not right:\n  {}", .0.join("\n  "))]
pub struct ConfigError(pub Vec<String>);

/// Reads settings one by one and remembers what is wrong.
struct Reader<'a> {
    lookup: &'a dyn Fn(&str) -> Option<String>,
    mistakes: Vec<String>,
}

impl Reader<'_> {
    fn text(&self, name: &str) -> Option<String> {
        (self.lookup)(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
    }

    fn parsed<T>(&mut self, name: &str, default: T, what: &str, parse: impl Fn(&str) -> Option<T>) -> T {
        let Some(text) = self.text(name) else { return default };
        parse(&text).unwrap_or_else(|| {
            // A mistyped URL of the database holds its password all the same.
            let shown = if name == "DATABASE_URL" { String::new() } else { format!("; it is `{text}`") };
            self.mistakes.push(format!("{name} must be {what}{shown}"));
            default
        })
    }

    fn list<T>(&mut self, name: &str, what: &str, parse: impl Fn(&str) -> Option<T>) -> Vec<T> {
        let text = self.text(name).unwrap_or_default();
        let mut items = Vec::new();
        for item in text.split(',').map(str::trim).filter(|item| !item.is_empty()) {
            match parse(item) {
                Some(value) => items.push(value),
                None => self.mistakes.push(format!("{name} must be {what}, separated by commas; `{item}` is not")),
            }
        }
        items
    }
}

impl Config {
    /// Reads the settings from the process's environment.
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
        let mut env = Reader { lookup, mistakes: Vec::new() };
        let host = env.parsed("HOST", IpAddr::from([127, 0, 0, 1]), "an IP address", |text| text.parse().ok());
        let port = env.parsed("PORT", 8080, "a port from 0 to 65535", |text| text.parse().ok());
        let data_dir = env.text("DATA_DIR").map_or_else(|| default_data_dir(lookup), PathBuf::from);
        let config = Self {
            host,
            port,
            metrics_port: env
                .parsed("METRICS_PORT", None, "a port from 0 to 65535", |text| text.parse().ok().map(Some)),
            public_url: env.parsed(
                "PUBLIC_URL",
                format!("http://{}", std::net::SocketAddr::new(host, port)),
                "an http or https URL without a path",
                origin,
            ),
            database_url: env.parsed("DATABASE_URL", None, "a postgres:// URL", |text| {
                text.parse::<tokio_postgres::Config>().ok().map(|_| Some(Secret(text.to_owned())))
            }),
            key_dir: env.text("KEY_DIR").map_or_else(|| data_dir.join("keys"), PathBuf::from),
            data_dir,
            pg_bin_dir: env.text("PG_BIN_DIR").map(PathBuf::from),
            public_read: env.parsed("PUBLIC_READ", false, "true or false", |text| text.parse().ok()),
            cors_origins: env.list("CORS_ORIGINS", "origins such as https://digituki.example", origin),
            trusted_proxies: env.list("TRUSTED_PROXIES", "IP addresses", |text| text.parse().ok()),
            workers: env.parsed("WORKERS", cores(), "a number from 1 to 256", |text| within(text, 1, 256)),
            pool_size: env.parsed("POOL_SIZE", 10, "a number from 1 to 1000", |text| within(text, 1, 1000)),
            drain: env.parsed("DRAIN_SECONDS", Duration::from_secs(2), "a number from 0 to 300", |text| {
                text.parse().ok().filter(|seconds| *seconds <= 300).map(Duration::from_secs)
            }),
            log_format: env.parsed("LOG_FORMAT", LogFormat::Human, "human or json", |text| match text {
                "human" => Some(LogFormat::Human),
                "json" => Some(LogFormat::Json),
                _ => None,
            }),
            log_level: env.parsed("LOG_LEVEL", "info".to_owned(), "a level or a filter", |text| {
                tracing_subscriber::EnvFilter::try_new(text).ok().map(|_| text.to_owned())
            }),
        };
        if env.mistakes.is_empty() { Ok(config) } else { Err(ConfigError(env.mistakes)) }
    }
}

impl Config {
    /// Puts the port that was taken in place of port 0.
    pub fn listens_at(&mut self, address: std::net::SocketAddr) {
        if self.port == 0 && self.public_url.ends_with(":0") {
            self.public_url = format!("http://{address}");
        }
    }
}

fn within(text: &str, from: usize, to: usize) -> Option<usize> {
    text.parse().ok().filter(|number| (from..=to).contains(number))
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, Into::into)
}

/// An origin (RFC 6454): scheme, host and port, nothing else.
fn origin(text: &str) -> Option<String> {
    let url = url::Url::parse(text).ok()?;
    let bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none() && url.username().is_empty();
    (matches!(url.scheme(), "http" | "https") && bare).then(|| url.origin().ascii_serialization())
}

fn default_data_dir(lookup: &dyn Fn(&str) -> Option<String>) -> PathBuf {
    if rustix::process::geteuid().is_root() {
        return "/var/lib/kuntatutorit".into();
    }
    let base = lookup("XDG_DATA_HOME").filter(|path| path.starts_with('/')).map(PathBuf::from);
    let home = || PathBuf::from(lookup("HOME").unwrap_or_else(|| ".".into())).join(".local/share");
    base.unwrap_or_else(home).join("kuntatutorit")
}
