//! The keys of one directory, as they were when it was loaded.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, SystemTime},
};

use jsonwebtoken::jwk::JwkSet;

use super::{
    key_error::KeyError,
    key_files::{self, KeyFile, SigningKey},
};

/// The age that a key's file must have before the key signs. That is how long the operator has to copy the file to the
/// directories of all instances.
pub const SIGNS_AFTER: Duration = Duration::from_mins(1);

/// A key that has just been generated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewKey {
    /// The id of the key.
    pub kid: String,
    /// The file of the key.
    pub path: PathBuf,
}

/// A key in the list of keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyEntry<'a> {
    /// The id of the key: the SHA-256 thumbprint of the public key (RFC 7638).
    pub kid: &'a str,
    /// The file of the key.
    pub file: &'a Path,
    /// True for the key that signs new tokens; the other keys only verify.
    pub signs: bool,
}

/// The keys of one directory, as they were when it was loaded. There is at least one. Cloning is cheap.
#[derive(Debug, Clone)]
pub struct KeyRing(Arc<Ring>);

#[derive(Debug)]
struct Ring {
    dir: PathBuf,
    files: Vec<KeyFile>,
    oldest: SigningKey,
    /// The other keys, from the oldest to the newest.
    newer: Vec<SigningKey>,
    jwks: JwkSet,
}

impl KeyRing {
    /// Loads every key of `dir`.
    ///
    /// # Errors
    /// [`KeyError`] when there is no key, or when one of the files cannot be used.
    pub fn load(dir: &Path) -> Result<Self, KeyError> {
        Self::read(dir, key_files::list(dir)?)
    }

    /// Loads every key of `dir`, and generates the first one if there is none.
    ///
    /// # Errors
    /// The errors of [`Self::load`] and [`Self::generate`].
    pub fn load_or_generate(dir: &Path) -> Result<Self, KeyError> {
        match Self::load(dir) {
            Err(KeyError::Empty { .. }) => {
                let key = Self::generate(dir)?;
                tracing::info!(kid = key.kid, path = %key.path.display(), "generated the first signing key");
                Self::load(dir)
            }
            loaded => loaded,
        }
    }

    /// Adds a new key to `dir`, and creates the directory if it does not exist. A ring that was loaded before does not
    /// have the key; see [`Tokens::reload`](crate::auth::tokens::access_tokens::Tokens::reload).
    ///
    /// # Errors
    /// [`KeyError::NotNewest`], [`KeyError::LooseDirectory`], [`KeyError::Generate`] and [`KeyError::Io`].
    pub fn generate(dir: &Path) -> Result<NewKey, KeyError> {
        key_files::create_dir(dir)?;
        let (key, pem) = SigningKey::generate(dir)?;
        if let Some(last) = key_files::list(dir)?.pop()
            && last.path() >= key.file()
        {
            return Err(KeyError::NotNewest { file: last.path().to_owned() });
        }
        key_files::write(key.file(), &pem)?;
        Ok(NewKey { kid: key.kid().to_owned(), path: key.file().to_owned() })
    }

    /// Returns the public keys as a JWK set (RFC 7517, section 5), the newest first.
    #[must_use]
    pub fn jwks(&self) -> &JwkSet {
        &self.0.jwks
    }

    /// Returns every key, the newest first.
    pub fn list(&self) -> impl Iterator<Item = KeyEntry<'_>> {
        let signer = self.signer().kid();
        self.iter().map(move |key| KeyEntry { kid: key.kid(), file: key.file(), signs: key.kid() == signer })
    }

    /// Loads the directory again if it has changed; returns none if it has not.
    pub(in crate::auth) fn reloaded(&self) -> Result<Option<Self>, KeyError> {
        let files = key_files::list(&self.0.dir)?;
        if files == self.0.files {
            return Ok(None);
        }
        Self::read(&self.0.dir, files).map(Some)
    }

    /// Returns the newest key that every instance knows by now, or the oldest key if all of them are younger than that.
    pub(in crate::auth) fn signer(&self) -> &SigningKey {
        let now = SystemTime::now();
        let is_old_enough = |key: &&SigningKey| now.duration_since(key.modified()).is_ok_and(|age| age >= SIGNS_AFTER);
        self.iter().find(is_old_enough).unwrap_or(&self.0.oldest)
    }

    /// Returns the key with this id.
    pub(in crate::auth) fn find(&self, kid: &str) -> Option<&SigningKey> {
        self.iter().find(|key| key.kid() == kid)
    }

    fn iter(&self) -> impl Iterator<Item = &SigningKey> {
        self.0.newer.iter().rev().chain(std::iter::once(&self.0.oldest))
    }

    /// Reads these files. They were listed before they are read: a file that changes in the meantime differs from its
    /// entry in the list, and the next [`Self::reloaded`] reads it again.
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
