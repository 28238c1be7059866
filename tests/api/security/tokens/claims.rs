//! Claims that the service refuses, in tokens signed with the real key.

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
fn a_missing_iss_is_refused() {
    assert_eq!(with_claim("iss", json!(null)), "claims");
}

#[test]
fn an_empty_iss_is_refused() {
    assert_eq!(with_claim("iss", json!("")), "iss");
}

#[test]
fn another_iss_is_refused() {
    assert_eq!(with_claim("iss", json!("https://elsewhere.example")), "iss");
}

#[test]
fn an_iss_with_a_trailing_slash_is_refused() {
    assert_eq!(with_claim("iss", json!(format!("{}/", claims()["iss"].as_str().unwrap()))), "iss");
}

#[test]
fn an_iss_that_is_not_a_string_is_refused() {
    assert_eq!(with_claim("iss", json!(7)), "claims");
}

#[test]
fn an_iss_in_a_list_is_refused() {
    assert_eq!(with_claim("iss", json!([claims()["iss"]])), "claims");
}

#[test]
fn a_missing_aud_is_refused() {
    assert_eq!(with_claim("aud", json!(null)), "claims");
}

#[test]
fn an_empty_aud_is_refused() {
    assert_eq!(with_claim("aud", json!("")), "aud");
}

#[test]
fn another_aud_is_refused() {
    assert_eq!(with_claim("aud", json!("https://elsewhere.example")), "aud");
}

#[test]
fn an_aud_with_a_trailing_slash_is_refused() {
    assert_eq!(with_claim("aud", json!(format!("{}/", claims()["aud"].as_str().unwrap()))), "aud");
}

#[test]
fn an_aud_that_is_not_a_string_is_refused() {
    assert_eq!(with_claim("aud", json!(7)), "claims");
}

#[test]
fn an_aud_in_a_list_is_refused() {
    assert_eq!(with_claim("aud", json!([claims()["aud"]])), "claims");
}

#[test]
fn a_missing_sub_is_refused() {
    assert_eq!(with_claim("sub", json!(null)), "claims");
}

#[test]
fn an_empty_sub_is_refused() {
    assert_eq!(with_claim("sub", json!("")), "sub");
}

#[test]
fn a_sub_that_is_not_a_string_is_refused() {
    assert_eq!(with_claim("sub", json!(7)), "claims");
}

#[test]
fn a_sub_that_is_a_list_is_refused() {
    assert_eq!(with_claim("sub", json!([claims()["sub"]])), "claims");
}

#[test]
fn a_missing_jti_is_refused() {
    assert_eq!(with_claim("jti", json!(null)), "claims");
}

#[test]
fn an_empty_jti_is_refused() {
    assert_eq!(with_claim("jti", json!("")), "jti");
}

#[test]
fn a_missing_client_id_is_refused() {
    assert_eq!(with_claim("client_id", json!(null)), "claims");
}

#[test]
fn an_empty_client_id_is_refused() {
    assert_eq!(with_claim("client_id", json!("")), "client_id");
}

#[test]
fn a_missing_role_is_refused() {
    assert_eq!(with_claim("role", json!(null)), "claims");
}

#[test]
fn an_empty_role_is_refused() {
    assert_eq!(with_claim("role", json!("")), "role");
}

#[test]
fn a_missing_scope_is_refused() {
    assert_eq!(with_claim("scope", json!(null)), "claims");
}

#[test]
fn a_scope_that_is_a_list_is_refused() {
    assert_eq!(with_claim("scope", json!(["tutors:read"])), "claims");
}

#[test]
fn a_municipality_of_two_digits_is_refused() {
    assert_eq!(with_claim("municipality", json!("91")), "municipality");
}

#[test]
fn a_municipality_of_letters_is_refused() {
    assert_eq!(with_claim("municipality", json!("abc")), "municipality");
}

#[test]
fn a_municipality_that_is_a_number_is_refused() {
    assert_eq!(with_claim("municipality", json!(91)), "claims");
}

#[test]
fn a_municipality_that_is_null_is_refused() {
    assert_eq!(text(&with_duplicate(&claims(), r#""municipality":null"#)), "null claim");
}

#[test]
fn a_tutor_that_is_not_a_uuid_is_refused() {
    assert_eq!(with_claim("tutor", json!("somebody")), "claims");
}

#[test]
fn a_duplicate_sub_is_refused() {
    assert_eq!(text(&with_duplicate(&claims(), r#""sub":"somebody else""#)), "claims");
}

#[test]
fn a_duplicate_exp_written_with_an_escape_is_refused() {
    assert_eq!(text(&with_duplicate(&claims(), r#""\u0065xp":4102444800"#)), "claims");
}

#[test]
fn a_duplicate_unknown_claim_is_refused() {
    assert_eq!(text(&with_duplicate(&claims(), r#""a":1,"a":1"#)), "claims");
}

/// serde can read a struct from a list too.
#[test]
fn claims_in_a_list_are_refused() {
    let names = ["iss", "aud", "sub", "exp", "iat", "jti", "client_id", "scope", "role"];
    assert_eq!(text(&as_list(&claims(), &names)), "claims");
}

#[test]
fn claims_that_are_not_json_are_refused() {
    assert_eq!(text("claims"), "claims");
}

#[test]
fn deeply_nested_claims_are_refused() {
    let deep = format!(r#""a":{}{}"#, "[".repeat(1_000), "]".repeat(1_000));
    assert_eq!(text(&with_duplicate(&claims(), &deep)), "claims");
}
