//! The shapes of an event.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use garde::Validate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{rules, status::EventStatus};
use crate::{
    db::types::{LocalizedName, LocalizedReason, LocalizedText, jsonb_column, words},
    http::{
        Body, MergePatch, Resource, document,
        forms::{LanguageTag, MunicipalityCode, ThemeSlug},
        rules::{distinct, language_tag, not_blank, web_address},
        time,
    },
    resources::municipalities::model::three_digits,
    schema::events,
};

words! {
    /// What kind of event it is.
    pub enum EventKind {
        /// Somebody presents how they give support.
        Presentation = "presentation",
        /// The same, over the network.
        Webinar = "webinar",
        /// Participants work on something together.
        Workshop = "workshop",
        /// Tailored to one or a few municipalities.
        Sparring = "sparring",
        /// One municipality visits another.
        PeerVisit = "peer_visit",
    }
}

words! {
    /// Where one takes part.
    pub enum Modality {
        /// At the venue.
        Onsite = "onsite",
        /// Over the network.
        Online = "online",
        /// Either.
        Hybrid = "hybrid",
    }
}

/// Where an event is held: at least one of the fields.
#[derive(
    Clone,
    Debug,
    PartialEq,
    Eq,
    Serialize,
    Deserialize,
    ToSchema,
    Validate,
    diesel::expression::AsExpression,
    diesel::deserialize::FromSqlRow,
)]
#[diesel(sql_type = diesel::sql_types::Jsonb)]
pub struct Venue {
    /// What the place is called.
    #[garde(dive)]
    pub name: Option<LocalizedName>,
    /// Street and town.
    #[garde(inner(length(chars, min = 1, max = 500), custom(not_blank)))]
    #[schema(min_length = 1, max_length = 500)]
    pub address: Option<String>,
    /// The municipality that it is in.
    #[garde(inner(custom(three_digits)))]
    #[schema(value_type = Option<MunicipalityCode>)]
    pub municipality_code: Option<String>,
}
jsonb_column!(Venue);

/// The fields of an event that are written.
#[derive(
    Clone,
    Debug,
    PartialEq,
    Eq,
    Serialize,
    Deserialize,
    ToSchema,
    Validate,
    Insertable,
    AsChangeset,
    Queryable,
    Selectable,
)]
#[diesel(table_name = events, treat_none_as_null = true, treat_none_as_default_value = false)]
#[schema(example = json!({
    "external_id": null,
    "title": {"fi": "Digituen hyvät käytänteet kansalaisopistojen hankkeissa Uudellamaalla"},
    "description": {"fi": "Tutorkunta Järvenpään tapahtuma pidettiin verkossa."},
    "kind": "presentation", "modality": "online", "starts_at": "2020-05-19T08:00:00+03:00",
    "ends_at": "2020-05-19T16:00:00+03:00", "time_zone": "Europe/Helsinki", "venue": null, "online_url": null,
    "host_municipality_code": "186", "tutors": [], "themes": ["adult-education-centres"], "languages": ["fi"],
    "audience": [], "capacity": null, "registration_opens_at": null, "registration_closes_at": null,
    "status": "draft", "status_reason": null
}))]
pub struct EventInput {
    /// The event's key in your system, unique there.
    #[garde(inner(length(chars, min = 1, max = 200), custom(not_blank)))]
    #[schema(min_length = 1, max_length = 200)]
    pub external_id: Option<String>,
    /// What it is called.
    #[garde(dive)]
    pub title: LocalizedName,
    /// What it is about.
    #[garde(dive)]
    pub description: Option<LocalizedText>,
    /// What kind of event it is.
    #[garde(skip)]
    pub kind: EventKind,
    /// Where one takes part.
    #[garde(skip)]
    pub modality: Modality,
    /// When it starts; the past is allowed: held events are recorded too.
    #[serde(deserialize_with = "time::deserialize", serialize_with = "time::serialize")]
    #[garde(skip)]
    pub starts_at: DateTime<Utc>,
    /// When it ends: after `starts_at`.
    #[serde(deserialize_with = "time::deserialize", serialize_with = "time::serialize")]
    #[garde(custom(rules::after(Some(self.starts_at), "starts_at")))]
    pub ends_at: DateTime<Utc>,
    /// The IANA time zone in which its hours are told.
    #[serde(default = "rules::helsinki")]
    #[garde(custom(rules::time_zone))]
    #[schema(default = "Europe/Helsinki", min_length = 1, max_length = 64)]
    pub time_zone: String,
    /// Where it is held.
    #[garde(custom(rules::some_place), dive)]
    pub venue: Option<Venue>,
    /// Where to join over the network: seen by the host, the tutors and signed-in members of the audience.
    #[garde(inner(custom(web_address)))]
    #[schema(max_length = 2000, pattern = "^https?://")]
    pub online_url: Option<String>,
    /// The municipality that holds it; null for the network itself, which is the coordinator's.
    #[garde(inner(custom(three_digits)))]
    #[schema(value_type = Option<MunicipalityCode>)]
    pub host_municipality_code: Option<String>,
    /// Ids of the tutors who present, each once.
    #[serde(default)]
    #[garde(length(max = 50), custom(distinct))]
    #[schema(value_type = BTreeSet<Uuid>, max_items = 50)]
    pub tutors: Vec<Uuid>,
    /// Slugs of its themes, each once.
    #[serde(default)]
    #[garde(length(max = 50), custom(distinct))]
    #[schema(value_type = BTreeSet<ThemeSlug>, max_items = 50)]
    pub themes: Vec<String>,
    /// The languages that it is held in, as BCP 47 tags, each once.
    #[serde(default)]
    #[garde(length(max = 20), inner(custom(language_tag)), custom(distinct))]
    #[schema(value_type = BTreeSet<LanguageTag>, max_items = 20)]
    pub languages: Vec<String>,
    /// Codes of the municipalities that it is tailored to, each once; empty for the whole region. It targets, it does not
    /// keep secret.
    #[serde(default)]
    #[garde(length(max = 400), inner(custom(three_digits)), custom(distinct))]
    #[schema(value_type = BTreeSet<MunicipalityCode>, max_items = 400)]
    pub audience: Vec<String>,
    /// Seats.
    #[garde(inner(range(min = 1, max = 100_000)))]
    #[schema(minimum = 1, maximum = 100_000)]
    pub capacity: Option<i32>,
    /// When registration opens.
    #[serde(default, deserialize_with = "time::optional", serialize_with = "time::serialize")]
    #[garde(skip)]
    pub registration_opens_at: Option<DateTime<Utc>>,
    /// When registration closes: after it opens.
    #[serde(default, deserialize_with = "time::optional", serialize_with = "time::serialize")]
    #[garde(inner(custom(rules::after(self.registration_opens_at, "registration_opens_at"))))]
    pub registration_closes_at: Option<DateTime<Utc>>,
    /// How things stand; write it to change it: `draft` → `published` → `completed` (once it has ended),
    /// `published` ⇄ `postponed`, and `cancelled` from any of the first three.
    #[serde(default)]
    #[garde(skip)]
    pub status: EventStatus,
    /// Why it is postponed or cancelled. Publishing a postponed event again takes the reason away, unless that writes another.
    #[garde(dive)]
    pub status_reason: Option<LocalizedReason>,
}

