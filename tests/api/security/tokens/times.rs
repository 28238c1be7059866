//! Values of `exp`, `nbf` and `iat` that the service refuses, in tokens signed with the real key.

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
fn a_missing_exp_is_refused() {
    assert_eq!(with_claim("exp", json!(null)), "claims");
}

#[test]
fn an_exp_that_is_null_is_refused() {
    assert_eq!(text(&claims().to_string().replace("\"exp\":", "\"exp\":null,\"was\":")), "null claim");
}

#[test]
fn an_exp_that_is_a_string_is_refused() {
    assert_eq!(with_claim("exp", json!((now() + 600).to_string())), "claims");
}

#[test]
fn an_exp_of_1e300_is_refused() {
    assert_eq!(with_claim("exp", json!(1e300)), "claims");
}

#[test]
fn a_negative_exp_is_refused() {
    assert_eq!(with_claim("exp", json!(-1)), "claims");
}

#[test]
fn a_fractional_exp_is_refused() {
    assert_eq!(with_claim("exp", serde_json::from_str("4102444800.5").unwrap()), "claims");
}

#[test]
fn an_exp_beyond_64_bits_is_refused() {
    assert_eq!(text(&claims().to_string().replace("\"exp\":", "\"exp\":99999999999")), "claims");
}

#[test]
fn the_greatest_exp_does_not_overflow() {
    assert_eq!(with_claim("exp", json!(u64::MAX)), "accepted");
}

#[test]
fn an_exp_of_zero_is_refused() {
    assert_eq!(with_claim("exp", json!(0)), "expired");
}

#[test]
fn an_exp_31_seconds_ago_is_refused() {
    assert_eq!(with_claim("exp", json!(now() - 31)), "expired");
}

/// The service allows clocks to differ by 30 seconds; ten of them are left for a slow test.
#[test]
fn an_exp_20_seconds_ago_is_accepted() {
    assert_eq!(with_claim("exp", json!(now() - 20)), "accepted");
}

#[test]
fn a_past_nbf_is_accepted() {
    assert_eq!(with_claim("nbf", json!(now() - 1)), "accepted");
}

#[test]
fn a_future_nbf_is_refused() {
    assert_eq!(with_claim("nbf", json!(now() + 60)), "nbf");
}

#[test]
fn an_nbf_that_is_a_string_is_refused() {
    assert_eq!(with_claim("nbf", json!(now().to_string())), "nbf");
}

#[test]
fn a_negative_nbf_is_refused() {
    assert_eq!(with_claim("nbf", json!(-1)), "nbf");
}

#[test]
fn an_nbf_20_seconds_ahead_is_accepted() {
    assert_eq!(with_claim("nbf", json!(now() + 20)), "accepted");
}

#[test]
fn a_missing_iat_is_refused() {
    assert_eq!(with_claim("iat", json!(null)), "claims");
}

#[test]
fn an_iat_that_is_a_string_is_refused() {
    assert_eq!(with_claim("iat", json!(now().to_string())), "claims");
}

#[test]
fn a_future_iat_is_refused() {
    assert_eq!(with_claim("iat", json!(now() + 60)), "iat");
}

#[test]
fn an_iat_20_seconds_ahead_is_accepted() {
    assert_eq!(with_claim("iat", json!(now() + 20)), "accepted");
}
