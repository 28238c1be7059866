//! Refused for its claims, though signed with the true key.

use serde_json::json;

use super::support::{Service, as_list, claims, with_duplicate};

fn with_claim(name: &str, value: serde_json::Value) -> &'static str {
    Service::start().verdict_with_claim(name, value)
}

fn text(claims: &str) -> &'static str {
    let service = Service::start();
    service.verdict(&service.forge(&service.header().to_string(), claims))
}

#[test]
fn unknown_claims_are_ignored() {
    assert_eq!(with_claim("colour", json!({ "red": 1 })), "accepted");
}

#[test]
fn iss_missing() {
    assert_eq!(with_claim("iss", json!(null)), "claims");
}

#[test]
fn iss_empty() {
    assert_eq!(with_claim("iss", json!("")), "iss");
}

#[test]
fn iss_wrong() {
    assert_eq!(with_claim("iss", json!("https://elsewhere.example")), "iss");
}

#[test]
fn iss_with_a_slash_more() {
    assert_eq!(with_claim("iss", json!(format!("{}/", claims()["iss"].as_str().unwrap()))), "iss");
}

#[test]
fn iss_not_a_string() {
    assert_eq!(with_claim("iss", json!(7)), "claims");
}

#[test]
fn iss_a_list_with_the_right_one() {
    assert_eq!(with_claim("iss", json!([claims()["iss"]])), "claims");
}

#[test]
fn aud_missing() {
    assert_eq!(with_claim("aud", json!(null)), "claims");
}

#[test]
fn aud_empty() {
    assert_eq!(with_claim("aud", json!("")), "aud");
}

#[test]
fn aud_wrong() {
    assert_eq!(with_claim("aud", json!("https://elsewhere.example")), "aud");
}

#[test]
fn aud_with_a_slash_more() {
    assert_eq!(with_claim("aud", json!(format!("{}/", claims()["aud"].as_str().unwrap()))), "aud");
}

#[test]
fn aud_not_a_string() {
    assert_eq!(with_claim("aud", json!(7)), "claims");
}

#[test]
fn aud_a_list_with_the_right_one() {
    assert_eq!(with_claim("aud", json!([claims()["aud"]])), "claims");
}

#[test]
fn sub_missing() {
    assert_eq!(with_claim("sub", json!(null)), "claims");
}

#[test]
fn sub_empty() {
    assert_eq!(with_claim("sub", json!("")), "sub");
}

#[test]
fn sub_not_a_string() {
    assert_eq!(with_claim("sub", json!(7)), "claims");
}

#[test]
fn sub_a_list() {
    assert_eq!(with_claim("sub", json!([claims()["sub"]])), "claims");
}

#[test]
fn jti_missing() {
    assert_eq!(with_claim("jti", json!(null)), "claims");
}

#[test]
fn jti_empty() {
    assert_eq!(with_claim("jti", json!("")), "jti");
}

#[test]
fn client_id_missing() {
    assert_eq!(with_claim("client_id", json!(null)), "claims");
}

#[test]
fn client_id_empty() {
    assert_eq!(with_claim("client_id", json!("")), "client_id");
}

#[test]
fn role_missing() {
    assert_eq!(with_claim("role", json!(null)), "claims");
}

#[test]
fn role_empty() {
    assert_eq!(with_claim("role", json!("")), "role");
}

#[test]
fn scope_missing() {
    assert_eq!(with_claim("scope", json!(null)), "claims");
}

#[test]
fn scope_a_list() {
    assert_eq!(with_claim("scope", json!(["tutors:read"])), "claims");
}

#[test]
fn municipality_of_two_digits() {
    assert_eq!(with_claim("municipality", json!("91")), "municipality");
}

#[test]
fn municipality_of_letters() {
    assert_eq!(with_claim("municipality", json!("abc")), "municipality");
}

#[test]
fn municipality_a_number() {
    assert_eq!(with_claim("municipality", json!(91)), "claims");
}

#[test]
fn municipality_null() {
    assert_eq!(text(&with_duplicate(&claims(), r#""municipality":null"#)), "null claim");
}

#[test]
fn tutor_not_a_uuid() {
    assert_eq!(with_claim("tutor", json!("somebody")), "claims");
}

#[test]
fn duplicate_sub() {
    assert_eq!(text(&with_duplicate(&claims(), r#""sub":"somebody else""#)), "claims");
}

#[test]
fn duplicate_exp_written_with_an_escape() {
    assert_eq!(text(&with_duplicate(&claims(), r#""\u0065xp":4102444800"#)), "claims");
}

#[test]
fn duplicate_unknown_claim() {
    assert_eq!(text(&with_duplicate(&claims(), r#""a":1,"a":1"#)), "claims");
}

/// Serde reads a struct from a list as well.
#[test]
fn claims_that_are_a_list() {
    let names = ["iss", "aud", "sub", "exp", "iat", "jti", "client_id", "scope", "role"];
    assert_eq!(text(&as_list(&claims(), &names)), "claims");
}

#[test]
fn claims_that_are_no_json() {
    assert_eq!(text("claims"), "claims");
}

#[test]
fn claims_nested_beyond_any_need() {
    let deep = format!(r#""a":{}{}"#, "[".repeat(1_000), "]".repeat(1_000));
    assert_eq!(text(&with_duplicate(&claims(), &deep)), "claims");
}
