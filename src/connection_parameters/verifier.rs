//! Verifies the certificates of servers as libpq does.

use std::sync::Arc;

use rustls::{
    CertificateError, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
    client::{
        VerifierBuilderError, WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
        verify_server_name,
    },
    crypto::CryptoProvider,
    pki_types::{CertificateDer, ServerName, UnixTime},
    server::ParsedCertificate,
};
use x509_cert::{Certificate, der::Decode as _};

/// Verifies the certificate of a server.
#[derive(Debug)]
pub(super) struct ServerVerifier {
    schemes: Vec<SignatureScheme>,
    /// None accepts every server.
    trusted: Option<Trusted>,
}

/// The certificates that are trusted.
#[derive(Debug)]
struct Trusted {
    webpki: Arc<WebPkiServerVerifier>,
    roots: Vec<CertificateDer<'static>>,
    /// The issued certificates in the file of trusted ones. As in OpenSSL, they help to find a root but are not trusted themselves.
    intermediates: Vec<CertificateDer<'static>>,
    checks_name: bool,
}

impl ServerVerifier {
    /// Creates a verifier that accepts every server.
    pub(super) fn accepting_all(provider: &CryptoProvider) -> Self {
        Self { schemes: provider.signature_verification_algorithms.supported_schemes(), trusted: None }
    }

    /// Creates a verifier that accepts servers whose certificate a trusted one has issued; with `checks_name`, only for
    /// the server's name.
    pub(super) fn trusting(
        provider: &Arc<CryptoProvider>,
        trusted: Vec<CertificateDer<'static>>,
        checks_name: bool,
    ) -> Result<Self, VerifierBuilderError> {
        let (roots, intermediates): (Vec<_>, Vec<_>) = trusted.into_iter().partition(is_self_issued);
        let mut store = RootCertStore::empty();
        store.add_parsable_certificates(roots.iter().cloned());
        let webpki = WebPkiServerVerifier::builder_with_provider(store.into(), Arc::clone(provider)).build()?;
        let schemes = webpki.supported_verify_schemes();
        Ok(Self { schemes, trusted: Some(Trusted { webpki, roots, intermediates, checks_name }) })
    }
}

impl Trusted {
    fn verify(
        &self,
        server: &CertificateDer<'_>,
        sent: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let intermediates: Vec<_> = sent.iter().chain(&self.intermediates).cloned().collect();
        // webpki checks the name last, so a failure of the name means that the chain is good.
        match self.webpki.verify_server_cert(server, &intermediates, name, &[], now) {
            Err(Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) if !self.checks_name => Ok(ServerCertVerified::assertion()),
            Err(_) if self.roots.iter().any(|root| root == server) => self.verify_root(server, name, now),
            outcome => outcome,
        }
    }

    /// Verifies a server whose certificate is itself a trusted one, which webpki never accepts.
    fn verify_root(
        &self,
        server: &CertificateDer<'_>,
        name: &ServerName<'_>,
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let parsed = Certificate::from_der(server).map_err(|_| CertificateError::BadEncoding)?;
        let validity = parsed.tbs_certificate.validity;
        if now.as_secs() > validity.not_after.to_unix_duration().as_secs() {
            return Err(CertificateError::Expired.into());
        }
        if now.as_secs() < validity.not_before.to_unix_duration().as_secs() {
            return Err(CertificateError::NotValidYet.into());
        }
        if self.checks_name {
            verify_server_name(&ParsedCertificate::try_from(server)?, name)?;
        }
        Ok(ServerCertVerified::assertion())
    }
}

/// Returns whether the certificate names itself as its issuer, as roots do.
fn is_self_issued(certificate: &CertificateDer<'static>) -> bool {
    Certificate::from_der(certificate)
        .is_ok_and(|parsed| parsed.tbs_certificate.issuer == parsed.tbs_certificate.subject)
}

impl ServerCertVerifier for ServerVerifier {
    fn verify_server_cert(
        &self,
        server: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        _: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        match &self.trusted {
            None => Ok(ServerCertVerified::assertion()),
            Some(trusted) => trusted.verify(server, intermediates, name, now),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        match &self.trusted {
            // A server that may present any certificate gains nothing by a valid signature.
            None => Ok(HandshakeSignatureValid::assertion()),
            Some(trusted) => trusted.webpki.verify_tls12_signature(message, certificate, signature),
        }
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        match &self.trusted {
            None => Ok(HandshakeSignatureValid::assertion()),
            Some(trusted) => trusted.webpki.verify_tls13_signature(message, certificate, signature),
        }
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.schemes.clone()
    }
}
