//! Answers requests that no route matches: `OPTIONS` and wrong methods of known paths, and unknown paths.

use actix_web::{
    HttpRequest, HttpResponse,
    dev::ResourceDef,
    http::{Method, header},
    web::Data,
};
use utoipa::openapi::{OpenApi, PathItem};

use super::{input::merge_patch::MEDIA_TYPES, openapi::operations::operations};
use crate::problem::{Error, Result, body::ACCEPT_PATCH};

/// The paths of the API document.
pub struct Paths(Vec<Methods>);

/// The methods of a path.
struct Methods {
    path: ResourceDef,
    /// The value of `Allow`.
    allow: String,
    /// Whether one of them is `PATCH`.
    patch: bool,
}

impl Paths {
    /// Collects the paths from the API document.
    pub fn of(document: &OpenApi) -> Self {
        let methods = |(path, item): (&String, &PathItem)| Methods {
            path: ResourceDef::new(path.as_str()),
            allow: allow(item),
            patch: item.patch.is_some(),
        };
        Self(document.paths.paths.iter().map(methods).collect())
    }
}

/// Answers `OPTIONS` for a path of the API document, refuses another method of such a path with 405, and any other path with
/// 404. actix itself would answer a wrong method with 404.
pub async fn fallback(request: HttpRequest, paths: Data<Paths>) -> Result<HttpResponse> {
    let known = paths.0.iter().find(|methods| methods.path.is_match(request.path()));
    let Methods { allow, patch, .. } = known.ok_or(Error::NotFound)?;
    if request.method() != Method::OPTIONS {
        return Err(Error::MethodNotAllowed(allow.clone()));
    }
    let mut response = HttpResponse::NoContent();
    response.insert_header((header::ALLOW, allow.as_str()));
    if *patch {
        response.insert_header((ACCEPT_PATCH, MEDIA_TYPES.join(", ")));
    }
    Ok(response.finish())
}

fn allow(item: &PathItem) -> String {
    let mut methods = Vec::new();
    for (method, _) in operations(item) {
        if method == Method::GET {
            methods.push(Method::HEAD.to_string());
        }
        methods.push(method.to_string());
    }
    methods.push(Method::OPTIONS.to_string());
    methods.join(", ")
}
