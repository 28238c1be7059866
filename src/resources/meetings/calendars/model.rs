//! The shapes of a calendar.

use actix_web::{FromRequest, HttpRequest, HttpResponse, Responder, body::BoxBody, dev::Payload, http::header};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use chrono::{DateTime, Utc};
use garde::Validate;
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use utoipa::IntoParams;

use crate::{
    db::batching::response_cache::CachedAnswer,
    domain::{localized_text::LocalizedText, words::column_words},
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

column_words! {
    /// A language of the network.
    #[derive(Default)]
    pub enum Language {
        /// Finnish.
        #[default]
        Finnish = "fi",
        /// Swedish.
        Swedish = "sv",
        /// English.
        English = "en",
    }
}

impl Language {
    /// What there is of a text in this language, else in Finnish, Swedish, English; and in which language that is.
    pub(super) fn of<const MAX: usize>(self, text: &LocalizedText<MAX>) -> Option<(Self, &str)> {
        let order = [self, Self::Finnish, Self::Swedish, Self::English];
        order.into_iter().find_map(|language| Some((language, text.part(language.as_str())?)))
    }
}

/// How a calendar is shown.
#[derive(Debug, Default, Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub(super) struct CalendarQuery {
    /// The language that texts are shown in where they have it; else in Finnish, Swedish, English, whichever is there
    /// first. Finnish unless you say so.
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

/// A calendar as it is sent. It stays the same until one of its events changes or starts.
#[derive(Debug)]
pub struct Calendar(pub(super) CachedAnswer);

impl Calendar {
    /// Makes the answer with this text. The next event of the calendar starts at `next_start`.
    pub(super) fn render(mut text: String, next_start: Option<DateTime<Utc>>) -> CachedAnswer {
        text.shrink_to_fit();
        let hash = BASE64_URL_SAFE_NO_PAD.encode(&Sha256::digest(&text)[..18]);
        CachedAnswer { body: text.into(), etag: Some(format!("\"{hash}\"")), valid_until: next_start }
    }
}

impl Responder for Calendar {
    type Body = BoxBody;

    fn respond_to(self, request: &HttpRequest) -> HttpResponse {
        let CachedAnswer { body, etag, .. } = self.0;
        let etag = etag.unwrap_or_default();
        let tags = EntityTags::from_header(request, &header::IF_NONE_MATCH);
        let known = tags.is_some_and(|tags| tags.have(&etag));
        let mut response = if known { HttpResponse::NotModified() } else { HttpResponse::Ok() };
        // Weak: the tag stands for the calendar, compressed or not.
        response.insert_header((header::ETAG, format!("W/{etag}")));
        if known {
            return response.finish();
        }
        response.content_type("text/calendar; charset=utf-8").insert_header((COMPRESSIBLE, "list")).body(body)
    }
}
