//! The shapes of a merger.

use actix_web::{FromRequest, HttpRequest, dev::Payload};
use chrono::{Datelike as _, NaiveDate};
use garde::Validate;
use serde::{Deserialize, Serialize};

use utoipa::{IntoParams, ToSchema};

use crate::{
    domain::{MunicipalityCode, words::words},
    http::{
        Body,
        input::{
            query::{pairs, read},
            read_later::ReadLater,
        },
    },
};

/// A merger, as the coordinator orders it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, Validate)]
#[schema(example = json!({"into": "638", "on": "2026-01-01"}))]
pub struct MergerInput {
    /// The code of the municipality that this one merges into.
    #[garde(dive)]
    pub into: MunicipalityCode,
    /// The day from which this municipality no longer exists: today in Finland or earlier, because everything moves at
    /// once.
    #[garde(custom(day_in_range))]
    pub on: NaiveDate,
}

fn day_in_range(day: &NaiveDate, _: &()) -> garde::Result {
    if (1900..=2199).contains(&day.year()) {
        Ok(())
    } else {
        Err(garde::Error::new("out_of_range|must be a day from 1900 to 2199"))
    }
}

impl Body for MergerInput {}

/// The query parameters of a merger.
#[derive(Debug, Default, Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct MergerQuery {
    /// Whether to answer what the merger would do, without doing it.
    #[garde(skip)]
    pub dry_run: bool,
}

impl FromRequest for MergerQuery {
    type Error = crate::problem::Error;
    type Future = ReadLater<Self>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ReadLater::new(request, |request| read(&pairs(request.query_string())?))
    }
}

/// What a merger has done, or would do.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "code": "611", "into": "638", "on": "2026-01-01", "dry_run": false,
    "moved": [{"collection": "accounts", "count": 2}, {"collection": "tutors", "count": 1}],
    "kept": [{"collection": "events", "count": 4}, {"collection": "feedback", "count": 9}], "collisions": []
}))]
pub struct Merger {
    /// The municipality that has ended.
    pub code: MunicipalityCode,
    /// Its successor.
    pub into: MunicipalityCode,
    /// The day from which it no longer exists.
    pub on: NaiveDate,
    /// Whether nothing was written.
    pub dry_run: bool,
    /// How many rows have moved to the successor. All counts are 0 when the merger was carried out before.
    pub moved: Vec<Tally>,
    /// How many rows keep the old code, because they are history.
    pub kept: Vec<Tally>,
    /// The rows in which the two municipalities met.
    pub collisions: Vec<Collision>,
}

impl Merger {
    /// Returns what a merger does with these rows: those that move, those that keep the old code, and those in which
    /// the municipalities meet.
    pub(super) fn of(
        code: MunicipalityCode,
        MergerInput { into, on }: MergerInput,
        dry_run: bool,
        (moved, kept, collisions): (Vec<Tally>, Vec<Tally>, Vec<Collision>),
    ) -> Self {
        Self { code, into, on, dry_run, moved, kept, collisions }
    }
}

/// A number of rows.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Tally {
    /// The collection, as in paths.
    #[schema(example = "tutors")]
    pub collection: String,
    /// The number of its rows.
    #[schema(example = 3, minimum = 0)]
    pub count: i64,
}

words! {
    /// What became of a row in which the two municipalities met.
    pub enum CollisionOutcome {
        /// Two values became one.
        Merged = "merged",
        /// The row ended, because it would join the municipality with itself.
        Ended = "ended",
    }
}

/// A row in which the two municipalities met.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Collision {
    /// The collection, as in paths.
    #[schema(example = "events")]
    pub collection: String,
    /// The id of the row.
    pub key: String,
    /// The field in which they met.
    #[schema(example = "audience")]
    pub field: String,
    /// What became of it.
    #[schema(inline)]
    pub outcome: CollisionOutcome,
    /// What became of it, for people.
    pub detail: String,
}
