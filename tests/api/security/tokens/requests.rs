//! Refused over HTTP: however a token comes that is none, and one of each kind of forgery. Each is told what is told
//! without a token, to the byte, and nothing is fetched for any.

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

    /// A header as issued.
    fn header(&self) -> Value {
        json!({"typ": "at+jwt", "alg": "ES256", "kid": self.kid})
    }

    /// Claims as issued, of Espoo.
    fn claims(&self) -> Value {
        json!({
            "iss": self.server.url, "aud": self.server.url, "sub": Uuid::now_v7(), "exp": now() + 600, "iat": now(),
            "jti": Uuid::new_v4(), "client_id": self.server.url, "scope": "municipalities:read", "role": "municipality",
            "municipality": "049"
        })
    }

    /// Signed with the true key.
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

/// Refused, as one is who sends no token where one is needed.
async fn refused(server: &Server, client: &Client, path: &str) {
    let without = told(server.anonymous().with("x-request-id", "the-same").get("/v1/me").await);
    assert_eq!(told(client.with("x-request-id", "the-same").get(path).await), without);
}

/// What a refusal tells: all of it, but when.
fn told(answer: Answer) -> (Vec<(String, String)>, String) {
    let mut answer = answer.expect_problem(401, "unauthenticated");
    assert_eq!(answer.header("www-authenticate"), "Bearer");
    answer.headers.remove("date");
    let headers = answer.headers.iter().map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()));
    (headers.collect(), answer.text)
}

/// What can be read without a token cannot be with a bad one, which who sends it takes for a good one.
fn public() -> Server {
    Server::with(&[("PUBLIC_READ", "true")])
}

/// Refused with this header, made of a token that is good.
async fn header_refused(value: impl Fn(&str) -> String) {
    let server = public();
    let token = server.municipality("049").token.unwrap();
    refused(&server, &server.anonymous().with("authorization", &value(&token)), PATH).await;
}

#[tokio::test]
async fn good_it_is_let_in_whatever_the_casing_of_the_scheme() {
    let server = Server::start();
    let token = server.municipality("049").token.unwrap();
    for scheme in ["Bearer", "bearer", "BEARER"] {
        server.anonymous().with("authorization", &format!("{scheme} {token}")).get(PATH).await.expect(200);
    }
}

#[tokio::test]
async fn none() {
    let server = Server::start();
    refused(&server, &server.anonymous(), PATH).await;
}

#[tokio::test]
async fn header_empty() {
    header_refused(|_| String::new()).await;
}

#[tokio::test]
async fn scheme_alone() {
    header_refused(|_| "Bearer".into()).await;
}

#[tokio::test]
async fn token_empty() {
    header_refused(|_| "Bearer ".into()).await;
}

#[tokio::test]
async fn scheme_wrong() {
    header_refused(|token| format!("Basic {token}")).await;
}

#[tokio::test]
async fn scheme_missing() {
    header_refused(str::to_owned).await;
}

#[tokio::test]
async fn something_behind_it() {
    header_refused(|token| format!("Bearer {token} x")).await;
}

#[tokio::test]
async fn two_in_one_header() {
    header_refused(|token| format!("Bearer {token}, Bearer {token}")).await;
}

#[tokio::test]
async fn two_headers() {
    let server = public();
    let header = format!("Bearer {}", server.municipality("049").token.unwrap());
    refused(&server, &server.anonymous().with("authorization", &header).with("authorization", &header), PATH).await;
}

#[tokio::test]
async fn in_the_query_string() {
    let server = Server::start();
    let token = server.municipality("049").token.unwrap();
    refused(&server, &server.anonymous(), &format!("{PATH}?access_token={token}")).await;
}

/// Else what follows would be refused for another reason.
#[tokio::test]
async fn a_forgery_without_a_fault_is_let_in() {
    let forger = Forger::start();
    let token = forger.forge(&forger.header(), &forger.claims());
    forger.server.token(&token).get(PATH).await.expect(200);
}

