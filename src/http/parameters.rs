//! The parameters of the query that each operation has: another one is refused, never ignored.

use std::{collections::HashMap, future::Ready};

use actix_web::{FromRequest, HttpRequest, dev::Payload, http::Method, web::Data};

use crate::{
    problem::{Error, Result},
    telemetry::Route,
};

/// The query parameters that each operation has, from the document.
#[derive(Debug, Default)]
pub struct Parameters(HashMap<(Method, String), Vec<String>>);

/// A query without parameters that the operation does not have: for operations that need no token; [`crate::auth::Caller`]
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
            for (method, operation) in crate::openapi::operations(item) {
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

/// Passes when the operation has every parameter of the query.
///
/// # Errors
/// [`Error::Malformed`], which names those that there are.
pub(crate) fn refuse_unknown(request: &HttpRequest) -> Result<()> {
    let (query, route) = (request.query_string(), Route::of(request));
    let (false, Some(known)) = (query.is_empty(), request.app_data::<Data<Parameters>>()) else { return Ok(()) };
    if percent_encoding::percent_decode_str(query).decode_utf8().is_err() {
        return Err(Error::Malformed {
            code: "malformed_query",
            detail: "the query must be UTF-8, percent-encoded".into(),
        });
    }
    let names = known.0.get(&(request.method().clone(), route.as_str().to_owned())).map_or(&[][..], Vec::as_slice);
    let unknown =
        url::form_urlencoded::parse(query.as_bytes()).find(|(name, _)| !names.iter().any(|known| known == name));
    match unknown {
        None => Ok(()),
        Some((name, _)) => Err(Error::Malformed {
            code: "unknown_parameter",
            detail: match names {
                [] => format!("there is no parameter `{}`; this operation takes none", shorten(&name)),
                _ => format!("there is no parameter `{}`; there are: {}", shorten(&name), names.join(", ")),
            },
        }),
    }
}

fn shorten(name: &str) -> String {
    name.chars().filter(|c| !c.is_control()).take(40).collect()
}
