//! The keys that sign access tokens.
//!
//! They are files, never rows of a database: PKCS#8 PEM, named `*.pem`, mode
//! 0600, in one directory of mode 0700. Every key there verifies and is
//! published; the newest signs, once its file has been there for a minute: by
//! then every instance knows it, also one whose directory is a copy. The newest
//! is the one whose **file name sorts last, byte by byte.** Generated names begin
//! with the moment of generation in UTC:
//! `20261124T101500.123456Z-<first 8 characters of the kid>.pem`. A key brought
//! along must be named by the same pattern.
//!
//! To rotate, generate a key, and remove the old file once the tokens it signed
//! have expired. Removing it earlier revokes them.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use jsonwebtoken::jwk::JwkSet;

use super::{
    key_error::KeyError,
    key_files,
    key_files::{KeyFile, SigningKey},
};

/// How long a key's file must have been there before the key signs: as long as it
/// may take to copy it to the directories of all instances.
pub const SIGNS_AFTER: Duration = Duration::from_mins(1);

impl KeyError {
    pub(super) fn io(path: &Path, source: std::io::Error) -> Self {
        Self::Io { path: path.to_owned(), source }
    }
}

/// A key that was just generated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewKey {
    /// Its key id.
    pub kid: String,
    /// Its file.
    pub path: PathBuf,
}

/// A key of the ring, for listing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyEntry<'a> {
    /// Its key id: the SHA-256 thumbprint of the public key (RFC 7638).
    pub kid: &'a str,
    /// Its file.
    pub file: &'a Path,
    /// Whether this is the one that signs.
    pub signs: bool,
}

/// The keys of one directory as they stood when it was loaded: at least one.
/// Cloning is cheap.
#[derive(Debug, Clone)]
pub struct KeyRing(Arc<Ring>);

#[derive(Debug)]
struct Ring {
    dir: PathBuf,
    files: Vec<KeyFile>,
    oldest: SigningKey,
    /// The oldest of them first.
    newer: Vec<SigningKey>,
    jwks: JwkSet,
}

impl KeyRing {
    /// Loads every key of `dir`.
    ///
    /// # Errors
    ///
    /// Any [`KeyError`] but those of generating; one unusable file is enough.
    pub fn load(dir: &Path) -> Result<Self, KeyError> {
        Self::read(dir, key_files::list(dir)?)
    }

    /// Loads every key of `dir`, having made the first when there is none.
    ///
    /// # Errors
    ///
    /// As [`load`](Self::load) and [`generate`](Self::generate).
    pub fn load_or_generate(dir: &Path) -> Result<Self, KeyError> {
        match Self::load(dir) {
            Err(KeyError::Empty { .. }) => {
                let key = Self::generate(dir)?;
                tracing::info!(kid = key.kid, path = %key.path.display(), "first signing key made");
                Self::load(dir)
            }
            loaded => loaded,
        }
    }

    /// Adds a new key to `dir`, making the directory if need be. A ring loaded
    /// before does not know it yet; see [`Tokens::reload`](super::tokens::Tokens::reload).
    ///
    /// # Errors
    ///
    /// When a file already there would keep the new key from signing, when others
    /// may write to the directory, or when making or writing the key fails.
    pub fn generate(dir: &Path) -> Result<NewKey, KeyError> {
        key_files::make_dir(dir)?;
        let (key, pem) = SigningKey::generate(dir)?;
        if let Some(last) = key_files::list(dir)?.pop()
            && last.path() >= key.file()
        {
            return Err(KeyError::NotNewest { file: last.path().to_owned() });
        }
        key_files::write(key.file(), &pem)?;
        Ok(NewKey { kid: key.kid().to_owned(), path: key.file().to_owned() })
    }

    /// The public keys as a JWK set (RFC 7517 §5), newest first.
    #[must_use]
    pub fn jwks(&self) -> &JwkSet {
        &self.0.jwks
    }

    /// Every key, newest first.
    pub fn list(&self) -> impl Iterator<Item = KeyEntry<'_>> {
        let signer = self.signer().kid();
        self.iter().map(move |key| KeyEntry { kid: key.kid(), file: key.file(), signs: key.kid() == signer })
    }

    /// The ring as the directory now stands, if that has changed.
    pub(in crate::auth) fn reloaded(&self) -> Result<Option<Self>, KeyError> {
        let files = key_files::list(&self.0.dir)?;
        if files == self.0.files {
            return Ok(None);
        }
        Self::read(&self.0.dir, files).map(Some)
    }

    /// The newest key that every instance must know by now; the oldest when they
    /// are all younger than that.
    pub(in crate::auth) fn signer(&self) -> &SigningKey {
        let now = SystemTime::now();
        let known = |key: &&SigningKey| now.duration_since(key.modified()).is_ok_and(|age| age >= SIGNS_AFTER);
        self.iter().find(known).unwrap_or(&self.0.oldest)
    }

    pub(in crate::auth) fn find(&self, kid: &str) -> Option<&SigningKey> {
        self.iter().find(|key| key.kid() == kid)
    }

    fn iter(&self) -> impl Iterator<Item = &SigningKey> {
        self.0.newer.iter().rev().chain(std::iter::once(&self.0.oldest))
    }

    /// `files` is the listing from before the files are read: a file that changes
    /// meanwhile differs from it at the next look.
    fn read(dir: &Path, files: Vec<KeyFile>) -> Result<Self, KeyError> {
        let mut keys: Vec<SigningKey> = Vec::with_capacity(files.len());
        for file in &files {
            let key = SigningKey::read(file.path())?;
            if let Some(same) = keys.iter().find(|known| known.kid() == key.kid()) {
                return Err(KeyError::Duplicate { first: same.file().to_owned(), second: key.file().to_owned() });
            }
            keys.push(key);
        }
        let jwks = JwkSet { keys: keys.iter().rev().map(|key| key.jwk().clone()).collect() };
        let mut keys = keys.into_iter();
        let oldest = keys.next().ok_or_else(|| KeyError::Empty { dir: dir.to_owned() })?;
        Ok(Self(Arc::new(Ring { dir: dir.to_owned(), files, oldest, newer: keys.collect(), jwks })))
    }
}
