//! Typed answers: what a handler returns says what the caller gets.

use actix_web::{
    HttpRequest, HttpResponse, Responder,
    body::BoxBody,
    http::header::{self, HeaderName},
    web::Data,
};
use serde::Serialize;

use super::{
    conditional::{Tags, etag},
    json::Json,
};
use crate::config::Config;

/// What every stored resource has in common.
pub trait Resource: Serialize {
    /// The path of its collection, such as `/v1/tutors`.
    const COLLECTION: &'static str;

    /// Its id, code or slug.
    fn key(&self) -> String;

    /// Its version: another one after every write.
    fn version(&self) -> i64;

    /// Which view of it this is, when callers see different fields.
    fn view(&self) -> &'static str {
        "full"
    }
}

impl<T: Resource> Responder for Json<T> {
    type Body = BoxBody;

    fn respond_to(self, request: &HttpRequest) -> HttpResponse {
        let tag = etag(&self.0);
        let known = request.method().is_safe()
            && Tags::of(request, &header::IF_NONE_MATCH).is_some_and(|tags| tags.names_weakly(&self.0));
        if known {
            return HttpResponse::NotModified().insert_header((header::ETAG, tag)).finish();
        }
        HttpResponse::Ok().insert_header((header::ETAG, tag)).json(self.0)
    }
}

/// 201 with the new resource and where it is.
#[derive(Debug)]
pub struct Created<T>(pub T);

impl<T: Resource> Responder for Created<T> {
    type Body = BoxBody;

    fn respond_to(self, request: &HttpRequest) -> HttpResponse {
        let base = request.app_data::<Data<Config>>().map_or("", |config| config.public_url.as_str());
        HttpResponse::Created()
            .insert_header((header::ETAG, etag(&self.0)))
            .insert_header((header::LOCATION, format!("{base}{}/{}", T::COLLECTION, self.0.key())))
            .json(self.0)
    }
}

/// 201 with a secret that is told this once.
#[derive(Debug)]
pub struct ToldOnce<T>(pub T);

impl<T: Serialize> Responder for ToldOnce<T> {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        HttpResponse::Created().insert_header((header::CACHE_CONTROL, "no-store")).json(self.0)
    }
}

/// 204: done, nothing to tell.
#[derive(Debug)]
pub struct NoContent;

impl Responder for NoContent {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        HttpResponse::NoContent().finish()
    }
}

/// On an answer that pays to be compressed; it is taken off before the answer leaves.
pub const COMPRESSIBLE: HeaderName = HeaderName::from_static("x-compressible");
