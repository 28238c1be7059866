//! Reading the URL: the parameters of libpq that tokio-postgres does not know.

use percent_encoding::percent_decode_str;

use super::error::ParameterError;

/// The parameters that this module reads instead of tokio-postgres, which knows only three values of `sslmode` and tries
/// the next host only after the first has refused the connection.
const OWN: [&str; 5] = ["sslmode", "sslrootcert", "sslcert", "sslkey", "target_session_attrs"];
/// Parameters of libpq that would make a connection safer than it is without them, so they must not be ignored.
const UNSUPPORTED: [&str; 6] =
    ["sslcrl", "sslcrldir", "sslpassword", "ssl_min_protocol_version", "ssl_max_protocol_version", "require_auth"];
pub(super) const EXAMPLE: &str = "must be a URL such as postgres://user:password@host/name";

/// The names and values of parameters.
pub(super) type Parameters = Vec<(String, String)>;

/// Splits a URL into one that tokio-postgres can parse, and the parameters that this module reads.
pub(super) fn take_own_parameters(url: &str) -> Result<(String, Parameters), ParameterError> {
    if !url.starts_with("postgres://") && !url.starts_with("postgresql://") {
        return Err(ParameterError(EXAMPLE.to_owned()));
    }
    let (base, query) = url.split_once('?').unwrap_or((url, ""));
    let (mut own, mut rest) = (Parameters::new(), Vec::new());
    for parameter in query.split('&').filter(|parameter| !parameter.is_empty()) {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        if UNSUPPORTED.contains(&name) {
            return Err(ParameterError(format!("has the parameter {name}, which this service does not support")));
        } else if OWN.contains(&name) {
            let value = percent_decode_str(value).decode_utf8_lossy().into_owned();
            own.push((name.to_owned(), value));
        } else if name == "host" {
            // tokio-postgres takes a list of hosts here only one by one.
            rest.extend(value.split(',').map(|host| format!("host={host}")));
        } else {
            rest.push(parameter.to_owned());
        }
    }
    let url = if rest.is_empty() { base.to_owned() } else { format!("{base}?{}", rest.join("&")) };
    Ok((url, own))
}

/// Refuses a wish for a standby: the service always needs the primary.
pub(super) fn require_known_target(target: Option<&str>) -> Result<(), ParameterError> {
    match target {
        None | Some("any" | "read-write" | "primary") => Ok(()),
        Some(other) => Err(ParameterError(format!(
            "has target_session_attrs={other}, but the service writes and needs the primary; leave the parameter out"
        ))),
    }
}

pub(super) fn unreadable(error: &tokio_postgres::Error) -> String {
    use std::error::Error as _;
    // The cause names the parameter but not its value.
    error.source().map_or_else(|| EXAMPLE.to_owned(), |cause| format!("{EXAMPLE}: {cause}"))
}
