//! Answers requests that no route matches: `OPTIONS` and wrong methods of known paths, and unknown paths.

use actix_web::{
    HttpRequest, HttpResponse,
    dev::ResourceDef,
    http::{Method, header},
    web::Data,
};
use utoipa::openapi::{OpenApi, PathItem};

use super::openapi::operations::operations;
use crate::problem::{Error, Result};

/// The paths of the API document, each with its value of `Allow`.
pub struct Paths(Vec<(ResourceDef, String)>);

impl Paths {
    /// Collects the paths from the API document.
    pub fn of(document: &OpenApi) -> Self {
        Self(document.paths.paths.iter().map(|(path, item)| (ResourceDef::new(path.as_str()), allow(item))).collect())
    }
}

/// Answers `OPTIONS` for a path of the API document, refuses another method of such a path with 405, and any other path with
/// 404. actix itself would answer a wrong method with 404.
pub async fn fallback(request: HttpRequest, paths: Data<Paths>) -> Result<HttpResponse> {
    let allow = paths.0.iter().find(|(path, _)| path.is_match(request.path())).map(|(_, allow)| allow.clone());
    match allow {
        Some(allow) if request.method() == Method::OPTIONS => {
            Ok(HttpResponse::NoContent().insert_header((header::ALLOW, allow)).finish())
        }
        Some(allow) => Err(Error::MethodNotAllowed(allow)),
        None => Err(Error::NotFound),
    }
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