#[tokio::test]
async fn of_two_parts() {
    let forger = Forger::start();
    let token = forger.forge(&forger.header(), &forger.claims());
    forger.refuses(token.rsplit_once('.').unwrap().0).await;
}

#[tokio::test]
async fn longer_than_8192_bytes() {
    let forger = Forger::start();
    forger.refuses(&forger.with_claim("more", json!("x".repeat(8192)))).await;
}

#[tokio::test]
async fn alg_none() {
    let forger = Forger::start();
    let token = forger.with_parameter("alg", json!("none"));
    forger.refuses(&format!("{}.", token.rsplit_once('.').unwrap().0)).await;
}

#[tokio::test]
async fn hs256_with_the_public_key() {
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
async fn signature_of_zeros() {
    let forger = Forger::start();
    let token = forger.forge(&forger.header(), &forger.claims());
    let [header, claims, _] = parts(&token);
    forger.refuses(&format!("{header}.{claims}.{}", encode([0; 64]))).await;
}

#[tokio::test]
async fn key_of_another_service() {
    let (forger, other) = (Forger::start(), Service::start());
    forger.refuses(&other.forge(&other.header().to_string(), &forger.claims().to_string())).await;
}

#[tokio::test]
async fn jwk_embedded() {
    let (forger, other) = (Forger::start(), Service::start());
    let mut header = forger.header();
    header["jwk"] = serde_json::to_value(&other.tokens.keys().jwks().keys[0]).unwrap();
    forger.refuses(&other.forge(&header.to_string(), &forger.claims().to_string())).await;
}

#[tokio::test]
async fn exp_past() {
    let forger = Forger::start();
    forger.refuses(&forger.with_claim("exp", json!(now() - 31))).await;
}

#[tokio::test]
async fn nbf_future() {
    let forger = Forger::start();
    forger.refuses(&forger.with_claim("nbf", json!(now() + 60))).await;
}

#[tokio::test]
async fn aud_wrong() {
    let forger = Forger::start();
    forger.refuses(&forger.with_claim("aud", json!("https://elsewhere.example"))).await;
}

/// What the service signs speaks for a UUID: for any, since who may hold one was looked up when it was signed.
#[tokio::test]
async fn sub_wrong() {
    let forger = Forger::start();
    forger.refuses(&forger.with_claim("sub", json!("somebody"))).await;
}

#[tokio::test]
async fn role_wrong() {
    let forger = Forger::start();
    forger.refuses(&forger.with_claim("role", json!("administrator"))).await;
}

/// A key is offered at an address where somebody listens: refused, and nobody has come there.
async fn nothing_is_fetched(name: &str, value: impl Fn(&str) -> Value) {
    let forger = Forger::start();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let address = listener.local_addr().unwrap();
    forger.refuses(&forger.with_parameter(name, value(&format!("http://{address}/keys")))).await;
    let came = listener.accept().map(|(_, from)| from);
    assert!(came.as_ref().is_err_and(|error| error.kind() == ErrorKind::WouldBlock), "{came:?} came");
    // Whoever had come would have been noticed.
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

/// A certificate may name where its issuer's is, and who tells whether it is revoked.
#[tokio::test]
async fn nothing_is_fetched_for_x5c() {
    use base64::{Engine as _, prelude::BASE64_STANDARD};
    nothing_is_fetched("x5c", |url| json!([BASE64_STANDARD.encode(certificate_naming(url))])).await;
}

/// As much of a certificate as says where its issuer's is: the extension "authority information access".
fn certificate_naming(url: &str) -> Vec<u8> {
    let der = |tag: u8, content: &[u8]| [&[tag, u8::try_from(content.len()).unwrap()], content].concat();
    let issuers = [0x06, 0x08, 0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x02];
    let access = der(0x30, &der(0x30, &[&issuers, &*der(0x86, url.as_bytes())].concat()));
    let extension = [&[0x06, 0x08, 0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x01, 0x01], &*der(0x04, &access)].concat();
    der(0x30, &der(0xa3, &der(0x30, &der(0x30, &extension))))
}
