//! Answers to requests that create or delete something.

use actix_web::{
    HttpRequest, HttpResponse, Responder, ResponseError as _,
    body::BoxBody,
    http::header::{self, ContentType, HeaderName},
    web::Data,
};
use diesel::Queryable;
use serde::Serialize;

use crate::{
    config::Config,
    http::resource::{Resource, etag},
    problem::{Error, Result},
};

/// Marks an answer that was given before.
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// 201 with the new resource and where it is.
#[derive(Debug)]
pub enum Created<T> {
    /// It was made now.
    New(T),
    /// It was made by an earlier request with the same `Idempotency-Key`: what was answered then.
    Again(Answer),
}

/// The answer to the making of a resource.
#[derive(Debug, Queryable)]
pub struct Answer {
    /// Where the resource is.
    pub path: String,
    /// Its tag.
    pub etag: String,
    /// Itself, as JSON.
    pub body: String,
}

impl Answer {
    /// The answer that tells of this new resource.
    ///
    /// # Errors
    /// When it cannot be written as JSON.
    pub fn of<T: Resource>(made: &T) -> Result<Self> {
        let body = serde_json::to_string(made).map_err(|error| Error::Internal(error.into()))?;
        Ok(Self { path: format!("{}/{}", T::COLLECTION, made.key()), etag: etag(made), body })
    }
}

impl<T: Resource> Responder for Created<T> {
    type Body = BoxBody;

    fn respond_to(self, request: &HttpRequest) -> HttpResponse {
        let mut response = HttpResponse::Created();
        let answer = match self {
            Self::New(made) => Answer::of(&made),
            Self::Again(answer) => {
                response.insert_header((REPLAYED, "true"));
                Ok(answer)
            }
        };
        let Answer { path, etag, body } = match answer {
            Ok(answer) => answer,
            Err(error) => return error.error_response(),
        };
        let base = request.app_data::<Data<Config>>().map_or("", |config| config.public_url.as_str());
        response
            .content_type(ContentType::json())
            .insert_header((header::ETAG, etag))
            .insert_header((header::LOCATION, format!("{base}{path}")))
            .body(body)
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
