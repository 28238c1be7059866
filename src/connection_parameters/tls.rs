//! TLS to PostgreSQL, with libpq's meaning of `sslmode` (PostgreSQL manual, section 34.19, "SSL Support").

use std::{
    path::{Path, PathBuf},
    str::FromStr,
    sync::Arc,
};

use rustls::{
    CertificateError, ClientConfig,
    crypto::{CryptoProvider, aws_lc_rs},
    pki_types::{
        CertificateDer, PrivateKeyDer,
        pem::{self, PemObject as _},
    },
};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::{error::ParameterError, verifier::ServerVerifier};

/// What the service demands of the link to PostgreSQL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    /// No TLS.
    Disable,
    /// TLS if the server offers it. The server is not verified.
    Prefer,
    /// TLS. The server is not verified.
    Require,
    /// TLS, and a certificate that a trusted authority has issued.
    VerifyCa,
    /// TLS, and a certificate that a trusted authority has issued for the name of the host.
    VerifyFull,
}

/// The certificates that are trusted to issue those of servers.
#[derive(Debug)]
enum Roots {
    /// None: servers are not verified.
    None,
    /// Those of the platform.
    System,
    /// Those in a file.
    File(PathBuf),
}

/// The parameters of TLS.
#[derive(Debug)]
pub(super) struct Tls {
    pub(super) mode: Mode,
    roots: Roots,
    /// The certificate of the service and its private key, if the server asks for them.
    client: Option<(PathBuf, PathBuf)>,
}

impl FromStr for Mode {
    type Err = ParameterError;

    fn from_str(text: &str) -> Result<Self, ParameterError> {
        match text {
            "disable" => Ok(Self::Disable),
            "prefer" => Ok(Self::Prefer),
            "require" => Ok(Self::Require),
            "verify-ca" => Ok(Self::VerifyCa),
            "verify-full" => Ok(Self::VerifyFull),
            "allow" => {
                Err(error("has sslmode=allow, which this service does not support; use prefer, or better verify-full"))
            }
            other => Err(error(format!(
                "has sslmode={other}, but sslmode must be disable, prefer, require, verify-ca or verify-full"
            ))),
        }
    }
}

impl Tls {
    /// Combines the parameters as libpq does.
    pub(super) fn new(
        mode: Option<&str>,
        roots: Option<&str>,
        certificate: Option<&str>,
        key: Option<&str>,
    ) -> Result<Self, ParameterError> {
        let is_system = roots == Some("system");
        let default = if is_system { Mode::VerifyFull } else { Mode::Prefer };
        let given = mode.map_or(Ok(default), str::parse)?;
        let (mode, roots) = match (given, roots) {
            (Mode::Disable, _) => (Mode::Disable, Roots::None),
            (Mode::VerifyFull, Some(_)) if is_system => (Mode::VerifyFull, Roots::System),
            (_, Some(_)) if is_system => {
                return Err(error("has sslrootcert=system, which needs sslmode=verify-full"));
            }
            (Mode::Prefer, Some(_)) => {
                return Err(error("has sslrootcert, which sslmode=prefer does not use; set sslmode=verify-full"));
            }
            (Mode::Require | Mode::VerifyCa, Some(path)) => (Mode::VerifyCa, Roots::File(path.into())),
            (Mode::VerifyFull, Some(path)) => (Mode::VerifyFull, Roots::File(path.into())),
            (Mode::VerifyCa | Mode::VerifyFull, None) => {
                return Err(error(
                    "needs sslrootcert with this sslmode: the file with the certificate of the server's authority, or system \
                     for those that the platform trusts",
                ));
            }
            (unverified, None) => (unverified, Roots::None),
        };
        let client = match (certificate, key) {
            (Some(certificate), Some(key)) => Some((certificate.into(), key.into())),
            (None, None) => None,
            _ => return Err(error("needs both sslcert and sslkey, or none of them")),
        };
        Ok(Self { mode, roots, client })
    }

