//! Typed answers: what a handler returns says what the caller gets.

use actix_web::{
    HttpRequest, HttpResponse, HttpResponseBuilder, Responder, ResponseError as _,
    body::BoxBody,
    http::header::{self, ContentType, HeaderName},
    web::{Bytes, Data},
};
use diesel::Queryable;
use serde::Serialize;
use uuid::Uuid;

use super::{
    cache::Keep,
    conditional::{Tags, etag},
    json::Json,
};
use crate::{
    config::Config,
    problem::{Error, Result},
};

/// About how long a resource is as JSON, in bytes.
const RESOURCE_SIZE: usize = 1024;

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

    /// What else is in the answer, as a hash, when the caller asked for more than the resource.
    fn embedded(&self) -> Option<String> {
        None
    }
}

impl<T: Resource> Responder for Json<T> {
    type Body = BoxBody;

    fn respond_to(self, request: &HttpRequest) -> HttpResponse {
        unless_known(request, etag(&self.0), |response| json(response, &self.0, RESOURCE_SIZE))
    }
}

/// The answer with this tag, or 304 when the caller has it already.
fn unless_known(
    request: &HttpRequest,
    tag: String,
    answer: impl FnOnce(&mut HttpResponseBuilder) -> HttpResponse,
) -> HttpResponse {
    let known =
        request.method().is_safe() && Tags::of(request, &header::IF_NONE_MATCH).is_some_and(|tags| tags.have(&tag));
    let mut response = if known { HttpResponse::NotModified() } else { HttpResponse::Ok() };
    response.insert_header((header::ETAG, tag));
    if known { response.finish() } else { answer(&mut response) }
}

/// A resource that is JSON already.
#[derive(Clone, Debug)]
pub struct WrittenResource {
    tag: String,
    body: Bytes,
}

impl WrittenResource {
    /// Writes it.
    ///
    /// # Errors
    /// When it cannot be written as JSON.
    pub fn of(resource: &impl Resource) -> Result<Self> {
        let mut body = write(resource, RESOURCE_SIZE)?;
        // It may be kept.
        body.shrink_to_fit();
        Ok(Self { tag: etag(resource), body: body.into() })
    }
}

impl Keep for WrittenResource {
    /// In which collection, and its id.
    type What = (&'static str, Uuid);

    const TYPICAL: u64 = 1024;

    fn size(&self, _: &Self::What) -> usize {
        size_of::<Self>() + self.tag.len() + self.body.len()
    }
}

impl Responder for WrittenResource {
    type Body = BoxBody;

    fn respond_to(self, request: &HttpRequest) -> HttpResponse {
        unless_known(request, self.tag, |response| response.content_type(ContentType::json()).body(self.body))
    }
}

/// JSON of about so many bytes: a buffer that grows on the way is copied each time.
fn write(value: &impl Serialize, about: usize) -> Result<Vec<u8>> {
    let mut body = Vec::with_capacity(about);
    serde_json::to_writer(&mut body, value).map_err(|error| Error::Internal(error.into()))?;
    Ok(body)
}

/// An answer of JSON, of about so many bytes.
pub fn json(response: &mut HttpResponseBuilder, value: &impl Serialize, about: usize) -> HttpResponse {
    match write(value, about) {
        Ok(body) => response.content_type(ContentType::json()).body(body),
        Err(error) => error.error_response(),
    }
}

/// The answer of a page, which pays to be compressed.
pub fn page(value: &impl Serialize, items: usize) -> HttpResponse {
    WrittenPage::of(value, items).map_or_else(|error| error.error_response(), WrittenPage::answer)
}

/// A page that is JSON already.
#[derive(Clone, Debug)]
pub struct WrittenPage(Bytes);

impl WrittenPage {
    /// Writes a page of so many items.
    ///
    /// # Errors
    /// When it cannot be written as JSON.
    pub fn of(value: &impl Serialize, items: usize) -> Result<Self> {
        let mut body = write(value, 256 + 1024 * items)?;
        // It may be kept.
        body.shrink_to_fit();
        Ok(Self(body.into()))
    }

    fn answer(self) -> HttpResponse {
        HttpResponse::Ok().insert_header((COMPRESSIBLE, "list")).content_type(ContentType::json()).body(self.0)
    }
}

impl Keep for WrittenPage {
    /// The request's path and query.
    type What = String;

    const TYPICAL: u64 = 16 * 1024;

    fn size(&self, what: &String) -> usize {
        what.len() + self.0.len()
    }
}

impl Responder for WrittenPage {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        self.answer()
    }
}

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

/// On an answer that was given before.
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// On an answer that pays to be compressed; it is taken off before the answer leaves.
pub const COMPRESSIBLE: HeaderName = HeaderName::from_static("x-compressible");
