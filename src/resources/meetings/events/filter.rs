//! The filters and the order of a list of events.

use chrono::{DateTime, Utc};
use garde::Validate;
use serde::Deserialize;
use utoipa::IntoParams;
use uuid::Uuid;

use super::{
    model::{EventKind, Modality},
    status::EventStatus,
};
use crate::{
    db::keyset::{TimeOrder, TimeRange},
    domain::{
        ExternalId, LanguageTag, MunicipalityCode, RegionCode, SourceName, ThemeSlug, text_value::text_value, time,
        words::words,
    },
    http::Filter,
};

/// The value of the filter `audience` for events of the whole region.
pub(super) const REGION: &str = "region";

words! {
    /// The order of a list of events.
    #[derive(Default)]
    pub enum EventSort {
        /// The earliest first.
        #[default]
        StartsAt = "starts_at",
        /// The latest first.
        StartsAtDescending = "-starts_at",
    }
}

text_value! {
    /// The code of a municipality, or `region` for the whole region.
    Audience {
        length: 3 to 6,
        pattern: Some("^([0-9]{3}|region)$"),
        format: None,
        example: "region",
        check: audience,
    }
}

fn audience(text: &str) -> garde::Result {
    if text == REGION { Ok(()) } else { MunicipalityCode::from(text).validate().map_err(|_| wrong_audience()) }
}

fn wrong_audience() -> garde::Error {
    garde::Error::new("invalid_code|must be the three digits of a municipality, or region")
}

/// The filters of a list of events. A repeated filter matches any of its values.
#[derive(Debug, Default, Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub(super) struct EventFilter {
    /// The code of the host.
    #[garde(dive)]
    #[param(max_items = 100)]
    pub municipality: Vec<MunicipalityCode>,
    /// The code of the region of the host.
    #[garde(dive)]
    #[param(max_items = 100)]
    pub region: Vec<RegionCode>,
    /// The code of the municipality that the venue is in.
    #[garde(dive)]
    #[param(max_items = 100)]
    pub venue: Vec<MunicipalityCode>,
    /// The id of a tutor who presents.
    #[garde(skip)]
    #[param(max_items = 100)]
    pub tutor: Vec<Uuid>,
    /// The slug of a theme.
    #[garde(dive)]
    #[param(max_items = 100)]
    pub theme: Vec<ThemeSlug>,
    /// The kind of event.
    #[garde(skip)]
    #[param(max_items = 100)]
    pub kind: Vec<EventKind>,
    /// How people take part.
    #[garde(skip)]
    #[param(max_items = 100)]
    pub modality: Vec<Modality>,
    /// The state.
    #[garde(skip)]
    #[param(max_items = 100)]
    pub status: Vec<EventStatus>,
    /// A language of the event.
    #[garde(dive)]
    #[param(max_items = 100)]
    pub language: Vec<LanguageTag>,
    /// The code of a municipality that the event is tailored to, or `region` for events of the whole region.
    #[garde(dive)]
    #[param(inline, max_items = 100)]
    pub audience: Vec<Audience>,
    /// The event starts at this time or later.
    #[serde(deserialize_with = "time::optional")]
    #[garde(skip)]
    pub starts_after: Option<DateTime<Utc>>,
    /// The event starts before this time.
    #[serde(deserialize_with = "time::optional")]
    #[garde(skip)]
    pub starts_before: Option<DateTime<Utc>>,
    /// The event ends at this time or later. With `starts_before` at the same time, this finds the events that are
    /// under way.
    #[serde(deserialize_with = "time::optional")]
    #[garde(skip)]
    pub ends_after: Option<DateTime<Utc>>,
    /// The event ends before this time.
    #[serde(deserialize_with = "time::optional")]
    #[garde(skip)]
    pub ends_before: Option<DateTime<Utc>>,
    /// The system that created the event.
    #[garde(dive)]
    #[param(max_items = 100)]
    pub source: Vec<SourceName>,
    /// The key of the event in that system.
    #[garde(dive)]
    #[param(max_items = 100)]
    pub external_id: Vec<ExternalId>,
    /// Words in titles and descriptions, in any language and any inflected form: `digituen` finds *digituki*. The best
    /// match comes first, unless `sort` says otherwise.
    #[garde(inner(length(chars, min = 1, max = 200)))]
    #[param(min_length = 1, max_length = 200)]
    pub q: Option<String>,
    /// The order; `-` reverses it. Without `q` the default is `starts_at`.
    #[garde(skip)]
    #[param(inline)]
    pub sort: Option<EventSort>,
}

impl Filter for EventFilter {}

impl EventFilter {
    /// Returns the codes of the filter `audience`, without `region`.
    pub(super) fn audience_codes(&self) -> Vec<MunicipalityCode> {
        self.audience.iter().map(Audience::as_str).filter(|code| *code != REGION).map(Into::into).collect()
    }

    /// Returns the times between which the events start. An event starts before it ends.
    pub(super) fn range(&self) -> TimeRange {
        let before = self.starts_before.into_iter().chain(self.ends_before).min();
        TimeRange::between(self.starts_after, before)
    }

    pub(super) fn order(&self) -> TimeOrder {
        match self.sort.unwrap_or_default() {
            EventSort::StartsAt => TimeOrder::EarliestFirst,
            EventSort::StartsAtDescending => TimeOrder::LatestFirst,
        }
    }
}
