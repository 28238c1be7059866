//! Tokens that the service refuses over HTTP: malformed `Authorization` headers, and one forgery of each kind. Every
//! refusal equals, byte for byte, the refusal of a request without a token, and the service fetches nothing.

use std::{
    io::ErrorKind,
    net::{TcpListener, TcpStream},
    path::PathBuf,
};

use jsonwebtoken::{Algorithm, EncodingKey};
use serde_json::{Value, json};
use uuid::Uuid;

use super::support::{Service, decode, encode, es256, now, parts};
use crate::support::{
    Server,
    client::{Answer, Client},
};

const PATH: &str = "/v1/municipalities";

/// A server, and a forger who has its key.
struct Forger {
    server: Server,
    key: PathBuf,
    kid: String,
}

impl Forger {
    fn start() -> Self {
        let server = Server::start();
        let keys = server.tokens.keys();
        let signs = keys.list().find(|key| key.signs).unwrap();
        let (key, kid) = (signs.file.to_owned(), signs.kid.to_owned());
        Self { server, key, kid }
    }

    /// Returns the header of an issued token.
    fn header(&self) -> Value {
        json!({"typ": "at+jwt", "alg": "ES256", "kid": self.kid})
    }

    /// Returns the claims of an issued token of Espoo.
    fn claims(&self) -> Value {
        json!({
            "iss": self.server.url, "aud": self.server.url, "sub": Uuid::now_v7(), "exp": now() + 600, "iat": now(),
            "jti": Uuid::new_v4(), "client_id": self.server.url, "scope": "municipalities:read", "role": "municipality",
            "municipality": "049"
        })
    }

    /// Signs with the real key.
    fn forge(&self, header: &Value, claims: &Value) -> String {
        let message = format!("{}.{}", encode(header.to_string()), encode(claims.to_string()));
        format!("{message}.{}", es256(&self.key, &message))
    }

    fn with_parameter(&self, name: &str, value: Value) -> String {
        let mut header = self.header();
        header[name] = value;
        self.forge(&header, &self.claims())
    }

    fn with_claim(&self, name: &str, value: Value) -> String {
        let mut claims = self.claims();
        claims[name] = value;
        self.forge(&self.header(), &claims)
    }

    async fn refuses(&self, token: &str) {
        refused(&self.server, &self.server.token(token), PATH).await;
    }
}

/// Asserts the refusal that a request without a token gets.
async fn refused(server: &Server, client: &Client, path: &str) {
    let without = comparable(server.anonymous().with("x-request-id", "the-same").get("/v1/me").await);
    assert_eq!(comparable(client.with("x-request-id", "the-same").get(path).await), without);
}

/// Returns the parts of a refusal that do not depend on the time.
fn comparable(answer: Answer) -> (Vec<(String, String)>, String) {
    let mut answer = answer.expect_problem(401, "unauthenticated");
    assert_eq!(answer.header("www-authenticate"), "Bearer");
    answer.headers.remove("date");
    let headers = answer.headers.iter().map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()));
    (headers.collect(), answer.text)
}

/// A bad token is refused although the same request works without a token: the caller believes that it is signed in.
fn public() -> Server {
    Server::with(&[("PUBLIC_READ", "true")])
}

/// Asserts that a header made from a good token is refused.
async fn header_refused(value: impl Fn(&str) -> String) {
    let server = public();
    let token = server.municipality("049").token.unwrap();
    refused(&server, &server.anonymous().with("authorization", &value(&token)), PATH).await;
}

#[tokio::test]
async fn a_good_token_works_with_the_scheme_in_any_case() {
    let server = Server::start();
    let token = server.municipality("049").token.unwrap();
    for scheme in ["Bearer", "bearer", "BEARER"] {
        server.anonymous().with("authorization", &format!("{scheme} {token}")).get(PATH).await.expect(200);
    }
}

#[tokio::test]
async fn a_missing_header_is_refused() {
    let server = Server::start();
    refused(&server, &server.anonymous(), PATH).await;
}

#[tokio::test]
async fn an_empty_header_is_refused() {
    header_refused(|_| String::new()).await;
}

#[tokio::test]
async fn a_scheme_without_a_token_is_refused() {
    header_refused(|_| "Bearer".into()).await;
}

#[tokio::test]
async fn an_empty_token_is_refused() {
    header_refused(|_| "Bearer ".into()).await;
}

#[tokio::test]
async fn another_scheme_is_refused() {
    header_refused(|token| format!("Basic {token}")).await;
}

#[tokio::test]
async fn a_token_without_a_scheme_is_refused() {
    header_refused(str::to_owned).await;
}

#[tokio::test]
async fn text_after_a_token_is_refused() {
    header_refused(|token| format!("Bearer {token} x")).await;
}

#[tokio::test]
async fn two_tokens_in_one_header_are_refused() {
    header_refused(|token| format!("Bearer {token}, Bearer {token}")).await;
}

#[tokio::test]
async fn two_headers_are_refused() {
    let server = public();
    let header = format!("Bearer {}", server.municipality("049").token.unwrap());
    refused(&server, &server.anonymous().with("authorization", &header).with("authorization", &header), PATH).await;
}

#[tokio::test]
async fn a_token_in_the_query_string_is_refused() {
    let server = Server::start();
    let token = server.municipality("049").token.unwrap();
    refused(&server, &server.anonymous(), &format!("{PATH}?access_token={token}")).await;
}

