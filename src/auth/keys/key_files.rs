//! Reading and writing the files behind a [`KeyRing`](super::keys::KeyRing).

use std::ffi::OsStr;
use std::fs::{self, DirBuilder, File, Metadata, OpenOptions};
use std::io::{ErrorKind, Read as _, Write as _};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::Utc;
use jsonwebtoken::jwk::{Jwk, PublicKeyUse, ThumbprintHash};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey};

use super::key_error::KeyError;

const FILE_MODE: u32 = 0o600;
const DIR_MODE: u32 = 0o700;
const PERMISSION_BITS: u32 = 0o7777;
const GROUP_OR_OTHERS: u32 = 0o077;
const GROUP_OR_OTHERS_WRITE: u32 = 0o022;
const PEM_LINE: usize = 64;

/// One private key, its public half, and where it came from.
#[derive(Debug)]
pub(in crate::auth) struct SigningKey {
    kid: String,
    file: PathBuf,
    modified: SystemTime,
    private: EncodingKey,
    public: DecodingKey,
    jwk: Jwk,
}

impl SigningKey {
    /// Makes a key, yet to be written to its file in `dir`, and its PEM.
    pub(in crate::auth) fn generate(dir: &Path) -> Result<(Self, String), KeyError> {
        let der = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING)
            .and_then(|pair| pair.to_pkcs8v1())
            .map_err(|_| KeyError::Generate)?;
        let pem = pem(der.as_ref());
        let mut key = Self::parse(pem.as_bytes(), dir, SystemTime::now()).ok_or(KeyError::Generate)?;
        // A fraction of a second, lest two keys made in one be sorted by their kid.
        let made = Utc::now().format("%Y%m%dT%H%M%S%.6fZ");
        key.file = dir.join(format!("{made}-{}.pem", &key.kid[..8]));
        Ok((key, pem))
    }

    pub(in crate::auth) fn read(file: &Path) -> Result<Self, KeyError> {
        let io = |error| KeyError::io(file, error);
        let mut opened = File::open(file).map_err(io)?;
        let seen = opened.metadata().map_err(io)?;
        let mode = seen.mode() & PERMISSION_BITS;
        if mode & GROUP_OR_OTHERS != 0 {
            return Err(KeyError::LooseFile { file: file.to_owned(), mode });
        }
        let mut pem = Vec::new();
        opened.read_to_end(&mut pem).map_err(io)?;
        let modified = seen.modified().map_err(io)?;
        Self::parse(&pem, file, modified).ok_or_else(|| KeyError::Invalid { file: file.to_owned() })
    }

    /// `None` unless it is a P-256 key: taking the public half out for ES256
    /// checks the curve, and that the halves belong together.
    fn parse(pem: &[u8], file: &Path, modified: SystemTime) -> Option<Self> {
        let private = EncodingKey::from_ec_pem(pem).ok()?;
        let mut jwk = Jwk::from_encoding_key(&private, Algorithm::ES256).ok()?;
        let kid = jwk.thumbprint(ThumbprintHash::SHA256).ok()?;
        jwk.common.key_id = Some(kid.clone());
        jwk.common.public_key_use = Some(PublicKeyUse::Signature);
        let public = DecodingKey::from_jwk(&jwk).ok()?;
        Some(Self { kid, file: file.to_owned(), modified, private, public, jwk })
    }

    pub(in crate::auth) fn kid(&self) -> &str {
        &self.kid
    }

    pub(in crate::auth) fn file(&self) -> &Path {
        &self.file
    }

    /// When its file was written, or copied to where it is.
    pub(in crate::auth) fn modified(&self) -> SystemTime {
        self.modified
    }

    pub(in crate::auth) fn private(&self) -> &EncodingKey {
        &self.private
    }

    pub(in crate::auth) fn public(&self) -> &DecodingKey {
        &self.public
    }

    pub(in crate::auth) fn jwk(&self) -> &Jwk {
        &self.jwk
    }
}

/// A key file as seen from outside; differs as soon as the file may have changed.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::auth) struct KeyFile {
    path: PathBuf,
    inode: u64,
    size: u64,
    modified: (i64, i64),
    /// Moves with the permissions too, and cannot be set back.
    changed: (i64, i64),
}

impl KeyFile {
    fn new(path: PathBuf, seen: &Metadata) -> Self {
        Self {
            path,
            inode: seen.ino(),
            size: seen.size(),
            modified: (seen.mtime(), seen.mtime_nsec()),
            changed: (seen.ctime(), seen.ctime_nsec()),
        }
    }

    pub(in crate::auth) fn path(&self) -> &Path {
        &self.path
    }
}

/// The key files of `dir`, the newest last; hidden files are not looked at.
/// Without the directory there are none.
pub(in crate::auth) fn list(dir: &Path) -> Result<Vec<KeyFile>, KeyError> {
    let io = |error| KeyError::io(dir, error);
    let mode = match fs::metadata(dir) {
        Ok(seen) => seen.mode() & PERMISSION_BITS,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(io(error)),
    };
    if mode & GROUP_OR_OTHERS_WRITE != 0 {
        return Err(KeyError::LooseDirectory { dir: dir.to_owned(), mode });
    }
    let mut files = Vec::new();
    for entry in fs::read_dir(dir).map_err(io)? {
        let name = entry.map_err(io)?.file_name();
        if is_key(&name) {
            let path = dir.join(name);
            let seen = fs::metadata(&path).map_err(|error| KeyError::io(&path, error))?;
            if !seen.is_file() {
                return Err(KeyError::Invalid { file: path });
            }
            files.push(KeyFile::new(path, &seen));
        }
    }
    files.sort_by(|one, other| one.path.cmp(&other.path));
    Ok(files)
}

fn is_key(name: &OsStr) -> bool {
    let name = name.as_bytes();
    name.ends_with(b".pem") && !name.starts_with(b".")
}

/// Makes `dir` and what is missing above it, for the owner alone.
pub(in crate::auth) fn make_dir(dir: &Path) -> Result<(), KeyError> {
    DirBuilder::new().recursive(true).mode(DIR_MODE).create(dir).map_err(|error| KeyError::io(dir, error))
}

/// Writes a key file that is either not there or there in full, also after a
/// power cut: the content reaches the disk under a hidden name first.
pub(in crate::auth) fn write(file: &Path, pem: &str) -> Result<(), KeyError> {
    let hidden = hidden(file);
    let written = write_through(&hidden, pem)
        .and_then(|()| fs::rename(&hidden, file))
        .and_then(|()| file.parent().map_or(Ok(()), |dir| File::open(dir)?.sync_all()));
    written.map_err(|error| {
        // The error to tell of is the first; this one changes nothing about it.
        let _ = fs::remove_file(&hidden);
        KeyError::io(file, error)
    })
}

fn hidden(file: &Path) -> PathBuf {
    let mut name = std::ffi::OsString::from(".");
    name.push(file.file_name().unwrap_or_default());
    name.push(".tmp");
    file.with_file_name(name)
}

fn write_through(path: &Path, pem: &str) -> std::io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(FILE_MODE).open(path)?;
    file.write_all(pem.as_bytes())?;
    file.sync_all()
}

/// PEM as of RFC 7468 §10.
fn pem(der: &[u8]) -> String {
    let mut base64 = STANDARD.encode(der);
    for at in (PEM_LINE..base64.len()).step_by(PEM_LINE).rev() {
        base64.insert(at, '\n');
    }
    format!("-----BEGIN PRIVATE KEY-----\n{base64}\n-----END PRIVATE KEY-----\n")
}
