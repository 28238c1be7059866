//! The shapes of an event.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use garde::Validate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    status::EventStatus,
    venue::{Venue, has_location},
};
use crate::{
    db::row_limit::Weighed,
    domain::{
        ExternalId, LanguageTag, LocalizedDescription, LocalizedName, LocalizedReason, MunicipalityCode, ThemeSlug,
        WebAddress, localized_text::json_length, rules::distinct, time, words::column_words,
    },
    http::{Body, MergePatch, Resource, examples, output::json::RESOURCE_SIZE},
    schema::events,
};

column_words! {
    /// The kind of an event.
    pub enum EventKind {
        /// Tutors present how they give support.
        Presentation = "presentation",
        /// A presentation over the internet.
        Webinar = "webinar",
        /// Participants work on something together.
        Workshop = "workshop",
        /// A meeting that is tailored to one or a few municipalities.
        Sparring = "sparring",
        /// One municipality visits another.
        PeerVisit = "peer_visit",
    }
}

column_words! {
    /// How people take part in an event.
    pub enum Modality {
        /// At the venue.
        Onsite = "onsite",
        /// Over the internet.
        Online = "online",
        /// Either way.
        Hybrid = "hybrid",
    }
}

/// The fields of an event that callers write.
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
    /// The key of the event in your system. It is unique there.
    #[garde(dive)]
    pub external_id: Option<ExternalId>,
    /// The title.
    #[garde(dive)]
    pub title: LocalizedName,
    /// The description.
    #[garde(dive)]
    pub description: Option<LocalizedDescription>,
    /// The kind of event.
    #[garde(skip)]
    pub kind: EventKind,
    /// How people take part.
    #[garde(skip)]
    pub modality: Modality,
    /// When the event starts. A time in the past is allowed, because past events are recorded too.
    #[serde(deserialize_with = "time::deserialize", serialize_with = "time::serialize")]
    #[garde(skip)]
    pub starts_at: DateTime<Utc>,
    /// When the event ends: after `starts_at`.
    #[serde(deserialize_with = "time::deserialize", serialize_with = "time::serialize")]
    #[garde(custom(after(Some(self.starts_at), "starts_at")))]
    pub ends_at: DateTime<Utc>,
    /// The IANA time zone of the event.
    #[serde(default = "helsinki")]
    #[garde(custom(iana_time_zone))]
    #[schema(default = "Europe/Helsinki", min_length = 1, max_length = 64)]
    pub time_zone: String,
    /// The place of the event.
    #[garde(custom(has_location), dive)]
    pub venue: Option<Venue>,
    /// The address for joining online. Only the host, the tutors and signed-in members of the audience see it.
    #[garde(dive)]
    pub online_url: Option<WebAddress>,
    /// The code of the municipality that hosts the event; null when the network itself hosts it. Only the coordinator may
    /// write events of the network.
    #[garde(dive)]
    pub host_municipality_code: Option<MunicipalityCode>,
    /// The ids of the tutors who present, each once.
    #[serde(default)]
    #[garde(length(max = 50), custom(distinct))]
    #[schema(value_type = BTreeSet<Uuid>, max_items = 50)]
    pub tutors: Vec<Uuid>,
    /// The slugs of the themes, each once.
    #[serde(default)]
    #[garde(dive, length(max = 50), custom(distinct))]
    #[schema(value_type = BTreeSet<ThemeSlug>, max_items = 50)]
    pub themes: Vec<ThemeSlug>,
    /// The languages of the event as BCP 47 tags, each once.
    #[serde(default)]
    #[garde(dive, length(max = 20), custom(distinct))]
    #[schema(value_type = BTreeSet<LanguageTag>, max_items = 20)]
    pub languages: Vec<LanguageTag>,
    /// The codes of the municipalities that the event is tailored to, each once; empty for the whole region. The audience
    /// does not hide the event from others.
    #[serde(default)]
    #[garde(dive, length(max = 400), custom(distinct))]
    #[schema(value_type = BTreeSet<MunicipalityCode>, max_items = 400)]
    pub audience: Vec<MunicipalityCode>,
    /// The number of seats.
    #[garde(inner(range(min = 1, max = 100_000)))]
    #[schema(minimum = 1, maximum = 100_000)]
    pub capacity: Option<i32>,
    /// When registration opens.
    #[serde(default, deserialize_with = "time::optional", serialize_with = "time::serialize")]
    #[garde(skip)]
    pub registration_opens_at: Option<DateTime<Utc>>,
    /// When registration closes: after `registration_opens_at`.
    #[serde(default, deserialize_with = "time::optional", serialize_with = "time::serialize")]
    #[garde(inner(custom(after(self.registration_opens_at, "registration_opens_at"))))]
    pub registration_closes_at: Option<DateTime<Utc>>,
    /// The state. The allowed changes are `draft` → `published` → `completed` (once the event has ended),
    /// `published` ⇄ `postponed`, and `cancelled` from `draft`, `published` or `postponed`.
    #[serde(default)]
    #[garde(skip)]
    pub status: EventStatus,
    /// Why the event is postponed or cancelled. Publishing a postponed event again removes the reason, unless the request
    /// has another one.
    #[garde(dive)]
    pub status_reason: Option<LocalizedReason>,
}

