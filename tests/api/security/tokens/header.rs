//! Refused for `typ`, `alg` or `kid`, though signed with the true key.

use serde_json::json;

use super::support::{Service, TempDir, claims, encode, es256};
use kuntatutorit::auth::keys::KeyRing;

#[test]
fn a_forgery_without_a_fault_is_accepted() {
    let service = Service::start();
    assert_eq!(service.verdict_on_header(&service.header()), "accepted");
}

#[test]
fn typ_in_full_and_any_casing_is_accepted() {
    let service = Service::start();
    let header = service.header_with("typ", json!("Application/AT+JWT"));
    assert_eq!(service.verdict_on_header(&header), "accepted");
}

#[test]
fn typ_jwt() {
    let service = Service::start();
    assert_eq!(service.verdict_on_header(&service.header_with("typ", json!("JWT"))), "typ");
}

#[test]
fn typ_missing() {
    let service = Service::start();
    assert_eq!(service.verdict_on_header(&service.header_with("typ", json!(null))), "typ");
}

#[test]
fn typ_not_a_string() {
    let service = Service::start();
    assert_eq!(service.verdict_on_header(&service.header_with("typ", json!(["at+jwt"]))), "typ");
}

#[test]
fn alg_none() {
    let service = Service::start();
    assert_eq!(service.verdict_on_header(&service.header_with("alg", json!("none"))), "alg");
}

#[test]
fn alg_none_capitalised() {
    let service = Service::start();
    assert_eq!(service.verdict_on_header(&service.header_with("alg", json!("None"))), "alg");
}

#[test]
fn alg_none_in_capitals() {
    let service = Service::start();
    assert_eq!(service.verdict_on_header(&service.header_with("alg", json!("NONE"))), "alg");
}

#[test]
fn alg_none_in_mixed_casing() {
    let service = Service::start();
    assert_eq!(service.verdict_on_header(&service.header_with("alg", json!("nOnE"))), "alg");
}

#[test]
fn alg_es256_in_small_letters() {
    let service = Service::start();
    assert_eq!(service.verdict_on_header(&service.header_with("alg", json!("es256"))), "alg");
}

#[test]
fn alg_hs256() {
    let service = Service::start();
    assert_eq!(service.verdict_on_header(&service.header_with("alg", json!("HS256"))), "alg");
}

#[test]
fn alg_es384() {
    let service = Service::start();
    assert_eq!(service.verdict_on_header(&service.header_with("alg", json!("ES384"))), "alg");
}

#[test]
fn alg_rs256() {
    let service = Service::start();
    assert_eq!(service.verdict_on_header(&service.header_with("alg", json!("RS256"))), "alg");
}

#[test]
fn alg_eddsa() {
    let service = Service::start();
    assert_eq!(service.verdict_on_header(&service.header_with("alg", json!("EdDSA"))), "alg");
}

#[test]
fn alg_missing() {
    let service = Service::start();
    assert_eq!(service.verdict_on_header(&service.header_with("alg", json!(null))), "alg");
}

#[test]
fn kid_missing() {
    let service = Service::start();
    assert_eq!(service.verdict_on_header(&service.header_with("kid", json!(null))), "kid");
}

#[test]
fn kid_empty() {
    let service = Service::start();
    assert_eq!(service.verdict_on_header(&service.header_with("kid", json!(""))), "kid");
}

#[test]
fn kid_not_a_string() {
    let service = Service::start();
    assert_eq!(service.verdict_on_header(&service.header_with("kid", json!(0))), "kid");
}

#[test]
fn kid_of_a_key_elsewhere() {
    let (service, elsewhere) = (Service::start(), TempDir::new());
    let stranger = KeyRing::generate(elsewhere.path()).unwrap();
    let header = service.header_with("kid", json!(stranger.kid)).to_string();
    let message = format!("{}.{}", encode(header), encode(claims().to_string()));
    let token = format!("{message}.{}", es256(&stranger.path, &message));
    assert_eq!(service.verdict(&token), "kid");
}

#[test]
fn kid_like_a_path() {
    let service = Service::start();
    let header = service.header_with("kid", json!("../../etc/passwd"));
    assert_eq!(service.verdict_on_header(&header), "kid");
}

#[test]
fn kid_that_is_the_path_of_the_key() {
    let service = Service::start();
    let header = service.header_with("kid", json!(service.key.path));
    assert_eq!(service.verdict_on_header(&header), "kid");
}

#[test]
fn kid_that_is_a_part_of_a_kid() {
    let service = Service::start();
    let header = service.header_with("kid", json!(service.key.kid[..8]));
    assert_eq!(service.verdict_on_header(&header), "kid");
}

#[test]
fn kid_of_ten_kilobytes() {
    let service = Service::start();
    let header = service.header_with("kid", json!("k".repeat(10 * 1024)));
    assert_eq!(service.verdict_on_header(&header), "length");
}

#[test]
fn kid_of_five_kilobytes() {
    let service = Service::start();
    let header = service.header_with("kid", json!("k".repeat(5 * 1024)));
    assert_eq!(service.verdict_on_header(&header), "kid");
}
