//! The connection parameters: where PostgreSQL is, and how the service connects to it. They are those of libpq
//! (PostgreSQL manual, section 34.1.2): a URL, with several hosts if there are standbys, and the parameters of TLS.

mod error;
mod host;
mod parameters;
mod tls;
mod url;
mod verifier;

pub use self::{
    error::ParameterError,
    host::Host,
    parameters::{CONNECTION_LIMIT, ConnectionParameters},
    tls::advice,
};
