//! Which events a list has, in which order.

use chrono::{DateTime, Utc};
use garde::Validate;
use serde::Deserialize;
use utoipa::IntoParams;
use uuid::Uuid;

use super::{
    model::{EventKind, Modality},
    rules::{self, REGION},
    status::EventStatus,
};
use crate::{
    db::types::words,
    http::{
        Filter,
        forms::{Audience, ExternalId, LanguageTag, MunicipalityCode, SourceName, ThemeSlug},
        rules::{language_tag, slug},
        time,
    },
    resources::municipalities::model::three_digits,
};

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

/// Which events, in which order. A repeated filter means any of its values.
#[derive(Debug, Default, Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct EventFilter {
    /// The code of the host.
    #[garde(inner(custom(three_digits)))]
    #[param(value_type = Vec<MunicipalityCode>, max_items = 100)]
    pub municipality: Vec<String>,
    /// The id of a tutor who presents.
    #[garde(skip)]
    #[param(max_items = 100)]
    pub tutor: Vec<Uuid>,
    /// The slug of a theme.
    #[garde(inner(custom(slug)))]
    #[param(value_type = Vec<ThemeSlug>, max_items = 100)]
    pub theme: Vec<String>,
    /// What kind of event.
    #[garde(skip)]
    #[param(max_items = 100)]
    pub kind: Vec<EventKind>,
    /// Where one takes part.
    #[garde(skip)]
    #[param(max_items = 100)]
    pub modality: Vec<Modality>,
    /// How things stand.
    #[garde(skip)]
    #[param(max_items = 100)]
    pub status: Vec<EventStatus>,
    /// A language that it is held in.
    #[garde(inner(custom(language_tag)))]
    #[param(value_type = Vec<LanguageTag>, max_items = 100)]
    pub language: Vec<String>,
    /// The code of a municipality that it is tailored to, or `region` for those that are for the whole region.
    #[garde(inner(custom(rules::audience)))]
    #[param(value_type = Vec<Audience>, max_items = 100)]
    pub audience: Vec<String>,
    /// It starts at this time or later.
    #[serde(deserialize_with = "time::optional")]
    #[garde(skip)]
    pub starts_after: Option<DateTime<Utc>>,
    /// It starts before this time.
    #[serde(deserialize_with = "time::optional")]
    #[garde(skip)]
    pub starts_before: Option<DateTime<Utc>>,
    /// The system that made it.
    #[garde(inner(length(chars, min = 1, max = 50)))]
    #[param(value_type = Vec<SourceName>, max_items = 100)]
    pub source: Vec<String>,
    /// Its key in that system.
    #[garde(inner(length(chars, min = 1, max = 200)))]
    #[param(value_type = Vec<ExternalId>, max_items = 100)]
    pub external_id: Vec<String>,
    /// Words in titles and descriptions, in any of the three languages and any form: `digituen` finds *digituki*.
    /// The best match comes first unless `sort` says otherwise.
    #[garde(inner(length(chars, min = 1, max = 200)))]
    #[param(min_length = 1, max_length = 200)]
    pub q: Option<String>,
    /// The order; `-` turns it round. By `starts_at` unless there is a `q`.
    #[garde(skip)]
    #[param(inline)]
    pub sort: Option<EventSort>,
}

impl Filter for EventFilter {}

impl EventFilter {
    /// Codes of the audience, without `region`.
    pub(super) fn audience_codes(&self) -> Vec<String> {
        self.audience.iter().filter(|code| *code != REGION).cloned().collect()
    }
}
