//! The form of a token request.

use actix_web::{HttpRequest, http::header};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde::Deserialize;
use utoipa::ToSchema;

use super::token_problem::{INVALID_CLIENT, INVALID_REQUEST, TokenProblem};

/// A token request. The service ignores unknown parameters (RFC 6749, section 3.2).
#[derive(Default, Deserialize, ToSchema)]
#[schema(example = json!({"grant_type": "client_credentials", "scope": "events:read events:write"}))]
#[expect(dead_code, reason = "it documents the form; the parameters are read from TokenForm")]
pub(super) struct TokenRequest {
    /// Always `client_credentials`.
    #[schema(max_length = 18, pattern = "^client_credentials$")]
    grant_type: String,
    /// The scopes of the token, separated by spaces. Without it, the token has all scopes of the client.
    #[schema(max_length = 1000)]
    scope: Option<String>,
    /// The id of the client, unless you send it by HTTP Basic.
    #[schema(max_length = 200)]
    client_id: Option<String>,
    /// A secret of the client, unless you send it by HTTP Basic.
    #[schema(format = Password, max_length = 200)]
    client_secret: Option<String>,
}

/// The parameters of a token request, each at most once (RFC 6749, section 3.2).
pub(super) struct TokenForm(Vec<(String, String)>);

impl TokenForm {
    /// Parses the body of a request.
    pub(super) fn parse(body: &[u8]) -> Result<Self, TokenProblem> {
        if std::str::from_utf8(body).is_err() {
            return Err(INVALID_REQUEST);
        }
        let pairs: Vec<(String, String)> = url::form_urlencoded::parse(body).into_owned().collect();
        let mut names: Vec<_> = pairs.iter().map(|(name, _)| name).collect();
        names.sort();
        if names.windows(2).any(|two| two[0] == two[1]) { Err(INVALID_REQUEST) } else { Ok(Self(pairs)) }
    }

    /// Returns a parameter; none when it is missing or empty.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(other, _)| other == name)
            .map(|(_, value)| value.as_str())
            .filter(|value| !value.is_empty())
    }
}

/// Returns the id and the secret of the client, by HTTP Basic or in the form but not both (RFC 6749, section 2.3).
pub(super) fn credentials(request: &HttpRequest, form: &TokenForm) -> Result<(String, String), TokenProblem> {
    let in_form = (form.get("client_id"), form.get("client_secret"));
    let mut headers = request.headers().get_all(header::AUTHORIZATION);
    match (headers.next(), headers.next(), in_form) {
        (Some(_), Some(_), _) | (Some(_), None, (_, Some(_))) => Err(INVALID_REQUEST),
        (Some(value), None, (in_form, None)) => {
            let (id, secret) = value.to_str().ok().and_then(parse_basic).ok_or(INVALID_CLIENT)?;
            if in_form.is_none_or(|form| form == id) { Ok((id, secret)) } else { Err(INVALID_REQUEST) }
        }
        (None, _, (Some(id), Some(secret))) => Ok((id.to_owned(), secret.to_owned())),
        (None, ..) => Err(INVALID_CLIENT),
    }
}

/// Parses the value of a Basic header. Both parts are form-encoded in it (RFC 6749, section 2.3.1).
fn parse_basic(header: &str) -> Option<(String, String)> {
    let (scheme, encoded) = header.split_once(' ')?;
    let decoded = String::from_utf8(BASE64_STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (id, secret) = decoded.split_once(':')?;
    let decode = |text: &str| {
        url::form_urlencoded::parse(format!("part={text}").as_bytes()).next().map(|(_, value)| value.into_owned())
    };
    (scheme.eq_ignore_ascii_case("basic")).then_some((decode(id)?, decode(secret)?))
}
