//! Signatures that the service refuses.

use aws_lc_rs::signature::{ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair};
use jsonwebtoken::{Algorithm, EncodingKey};
use serde_json::json;

use super::support::{Service, claims, decode, encode, parts, pem};

/// Returns the verdict on a token whose signature bytes are changed.
fn resigned(service: &Service, change: impl Fn(&mut Vec<u8>)) -> &'static str {
    let token = service.token();
    let [header, claims, signature] = parts(&token);
    let mut signature = decode(signature);
    change(&mut signature);
    service.verdict(&format!("{header}.{claims}.{}", encode(signature)))
}

#[test]
fn an_unchanged_signature_is_accepted() {
    assert_eq!(resigned(&Service::start(), |_| {}), "accepted");
}

#[test]
fn a_signature_with_its_first_bit_flipped_is_refused() {
    assert_eq!(resigned(&Service::start(), |bytes| bytes[0] ^= 0x80), "signature");
}

#[test]
fn a_signature_with_its_last_bit_flipped_is_refused() {
    assert_eq!(resigned(&Service::start(), |bytes| bytes[63] ^= 1), "signature");
}

/// CVE-2022-21449.
#[test]
fn a_signature_of_zeros_is_refused() {
    assert_eq!(resigned(&Service::start(), |bytes| bytes.fill(0)), "signature");
}

#[test]
fn a_truncated_signature_is_refused() {
    assert_eq!(resigned(&Service::start(), |bytes| bytes.truncate(63)), "signature");
}

#[test]
fn a_signature_with_an_additional_byte_is_refused() {
    assert_eq!(resigned(&Service::start(), |bytes| bytes.push(0)), "signature");
}

#[test]
fn a_signature_in_der_is_refused() {
    let der = |bytes: &mut Vec<u8>| {
        let integer = |half: &[u8]| {
            let digits = &half[half.iter().take_while(|byte| **byte == 0).count()..];
            let sign = if digits[0] >= 0x80 { &[0][..] } else { &[] };
            let length = u8::try_from(sign.len() + digits.len()).unwrap();
            [&[2, length], sign, digits].concat()
        };
        let numbers = [integer(&bytes[..32]), integer(&bytes[32..])].concat();
        *bytes = [vec![0x30, u8::try_from(numbers.len()).unwrap()], numbers].concat();
    };
    assert_eq!(resigned(&Service::start(), der), "signature");
}

#[test]
fn tampered_claims_are_refused() {
    let service = Service::start();
    let token = service.token();
    let [header, claims, signature] = parts(&token);
    let claims = String::from_utf8(decode(claims)).unwrap();
    let raised = claims.replace("coordinator", "administrator");
    assert_ne!(raised, claims);
    assert_eq!(service.verdict(&format!("{header}.{}.{signature}", encode(raised))), "signature");
}

#[test]
fn a_tampered_header_is_refused() {
    let service = Service::start();
    let token = service.token();
    let [_, claims, signature] = parts(&token);
    let header = encode(service.header_with("typ", json!("AT+JWT")).to_string());
    assert_eq!(service.verdict(&format!("{header}.{claims}.{signature}")), "signature");
}

#[test]
fn the_signature_of_another_token_is_refused() {
    let service = Service::start();
    let (token, other) = (service.token(), service.token());
    let [header, claims, _] = parts(&token);
    assert_eq!(service.verdict(&format!("{header}.{claims}.{}", parts(&other)[2])), "signature");
}

#[test]
fn another_services_key_under_the_real_kid_is_refused() {
    let (service, forger) = (Service::start(), Service::start());
    let token = forger.forge(&service.header().to_string(), &claims().to_string());
    assert_eq!(service.verdict(&token), "signature");
}

#[test]
fn a_p384_key_under_the_real_kid_is_refused() {
    let service = Service::start();
    let pair = EcdsaKeyPair::generate(&ECDSA_P384_SHA384_FIXED_SIGNING).unwrap();
    let key = EncodingKey::from_ec_der(pair.to_pkcs8v1().unwrap().as_ref());
    let message = message(&service, "ES256");
    let signature = jsonwebtoken::crypto::sign(message.as_bytes(), &key, Algorithm::ES384).unwrap();
    assert_eq!(service.verdict(&format!("{message}.{signature}")), "signature");
}

fn message(service: &Service, alg: &str) -> String {
    let header = service.header_with("alg", json!(alg)).to_string();
    format!("{}.{}", encode(header), encode(claims().to_string()))
}

/// Returns the verdict on a token that is signed with a public or guessable secret.
fn hmac(service: &Service, alg: &str, secret: &[u8]) -> &'static str {
    let message = message(service, alg);
    let key = EncodingKey::from_secret(secret);
    let mac = jsonwebtoken::crypto::sign(message.as_bytes(), &key, Algorithm::HS256).unwrap();
    service.verdict(&format!("{message}.{mac}"))
}

#[test]
fn hs256_with_the_public_key_in_pem_is_refused() {
    let service = Service::start();
    let secret = pem("PUBLIC KEY", &service.public_der());
    assert_eq!(hmac(&service, "HS256", secret.as_bytes()), "alg");
}

#[test]
fn hs256_with_the_public_key_in_der_is_refused() {
    let service = Service::start();
    assert_eq!(hmac(&service, "HS256", &service.public_der()), "alg");
}

#[test]
fn hs256_with_the_raw_public_key_is_refused() {
    let service = Service::start();
    assert_eq!(hmac(&service, "HS256", &service.public_point()), "alg");
}

#[test]
fn hs256_with_the_public_key_declared_as_es256_is_refused() {
    let service = Service::start();
    assert_eq!(hmac(&service, "ES256", &service.public_point()), "signature");
}

#[test]
fn hs256_with_the_kid_as_secret_is_refused() {
    let service = Service::start();
    assert_eq!(hmac(&service, "HS256", service.key.kid.as_bytes()), "alg");
}

#[test]
fn hs256_with_an_empty_secret_is_refused() {
    assert_eq!(hmac(&Service::start(), "HS256", b""), "alg");
}

#[test]
fn hs256_with_a_guessable_secret_is_refused() {
    assert_eq!(hmac(&Service::start(), "HS256", b"secret"), "alg");
}

#[test]
fn hs256_with_an_empty_secret_declared_as_es256_is_refused() {
    assert_eq!(hmac(&Service::start(), "ES256", b""), "signature");
}
