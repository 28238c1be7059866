//! Secrets that the service generates: 256 random bits. The caller gets a secret only once; the service stores only its
//! hash.

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use sha2::{Digest as _, Sha256};

use crate::problem::{Error, Result};

/// Generates a secret, in base64url.
pub fn generate() -> Result<String> {
    let mut random = [0_u8; 32];
    aws_lc_rs::rand::fill(&mut random).map_err(|_| Error::Internal("no randomness".into()))?;
    Ok(BASE64_URL_SAFE_NO_PAD.encode(random))
}

/// Returns the hash of a secret, as it is stored. A fast hash is enough, because nobody can guess 256 random bits.
pub fn hash(secret: &str) -> Vec<u8> {
    Sha256::digest(secret).to_vec()
}
