//! Hashes passwords with argon2id.
//!
//! The same password can arrive in several forms: one keyboard sends `ä` as one character, another one as `a` with
//! U+0308; one sends a no-break space for a space. So a password is hashed in the form of the profile OpaqueString (RFC
//! 8265, section 4.2.2). A password that was stored before in the form in which it had arrived still works in that
//! form, and is then stored again. Characters that the profile disallows are accepted, because somebody may have a
//! password with one.

use std::borrow::Cow;

use argon2::{
    Argon2,
    password_hash::{PasswordHasher as _, PasswordVerifier as _, phc::PasswordHash},
};
use unicode_normalization::{UnicodeNormalization as _, is_nfc};

use super::{hashing_places::Place, hashing_queue::run};
use crate::problem::{Error, Result};

/// The length of a password, in characters.
pub const LENGTH: std::ops::RangeInclusive<usize> = 10..=200;
/// The hash that is verified when the account is unknown or has no password, so that this takes as long as verifying a
/// password. It is a hash of random bytes, so no password matches it. It is a constant because computing it would make
/// the first such sign-in slower than the others.
const UNKNOWN_ACCOUNT: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$gGidi7nIereAYmEvDA6oUw$XNUqqpeUZP6A5VaCGH7+PGPN16L3TOH4hdMIQrb50oM";

/// The outcome of verifying a password.
#[derive(Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The password does not match.
    Wrong,
    /// The password matches.
    Correct,
    /// The password matches the hash of the form in which it was sent. This is its hash in the normalised form, to be
    /// stored instead.
    CorrectAsSent(String),
}

/// Hashes a password. Returns the hash in PHC form.
pub async fn hash(place: Place, password: String) -> Result<String> {
    run(place, move || hash_now(&password)).await?
}

/// Verifies a password. Without a stored hash, the function takes the same time, and the password does not match.
pub async fn verify(place: Place, password: String, stored: Option<String>) -> Result<Outcome> {
    run(place, move || {
        let has_password = stored.is_some();
        let stored = stored.as_deref().unwrap_or(UNKNOWN_ACCOUNT);
        let normalized = normalize(&password);
        if matches(&normalized, stored) {
            return Ok(if has_password { Outcome::Correct } else { Outcome::Wrong });
        }
        if *normalized == password || !matches(&password, stored) || !has_password {
            return Ok(Outcome::Wrong);
        }
        hash_now(&password).map(Outcome::CorrectAsSent)
    })
    .await?
}

fn matches(password: &str, stored: &str) -> bool {
    PasswordHash::new(stored).is_ok_and(|hash| Argon2::default().verify_password(password.as_bytes(), &hash).is_ok())
}

/// Hashes a password on the current thread. It is for the command line, where no request waits.
pub fn hash_now(password: &str) -> Result<String> {
    let hash = Argon2::default().hash_password(normalize(password).as_bytes());
    Ok(hash.map_err(|error| Error::Internal(error.to_string().into()))?.to_string())
}

/// Returns whether a new password has an allowed length, in characters of its normalised form.
pub fn has_allowed_length(password: &str) -> bool {
    LENGTH.contains(&normalize(password).chars().count())
}

/// Returns the password with spaces for all characters of the category Zs, and composed (NFC).
fn normalize(password: &str) -> Cow<'_, str> {
    let is_space =
        |c: char| matches!(c, '\u{a0}' | '\u{1680}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}');
    if is_nfc(password) && !password.contains(is_space) {
        return Cow::Borrowed(password);
    }
    Cow::Owned(password.chars().map(|c| if is_space(c) { ' ' } else { c }).nfc().collect())
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
    fn equal_passwords_have_one_form() {
        for (sent, normalized) in [
            ("pa\u{308}a\u{308} sana", "pää sana"),
            ("salasana\u{a0}on\u{3000}pitkä", "salasana on pitkä"),
            ("\u{212b}ngstro\u{308}m", "Ångström"),
            (" Isot ja PIENET ", " Isot ja PIENET "),
            ("\u{200b}\u{feff}", "\u{200b}\u{feff}"),
        ] {
            assert_eq!(normalize(sent), normalized);
            assert_eq!(normalize(normalized), normalized);
        }
        assert!(!has_allowed_length(&"a\u{308}".repeat(9)) && has_allowed_length(&"a\u{308}".repeat(10)));
    }

    #[test]
    fn the_hash_for_unknown_accounts_costs_as_much_as_any_other() {
        assert_eq!(cost(UNKNOWN_ACCOUNT), cost(&hash_now("somebody's password").unwrap()));
    }
}
