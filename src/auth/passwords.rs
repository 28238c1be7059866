//! Hashes passwords with argon2id.

use argon2::{
    Argon2,
    password_hash::{PasswordHasher as _, PasswordVerifier as _, phc::PasswordHash},
};

use super::{hashing_places::Place, hashing_queue::run};
use crate::problem::{Error, Result};

/// The length of a password, in characters.
pub const LENGTH: std::ops::RangeInclusive<usize> = 10..=200;
/// The hash that is verified when the account is unknown or has no password, so that this takes as long as verifying a
/// password. It is a hash of random bytes, so no password matches it. It is a constant because computing it would make
/// the first such sign-in slower than the others.
const UNKNOWN_ACCOUNT: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$gGidi7nIereAYmEvDA6oUw$XNUqqpeUZP6A5VaCGH7+PGPN16L3TOH4hdMIQrb50oM";

/// Hashes a password. Returns the hash in PHC form.
pub async fn hash(place: Place, password: String) -> Result<String> {
    run(place, move || hash_now(&password)).await?
}

/// Returns whether the password matches the stored hash. Without a stored hash, the function takes the same time and
/// returns false.
pub async fn verify(place: Place, password: String, stored: Option<String>) -> Result<bool> {
    run(place, move || {
        let has_password = stored.is_some();
        let stored = stored.as_deref().unwrap_or(UNKNOWN_ACCOUNT);
        let matches = PasswordHash::new(stored)
            .is_ok_and(|hash| Argon2::default().verify_password(password.as_bytes(), &hash).is_ok());
        matches && has_password
    })
    .await
}

/// Hashes a password on the current thread. It is for the command line, where no request waits.
pub fn hash_now(password: &str) -> Result<String> {
    let hash = Argon2::default().hash_password(password.as_bytes());
    Ok(hash.map_err(|error| Error::Internal(error.to_string().into()))?.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the parts of a hash that decide how long verifying takes: algorithm, version and parameters, and the
    /// lengths of the salt and of the hash.
    fn cost(hash: &str) -> (&str, usize, usize) {
        assert!(PasswordHash::new(hash).is_ok(), "{hash}");
        let parts: Vec<&str> = hash.rsplitn(3, '$').collect();
        (parts[2], parts[1].len(), parts[0].len())
    }

    #[test]
    fn the_hash_for_unknown_accounts_costs_as_much_as_any_other() {
        assert_eq!(cost(UNKNOWN_ACCOUNT), cost(&hash_now("somebody's password").unwrap()));
    }
}
