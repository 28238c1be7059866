//! Issuing tokens, and what verification returns.

use chrono::{DateTime, Duration, Utc};
use serde_json::Value;
use uuid::Uuid;

use super::support::{AUDIENCE, ISSUER, Service, decode, grant, parts};
use kuntatutorit::auth::tokens::{access_tokens::IssueError, claims::Grant};

fn part(token: &str, at: usize) -> Value {
    serde_json::from_slice(&decode(parts(token)[at])).unwrap()
}

#[test]
fn the_header_follows_rfc_9068() {
    let service = Service::start();
    assert_eq!(part(&service.token(), 0), service.header());
}

#[test]
fn the_claims_equal_the_grant() {
    let service = Service::start();
    let claims = service.tokens.verify(&service.token()).unwrap();
    let Grant { sub, client_id, scope, role, municipality, tutor, source } = grant();
    assert_eq!((claims.iss.as_str(), claims.aud.as_str()), (ISSUER, AUDIENCE));
    assert_eq!((&claims.sub, &claims.client_id), (&sub, &client_id));
    assert_eq!((&claims.scope, &claims.role), (&scope.into(), &role));
    assert_eq!((&claims.municipality, claims.tutor, &claims.source), (&municipality, tutor, &source));
}

#[test]
fn a_token_lives_for_ten_minutes() {
    let service = Service::start();
    let issued_at = DateTime::from_timestamp(1_800_000_000, 999_999_999).unwrap();
    let claims = part(&service.tokens.issue(&grant(), issued_at).unwrap(), 1);
    assert_eq!(claims["iat"], 1_800_000_000);
    assert_eq!(claims["exp"], 1_800_000_600);
}

#[test]
fn empty_parts_of_a_grant_are_left_out() {
    let service = Service::start();
    let grant = Grant { municipality: None, tutor: None, source: None, ..grant() };
    let token = service.tokens.issue(&grant, Utc::now()).unwrap();
    assert!(part(&token, 1).get("municipality").is_none());
    assert!(part(&token, 1).get("tutor").is_none());
    let claims = service.tokens.verify(&token).unwrap();
    assert_eq!((&claims.municipality, claims.tutor), (&None, None));
}

#[test]
fn every_token_has_its_own_jti() {
    let service = Service::start();
    let jti = |token: String| part(&token, 1)["jti"].as_str().unwrap().parse::<Uuid>().unwrap();
    assert_ne!(jti(service.token()), jti(service.token()));
}

#[test]
fn a_token_issued_11_minutes_ago_is_refused() {
    let service = Service::start();
    let token = service.tokens.issue(&grant(), Utc::now() - Duration::minutes(11)).unwrap();
    assert_eq!(service.verdict(&token), "expired");
}

#[test]
fn a_token_issued_9_minutes_ago_is_accepted() {
    let service = Service::start();
    let token = service.tokens.issue(&grant(), Utc::now() - Duration::minutes(9)).unwrap();
    assert_eq!(service.verdict(&token), "accepted");
}

#[test]
fn verifying_a_token_again_gives_the_same_result() {
    let service = Service::start();
    let token = service.token();
    let first = service.tokens.verify(&token).unwrap();
    assert_eq!(service.tokens.verify(&token).unwrap(), first);
}

#[test]
fn a_refusal_does_not_reveal_its_reason() {
    let refused = Service::start().tokens.verify("x").unwrap_err();
    assert_eq!(refused.to_string(), "the access token was refused");
}

fn issue_error(grant: &Grant) -> String {
    match Service::start().tokens.issue(grant, Utc::now()) {
        Err(IssueError::Grant(part)) => part.to_owned(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_grant_without_sub_is_not_issued() {
    assert_eq!(issue_error(&Grant { sub: String::new(), ..grant() }), "sub");
}

#[test]
fn a_grant_for_a_malformed_municipality_is_not_issued() {
    let grant = Grant { municipality: Some("Helsinki".into()), ..grant() };
    assert_eq!(issue_error(&grant), "municipality");
}

#[test]
fn a_grant_too_long_to_verify_is_not_issued() {
    assert_eq!(issue_error(&Grant { scope: "s ".repeat(4_000), ..grant() }), "its length");
}
