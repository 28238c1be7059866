//! Lists: filters, the order, and keyset pages.

use std::collections::HashMap;

use actix_web::{FromRequest, HttpRequest, HttpResponse, Responder, body::BoxBody, dev::Payload};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use garde::Validate;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use sha2::{Digest as _, Sha256};
use utoipa::{IntoParams, ToSchema};

use super::{
    document::example_of,
    json::{broken_rule, has_code},
    parameters::ReadLater,
    respond, wording,
};
use crate::problem::{Error, Result, Violation};

/// How many values a parameter can have.
const MOST_VALUES: usize = 100;

/// The filters and the order that a list offers. Derive `Deserialize` with `deny_unknown_fields`.
pub trait Filter: DeserializeOwned + Validate<Context = ()> + 'static {}

/// What was asked of a list: which rows, in which order, from where on.
#[derive(Debug)]
pub struct List<F> {
    /// Which rows, in which order.
    pub filter: F,
    /// From where on, and how many.
    pub page: PageRequest,
}

/// How to ask for a page.
#[derive(Debug, Default, Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PageQuery {
    /// At most this many items.
    #[garde(range(min = 1, max = 100))]
    #[param(minimum = 1, maximum = 100, default = 20)]
    limit: Option<i64>,
    /// The `next` of the page before; it is good only for the same filters and order.
    #[garde(inner(length(chars, max = 4096)))]
    #[param(min_length = 1, max_length = 4096)]
    cursor: Option<String>,
}

/// The parameter that says what to send along; it chooses no rows.
pub(crate) const INCLUDE: &str = "include";

/// A page that was asked for.
#[derive(Debug)]
pub struct PageRequest {
    limit: i64,
    after: Option<serde_json::Value>,
    fingerprint: String,
    asked: String,
}

/// A page of a list.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"items": [example_of::<T>()], "next": null}))]
pub struct Page<T> {
    /// The items, in the order that was asked for.
    pub items: Vec<T>,
    /// The `cursor` of the next page; null on the last one.
    pub next: Option<String>,
}

impl<F: Filter> FromRequest for List<F> {
    type Error = Error;
    type Future = ReadLater<Self>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ReadLater::new(request, |request| Self::parse(request.path(), request.query_string()))
    }
}

impl<F: Filter> List<F> {
    fn parse(path: &str, query: &str) -> Result<Self> {
        let named = pairs(query)?.into_iter().filter(|(name, _)| name != INCLUDE);
        let (paging, filters): (Vec<_>, Vec<_>) = named.partition(|(name, _)| matches!(&**name, "limit" | "cursor"));
        let (page, filter): (PageQuery, F) = match (read(&paging), read(&filters)) {
            (Err(Error::Invalid(mut violations)), Err(Error::Invalid(others))) => {
                violations.extend(others);
                return Err(Error::Invalid(violations));
            }
            (page, filter) => (page?, filter?),
        };
        let fingerprint = fingerprint(path, filters);
        let after = page.cursor.map(|cursor| open(&cursor, &fingerprint)).transpose()?;
        let (limit, asked) = (page.limit.unwrap_or(20), format!("{path}?{query}"));
        Ok(Self { filter, page: PageRequest { limit, after, fingerprint, asked } })
    }
}

fn invalid(name: &str, code: &'static str, detail: impl Into<std::borrow::Cow<'static, str>>) -> Error {
    Error::Invalid(vec![Violation::of_parameter(name, code, detail)])
}

/// The parameters of a query, names and values.
///
/// # Errors
/// [`Error::Invalid`] when a value is empty or has a NUL, or when a parameter is repeated too often.
pub(crate) fn pairs(query: &str) -> Result<Vec<(String, String)>> {
    let mut times = HashMap::<_, usize>::new();
    let pairs = url::form_urlencoded::parse(query.as_bytes()).into_owned().map(|(name, value)| {
        let times = times.entry(name.clone()).or_default();
        *times += 1;
        if *times > MOST_VALUES {
            return Err(invalid(&name, "too_long", format!("must not stand there more than {MOST_VALUES} times")));
        }
        match value.as_str() {
            "" if name != INCLUDE => Err(invalid(&name, "too_short", "must not be empty; leave it out instead")),
            value if value.contains('\0') => Err(invalid(&name, "nul", "must not contain the character NUL (U+0000)")),
            _ => Ok((name, value)),
        }
    });
    pairs.collect()
}

