//! Refused for `exp`, `nbf` or `iat`, though signed with the true key.

use serde_json::json;

use super::support::{Service, claims, now};

fn with_claim(name: &str, value: serde_json::Value) -> &'static str {
    Service::start().verdict_with_claim(name, value)
}

fn text(claims: &str) -> &'static str {
    let service = Service::start();
    service.verdict(&service.forge(&service.header().to_string(), claims))
}

#[test]
fn exp_missing() {
    assert_eq!(with_claim("exp", json!(null)), "claims");
}

#[test]
fn exp_null() {
    assert_eq!(text(&claims().to_string().replace("\"exp\":", "\"exp\":null,\"was\":")), "null claim");
}

#[test]
fn exp_a_string() {
    assert_eq!(with_claim("exp", json!((now() + 600).to_string())), "claims");
}

#[test]
fn exp_1e300() {
    assert_eq!(with_claim("exp", json!(1e300)), "claims");
}

#[test]
fn exp_negative() {
    assert_eq!(with_claim("exp", json!(-1)), "claims");
}

#[test]
fn exp_a_fraction() {
    assert_eq!(with_claim("exp", serde_json::from_str("4102444800.5").unwrap()), "claims");
}

#[test]
fn exp_beyond_64_bits() {
    assert_eq!(text(&claims().to_string().replace("\"exp\":", "\"exp\":99999999999")), "claims");
}

#[test]
fn exp_the_greatest_there_is_does_not_overflow() {
    assert_eq!(with_claim("exp", json!(u64::MAX)), "accepted");
}

#[test]
fn exp_zero() {
    assert_eq!(with_claim("exp", json!(0)), "expired");
}

#[test]
fn exp_31_seconds_ago() {
    assert_eq!(with_claim("exp", json!(now() - 31)), "expired");
}

/// Clocks may differ by up to 30 seconds; the test may take some.
#[test]
fn exp_20_seconds_ago_is_accepted() {
    assert_eq!(with_claim("exp", json!(now() - 20)), "accepted");
}

#[test]
fn nbf_past_is_accepted() {
    assert_eq!(with_claim("nbf", json!(now() - 1)), "accepted");
}

#[test]
fn nbf_in_the_future() {
    assert_eq!(with_claim("nbf", json!(now() + 60)), "nbf");
}

#[test]
fn nbf_a_string() {
    assert_eq!(with_claim("nbf", json!(now().to_string())), "nbf");
}

#[test]
fn nbf_negative() {
    assert_eq!(with_claim("nbf", json!(-1)), "nbf");
}

#[test]
fn nbf_20_seconds_ahead_is_accepted() {
    assert_eq!(with_claim("nbf", json!(now() + 20)), "accepted");
}

#[test]
fn iat_missing() {
    assert_eq!(with_claim("iat", json!(null)), "claims");
}

#[test]
fn iat_a_string() {
    assert_eq!(with_claim("iat", json!(now().to_string())), "claims");
}

#[test]
fn iat_in_the_future() {
    assert_eq!(with_claim("iat", json!(now() + 60)), "iat");
}

#[test]
fn iat_20_seconds_ahead_is_accepted() {
    assert_eq!(with_claim("iat", json!(now() + 20)), "accepted");
}
