//! Header parameters and headers that the service refuses, in tokens signed with the real key. `requests.rs` tests that
//! the service fetches nothing for them.

use serde_json::json;

use super::support::{Service, as_list, claims, with_duplicate};

fn parameter(name: &str, value: serde_json::Value) -> &'static str {
    let service = Service::start();
    service.verdict_on_header(&service.header_with(name, value))
}

#[test]
fn an_unknown_crit_is_refused() {
    assert_eq!(parameter("crit", json!(["exp"])), "header parameter");
}

#[test]
fn an_empty_crit_is_refused() {
    assert_eq!(parameter("crit", json!([])), "header parameter");
}

#[test]
fn an_embedded_jwk_is_refused() {
    let service = Service::start();
    let jwk = serde_json::to_value(&service.tokens.keys().jwks().keys[0]).unwrap();
    assert_eq!(parameter("jwk", jwk), "header parameter");
}

/// CVE-2018-0114: the token carries the forger's own key.
#[test]
fn an_embedded_jwk_under_the_real_kid_is_refused() {
    let (service, forger) = (Service::start(), Service::start());
    let jwk = serde_json::to_value(&forger.tokens.keys().jwks().keys[0]).unwrap();
    let header = service.header_with("jwk", jwk).to_string();
    let token = forger.forge(&header, &claims().to_string());
    assert_eq!(service.verdict(&token), "header parameter");
}

#[test]
fn a_jku_is_refused() {
    assert_eq!(parameter("jku", json!("https://forger.example/jwks.json")), "header parameter");
}

#[test]
fn an_x5u_is_refused() {
    assert_eq!(parameter("x5u", json!("https://forger.example/chain.pem")), "header parameter");
}

#[test]
fn an_x5c_is_refused() {
    assert_eq!(parameter("x5c", json!(["MIIB"])), "header parameter");
}

#[test]
fn an_enc_is_refused() {
    assert_eq!(parameter("enc", json!("A256GCM")), "header parameter");
}

#[test]
fn a_zip_is_refused() {
    assert_eq!(parameter("zip", json!("DEF")), "header parameter");
}

#[test]
fn b64_false_is_refused() {
    assert_eq!(parameter("b64", json!(false)), "header parameter");
}

#[test]
fn a_duplicate_alg_is_refused() {
    let service = Service::start();
    let header = with_duplicate(&service.header(), r#""alg":"ES256""#);
    assert_eq!(service.verdict(&service.forge(&header, &claims().to_string())), "header");
}

#[test]
fn a_duplicate_kid_written_with_an_escape_is_refused() {
    let service = Service::start();
    let kid = &service.key.kid;
    let header = with_duplicate(&service.header(), &format!(r#""k\u0069d":"{kid}""#));
    assert_eq!(service.verdict(&service.forge(&header, &claims().to_string())), "header");
}

#[test]
fn a_header_that_is_a_list_is_refused() {
    let service = Service::start();
    let header = as_list(&service.header(), &["typ", "alg", "kid"]);
    assert_eq!(service.verdict(&service.forge(&header, &claims().to_string())), "header");
}

#[test]
fn a_header_that_is_not_json_is_refused() {
    let service = Service::start();
    assert_eq!(service.verdict(&service.forge("ES256", &claims().to_string())), "header");
}

#[test]
fn a_header_with_trailing_data_is_refused() {
    let service = Service::start();
    let header = format!("{}{{}}", service.header());
    assert_eq!(service.verdict(&service.forge(&header, &claims().to_string())), "header");
}