/// Reads parameters, telling every one that breaks a rule.
///
/// # Errors
/// [`Error::Invalid`], and [`Error::Malformed`] when they cannot be read at all.
pub(crate) fn read<T: DeserializeOwned + Validate<Context = ()>>(pairs: &[(String, String)]) -> Result<T> {
    let mut readable = pairs.to_vec();
    let mut violations = Vec::new();
    // One parameter that cannot be read ends the reading: go on without it, so that the others are told too.
    let parsed: T = loop {
        let encoded = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(&readable).finish();
        let parameters = serde_html_form::Deserializer::new(url::form_urlencoded::parse(encoded.as_bytes()));
        let error = match serde_path_to_error::deserialize(parameters) {
            Ok(parsed) => break parsed,
            Err(error) => error,
        };
        let (name, message) = (first_part(error.path()), error.inner().to_string());
        let (given, others): (Vec<_>, Vec<_>) = readable.into_iter().partition(|(known, _)| *known == name);
        readable = others;
        if given.is_empty() {
            let detail = format!("the query cannot be read: {}", wording::told(&message));
            return Err(Error::Malformed { code: "malformed_query", detail });
        }
        violations.push(if has_code(&message) {
            Violation { pointer: None, parameter: Some(name), ..broken_rule("", &message) }
        } else {
            Violation::of_parameter(name, "invalid_value", wording::told(&message))
        });
        if let (Some(hint), Some(told)) = (hint(&given), violations.last_mut()) {
            told.detail.to_mut().push_str(hint);
        }
    };
    if let Err(report) = parsed.validate() {
        violations.extend(report.iter().map(|(path, error)| {
            let rule = broken_rule("", error.message());
            Violation { pointer: None, parameter: Some(first_part(path)), ..rule }
        }));
    }
    if violations.is_empty() { Ok(parsed) } else { Err(Error::Invalid(violations)) }
}

/// What is easily meant by values that cannot be read.
fn hint(given: &[(String, String)]) -> Option<&'static str> {
    let has = |mark: char| given.iter().any(|(_, value)| value.contains(mark));
    if has(',') {
        Some("; for several values repeat the parameter")
    } else if has(' ') && has(':') {
        Some("; in a query a + is written %2B")
    } else {
        None
    }
}

/// The parameter of a path such as `theme[0]`.
fn first_part(path: &impl ToString) -> String {
    path.to_string().split(['.', '[']).next().unwrap_or_default().to_owned()
}

/// What a cursor is good for: this list with these filters and this order, however the query writes them.
pub(crate) fn fingerprint(path: &str, mut filters: Vec<(String, String)>) -> String {
    filters.sort();
    let mut hash = Sha256::new_with_prefix(path);
    for text in filters.iter().flat_map(|(name, value)| [name, value]) {
        hash.update(text.len().to_le_bytes());
        hash.update(text);
    }
    BASE64_URL_SAFE_NO_PAD.encode(&hash.finalize()[..9])
}

/// The cursor of a place, for those filters and that order.
pub(crate) fn seal(fingerprint: &str, place: &impl Serialize) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(serde_json::to_vec(&(fingerprint, place)).unwrap_or_default())
}

/// The place of a cursor.
///
/// # Errors
/// [`Error::Malformed`] when it was not made for those filters and that order.
pub(crate) fn open(cursor: &str, fingerprint: &str) -> Result<serde_json::Value> {
    let opened: Option<(String, serde_json::Value)> =
        BASE64_URL_SAFE_NO_PAD.decode(cursor).ok().and_then(|json| serde_json::from_slice(&json).ok());
    match opened {
        Some((made_for, after)) if made_for == fingerprint => Ok(after),
        Some(_) => Err(bad_cursor("this cursor was made for other filters or another order; start at the first page")),
        None => Err(bad_cursor("this is not a cursor of this list; use the `next` of a page as it is")),
    }
}

/// The failure of a cursor.
pub(crate) fn bad_cursor(detail: &str) -> Error {
    Error::Malformed { code: "bad_cursor", detail: detail.to_owned() }
}

impl PageRequest {
    /// The path and the query, as they were sent.
    pub fn asked(&self) -> &str {
        &self.asked
    }

    /// How many rows to fetch: one more than asked for shows whether there is a next page.
    pub fn fetch(&self) -> i64 {
        self.limit + 1
    }

    /// The sort key of the last row of the page before; `None` on the first page.
    ///
    /// # Errors
    /// [`Error::Malformed`] when the cursor holds no such key.
    pub fn after<K: DeserializeOwned>(&self) -> Result<Option<K>> {
        let Some(after) = &self.after else { return Ok(None) };
        let key = K::deserialize(after).ok().filter(|_| !after.to_string().contains("\\u0000"));
        key.map(Some).ok_or_else(|| bad_cursor("this is not a cursor of this list; use the `next` of a page as it is"))
    }

    /// The page, from the rows that were fetched and the sort key of each.
    pub fn answer<T, K: Serialize>(&self, mut items: Vec<T>, key: impl Fn(&T) -> K) -> Page<T> {
        let limit = usize::try_from(self.limit).unwrap_or(usize::MAX);
        let more = items.len() > limit;
        items.truncate(limit);
        let next = items.last().filter(|_| more).map(|item| seal(&self.fingerprint, &key(item)));
        Page { items, next }
    }
}

impl<T> Page<T> {
    /// The same page of something else.
    pub fn map<U>(self, view: impl Fn(T) -> U) -> Page<U> {
        Page { items: self.items.into_iter().map(view).collect(), next: self.next }
    }
}

impl<T: Serialize> Responder for Page<T> {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        respond::page(&self, self.items.len())
    }
}
