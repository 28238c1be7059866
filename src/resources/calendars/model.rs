//! The shapes of a calendar.

use actix_web::{
    FromRequest, HttpRequest, HttpResponse, Responder, body::BoxBody, dev::Payload, http::header, web::Bytes,
};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use chrono::{DateTime, Utc};
use garde::Validate;
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use utoipa::IntoParams;

use crate::{
    db::types::{Localized, words},
    http::{
        cache::Keep,
        conditional::Tags,
        list::{pairs, read},
        parameters::ReadLater,
        respond::COMPRESSIBLE,
    },
    problem::Error,
};

words! {
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
    pub(super) fn of<const MAX: usize>(self, text: &Localized<MAX>) -> Option<(Self, &str)> {
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

/// A calendar as it is sent: the same until an event of it changes, or begins.
#[derive(Clone, Debug)]
pub struct Calendar {
    text: Bytes,
    hash: String,
    until: Option<DateTime<Utc>>,
}

impl Calendar {
    /// The calendar with this text, whose next event begins then.
    pub(super) fn of(mut text: String, until: Option<DateTime<Utc>>) -> Self {
        text.shrink_to_fit();
        let hash = BASE64_URL_SAFE_NO_PAD.encode(&Sha256::digest(&text)[..18]);
        Self { text: text.into(), hash, until }
    }
}

impl Keep for Calendar {
    /// Whose calendar, in which language, and what it is called.
    type What = String;

    const TYPICAL: u64 = 64 * 1024;

    fn size(&self, what: &String) -> usize {
        what.len() + self.text.len()
    }

    fn until(&self) -> Option<DateTime<Utc>> {
        self.until
    }
}

impl Responder for Calendar {
    type Body = BoxBody;

    fn respond_to(self, request: &HttpRequest) -> HttpResponse {
        let Self { text, hash, .. } = self;
        let known = Tags::of(request, &header::IF_NONE_MATCH).is_some_and(|tags| tags.have(&format!("\"{hash}\"")));
        let mut response = if known { HttpResponse::NotModified() } else { HttpResponse::Ok() };
        // Weak: it stands for the calendar, compressed or not.
        response.insert_header((header::ETAG, format!("W/\"{hash}\"")));
        if known {
            return response.finish();
        }
        response.content_type("text/calendar; charset=utf-8").insert_header((COMPRESSIBLE, "list")).body(text)
    }
}