impl EventInput {
    /// Returns the municipality of the venue.
    pub(super) fn venue_municipality(&self) -> Option<&MunicipalityCode> {
        self.venue.as_ref()?.municipality_code.as_ref()
    }

    /// Returns every municipality that the event names.
    pub(super) fn municipalities(&self) -> impl Iterator<Item = &MunicipalityCode> {
        self.audience.iter().chain(&self.host_municipality_code).chain(self.venue_municipality())
    }
}

/// A merge patch of an event.
pub type EventPatch = MergePatch<EventInput>;

impl Body for EventInput {
    const OBJECTS: &'static [&'static str] = &["/title", "/description", "/venue", "/venue/name", "/status_reason"];
    const SET_BY_SERVICE: &'static [&'static str] =
        &["id", "source", "previous_starts_at", "version", "created_at", "updated_at", "included"];
}

/// An event as stored. [`super::visibility`] decides which of its fields a caller sees.
#[derive(Clone, Debug, HasQuery)]
#[diesel(table_name = events)]
pub struct EventRow {
    pub(super) id: Uuid,
    source: String,
    #[diesel(embed)]
    pub(super) fields: EventInput,
    previous_starts_at: Option<DateTime<Utc>>,
    sequence: i32,
    pub(super) version: i64,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

/// An event, as the caller sees it.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(example = json!(examples::stored::<EventInput>(&serde_json::json!({
    "id": "016f5e66-e800-7a11-8f0d-5d1a2b3c4d5e", "source": "kuntatutorit", "status": "completed",
    "starts_at": "2020-05-19T05:00:00Z", "ends_at": "2020-05-19T13:00:00Z", "previous_starts_at": null
}))))]
pub struct Event {
    /// A UUID of version 7.
    pub id: Uuid,
    /// The system that created the event: `kuntatutorit` for the service itself, else the source of the client.
    #[schema(example = "kuntatutorit")]
    pub source: String,
    #[serde(flatten)]
    pub fields: EventInput,
    /// The start before the published event was last moved. The service sets it.
    #[serde(serialize_with = "time::serialize")]
    pub previous_starts_at: Option<DateTime<Utc>>,
    /// How many times the event has changed in a way that calendars show (RFC 5545, section 3.8.7.4).
    #[serde(skip)]
    pub sequence: i32,
    /// The version. Every write changes it.
    #[schema(example = 42)]
    pub version: i64,
    /// When the event was created.
    #[serde(serialize_with = "time::serialize")]
    pub created_at: DateTime<Utc>,
    /// When the event was last written.
    #[serde(serialize_with = "time::serialize")]
    pub updated_at: DateTime<Utc>,
    #[serde(skip)]
    view: &'static str,
}

impl Weighed for EventRow {
    fn weight(&self) -> usize {
        let EventInput { title, description, venue, status_reason, online_url, .. } = &self.fields;
        let venue = venue.as_ref().map_or(0, |venue| {
            let name = venue.name.as_ref().map_or(0, LocalizedName::json_length);
            name + venue.address.as_deref().map_or(0, json_length)
        });
        let lists = 40 * (self.fields.tutors.len() + self.fields.themes.len()) + 8 * self.fields.audience.len();
        let texts = title.json_length()
            + description.as_ref().map_or(0, LocalizedDescription::json_length)
            + status_reason.as_ref().map_or(0, LocalizedReason::json_length)
            + online_url.as_ref().map_or(0, |url| url.as_str().len());
        RESOURCE_SIZE + texts + venue + lists
    }
}

impl EventRow {
    /// Returns the event with or without `online_url`.
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

fn helsinki() -> String {
    "Europe/Helsinki".to_owned()
}

fn iana_time_zone(name: &str, _: &()) -> garde::Result {
    if name.parse::<chrono_tz::Tz>().is_ok() {
        return Ok(());
    }
    Err(garde::Error::new("invalid_time_zone|must be an IANA time zone such as Europe/Helsinki"))
}

fn after(start: Option<DateTime<Utc>>, field: &str) -> impl FnOnce(&DateTime<Utc>, &()) -> garde::Result {
    let message = format!("not_after|must be after {field}");
    move |end, ()| match start {
        Some(start) if *end <= start => Err(garde::Error::new(message)),
        _ => Ok(()),
    }
}