    /// Reads the certificates.
    ///
    /// # Errors
    /// When a file cannot be read or has no certificate or key.
    pub(super) fn load(&self) -> Result<MakeRustlsConnect, ParameterError> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let verifier = self.verifier(&provider)?;
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|cause| error(cause.to_string()))?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier));
        let config = match &self.client {
            None => builder.with_no_client_auth(),
            Some((certificate, key)) => builder
                .with_client_auth_cert(certificates("sslcert", certificate)?, private_key(key)?)
                .map_err(|cause| error(format!("has an sslcert and an sslkey that do not belong together: {cause}")))?,
        };
        Ok(MakeRustlsConnect::new(config))
    }

    fn verifier(&self, provider: &Arc<CryptoProvider>) -> Result<ServerVerifier, ParameterError> {
        let trusted = match &self.roots {
            Roots::None => return Ok(ServerVerifier::accepting_all(provider)),
            Roots::System => rustls_native_certs::load_native_certs().certs,
            Roots::File(path) => certificates("sslrootcert", path)?,
        };
        ServerVerifier::trusting(provider, trusted, self.mode == Mode::VerifyFull)
            .map_err(|cause| error(format!("has no usable certificate in sslrootcert: {cause}")))
    }
}

fn certificates(parameter: &str, path: &Path) -> Result<Vec<CertificateDer<'static>>, ParameterError> {
    let read = CertificateDer::pem_file_iter(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let certificates = read.map_err(|cause| unreadable(parameter, path, &cause))?;
    if certificates.is_empty() {
        return Err(unreadable(parameter, path, &pem::Error::NoItemsFound));
    }
    Ok(certificates)
}

fn private_key(path: &Path) -> Result<PrivateKeyDer<'static>, ParameterError> {
    PrivateKeyDer::from_pem_file(path).map_err(|cause| unreadable("sslkey", path, &cause))
}

fn unreadable(parameter: &str, path: &Path, cause: &pem::Error) -> ParameterError {
    let cause = match cause {
        pem::Error::Io(cause) => cause.to_string(),
        pem::Error::NoItemsFound => "it has no unencrypted PEM block of the right kind".to_owned(),
        other => other.to_string(),
    };
    error(format!("has {parameter}={}, which cannot be used: {cause}", path.display()))
}

fn error(text: impl Into<String>) -> ParameterError {
    ParameterError(text.into())
}

/// Says what to do about a failure of TLS; none when the cause is another one.
pub fn advice(cause: &(dyn std::error::Error + 'static)) -> Option<&'static str> {
    let mut cause = Some(cause);
    while let Some(current) = cause {
        if let Some(failure) = current.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref) {
            let found = failure.downcast_ref().and_then(advice_on);
            if found.is_some() {
                return found;
            }
        }
        if let Some(found) = current.downcast_ref().and_then(advice_on) {
            return Some(found);
        }
        cause = current.source();
    }
    None
}

fn advice_on(failure: &rustls::Error) -> Option<&'static str> {
    use CertificateError as E;
    let rustls::Error::InvalidCertificate(failure) = failure else { return None };
    match failure {
        E::Expired | E::ExpiredContext { .. } => Some("renew PostgreSQL's certificate"),
        E::NotValidYet | E::NotValidYetContext { .. } => Some("check the clocks of this machine and of PostgreSQL's"),
        E::UnknownIssuer | E::BadSignature => {
            Some("set sslrootcert to the certificate of the authority that issued PostgreSQL's certificate")
        }
        E::NotValidForNameContext { presented, .. } if presented.is_empty() => Some(
            "PostgreSQL's certificate has no subject alternative name, and its common name is not used; have one issued \
             with the host's name as an alternative name",
        ),
        E::NotValidForName | E::NotValidForNameContext { .. } => {
            Some("connect to PostgreSQL by a name that its certificate has, or have the name added to the certificate")
        }
        _ => None,
    }
}
