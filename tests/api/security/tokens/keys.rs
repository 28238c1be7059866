//! Generating, loading and publishing keys.

use std::fs;
use std::path::Path;

use sha2::{Digest as _, Sha256};

use super::support::{TempDir, aged, encode, mode, write_key};
use kuntatutorit::auth::keys::{key_error::KeyError, key_ring::KeyRing};

fn load_error(dir: &Path) -> KeyError {
    KeyRing::load(dir).unwrap_err()
}

#[test]
fn only_the_owner_can_read_a_new_key_file() {
    let dir = TempDir::new();
    let key = KeyRing::generate(dir.path()).unwrap();
    assert_eq!(mode(&key.path), 0o600);
}

#[test]
fn only_the_owner_can_use_a_new_key_directory() {
    let dir = TempDir::new();
    let keys = dir.path().join("service/keys");
    KeyRing::generate(&keys).unwrap();
    assert_eq!(mode(&keys), 0o700);
}

#[test]
fn generating_a_key_leaves_no_other_file() {
    let dir = TempDir::new();
    let key = KeyRing::generate(dir.path()).unwrap();
    let left: Vec<_> = fs::read_dir(dir.path()).unwrap().map(|file| file.unwrap().path()).collect();
    assert_eq!(left, [key.path]);
}

#[test]
fn a_key_file_is_named_by_time_and_kid() {
    let dir = TempDir::new();
    let key = KeyRing::generate(dir.path()).unwrap();
    let name = key.path.file_name().unwrap().to_str().unwrap();
    let (time, kid) = name.split_once('-').unwrap();
    assert!(chrono::NaiveDateTime::parse_from_str(time, "%Y%m%dT%H%M%S%.6fZ").is_ok(), "{name}");
    assert_eq!(kid, format!("{}.pem", &key.kid[..8]));
}

#[test]
fn a_key_file_has_the_format_of_openssl() {
    let dir = TempDir::new();
    let key = KeyRing::generate(dir.path()).unwrap();
    let content = fs::read_to_string(key.path).unwrap();
    let lines: Vec<&str> = content.lines().collect();
    assert_eq!(lines.first(), Some(&"-----BEGIN PRIVATE KEY-----"));
    assert_eq!(lines.last(), Some(&"-----END PRIVATE KEY-----"));
    let body = &lines[1..lines.len() - 1];
    assert!(body[..body.len() - 1].iter().all(|line| line.len() == 64));
    assert!((1..=64).contains(&body[body.len() - 1].len()));
}

#[test]
fn the_jwks_publishes_only_public_keys() {
    let dir = TempDir::new();
    let key = KeyRing::generate(dir.path()).unwrap();
    let jwks = serde_json::to_value(KeyRing::load(dir.path()).unwrap().jwks()).unwrap();
    let jwk = jwks["keys"][0].as_object().unwrap();
    let mut names: Vec<&str> = jwk.keys().map(String::as_str).collect();
    names.sort_unstable();
    assert_eq!(names, ["alg", "crv", "kid", "kty", "use", "x", "y"]);
    assert_eq!((&jwk["kty"], &jwk["crv"]), (&"EC".into(), &"P-256".into()));
    assert_eq!((&jwk["alg"], &jwk["use"]), (&"ES256".into(), &"sig".into()));
    assert_eq!(jwk["kid"], key.kid);
}

#[test]
fn the_kid_is_the_thumbprint_of_rfc_7638() {
    let dir = TempDir::new();
    let key = KeyRing::generate(dir.path()).unwrap();
    let jwks = serde_json::to_value(KeyRing::load(dir.path()).unwrap().jwks()).unwrap();
    let jwk = &jwks["keys"][0];
    let members = format!(r#"{{"crv":"P-256","kty":"EC","x":{},"y":{}}}"#, jwk["x"], jwk["y"]);
    assert_eq!(key.kid, encode(Sha256::digest(members)));
}

#[test]
fn all_keys_are_published_and_the_newest_signs() {
    let dir = TempDir::new();
    let old = KeyRing::generate(dir.path()).unwrap();
    let new = KeyRing::generate(dir.path()).unwrap();
    aged(&new, 61);
    let ring = KeyRing::load(dir.path()).unwrap();
    let listed: Vec<_> = ring.list().map(|key| (key.kid, key.file, key.signs)).collect();
    let newest_first = [(new.kid.as_str(), new.path.as_path(), true), (old.kid.as_str(), old.path.as_path(), false)];
    assert_eq!(listed, newest_first);
    let published: Vec<_> = ring.jwks().keys.iter().map(|key| key.common.key_id.clone()).collect();
    assert_eq!(published, [Some(new.kid), Some(old.kid)]);
}

#[test]
fn the_first_key_is_generated_once() {
    let dir = TempDir::new();
    let keys = dir.path().join("keys");
    let kid = |ring: KeyRing| ring.list().map(|key| key.kid.to_owned()).collect::<Vec<_>>();
    let made = kid(KeyRing::load_or_generate(&keys).unwrap());
    assert_eq!(made.len(), 1);
    assert_eq!(kid(KeyRing::load_or_generate(&keys).unwrap()), made);
}

#[test]
fn load_or_generate_refuses_a_bad_file() {
    let dir = TempDir::new();
    write_key(&dir.path().join("a.pem"), "nonsense", 0o600);
    assert!(matches!(KeyRing::load_or_generate(dir.path()), Err(KeyError::Invalid { .. })));
}

#[test]
fn an_empty_directory_is_an_error() {
    let dir = TempDir::new();
    assert!(matches!(load_error(dir.path()), KeyError::Empty { .. }));
}

#[test]
fn a_missing_directory_is_an_error() {
    let dir = TempDir::new();
    assert!(matches!(load_error(&dir.path().join("none")), KeyError::Empty { .. }));
}

#[test]
fn other_and_hidden_files_are_ignored() {
    let dir = TempDir::new();
    write_key(&dir.path().join("README"), "nonsense", 0o644);
    write_key(&dir.path().join(".half-written.pem"), "nonsense", 0o644);
    assert!(matches!(load_error(dir.path()), KeyError::Empty { .. }));
}

#[test]
fn a_key_that_could_never_sign_is_not_generated() {
    let dir = TempDir::new();
    let key = KeyRing::generate(dir.path()).unwrap();
    let last = dir.path().join("old-key.pem");
    fs::rename(&key.path, &last).unwrap();
    let error = KeyRing::generate(dir.path()).unwrap_err();
    assert!(matches!(&error, KeyError::NotNewest { file } if *file == last), "{error:?}");
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
}

#[test]
fn debug_output_shows_no_private_key() {
    let dir = TempDir::new();
    let key = KeyRing::generate(dir.path()).unwrap();
    let secret = fs::read_to_string(&key.path).unwrap();
    let shown = format!("{:?}", KeyRing::load(dir.path()).unwrap());
    assert!(shown.contains(&key.kid));
    assert!(secret.lines().all(|line| !shown.contains(line)));
    assert!(shown.contains("[redacted]"));
}
