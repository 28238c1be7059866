//! Reading and writing the key files of a [`KeyRing`](super::key_ring::KeyRing).

use std::{
    ffi::{OsStr, OsString},
    fs::{self, DirBuilder, File, Metadata, OpenOptions},
    io::{ErrorKind, Read as _, Write as _},
    os::unix::{
        ffi::OsStrExt as _,
        fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _},
    },
    path::{Path, PathBuf},
    time::SystemTime,
};

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use chrono::Utc;
use jsonwebtoken::{
    Algorithm, DecodingKey, EncodingKey,
    jwk::{Jwk, PublicKeyUse, ThumbprintHash},
};
use rustix::{
    fs::{StatVfsMountFlags, statvfs},
    process::geteuid,
};

use super::key_error::KeyError;

const FILE_MODE: u32 = 0o600;
const DIR_MODE: u32 = 0o700;
const PERMISSION_BITS: u32 = 0o7777;
const GROUP_OR_OTHERS: u32 = 0o077;
const GROUP_OR_OTHERS_WRITE: u32 = 0o022;
const GROUP_WRITE_OR_OTHERS: u32 = 0o027;
const PEM_LINE: usize = 64;

/// A private key with its public half and its file.
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
    /// Generates a key whose file will be in `dir`. Returns it with the content of that file, which is not written yet.
    pub(in crate::auth) fn generate(dir: &Path) -> Result<(Self, String), KeyError> {
        let der = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING)
            .and_then(|pair| pair.to_pkcs8v1())
            .map_err(|_| KeyError::Generate)?;
        let pem = pem(der.as_ref());
        let mut key = Self::parse(pem.as_bytes(), dir, SystemTime::now()).ok_or(KeyError::Generate)?;
        // Microseconds, because two keys of the same second would be sorted by their kid.
        let created = Utc::now().format("%Y%m%dT%H%M%S%.6fZ");
        key.file = dir.join(format!("{created}-{}.pem", &key.kid[..8]));
        Ok((key, pem))
    }

    /// Reads a key from its file.
    pub(in crate::auth) fn read(file: &Path) -> Result<Self, KeyError> {
        let io = |error| KeyError::io(file, error);
        let mut opened = File::open(file).map_err(io)?;
        let metadata = opened.metadata().map_err(io)?;
        let mode = metadata.mode() & PERMISSION_BITS;
        if mode & forbidden_bits(&metadata) != 0 {
            return Err(KeyError::LooseFile { file: file.to_owned(), mode });
        }
        let mut pem = Vec::new();
        opened.read_to_end(&mut pem).map_err(io)?;
        let modified = metadata.modified().map_err(io)?;
        Self::parse(&pem, file, modified).ok_or_else(|| KeyError::Invalid { file: file.to_owned() })
    }

    /// Parses a key on the curve P-256; returns none for any other content. Deriving the public half for ES256 checks the
    /// curve, and that the two halves belong together.
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

    /// Returns when the file was written or copied into the directory.
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

/// Returns the permissions that the file of a key must not give. As in PostgreSQL, the group may read a file of root:
/// the secret volumes of Kubernetes and the credentials of systemd have such files.
fn forbidden_bits(metadata: &Metadata) -> u32 {
    if metadata.uid() == 0 && !geteuid().is_root() { GROUP_WRITE_OR_OTHERS } else { GROUP_OR_OTHERS }
}

/// The name and the metadata of a key file. Two values differ whenever the file may have changed.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::auth) struct KeyFile {
    path: PathBuf,
    inode: u64,
    size: u64,
    modified: (i64, i64),
    /// Unlike `modified`, this also changes with the permissions, and no program can set it back.
    changed: (i64, i64),
}

impl KeyFile {
    fn new(path: PathBuf, metadata: &Metadata) -> Self {
        Self {
            path,
            inode: metadata.ino(),
            size: metadata.size(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        }
    }

    pub(in crate::auth) fn path(&self) -> &Path {
        &self.path
    }
}

/// Lists the key files of `dir`, the newest last. Hidden files are ignored. The list is empty if the directory does not
/// exist.
pub(in crate::auth) fn list(dir: &Path) -> Result<Vec<KeyFile>, KeyError> {
    let io = |error| KeyError::io(dir, error);
    let (owner, mode) = match fs::metadata(dir) {
        Ok(metadata) => (metadata.uid(), metadata.mode() & PERMISSION_BITS),
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(io(error)),
    };
    // The directory of a secret volume has mode 1777, but nobody can write to it.
    let is_read_only = owner == 0 && statvfs(dir).is_ok_and(|fs| fs.f_flag.contains(StatVfsMountFlags::RDONLY));
    if mode & GROUP_OR_OTHERS_WRITE != 0 && !is_read_only {
        return Err(KeyError::LooseDirectory { dir: dir.to_owned(), mode });
    }
    let mut files = Vec::new();
    for entry in fs::read_dir(dir).map_err(io)? {
        let name = entry.map_err(io)?.file_name();
        if is_key(&name) {
            let path = dir.join(name);
            let metadata = fs::metadata(&path).map_err(|error| KeyError::io(&path, error))?;
            if !metadata.is_file() {
                return Err(KeyError::Invalid { file: path });
            }
            files.push(KeyFile::new(path, &metadata));
        }
    }
    files.sort_by(|one, other| one.path.cmp(&other.path));
    Ok(files)
}

fn is_key(name: &OsStr) -> bool {
    let name = name.as_bytes();
    name.ends_with(b".pem") && !name.starts_with(b".")
}

/// Creates `dir`, and the directories above it that are missing, for the owner alone.
pub(in crate::auth) fn create_dir(dir: &Path) -> Result<(), KeyError> {
    DirBuilder::new().recursive(true).mode(DIR_MODE).create(dir).map_err(|error| KeyError::io(dir, error))
}

/// Writes a key file. Even after a power cut it is either absent or complete: the content is written to the disk under a
/// hidden name first.
pub(in crate::auth) fn write(file: &Path, pem: &str) -> Result<(), KeyError> {
    let hidden = hidden(file);
    let written = write_through(&hidden, pem)
        .and_then(|()| fs::rename(&hidden, file))
        .and_then(|()| file.parent().map_or(Ok(()), |dir| File::open(dir)?.sync_all()));
    written.map_err(|error| {
        // The first error is the one to report.
        let _ = fs::remove_file(&hidden);
        KeyError::io(file, error)
    })
}

fn hidden(file: &Path) -> PathBuf {
    let mut name = OsString::from(".");
    name.push(file.file_name().unwrap_or_default());
    name.push(".tmp");
    file.with_file_name(name)
}

fn write_through(path: &Path, pem: &str) -> std::io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(FILE_MODE).open(path)?;
    file.write_all(pem.as_bytes())?;
    file.sync_all()
}

/// Encodes a private key in PEM (RFC 7468, section 10).
fn pem(der: &[u8]) -> String {
    let mut base64 = BASE64_STANDARD.encode(der);
    for at in (PEM_LINE..base64.len()).step_by(PEM_LINE).rev() {
        base64.insert(at, '\n');
    }
    format!("-----BEGIN PRIVATE KEY-----\n{base64}\n-----END PRIVATE KEY-----\n")
}
