//! Key files that appear and disappear while the service runs.

use std::fs;

use super::support::{Service, aged, chmod, decode, parts};
use kuntatutorit::auth::keys::{key_error::KeyError, key_ring::KeyRing};

fn kid(token: &str) -> String {
    let header: serde_json::Value = serde_json::from_slice(&decode(parts(token)[0])).unwrap();
    header["kid"].as_str().unwrap().to_owned()
}

#[test]
fn a_reload_without_changes_reports_none() {
    let service = Service::start();
    assert!(!service.tokens.reload().unwrap());
}

#[test]
fn a_reload_reports_a_change_once() {
    let service = Service::start();
    KeyRing::generate(service.dir.path()).unwrap();
    assert!(service.tokens.reload().unwrap());
    assert!(!service.tokens.reload().unwrap());
}

#[test]
fn a_new_key_signs_after_its_file_is_a_minute_old() {
    let service = Service::start();
    let new = KeyRing::generate(service.dir.path()).unwrap();
    service.tokens.reload().unwrap();
    assert_eq!(kid(&service.token()), service.key.kid);
    aged(&new, 59);
    service.tokens.reload().unwrap();
    assert_eq!(kid(&service.token()), service.key.kid);
    std::thread::sleep(std::time::Duration::from_millis(1100));
    assert_eq!(kid(&service.token()), new.kid);
    assert_eq!(service.verdict(&service.token()), "accepted");
}

#[test]
fn the_oldest_of_several_new_keys_signs() {
    let service = Service::start();
    let new = KeyRing::generate(service.dir.path()).unwrap();
    service.tokens.reload().unwrap();
    assert_eq!(kid(&service.token()), service.key.kid);
    fs::remove_file(&service.key.path).unwrap();
    service.tokens.reload().unwrap();
    assert_eq!(kid(&service.token()), new.kid);
}

#[test]
fn a_new_key_is_published_beside_the_old_one() {
    let service = Service::start();
    let new = KeyRing::generate(service.dir.path()).unwrap();
    service.tokens.reload().unwrap();
    let ring = service.tokens.keys();
    let listed: Vec<&str> = ring.list().map(|key| key.kid).collect();
    assert_eq!(listed, [&new.kid, &service.key.kid]);
}

#[test]
fn tokens_of_the_old_key_are_accepted_while_its_file_exists() {
    let service = Service::start();
    let (seen, unseen) = (service.token(), service.token());
    assert_eq!(service.verdict(&seen), "accepted");
    KeyRing::generate(service.dir.path()).unwrap();
    service.tokens.reload().unwrap();
    assert_eq!(service.verdict(&seen), "accepted");
    assert_eq!(service.verdict(&unseen), "accepted");
}

#[test]
fn a_token_of_a_removed_key_is_refused() {
    let service = Service::start();
    let token = service.token();
    KeyRing::generate(service.dir.path()).unwrap();
    fs::remove_file(&service.key.path).unwrap();
    service.tokens.reload().unwrap();
    assert_eq!(service.verdict(&token), "kid");
}

#[test]
fn a_remembered_token_of_a_removed_key_is_refused() {
    let service = Service::start();
    let token = service.token();
    assert_eq!(service.verdict(&token), "accepted");
    KeyRing::generate(service.dir.path()).unwrap();
    fs::remove_file(&service.key.path).unwrap();
    service.tokens.reload().unwrap();
    assert_eq!(service.verdict(&token), "kid");
}

#[test]
fn a_token_of_a_key_that_is_not_loaded_is_accepted_after_loading_it() {
    let service = Service::start();
    let new = KeyRing::generate(service.dir.path()).unwrap();
    aged(&new, 61);
    let ahead = kuntatutorit::auth::tokens::access_tokens::Tokens::new(
        KeyRing::load(service.dir.path()).unwrap(),
        super::support::ISSUER.into(),
        super::support::AUDIENCE.into(),
    );
    let token = ahead.issue(&super::support::grant(), chrono::Utc::now()).unwrap();
    assert_eq!(kid(&token), new.kid);
    assert_eq!(service.verdict(&token), "kid");
    service.tokens.reload().unwrap();
    assert_eq!(service.verdict(&token), "accepted");
}

#[test]
fn the_old_keys_stay_in_use_while_a_file_is_broken() {
    let service = Service::start();
    let token = service.token();
    let broken = service.dir.path().join("99990101T000000Z-broken.pem");
    super::support::write_key(&broken, "nonsense", 0o600);
    assert!(matches!(service.tokens.reload(), Err(KeyError::Invalid { file }) if file == broken));
    assert_eq!(service.verdict(&token), "accepted");
    assert_eq!(kid(&service.token()), service.key.kid);
}

#[test]
fn every_reload_reports_a_broken_file_until_it_is_removed() {
    let service = Service::start();
    let broken = service.dir.path().join("99990101T000000Z-broken.pem");
    super::support::write_key(&broken, "nonsense", 0o600);
    assert!(service.tokens.reload().is_err());
    assert!(service.tokens.reload().is_err());
    fs::remove_file(&broken).unwrap();
    assert!(!service.tokens.reload().unwrap());
}

#[test]
fn the_last_key_stays_in_use_after_its_file_is_removed() {
    let service = Service::start();
    fs::remove_file(&service.key.path).unwrap();
    assert!(matches!(service.tokens.reload(), Err(KeyError::Empty { .. })));
    assert_eq!(service.verdict(&service.token()), "accepted");
}

#[test]
fn a_reload_reports_permissions_that_became_too_wide() {
    let service = Service::start();
    chmod(&service.key.path, 0o644);
    assert!(matches!(service.tokens.reload(), Err(KeyError::LooseFile { .. })));
}

#[test]
fn a_reload_notices_a_key_replaced_under_the_same_name() {
    let service = Service::start();
    let token = service.token();
    let new = KeyRing::generate(service.dir.path()).unwrap();
    fs::rename(&new.path, &service.key.path).unwrap();
    assert!(service.tokens.reload().unwrap());
    assert_eq!(service.verdict(&token), "kid");
    assert_eq!(kid(&service.token()), new.kid);
}
