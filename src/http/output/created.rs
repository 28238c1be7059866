//! Responses to requests that create or delete something.

use actix_web::{
    HttpRequest, HttpResponse, Responder, ResponseError as _,
    body::BoxBody,
    http::header::{self, ContentType, HeaderName},
    web::Data,
};
use diesel::Queryable;
use serde::Serialize;

use super::json::{RESOURCE_SIZE, json};
use crate::{
    config::Config,
    http::resource::{Resource, etag},
    problem::{Error, Result},
};

/// The header that marks a replayed response.
pub(crate) const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// The response 201, with the new resource and its address.
#[derive(Debug)]
pub enum Created<T> {
    /// This request created the resource.
    New(T),
    /// An earlier request with the same `Idempotency-Key` created the resource, and got this response.
    Replayed(CreatedResponse),
}

/// The parts of the response to a request that created a resource.
#[derive(Debug, Queryable)]
pub struct CreatedResponse {
    /// The path of the resource.
    pub path: String,
    /// The entity tag.
    pub etag: String,
    /// The resource as JSON.
    pub body: String,
}

impl CreatedResponse {
    /// Returns the response to the request that created this resource.
    pub fn of<T: Resource>(created: &T) -> Result<Self> {
        let body = serde_json::to_string(created).map_err(|error| Error::Internal(error.into()))?;
        Ok(Self { path: format!("{}/{}", T::COLLECTION, created.key()), etag: etag(created), body })
    }
}

impl<T: Resource> Responder for Created<T> {
    type Body = BoxBody;

    fn respond_to(self, request: &HttpRequest) -> HttpResponse {
        let mut response = HttpResponse::Created();
        let parts = match self {
            Self::New(created) => CreatedResponse::of(&created),
            Self::Replayed(parts) => {
                response.insert_header((REPLAYED, "true"));
                Ok(parts)
            }
        };
        let CreatedResponse { path, etag, mut body } = match parts {
            Ok(parts) => parts,
            Err(error) => return error.error_response(),
        };
        body.push('\n');
        let base = request.app_data::<Data<Config>>().map_or("", |config| config.public_url.as_str());
        response
            .content_type(ContentType::json())
            .insert_header((header::ETAG, etag))
            .insert_header((header::LOCATION, format!("{base}{path}")))
            .body(body)
    }
}

/// The response 201, with a secret that no later response has. No cache may store the response.
#[derive(Debug)]
pub struct CreatedSecret<T>(pub T);

impl<T: Serialize> Responder for CreatedSecret<T> {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        json(HttpResponse::Created().insert_header((header::CACHE_CONTROL, "no-store")), &self.0, RESOURCE_SIZE)
    }
}

/// The response 204, without a body.
#[derive(Debug)]
pub struct NoContent;

impl Responder for NoContent {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        HttpResponse::NoContent().finish()
    }
}
