//! Certificates made with openssl: an authority, and certificates that it issued.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// A directory of certificates and keys, each `NAME.pem` and `NAME.key`.
pub(crate) struct Certificates(tempfile::TempDir);

/// The dates of a certificate.
#[derive(Clone, Copy)]
pub(crate) enum Dates {
    Valid,
    Expired,
}

impl Certificates {
    /// Creates an authority, which `name` identifies.
    pub(crate) fn with_authority(name: &str) -> Self {
        let certificates = Self(tempfile::TempDir::new().unwrap());
        let subject = format!("/CN={name}");
        certificates.self_signed("ca", &subject, "basicConstraints=critical,CA:TRUE");
        certificates
    }

    /// Creates a certificate that is its own authority, with this extension.
    pub(crate) fn self_signed(&self, name: &str, subject: &str, extension: &str) {
        let key = format!("{name}.key");
        let certificate = format!("{name}.pem");
        let mut arguments = vec!["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
        arguments.extend(["-days", "2", "-keyout", &key, "-out", &certificate, "-subj", subject, "-addext", extension]);
        self.openssl(&arguments);
    }

    /// Issues a certificate with this subject and these extensions, by the authority `issuer`.
    pub(crate) fn issue(&self, name: &str, issuer: &str, subject: &str, extensions: &str, dates: Dates) {
        let (key, request) = (format!("{name}.key"), format!("{name}.csr"));
        let new_key = ["req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
        self.openssl(&[&new_key[..], &["-keyout", &key, "-out", &request, "-subj", subject]].concat());
        let config = format!(
            "[ca]\ndefault_ca=d\n[d]\ndatabase=index\nserial=serial\nnew_certs_dir=.\ndefault_md=sha256\npolicy=p\n\
             unique_subject=no\n[p]\ncommonName=supplied\n[x]\n{extensions}\n"
        );
        fs::write(self.path("ca.cnf"), config).unwrap();
        for (file, content) in [("index", ""), ("serial", "01")] {
            if !self.path(file).exists() {
                fs::write(self.path(file), content).unwrap();
            }
        }
        let (start, end) = match dates {
            Dates::Valid => ("20250101000000Z", "20991231000000Z"),
            Dates::Expired => ("20200101000000Z", "20200201000000Z"),
        };
        let (certificate, by, signing) = (format!("{name}.pem"), format!("{issuer}.pem"), format!("{issuer}.key"));
        let mut arguments = vec!["ca", "-batch", "-notext", "-config", "ca.cnf", "-extensions", "x"];
        arguments.extend(["-startdate", start, "-enddate", end, "-cert", &by, "-keyfile", &signing]);
        arguments.extend(["-in", &request, "-out", &certificate]);
        self.openssl(&arguments);
    }

    /// Writes several certificates into one file.
    pub(crate) fn join(&self, name: &str, parts: &[&str]) {
        let texts = parts.iter().map(|part| fs::read_to_string(self.path(&format!("{part}.pem"))).unwrap());
        fs::write(self.path(&format!("{name}.pem")), texts.collect::<String>()).unwrap();
    }

    pub(crate) fn path(&self, file: &str) -> PathBuf {
        self.0.path().join(file)
    }

    pub(crate) fn directory(&self) -> &Path {
        self.0.path()
    }

    fn openssl(&self, arguments: &[&str]) {
        let output = Command::new("openssl").args(arguments).current_dir(self.0.path()).output().unwrap();
        assert!(output.status.success(), "openssl {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    }
}
