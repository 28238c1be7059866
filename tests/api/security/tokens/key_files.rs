//! Key files that the service refuses.

use std::fs;
use std::path::Path;

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, EcdsaSigningAlgorithm,
};

use super::support::{TempDir, chmod, pem, write_key};
use kuntatutorit::auth::keys::{key_error::KeyError, key_ring::KeyRing};

fn load_error(dir: &Path) -> KeyError {
    KeyRing::load(dir).unwrap_err()
}

fn pkcs8(algorithm: &'static EcdsaSigningAlgorithm) -> Vec<u8> {
    EcdsaKeyPair::generate(algorithm).unwrap().to_pkcs8v1().unwrap().as_ref().to_vec()
}

/// Asserts that the error about a key file with this content names the file.
fn assert_invalid(content: &str) {
    let dir = TempDir::new();
    let file = dir.path().join("20260101T000000Z-x.pem");
    write_key(&file, content, 0o600);
    let error = load_error(dir.path());
    assert!(matches!(&error, KeyError::Invalid { file: named } if *named == file), "{error:?}");
    assert!(error.to_string().contains(file.to_str().unwrap()));
}

fn assert_loose(bits: u32) {
    let dir = TempDir::new();
    let key = KeyRing::generate(dir.path()).unwrap();
    chmod(&key.path, bits);
    let error = load_error(dir.path());
    assert!(matches!(error, KeyError::LooseFile { mode, .. } if mode == bits), "{error:?}");
    assert!(error.to_string().contains(&format!("chmod 600 {}", key.path.display())));
}

#[test]
fn a_key_file_that_the_group_can_read_is_refused() {
    assert_loose(0o640);
}

#[test]
fn a_key_file_that_others_can_read_is_refused() {
    assert_loose(0o604);
}

#[test]
fn a_key_file_that_others_can_write_is_refused() {
    assert_loose(0o602);
}

#[test]
fn a_key_file_that_only_its_owner_can_read_is_accepted() {
    let dir = TempDir::new();
    chmod(&KeyRing::generate(dir.path()).unwrap().path, 0o400);
    assert!(KeyRing::load(dir.path()).is_ok());
}

#[test]
fn a_key_directory_that_others_can_write_to_is_refused() {
    let dir = TempDir::new();
    KeyRing::generate(dir.path()).unwrap();
    chmod(dir.path(), 0o1777);
    let error = load_error(dir.path());
    assert!(error.to_string().contains("run `chmod 700"), "{error}");
}

#[test]
fn a_p384_key_is_refused() {
    assert_invalid(&pem("PRIVATE KEY", &pkcs8(&ECDSA_P384_SHA384_FIXED_SIGNING)));
}

#[test]
fn an_ed25519_key_is_refused() {
    let pair = aws_lc_rs::signature::Ed25519KeyPair::generate().unwrap();
    assert_invalid(&pem("PRIVATE KEY", pair.to_pkcs8v1().unwrap().as_ref()));
}

#[test]
fn a_key_with_another_pem_label_is_refused() {
    assert_invalid(&pem("EC PRIVATE KEY", &pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING)));
}

#[test]
fn a_truncated_key_is_refused() {
    assert_invalid(&pem("PRIVATE KEY", &pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING)[..100]));
}

#[test]
fn an_empty_key_file_is_refused() {
    assert_invalid("");
}

/// The public half of one key with the private half of another.
#[test]
fn a_key_whose_halves_do_not_match_is_refused() {
    let [one, other] = [(); 2].map(|()| pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING));
    let point = one.len() - 65;
    assert_eq!((one[point], other[point]), (4, 4));
    assert_invalid(&pem("PRIVATE KEY", &[&one[..point], &other[point..]].concat()));
}

#[test]
fn a_directory_named_like_a_key_file_is_refused() {
    let dir = TempDir::new();
    fs::create_dir(dir.path().join("a.pem")).unwrap();
    assert!(matches!(load_error(dir.path()), KeyError::Invalid { .. }));
}

#[test]
fn the_same_key_in_two_files_is_refused() {
    let dir = TempDir::new();
    let key = KeyRing::generate(dir.path()).unwrap();
    fs::copy(&key.path, key.path.with_extension("backup.pem")).unwrap();
    assert!(matches!(load_error(dir.path()), KeyError::Duplicate { .. }));
}