/// Proves that the forgeries below are refused for their own fault only.
#[tokio::test]
async fn an_unaltered_forgery_is_accepted() {
    let forger = Forger::start();
    let token = forger.forge(&forger.header(), &forger.claims());
    forger.server.token(&token).get(PATH).await.expect(200);
}

#[tokio::test]
async fn a_token_of_two_parts_is_refused() {
    let forger = Forger::start();
    let token = forger.forge(&forger.header(), &forger.claims());
    forger.refuses(token.rsplit_once('.').unwrap().0).await;
}

#[tokio::test]
async fn a_token_longer_than_8192_bytes_is_refused() {
    let forger = Forger::start();
    forger.refuses(&forger.with_claim("more", json!("x".repeat(8192)))).await;
}

#[tokio::test]
async fn alg_none_is_refused() {
    let forger = Forger::start();
    let token = forger.with_parameter("alg", json!("none"));
    forger.refuses(&format!("{}.", token.rsplit_once('.').unwrap().0)).await;
}

#[tokio::test]
async fn hs256_with_the_public_key_is_refused() {
    let forger = Forger::start();
    let jwk = &serde_json::to_value(forger.server.tokens.keys().jwks()).unwrap()["keys"][0];
    let point = [&[4], &*decode(jwk["x"].as_str().unwrap()), &*decode(jwk["y"].as_str().unwrap())].concat();
    let mut header = forger.header();
    header["alg"] = json!("HS256");
    let message = format!("{}.{}", encode(header.to_string()), encode(forger.claims().to_string()));
    let key = EncodingKey::from_secret(&point);
    let mac = jsonwebtoken::crypto::sign(message.as_bytes(), &key, Algorithm::HS256).unwrap();
    forger.refuses(&format!("{message}.{mac}")).await;
}

#[tokio::test]
async fn a_signature_of_zeros_is_refused() {
    let forger = Forger::start();
    let token = forger.forge(&forger.header(), &forger.claims());
    let [header, claims, _] = parts(&token);
    forger.refuses(&format!("{header}.{claims}.{}", encode([0; 64]))).await;
}

#[tokio::test]
async fn the_key_of_another_service_is_refused() {
    let (forger, other) = (Forger::start(), Service::start());
    forger.refuses(&other.forge(&other.header().to_string(), &forger.claims().to_string())).await;
}

#[tokio::test]
async fn an_embedded_jwk_is_refused() {
    let (forger, other) = (Forger::start(), Service::start());
    let mut header = forger.header();
    header["jwk"] = serde_json::to_value(&other.tokens.keys().jwks().keys[0]).unwrap();
    forger.refuses(&other.forge(&header.to_string(), &forger.claims().to_string())).await;
}

#[tokio::test]
async fn a_past_exp_is_refused() {
    let forger = Forger::start();
    forger.refuses(&forger.with_claim("exp", json!(now() - 31))).await;
}

#[tokio::test]
async fn a_future_nbf_is_refused() {
    let forger = Forger::start();
    forger.refuses(&forger.with_claim("nbf", json!(now() + 60))).await;
}

#[tokio::test]
async fn another_aud_is_refused() {
    let forger = Forger::start();
    forger.refuses(&forger.with_claim("aud", json!("https://elsewhere.example"))).await;
}

/// The service signs tokens only for UUIDs.
#[tokio::test]
async fn a_sub_that_is_not_a_uuid_is_refused() {
    let forger = Forger::start();
    forger.refuses(&forger.with_claim("sub", json!("somebody"))).await;
}

#[tokio::test]
async fn an_unknown_role_is_refused() {
    let forger = Forger::start();
    forger.refuses(&forger.with_claim("role", json!("administrator"))).await;
}

/// Offers a key at an address where the test listens: the token is refused, and the service does not connect.
async fn nothing_is_fetched(name: &str, value: impl Fn(&str) -> Value) {
    let forger = Forger::start();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let address = listener.local_addr().unwrap();
    forger.refuses(&forger.with_parameter(name, value(&format!("http://{address}/keys")))).await;
    let came = listener.accept().map(|(_, from)| from);
    assert!(came.as_ref().is_err_and(|error| error.kind() == ErrorKind::WouldBlock), "{came:?} came");
    // A connection would have been waiting by now.
    let _visitor = TcpStream::connect(address).unwrap();
    listener.accept().unwrap();
}

#[tokio::test]
async fn nothing_is_fetched_for_jku() {
    nothing_is_fetched("jku", |url| json!(url)).await;
}

#[tokio::test]
async fn nothing_is_fetched_for_x5u() {
    nothing_is_fetched("x5u", |url| json!(url)).await;
}

/// A certificate can name addresses of its issuer's certificate and of revocation lists.
#[tokio::test]
async fn nothing_is_fetched_for_x5c() {
    use base64::{Engine as _, prelude::BASE64_STANDARD};
    nothing_is_fetched("x5c", |url| json!([BASE64_STANDARD.encode(certificate_naming(url))])).await;
}

/// Returns the extension "authority information access" of a certificate, which names the address of its issuer's
/// certificate.
fn certificate_naming(url: &str) -> Vec<u8> {
    let der = |tag: u8, content: &[u8]| [&[tag, u8::try_from(content.len()).unwrap()], content].concat();
    let issuers = [0x06, 0x08, 0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x02];
    let access = der(0x30, &der(0x30, &[&issuers, &*der(0x86, url.as_bytes())].concat()));
    let extension = [&[0x06, 0x08, 0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x01, 0x01], &*der(0x04, &access)].concat();
    der(0x30, &der(0xa3, &der(0x30, &der(0x30, &extension))))
}
