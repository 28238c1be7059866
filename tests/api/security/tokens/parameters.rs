//! Refused for a header parameter that is not issued, or for a header that is no
//! plain object, though signed with the true key. That nothing is fetched for it is in `requests`.

use serde_json::json;

use super::support::{Service, as_list, claims, with_duplicate};

fn parameter(name: &str, value: serde_json::Value) -> &'static str {
    let service = Service::start();
    service.verdict_on_header(&service.header_with(name, value))
}

#[test]
fn crit_unknown() {
    assert_eq!(parameter("crit", json!(["exp"])), "header parameter");
}

#[test]
fn crit_empty() {
    assert_eq!(parameter("crit", json!([])), "header parameter");
}

#[test]
fn jwk_embedded() {
    let service = Service::start();
    let jwk = serde_json::to_value(&service.tokens.keys().jwks().keys[0]).unwrap();
    assert_eq!(parameter("jwk", jwk), "header parameter");
}

/// CVE-2018-0114: the forger's own key, offered along with the token it signed.
#[test]
fn jwk_of_the_forger_under_the_true_kid() {
    let (service, forger) = (Service::start(), Service::start());
    let jwk = serde_json::to_value(&forger.tokens.keys().jwks().keys[0]).unwrap();
    let header = service.header_with("jwk", jwk).to_string();
    let token = forger.forge(&header, &claims().to_string());
    assert_eq!(service.verdict(&token), "header parameter");
}

#[test]
fn jku() {
    assert_eq!(parameter("jku", json!("https://forger.example/jwks.json")), "header parameter");
}

#[test]
fn x5u() {
    assert_eq!(parameter("x5u", json!("https://forger.example/chain.pem")), "header parameter");
}

#[test]
fn x5c() {
    assert_eq!(parameter("x5c", json!(["MIIB"])), "header parameter");
}

#[test]
fn enc() {
    assert_eq!(parameter("enc", json!("A256GCM")), "header parameter");
}

#[test]
fn zip() {
    assert_eq!(parameter("zip", json!("DEF")), "header parameter");
}

#[test]
fn b64_false() {
    assert_eq!(parameter("b64", json!(false)), "header parameter");
}

#[test]
fn duplicate_alg() {
    let service = Service::start();
    let header = with_duplicate(&service.header(), r#""alg":"ES256""#);
    assert_eq!(service.verdict(&service.forge(&header, &claims().to_string())), "header");
}

#[test]
fn duplicate_kid_written_with_an_escape() {
    let service = Service::start();
    let kid = &service.key.kid;
    let header = with_duplicate(&service.header(), &format!(r#""k\u0069d":"{kid}""#));
    assert_eq!(service.verdict(&service.forge(&header, &claims().to_string())), "header");
}

#[test]
fn header_that_is_a_list() {
    let service = Service::start();
    let header = as_list(&service.header(), &["typ", "alg", "kid"]);
    assert_eq!(service.verdict(&service.forge(&header, &claims().to_string())), "header");
}

#[test]
fn header_that_is_no_json() {
    let service = Service::start();
    assert_eq!(service.verdict(&service.forge("ES256", &claims().to_string())), "header");
}

#[test]
fn header_with_something_behind_it() {
    let service = Service::start();
    let header = format!("{}{{}}", service.header());
    assert_eq!(service.verdict(&service.forge(&header, &claims().to_string())), "header");
}
