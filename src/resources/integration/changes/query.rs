//! How the ledger is asked.

use std::{collections::BTreeSet, time::Duration};

use actix_web::{FromRequest, HttpRequest, dev::Payload};
use garde::Validate;
use serde::Deserialize;
use utoipa::IntoParams;

use super::{collection::LedgerCollection, model::Position};
use crate::{
    domain::words::words,
    http::input::{
        cursor::{bad_cursor, fingerprint, open, seal},
        query::{pairs, read},
        read_later::ReadLater,
    },
    problem::{Error, Result, Violation},
};

words! {
    /// A place in the ledger that has a name.
    pub enum Start {
        /// The present.
        Now = "now",
    }
}

/// Which changes, from where on.
#[derive(Debug, Default, Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub(super) struct ChangesQuery {
    /// Of this collection; repeat it for any of several. All that you may read unless you say so.
    #[garde(skip)]
    #[param(max_items = 100)]
    pub(super) resource: Vec<LedgerCollection>,
    /// The `next` of the answer before; it is good only for the same `resource`. StartPoint the first change on without it.
    #[garde(inner(length(chars, max = 1000)))]
    #[param(min_length = 1, max_length = 1000)]
    cursor: Option<String>,
    /// `now` begins at the present instead: take it before you make a full copy.
    #[garde(skip)]
    #[param(inline)]
    from: Option<Start>,
    /// At most this many items.
    #[garde(inner(range(min = 1, max = 1000)))]
    #[param(minimum = 1, maximum = 1000, default = 100)]
    limit: Option<i64>,
    /// When there is nothing: wait for this many seconds until there is something.
    #[garde(inner(range(min = 0, max = 30)))]
    #[param(minimum = 0, maximum = 30, default = 0)]
    wait: Option<u64>,
}

/// Where to begin.
#[derive(Clone, Copy, Debug)]
pub(super) enum StartPoint {
    /// After this place.
    After(Position),
    /// At the present.
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
    /// Where to begin.
    ///
    /// # Errors
    /// [`Error::Malformed`] for a cursor that is not of the ledger, or of other collections.
    pub(super) fn start(&self) -> Result<StartPoint> {
        match (&self.cursor, self.from) {
            (None, None) => Ok(StartPoint::After((0, 0))),
            (None, Some(Start::Now)) => Ok(StartPoint::Now),
            (Some(cursor), None) => {
                let position: Option<Position> = serde_json::from_value(open(cursor, &self.fingerprint())?).ok();
                let position = position.filter(|(xid, seq)| *xid >= 0 && *seq >= 0);
                position.map(StartPoint::After).ok_or_else(|| bad_cursor("this is not a cursor of the changes"))
            }
            (Some(_), Some(_)) => {
                let detail = "leave out `from` or `cursor`: you can begin at one place only";
                Err(Error::Invalid(vec![Violation::of_parameter("from", "one_of", detail)]))
            }
        }
    }

    /// The cursor of a place.
    pub(super) fn cursor(&self, position: Position) -> String {
        seal(&self.fingerprint(), &position)
    }

    pub(super) fn limit(&self) -> i64 {
        self.limit.unwrap_or(100)
    }

    pub(super) fn wait(&self) -> Duration {
        Duration::from_secs(self.wait.unwrap_or_default())
    }

    fn fingerprint(&self) -> String {
        let names: BTreeSet<_> = self.resource.iter().map(|collection| collection.name()).collect();
        let resources = names.into_iter().map(|name| ("resource".to_owned(), name.to_owned()));
        fingerprint("changes", resources.collect())
    }
}
