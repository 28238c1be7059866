//! The parameters of the query that each operation has: another one is refused, never ignored.

use std::{
    collections::{BTreeSet, HashMap},
    future::Ready,
};

use actix_web::{FromRequest, HttpRequest, dev::Payload, http::Method, web::Data};

use crate::{
    problem::{Error, Result},
    telemetry::route::Route,
};

/// The longest query, in bytes.
pub const QUERY_LIMIT: usize = 16 * 1024;
/// The most parameters of one query, repeated ones included.
const MOST_PARAMETERS: usize = 400;
/// The most unknown parameters that one answer names.
const MOST_NAMED: usize = 20;

/// The query parameters that each operation has, from the document.
#[derive(Debug, Default)]
pub struct Parameters(HashMap<(Method, String), Vec<String>>);

/// A query without parameters that the operation does not have: for operations that need no token; [`crate::http::input::caller::Caller`]
/// sees to the others, once it knows who calls.
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
    /// Reads them off the document.
    pub fn of(document: &utoipa::openapi::OpenApi) -> Self {
        use utoipa::openapi::{RefOr, path::ParameterIn};
        let mut known = HashMap::new();
        for (path, item) in &document.paths.paths {
            for (method, operation) in crate::http::openapi::operations::operations(item) {
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

/// Refuses a query that is too long, has too many parameters, or has a parameter that the operation does not have. One pass
/// over the query names all unknown parameters.
///
/// # Errors
/// [`Error::UriTooLong`], and [`Error::Malformed`], which names the parameters of the operation.
pub(crate) fn refuse_unknown(request: &HttpRequest) -> Result<()> {
    let (query, route) = (request.query_string(), Route::of(request));
    let (false, Some(known)) = (query.is_empty(), request.app_data::<Data<Parameters>>()) else { return Ok(()) };
    require_small(query)?;
    let names = known.0.get(&(request.method().clone(), route.as_str().to_owned())).map_or(&[][..], Vec::as_slice);
    let parameters = url::form_urlencoded::parse(query.as_bytes());
    let unknown: BTreeSet<String> = parameters
        .filter(|(name, _)| !names.iter().any(|known| known == name))
        .map(|(name, _)| format!("`{}`", shorten(&name)))
        .collect();
    if unknown.is_empty() {
        return Ok(());
    }
    let named = unknown.iter().take(MOST_NAMED).map(String::as_str).collect::<Vec<_>>().join(", ");
    let more = if unknown.len() > MOST_NAMED { " and others" } else { "" };
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

fn require_small(query: &str) -> Result<()> {
    let malformed = |code, detail: String| Err(Error::Malformed { code, detail });
    if query.len() > QUERY_LIMIT {
        return Err(Error::UriTooLong(QUERY_LIMIT));
    }
    if query.split('&').count() > MOST_PARAMETERS {
        return malformed("too_many_parameters", format!("send at most {MOST_PARAMETERS} query parameters"));
    }
    if percent_encoding::percent_decode_str(query).decode_utf8().is_err() {
        return malformed("malformed_query", "the query must be UTF-8, percent-encoded".into());
    }
    Ok(())
}

fn shorten(name: &str) -> String {
    name.chars().filter(|c| !c.is_control()).take(40).collect()
}
