//! The reasons why the signing keys cannot be used.

use std::path::{Path, PathBuf};

/// Why the keys cannot be used, and what to do. It never contains key material.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The directory has no key, or does not exist.
    #[error(
        "there is no signing key (*.pem) in {dir}; start the service once or run `kuntatutorit key generate`, and check KEY_DIR"
    )]
    Empty {
        /// The key directory.
        dir: PathBuf,
    },
    /// Other users can read or write the key file.
    #[error(
        "the key file {file} has mode {mode:04o}, so other users may have read it; replace the key, or run \
         `chmod 600 {file}` if you are sure that nobody could reach it"
    )]
    LooseFile {
        /// The key file.
        file: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// Other users can add keys to the directory.
    #[error("the key directory {dir} has mode {mode:04o}, so other users can add keys; run `chmod 700 {dir}`")]
    LooseDirectory {
        /// The key directory.
        dir: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The file is not a key for ES256.
    #[error(
        "the key file {file} is not a private key on the curve P-256 (ES256) in unencrypted PKCS#8 PEM; replace it, or \
         move it out of the directory"
    )]
    Invalid {
        /// The key file.
        file: PathBuf,
    },
    /// Two files have the same key, so removing one of them would not retire it.
    #[error("the key files {first} and {second} have the same key; remove one of them")]
    Duplicate {
        /// The file that sorts first.
        first: PathBuf,
        /// The file that sorts last.
        second: PathBuf,
    },
    /// A new key would not sign, because an existing file sorts after it.
    #[error(
        "a new key would never sign, because the name of {file} sorts after it; check the clock, and rename that file so \
         that it begins with the time at which the key was created, in UTC: 20261124T101500Z-…"
    )]
    NotNewest {
        /// The file that sorts last.
        file: PathBuf,
    },
    /// The cryptographic library could not generate a key.
    #[error("no signing key could be generated; try again")]
    Generate,
    /// A file or directory could not be read or written.
    #[error("{path} cannot be used for signing keys: {source}; check KEY_DIR and the permissions of its directories")]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// The error of the operating system.
        source: std::io::Error,
    },
}

impl KeyError {
    pub(super) fn io(path: &Path, source: std::io::Error) -> Self {
        Self::Io { path: path.to_owned(), source }
    }
}
