//! The keys that sign access tokens.
//!
//! A key is a file, never a row of the database: PKCS#8 PEM, named `*.pem`, mode 0600, in one directory of mode 0700. If the
//! file belongs to root and the service runs as another user, the group may read it (mode 0640). Every key of the directory is
//! published and verifies tokens. The newest key signs, once its file is a minute old: by then every
//! instance knows it, even one whose directory is a copy.
//!
//! The newest key is the one whose **file name sorts last, byte by byte**. The names of generated files begin with the time of
//! generation in UTC: `20261124T101500.123456Z-<first 8 characters of the kid>.pem`. Name a key from elsewhere in the same way.
//!
//! To rotate, generate a key, and remove the old file when the tokens that it signed have expired. Removing it earlier revokes
//! those tokens.

pub mod key_error;
mod key_files;
pub mod key_ring;
