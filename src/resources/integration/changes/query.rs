//! The query parameters of the change ledger.

use std::{collections::BTreeSet, time::Duration};

use actix_web::{FromRequest, HttpRequest, dev::Payload};
use garde::Validate;
use serde::Deserialize;
use utoipa::IntoParams;

use super::{collection::LedgerCollection, mark::Mark};
use crate::{
    domain::words::words,
    http::input::{
        cursor::{bad_cursor, decode, encode, fingerprint},
        query::{pairs, read},
        read_later::ReadLater,
    },
    problem::{Error, Result, Violation},
};

words! {
    /// A named position in the ledger.
    pub enum NamedPosition {
        /// After every change that is visible now.
        Now = "now",
    }
}

/// The query parameters of the change ledger.
#[derive(Debug, Default, Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub(super) struct ChangesQuery {
    /// A collection whose changes you want; repeat it for several. Without it, all collections that you may read.
    #[garde(skip)]
    #[param(max_items = 100)]
    pub(super) resource: Vec<LedgerCollection>,
    /// The `next` of the previous response. It is valid only with the same `resource`. Without it, the response begins with
    /// the first change.
    #[garde(inner(length(chars, max = 1000)))]
    #[param(min_length = 1, max_length = 1000)]
    cursor: Option<String>,
    /// `now` returns no changes, only a `next` from which you can follow later changes. Request it before you create a full
    /// copy.
    #[garde(skip)]
    #[param(inline)]
    from: Option<NamedPosition>,
    /// The maximum number of changes in the response.
    #[garde(inner(range(min = 1, max = 1000)))]
    #[param(minimum = 1, maximum = 1000, default = 100)]
    limit: Option<i64>,
    /// How many seconds to wait for a change when there is none yet.
    #[garde(inner(range(min = 0, max = 30)))]
    #[param(minimum = 0, maximum = 30, default = 0)]
    wait: Option<u64>,
}

/// Where a response begins.
#[derive(Clone, Copy, Debug)]
pub(super) enum StartPoint {
    /// At the first change.
    Beginning,
    /// After this place.
    After(Mark),
    /// After every change that is visible now.
    Now,
}

impl FromRequest for ChangesQuery {
    type Error = Error;
    type Future = ReadLater<Self>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ReadLater::new(request, |request| read(&pairs(request.query_string())?))
    }
}

impl ChangesQuery {
    /// Returns where the response begins.
    ///
    /// # Errors
    /// [`Error::Malformed`] for a cursor of another list or of other collections, and [`Error::Invalid`] for a request with
    /// both `cursor` and `from`.
    pub(super) fn start(&self) -> Result<StartPoint> {
        match (&self.cursor, self.from) {
            (None, None) => Ok(StartPoint::Beginning),
            (None, Some(NamedPosition::Now)) => Ok(StartPoint::Now),
            (Some(cursor), None) => {
                let key = decode(cursor, &self.fingerprint())?;
                let detail = if serde_json::from_value::<(i64, i64)>(key.clone()).is_ok() {
                    "this cursor was created by an earlier version of the service; create your copy again"
                } else {
                    "this is not a cursor of the changes; send the `next` of a response unchanged"
                };
                serde_json::from_value(key).map(StartPoint::After).map_err(|_| bad_cursor(detail))
            }
            (Some(_), Some(_)) => {
                let detail = "cannot be combined with `cursor`; leave out one of the two";
                Err(Error::Invalid(vec![Violation::of_parameter("from", "one_of", detail)]))
            }
        }
    }

    /// Returns the cursor of a place.
    pub(super) fn cursor(&self, mark: Mark) -> String {
        encode(&self.fingerprint(), &mark)
    }

    /// Returns the maximum number of changes in the response.
    pub(super) fn limit(&self) -> i64 {
        self.limit.unwrap_or(100)
    }

    /// Returns how long to wait for a change.
    pub(super) fn wait(&self) -> Duration {
        Duration::from_secs(self.wait.unwrap_or_default())
    }

    /// Returns the fingerprint that ties a cursor to the requested collections.
    fn fingerprint(&self) -> String {
        let names: BTreeSet<_> = self.resource.iter().map(|collection| collection.name()).collect();
        let resources = names.into_iter().map(|name| ("resource".to_owned(), name.to_owned()));
        fingerprint("changes", resources.collect())
    }
}
