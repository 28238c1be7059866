//! The shapes of a calendar.

use actix_web::{FromRequest, HttpRequest, HttpResponse, Responder, body::BoxBody, dev::Payload, http::header};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use chrono::{DateTime, Utc};
use garde::Validate;
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use utoipa::IntoParams;

use super::language::Language;
use crate::{
    db::batching::response_cache::CachedResponse,
    domain::RegionCode,
    http::{
        input::{
            if_match::EntityTags,
            query::{pairs, read},
            read_later::ReadLater,
        },
        output::cached::COMPRESSIBLE,
    },
    problem::Error,
};

/// The query parameters of a calendar.
#[derive(Debug, Default, Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub(super) struct CalendarQuery {
    /// The language of the calendar. A text without this language is shown in the first language that it has, in the order
    /// Finnish, Swedish, English, Sámi languages. The default is Finnish.
    #[garde(skip)]
    #[param(inline)]
    pub(super) lang: Option<Language>,
}

impl FromRequest for CalendarQuery {
    type Error = Error;
    type Future = ReadLater<Self>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ReadLater::new(request, |request| read(&pairs(request.query_string())?))
    }
}

/// The query parameters of the calendar of all events.
#[derive(Debug, Default, Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub(super) struct RegionalCalendarQuery {
    /// The language of the calendar. A text without this language is shown in the first language that it has, in the order
    /// Finnish, Swedish, English, Sámi languages. The default is Finnish.
    #[garde(skip)]
    #[param(inline)]
    pub(super) lang: Option<Language>,
    /// The code of a region: only the events that its municipalities host.
    #[garde(dive)]
    #[param(max_items = 100)]
    pub(super) region: Vec<RegionCode>,
}

impl FromRequest for RegionalCalendarQuery {
    type Error = Error;
    type Future = ReadLater<Self>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ReadLater::new(request, |request| read(&pairs(request.query_string())?))
    }
}

/// A rendered calendar.
#[derive(Debug)]
pub(super) struct Calendar(pub(super) CachedResponse);

impl Calendar {
    /// Creates the response from the text of a calendar. The calendar changes when one of its events is written, and at
    /// `next_start`, when its next event starts.
    pub(super) fn response(mut text: String, next_start: Option<DateTime<Utc>>) -> CachedResponse {
        text.shrink_to_fit();
        let hash = BASE64_URL_SAFE_NO_PAD.encode(&Sha256::digest(&text)[..18]);
        CachedResponse { body: text.into(), etag: Some(format!("\"{hash}\"")), next: None, valid_until: next_start }
    }
}

impl Responder for Calendar {
    type Body = BoxBody;

    fn respond_to(self, request: &HttpRequest) -> HttpResponse {
        let CachedResponse { body, etag, .. } = self.0;
        let etag = etag.unwrap_or_default();
        let known_tags = EntityTags::from_header(request, &header::IF_NONE_MATCH);
        let is_known = known_tags.is_some_and(|tags| tags.contain(&etag));
        let mut response = if is_known { HttpResponse::NotModified() } else { HttpResponse::Ok() };
        // Weak, because the compressed calendar has the same tag.
        response.insert_header((header::ETAG, format!("W/{etag}")));
        if is_known {
            return response.finish();
        }
        response.content_type("text/calendar; charset=utf-8").insert_header((COMPRESSIBLE, "list")).body(body)
    }
}
