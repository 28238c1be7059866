//! Secrets that the service makes: 256 random bits, told once and stored hashed.

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use sha2::{Digest as _, Sha256};

use crate::problem::{Error, Result};

/// A new secret, as it is told.
///
/// # Errors
/// When the machine has no randomness.
pub fn generate() -> Result<String> {
    let mut random = [0_u8; 32];
    aws_lc_rs::rand::fill(&mut random).map_err(|_| Error::Internal("no randomness".into()))?;
    Ok(BASE64_URL_SAFE_NO_PAD.encode(random))
}

/// What is stored of a secret: 256 random bits need no slow hash.
pub fn hash(secret: &str) -> Vec<u8> {
    Sha256::digest(secret).to_vec()
}
