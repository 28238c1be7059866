//! What no route took: 405 with `Allow` when the document has the path, else 404.

use std::{future::Ready, rc::Rc};

use actix_web::{
    HttpRequest, HttpResponse,
    dev::ResourceDef,
    http::{Method, header},
};
use utoipa::openapi::OpenApi;

use crate::problem::{Error, Result};

/// The last service: answers `OPTIONS` for every path of the document.
pub fn fallback(document: &OpenApi) -> impl Fn(HttpRequest) -> Ready<Result<HttpResponse>> + Clone + 'static {
    let known: Rc<[(ResourceDef, String)]> =
        document.paths.paths.iter().map(|(path, item)| (ResourceDef::new(path.as_str()), allow(item))).collect();
    move |request| {
        let allow = known.iter().find(|(path, _)| path.is_match(request.path())).map(|(_, allow)| allow.clone());
        std::future::ready(match allow {
            Some(allow) if request.method() == Method::OPTIONS => {
                Ok(HttpResponse::NoContent().insert_header((header::ALLOW, allow)).finish())
            }
            Some(allow) => Err(Error::MethodNotAllowed(allow)),
            None => Err(Error::NotFound),
        })
    }
}

fn allow(item: &utoipa::openapi::PathItem) -> String {
    let mut methods = Vec::new();
    for (method, _) in crate::openapi::operations(item) {
        if method == Method::GET {
            methods.push(Method::HEAD.to_string());
        }
        methods.push(method.to_string());
    }
    methods.push(Method::OPTIONS.to_string());
    methods.join(", ")
}