/// What may change of it.
pub type EventPatch = MergePatch<EventInput>;

impl Body for EventInput {
    const OBJECTS: &'static [&'static str] = &["/title", "/description", "/venue", "/venue/name", "/status_reason"];
    const SET_BY_SERVICE: &'static [&'static str] =
        &["id", "source", "previous_starts_at", "version", "created_at", "updated_at", "included"];
}

/// An event as stored; [`super::store`] decides what of it a caller sees.
#[derive(Clone, Debug, HasQuery)]
#[diesel(table_name = events)]
pub(super) struct EventRow {
    pub(super) id: Uuid,
    pub(super) source: String,
    #[diesel(embed)]
    pub(super) fields: EventInput,
    previous_starts_at: Option<DateTime<Utc>>,
    sequence: i32,
    pub(super) version: i64,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

/// An event.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(example = json!(document::stored::<EventInput>(&serde_json::json!({
    "id": "016f5e66-e800-7a11-8f0d-5d1a2b3c4d5e", "source": "kuntatutorit", "status": "completed",
    "starts_at": "2020-05-19T05:00:00Z", "ends_at": "2020-05-19T13:00:00Z", "previous_starts_at": null
}))))]
pub struct Event {
    /// `UUIDv7`.
    pub id: Uuid,
    /// The system that made it: `kuntatutorit` for the service itself, else the client's source.
    #[schema(example = "kuntatutorit")]
    pub source: String,
    /// What is written.
    #[serde(flatten)]
    pub fields: EventInput,
    /// What was announced before, when the event moved; the service keeps it.
    #[serde(serialize_with = "time::serialize")]
    pub previous_starts_at: Option<DateTime<Utc>>,
    /// How often what a calendar shows of it has changed (RFC 5545, section 3.8.7.4).
    #[serde(skip)]
    pub sequence: i32,
    /// Another one after every write.
    #[schema(example = 42)]
    pub version: i64,
    /// When it was made.
    #[serde(serialize_with = "time::serialize")]
    pub created_at: DateTime<Utc>,
    /// When it was last written.
    #[serde(serialize_with = "time::serialize")]
    pub updated_at: DateTime<Utc>,
    #[serde(skip)]
    view: &'static str,
}

impl EventRow {
    /// The event, with `online_url` or without.
    pub(super) fn view(mut self, with_online_url: bool) -> Event {
        if !with_online_url {
            self.fields.online_url = None;
        }
        Event {
            id: self.id,
            source: self.source,
            fields: self.fields,
            previous_starts_at: self.previous_starts_at,
            sequence: self.sequence,
            version: self.version,
            created_at: self.created_at,
            updated_at: self.updated_at,
            view: if with_online_url { "full" } else { "reduced" },
        }
    }
}

impl Resource for Event {
    const COLLECTION: &'static str = "/v1/events";

    fn key(&self) -> String {
        self.id.to_string()
    }

    fn version(&self) -> i64 {
        self.version
    }

    fn view(&self) -> &'static str {
        self.view
    }
}
