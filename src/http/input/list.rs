//! Requests for lists: the filters, the order and the page.

use actix_web::{FromRequest, HttpRequest, dev::Payload};
use garde::Validate;
use serde::{Deserialize, de::DeserializeOwned};
use utoipa::IntoParams;

use super::{
    cursor::{UNKNOWN_CURSOR, bad_cursor, decode, fingerprint},
    query::{INCLUDE, pairs, read},
    read_later::ReadLater,
};
use crate::{
    db::row_limit::{MeanWeight, Rows, Weighed},
    problem::{Error, Result},
};

/// The largest page, in bytes of JSON. A page of very long items ends early, so that it takes no more memory than this; typical
/// items have a thousand bytes.
pub const PAGE_BYTES: usize = 2 * 1024 * 1024;

/// The filters and the orders of a list. Derive `Deserialize` with `deny_unknown_fields`.
pub trait Filter: DeserializeOwned + Validate<Context = ()> + 'static {}

/// A request for a list.
#[derive(Debug)]
pub struct List<F> {
    /// The filters and the order.
    pub filter: F,
    /// The page.
    pub page: PageRequest,
}

/// The query parameters of a page.
#[derive(Debug, Default, Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PageQuery {
    /// The maximum number of items on the page. A page of more than 2 MiB ends earlier: read on until `next` is null.
    #[garde(range(min = 1, max = 100))]
    #[param(minimum = 1, maximum = 100, default = 20)]
    limit: Option<i64>,
    /// The `next` of the previous page. It is valid only with the same filters and order.
    #[garde(inner(length(chars, max = 4096)))]
    #[param(min_length = 1, max_length = 4096)]
    cursor: Option<String>,
}

/// A request for a page.
#[derive(Debug)]
pub struct PageRequest {
    limit: i64,
    after: Option<serde_json::Value>,
    fingerprint: String,
    uri: String,
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
        let parameters = pairs(query)?.into_iter().filter(|(name, _)| name != INCLUDE);
        let (paging, filters): (Vec<_>, Vec<_>) =
            parameters.partition(|(name, _)| matches!(&**name, "limit" | "cursor"));
        let (page, filter): (PageQuery, F) = match (read(&paging), read(&filters)) {
            (Err(Error::Invalid(mut violations)), Err(Error::Invalid(others))) => {
                violations.extend(others);
                return Err(Error::Invalid(violations));
            }
            (page, filter) => (page?, filter?),
        };
        let fingerprint = fingerprint(path, filters);
        let after = page.cursor.map(|cursor| decode(&cursor, &fingerprint)).transpose()?;
        let (limit, uri) = (page.limit.unwrap_or(20), format!("{path}?{query}"));
        Ok(Self { filter, page: PageRequest { limit, after, fingerprint, uri } })
    }
}

impl PageRequest {
    /// Returns the path and the query as the caller sent them.
    pub fn uri(&self) -> &str {
        &self.uri
    }

    /// Returns the maximum number of items on the page.
    pub fn limit(&self) -> usize {
        usize::try_from(self.limit).unwrap_or(usize::MAX)
    }

    /// Loads the rows of a page of long items. `load` loads at most this many rows with at most [`PAGE_BYTES`].
    pub async fn load<T: Weighed>(
        &self,
        mean: &MeanWeight,
        load: impl AsyncFn(i64) -> Result<Rows<T>>,
    ) -> Result<Rows<T>> {
        mean.load(self.limit() + 1, PAGE_BYTES, load).await
    }

    /// Returns how many rows to fetch. One more than the limit shows whether there is a next page.
    pub fn fetch(&self) -> i64 {
        self.limit + 1
    }

    /// Returns the fingerprint that ties a cursor to this list, its filters and its order.
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// Returns the sort key of the last row of the previous page; none on the first page.
    ///
    /// # Errors
    /// [`Error::Malformed`] when the cursor holds no such key.
    pub fn after<K: DeserializeOwned>(&self) -> Result<Option<K>> {
        let Some(after) = &self.after else { return Ok(None) };
        let key = K::deserialize(after).ok().filter(|_| !after.to_string().contains("\\u0000"));
        key.map(Some).ok_or_else(|| bad_cursor(UNKNOWN_CURSOR))
    }
}
