//! Values of `typ`, `alg` and `kid` that the service refuses, in tokens signed with the real key.

use serde_json::json;

use super::support::{Service, TempDir, claims, encode, es256};
use kuntatutorit::auth::keys::key_ring::KeyRing;

#[test]
fn an_unaltered_header_is_accepted() {
    let service = Service::start();
    assert_eq!(service.verdict_on_header(&service.header()), "accepted");
}

#[test]
fn a_full_media_type_in_any_case_is_accepted_as_typ() {
    let service = Service::start();
    let header = service.header_with("typ", json!("Application/AT+JWT"));
    assert_eq!(service.verdict_on_header(&header), "accepted");
}

#[test]
fn typ_jwt_is_refused() {
    let service = Service::start();
    assert_eq!(service.verdict_on_header(&service.header_with("typ", json!("JWT"))), "typ");
}

#[test]
fn a_missing_typ_is_refused() {
    let service = Service::start();
    assert_eq!(service.verdict_on_header(&service.header_with("typ", json!(null))), "typ");
}

#[test]
fn a_typ_that_is_not_a_string_is_refused() {
    let service = Service::start();
    assert_eq!(service.verdict_on_header(&service.header_with("typ", json!(["at+jwt"]))), "typ");
}

#[test]
fn alg_none_is_refused() {
    let service = Service::start();
    assert_eq!(service.verdict_on_header(&service.header_with("alg", json!("none"))), "alg");
}

#[test]
fn alg_none_with_a_capital_is_refused() {
    let service = Service::start();
    assert_eq!(service.verdict_on_header(&service.header_with("alg", json!("None"))), "alg");
}

#[test]
fn alg_none_in_capitals_is_refused() {
    let service = Service::start();
    assert_eq!(service.verdict_on_header(&service.header_with("alg", json!("NONE"))), "alg");
}

#[test]
fn alg_none_in_mixed_case_is_refused() {
    let service = Service::start();
    assert_eq!(service.verdict_on_header(&service.header_with("alg", json!("nOnE"))), "alg");
}

#[test]
fn alg_es256_in_lower_case_is_refused() {
    let service = Service::start();
    assert_eq!(service.verdict_on_header(&service.header_with("alg", json!("es256"))), "alg");
}

#[test]
fn alg_hs256_is_refused() {
    let service = Service::start();
    assert_eq!(service.verdict_on_header(&service.header_with("alg", json!("HS256"))), "alg");
}

#[test]
fn alg_es384_is_refused() {
    let service = Service::start();
    assert_eq!(service.verdict_on_header(&service.header_with("alg", json!("ES384"))), "alg");
}

#[test]
fn alg_rs256_is_refused() {
    let service = Service::start();
    assert_eq!(service.verdict_on_header(&service.header_with("alg", json!("RS256"))), "alg");
}

#[test]
fn alg_eddsa_is_refused() {
    let service = Service::start();
    assert_eq!(service.verdict_on_header(&service.header_with("alg", json!("EdDSA"))), "alg");
}

#[test]
fn a_missing_alg_is_refused() {
    let service = Service::start();
    assert_eq!(service.verdict_on_header(&service.header_with("alg", json!(null))), "alg");
}

#[test]
fn a_missing_kid_is_refused() {
    let service = Service::start();
    assert_eq!(service.verdict_on_header(&service.header_with("kid", json!(null))), "kid");
}

#[test]
fn an_empty_kid_is_refused() {
    let service = Service::start();
    assert_eq!(service.verdict_on_header(&service.header_with("kid", json!(""))), "kid");
}

#[test]
fn a_kid_that_is_not_a_string_is_refused() {
    let service = Service::start();
    assert_eq!(service.verdict_on_header(&service.header_with("kid", json!(0))), "kid");
}

#[test]
fn the_kid_of_another_services_key_is_refused() {
    let (service, elsewhere) = (Service::start(), TempDir::new());
    let stranger = KeyRing::generate(elsewhere.path()).unwrap();
    let header = service.header_with("kid", json!(stranger.kid)).to_string();
    let message = format!("{}.{}", encode(header), encode(claims().to_string()));
    let token = format!("{message}.{}", es256(&stranger.path, &message));
    assert_eq!(service.verdict(&token), "kid");
}

#[test]
fn a_kid_that_looks_like_a_path_is_refused() {
    let service = Service::start();
    let header = service.header_with("kid", json!("../../etc/passwd"));
    assert_eq!(service.verdict_on_header(&header), "kid");
}

#[test]
fn a_kid_that_is_the_path_of_the_key_is_refused() {
    let service = Service::start();
    let header = service.header_with("kid", json!(service.key.path));
    assert_eq!(service.verdict_on_header(&header), "kid");
}

#[test]
fn a_part_of_the_right_kid_is_refused() {
    let service = Service::start();
    let header = service.header_with("kid", json!(service.key.kid[..8]));
    assert_eq!(service.verdict_on_header(&header), "kid");
}

#[test]
fn a_kid_of_ten_kilobytes_is_refused() {
    let service = Service::start();
    let header = service.header_with("kid", json!("k".repeat(10 * 1024)));
    assert_eq!(service.verdict_on_header(&header), "length");
}

#[test]
fn a_kid_of_five_kilobytes_is_refused() {
    let service = Service::start();
    let header = service.header_with("kid", json!("k".repeat(5 * 1024)));
    assert_eq!(service.verdict_on_header(&header), "kid");
}
