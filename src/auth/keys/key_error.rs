//! Why signing keys cannot be used.

use std::path::PathBuf;

/// Why the keys cannot be used, and what to do about it. Never holds key material.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The directory holds no key, or does not exist.
    #[error("no *.pem signing key in {dir}: generate one")]
    Empty {
        /// The key directory.
        dir: PathBuf,
    },
    /// Others than the owner may use the key file.
    #[error(
        "key file {file} has mode {mode:04o}, others may have read it: replace the key, \
         or if nobody could reach the file run `chmod 600 {file}`"
    )]
    LooseFile {
        /// The key file.
        file: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// Others than the owner may add keys.
    #[error("key directory {dir} has mode {mode:04o}, others may add keys: run `chmod 700 {dir}`")]
    LooseDirectory {
        /// The key directory.
        dir: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The file is not a key for ES256.
    #[error(
        "key file {file} is not an unencrypted PKCS#8 PEM private key on curve P-256 (ES256): \
         replace it or take it out of the directory"
    )]
    Invalid {
        /// The key file.
        file: PathBuf,
    },
    /// Two files hold one key, so that removing one of them would not retire it.
    #[error("key files {first} and {second} hold the same key: remove one of them")]
    Duplicate {
        /// The file that sorts first.
        first: PathBuf,
        /// The file that sorts last.
        second: PathBuf,
    },
    /// A new key would not sign, for a file already there sorts after it.
    #[error(
        "a key generated now would not sign, {file} sorts after it: rename that file to begin \
         with its time of making in UTC, and check the clock"
    )]
    NotNewest {
        /// The file that sorts last.
        file: PathBuf,
    },
    /// The cryptographic library could not make a key.
    #[error("no signing key could be generated")]
    Generate,
    /// The file system said no.
    #[error("{path} could not be used for signing keys: {source}")]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
}
