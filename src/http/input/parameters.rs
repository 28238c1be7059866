//! Refuses query parameters that an operation does not have. They are never ignored.

use std::{
    collections::{BTreeSet, HashMap},
    future::Ready,
};

use actix_web::{FromRequest, HttpRequest, dev::Payload, http::Method, web::Data};
use utoipa::openapi::{OpenApi, RefOr, path::ParameterIn};

use crate::{
    http::openapi::operations::operations,
    problem::{Error, Result},
    telemetry::route::Route,
};

/// The longest query, in bytes.
pub const QUERY_LIMIT: usize = 16 * 1024;
/// The maximum number of parameters in one query, repeated ones included.
const MAX_PARAMETERS: usize = 400;
/// The maximum number of unknown parameters that one response names.
const MAX_NAMED: usize = 20;

/// The query parameters of each operation, from the API document.
#[derive(Debug, Default)]
pub struct Parameters(HashMap<(Method, String), Vec<String>>);

/// An extractor that refuses unknown query parameters, for operations that need no token. In all other operations
/// [`Caller`](super::caller::Caller) refuses them, once it has checked the token.
#[derive(Debug)]
pub struct KnownParameters;

impl FromRequest for KnownParameters {
    type Error = Error;
    type Future = Ready<Result<Self>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        std::future::ready(refuse_unknown(request).map(|()| Self))
    }
}

impl Parameters {
    /// Collects the query parameters from the API document.
    pub fn of(document: &OpenApi) -> Self {
        let mut known = HashMap::new();
        for (path, item) in &document.paths.paths {
            for (method, operation) in operations(item) {
                let parameters = operation.parameters.iter().flatten().filter_map(|parameter| match parameter {
                    RefOr::T(parameter) => Some(parameter),
                    RefOr::Ref(_) => None,
                });
                let names = parameters.filter(|p| matches!(p.parameter_in, ParameterIn::Query)).map(|p| p.name.clone());
                known.insert((method, path.clone()), names.collect());
            }
        }
        Self(known)
    }
}

/// Refuses a query that is too long, has too many parameters, or has parameters that the operation does not have. The error
/// names the unknown parameters.
///
/// # Errors
/// [`Error::UriTooLong`], and [`Error::Malformed`], which also names the parameters of the operation.
pub(crate) fn refuse_unknown(request: &HttpRequest) -> Result<()> {
    let (query, route) = (request.query_string(), Route::of(request));
    let (false, Some(known)) = (query.is_empty(), request.app_data::<Data<Parameters>>()) else { return Ok(()) };
    check_form(query)?;
    let names = known.0.get(&(request.method().clone(), route.as_str().to_owned())).map_or(&[][..], Vec::as_slice);
    let parameters = url::form_urlencoded::parse(query.as_bytes());
    let unknown: BTreeSet<String> = parameters
        .filter(|(name, _)| !names.iter().any(|known| known == name))
        .map(|(name, _)| format!("`{}`", shorten(&name)))
        .collect();
    if unknown.is_empty() {
        return Ok(());
    }
    let named = unknown.iter().take(MAX_NAMED).map(String::as_str).collect::<Vec<_>>().join(", ");
    let more = if unknown.len() > MAX_NAMED { " and others" } else { "" };
    let plural = if unknown.len() > 1 { "s" } else { "" };
    Err(Error::Malformed {
        code: "unknown_parameter",
        detail: match names {
            [] => format!("remove the unknown parameter{plural} {named}{more}: this operation takes none"),
            _ => {
                format!("remove the unknown parameter{plural} {named}{more}: this operation takes {}", names.join(", "))
            }
        },
    })
}

/// Checks the length, the number of parameters and the encoding of a query.
fn check_form(query: &str) -> Result<()> {
    let malformed = |code, detail: String| Err(Error::Malformed { code, detail });
    require_short(query)?;
    if query.split('&').count() > MAX_PARAMETERS {
        return malformed(
            "too_many_parameters",
            format!("send at most {MAX_PARAMETERS} query parameters; split the request into several"),
        );
    }
    if percent_encoding::percent_decode_str(query).decode_utf8().is_err() {
        return malformed("malformed_query", "encode the query as UTF-8 with percent-encoding".into());
    }
    Ok(())
}

/// Refuses a query that is too long.
///
/// # Errors
/// [`Error::UriTooLong`].
pub(crate) fn require_short(query: &str) -> Result<()> {
    if query.len() > QUERY_LIMIT { Err(Error::UriTooLong(QUERY_LIMIT)) } else { Ok(()) }
}

fn shorten(name: &str) -> String {
    name.chars().filter(|c| !c.is_control()).take(40).collect()
}
