//! A key directory, a token service on top of it, and a forger who has its keys.

use std::fs::{self, DirBuilder, Permissions};
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use chrono::Utc;
use jsonwebtoken::{Algorithm, EncodingKey};
use kuntatutorit::auth::keys::key_ring::{KeyRing, NewKey};
use kuntatutorit::auth::tokens::{access_tokens::Tokens, claims::Grant, refused::Refused};
use serde_json::{Map, Value, json};
use uuid::Uuid;

pub(crate) const ISSUER: &str = "https://kuntatutorit.example";
pub(crate) const AUDIENCE: &str = "https://kuntatutorit.example/api";

/// Makes a directory that is deleted with the test.
pub(crate) struct TempDir(PathBuf);

impl TempDir {
    pub(crate) fn new() -> Self {
        let path = std::env::temp_dir().join(format!("auth-test-{}", Uuid::new_v4()));
        DirBuilder::new().mode(0o700).create(&path).unwrap();
        Self(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for TempDir {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Makes the key's file look this many seconds old.
pub(crate) fn aged(key: &NewKey, seconds: u64) {
    let file = fs::File::options().write(true).open(&key.path).unwrap();
    file.set_modified(SystemTime::now() - Duration::from_secs(seconds)).unwrap();
}

/// A token service with one key, and that key.
pub(crate) struct Service {
    pub(crate) dir: TempDir,
    pub(crate) tokens: Tokens,
    pub(crate) key: NewKey,
}

impl Service {
    pub(crate) fn start() -> Self {
        let dir = TempDir::new();
        let key = KeyRing::generate(dir.path()).unwrap();
        let ring = KeyRing::load(dir.path()).unwrap();
        let tokens = Tokens::new(ring, ISSUER.into(), AUDIENCE.into());
        Self { dir, tokens, key }
    }

    pub(crate) fn token(&self) -> String {
        self.tokens.issue(&grant(), Utc::now()).unwrap()
    }

    /// Returns the reason for which a token is refused, or "accepted".
    pub(crate) fn verdict(&self, token: &str) -> &'static str {
        self.tokens.verify(token).map_or_else(Refused::reason, |_| "accepted")
    }

    /// Returns the header of an issued token.
    pub(crate) fn header(&self) -> Value {
        json!({ "typ": "at+jwt", "alg": "ES256", "kid": self.key.kid })
    }

    /// Returns the header of an issued token with one parameter changed. `null` removes it.
    pub(crate) fn header_with(&self, name: &str, value: Value) -> Value {
        with(self.header(), name, value)
    }

    /// Signs any header and claims with the real key, so that the service can refuse them only for their content.
    pub(crate) fn forge(&self, header: &str, claims: &str) -> String {
        let message = format!("{}.{}", encode(header), encode(claims));
        let signature = es256(&self.key.path, &message);
        format!("{message}.{signature}")
    }

    pub(crate) fn verdict_on_header(&self, header: &Value) -> &'static str {
        self.verdict(&self.forge(&header.to_string(), &claims().to_string()))
    }

    pub(crate) fn verdict_on_claims(&self, claims: &Value) -> &'static str {
        self.verdict(&self.forge(&self.header().to_string(), &claims.to_string()))
    }

    /// Returns the verdict on an issued token with one claim changed. `null` removes it.
    pub(crate) fn verdict_with_claim(&self, name: &str, value: Value) -> &'static str {
        self.verdict_on_claims(&with(claims(), name, value))
    }

    /// Returns the public point of the key in the uncompressed form of SEC 1.
    pub(crate) fn public_point(&self) -> Vec<u8> {
        let jwk = &serde_json::to_value(self.tokens.keys().jwks()).unwrap()["keys"][0];
        let mut point = vec![4];
        point.extend(decode(jwk["x"].as_str().unwrap()));
        point.extend(decode(jwk["y"].as_str().unwrap()));
        point
    }

    /// Returns the public key in DER (`SubjectPublicKeyInfo`).
    pub(crate) fn public_der(&self) -> Vec<u8> {
        let mut der = STANDARD.decode("MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgA=").unwrap();
        der.extend(self.public_point());
        der
    }
}

pub(crate) fn grant() -> Grant {
    Grant {
        sub: "0199aaaa-0000-7000-8000-000000000001".into(),
        client_id: "kuntatutorit".into(),
        scope: "tutors:read tutors:write".into(),
        role: "coordinator".into(),
        municipality: Some("091".into()),
        tutor: Some(Uuid::from_u128(7)),
        source: Some("espoo-calendar".into()),
    }
}

/// Returns the claims of an issued token that is valid now.
pub(crate) fn claims() -> Value {
    json!({
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": "somebody",
        "exp": now() + 600,
        "iat": now(),
        "jti": Uuid::new_v4(),
        "client_id": "kuntatutorit",
        "scope": "tutors:read",
        "role": "coordinator",
    })
}

fn with(object: Value, name: &str, value: Value) -> Value {
    let Value::Object(mut object) = object else { unreachable!() };
    if value.is_null() {
        assert!(object.remove(name).is_some(), "there was no {name} to remove");
    } else {
        object.insert(name.to_owned(), value);
    }
    Value::Object(object)
}

/// Returns the text of an object with one more member at its end, even a duplicate one.
pub(crate) fn with_duplicate(object: &Value, member: &str) -> String {
    let text = object.to_string();
    format!("{},{member}}}", text.strip_suffix('}').unwrap())
}

/// Returns the members of an object as a list without names.
pub(crate) fn as_list(object: &Value, names: &[&str]) -> String {
    let object: &Map<String, Value> = object.as_object().unwrap();
    names.iter().map(|name| object[*name].clone()).collect::<Value>().to_string()
}

pub(crate) fn now() -> i64 {
    Utc::now().timestamp()
}

pub(crate) fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

pub(crate) fn decode(part: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(part).unwrap()
}

/// Splits a token into its parts.
pub(crate) fn parts(token: &str) -> [&str; 3] {
    token.split('.').collect::<Vec<_>>().try_into().unwrap()
}

pub(crate) fn es256(key: &Path, message: &str) -> String {
    let key = EncodingKey::from_ec_pem(&fs::read(key).unwrap()).unwrap();
    jsonwebtoken::crypto::sign(message.as_bytes(), &key, Algorithm::ES256).unwrap()
}

pub(crate) fn pem(label: &str, der: &[u8]) -> String {
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", STANDARD.encode(der))
}

pub(crate) fn write_key(path: &Path, content: &str, mode: u32) {
    fs::write(path, content).unwrap();
    chmod(path, mode);
}

pub(crate) fn chmod(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

pub(crate) fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}
