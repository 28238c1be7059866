//! What no route took: 405 with `Allow` when the document has the path, else 404.

use actix_web::{
    HttpRequest, HttpResponse,
    dev::ResourceDef,
    http::{Method, header},
    web::Data,
};
use utoipa::openapi::OpenApi;

use crate::problem::{Error, Result};

/// The paths of the document, each with the methods that it allows.
pub struct Paths(Vec<(ResourceDef, String)>);

impl Paths {
    /// Reads them off the document.
    pub fn of(document: &OpenApi) -> Self {
        Self(document.paths.paths.iter().map(|(path, item)| (ResourceDef::new(path.as_str()), allow(item))).collect())
    }
}

/// The last service: answers `OPTIONS` for every path of the document.
///
/// # Errors
/// [`Error::MethodNotAllowed`], [`Error::NotFound`].
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

fn allow(item: &utoipa::openapi::PathItem) -> String {
    let mut methods = Vec::new();
    for (method, _) in crate::http::openapi::operations::operations(item) {
        if method == Method::GET {
            methods.push(Method::HEAD.to_string());
        }
        methods.push(method.to_string());
    }
    methods.push(Method::OPTIONS.to_string());
    methods.join(", ")
}
