//! The shapes of a tutor.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use garde::Validate;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::{
    domain::{
        EmailAddress, ExternalId, LanguageTag, LocalizedDescription, LocalizedName, MunicipalityCode, PhoneNumber,
        SourceName, ThemeSlug,
        jsonb::jsonb_column,
        rules, time,
        words::{column_words, words},
    },
    http::{Body, Filter, MergePatch, Resource},
    schema::tutors,
};

column_words! {
    /// Whether a tutor can be asked now.
    pub enum TutorStatus {
        /// Tutors others.
        Active = "active",
        /// Does not, for a while.
        Paused = "paused",
        /// Has left; what refers to the tutor stays true.
        Ended = "ended",
    }
}

column_words! {
    /// Who sees a tutor's name and contact, besides those who may write them.
    pub enum Visibility {
        /// Everybody.
        Public = "public",
        /// Members of the network, and partner systems with `contacts:read`.
        Network = "network",
        /// Only the coordinator.
        Coordinator = "coordinator",
    }
}

/// How to reach a tutor: at least one of both.
#[derive(
    Clone,
    Debug,
    PartialEq,
    Serialize,
    Deserialize,
    ToSchema,
    Validate,
    diesel::expression::AsExpression,
    diesel::deserialize::FromSqlRow,
)]
#[diesel(sql_type = diesel::sql_types::Jsonb)]
#[schema(example = json!({"email": "digituki@kunta.example", "phone": null}))]
pub struct Contact {
    /// An e-mail address.
    #[garde(dive)]
    pub email: Option<EmailAddress>,
    /// Digits, spaces, `+`, `-`, `(` and `)`.
    #[garde(dive)]
    pub phone: Option<PhoneNumber>,
}
jsonb_column!(Contact);

/// The fields of a tutor that are written.
#[derive(
    Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, Validate, Insertable, AsChangeset, Queryable, Selectable,
)]
#[diesel(table_name = tutors, treat_none_as_null = true, treat_none_as_default_value = false)]
#[schema(example = json!({
    "external_id": null, "name": "Kuntatutor, Järvenpää",
    "title": {"fi": "Kuntatutor", "sv": "Kommuntutor", "en": "Municipal tutor"}, "municipality_code": "186",
    "perspective": {"en": "An active network built together with adult education centres, the municipality and the third sector."},
    "themes": ["adult-education-centres"], "languages": ["fi"], "status": "ended", "contact": null, "visibility": "public"
}))]
pub struct TutorInput {
    /// Its key in the system that made it; unique there.
    #[garde(dive)]
    pub external_id: Option<ExternalId>,
    /// What the tutor is called.
    #[garde(length(chars, max = 200), custom(rules::not_blank))]
    #[schema(min_length = 1, max_length = 200, pattern = r"\S")]
    pub name: String,
    /// What the tutor does.
    #[garde(dive)]
    pub title: Option<LocalizedName>,
    /// The code of the municipality that the tutor works for.
    #[garde(dive)]
    pub municipality_code: MunicipalityCode,
    /// What is special about how the tutor gives support.
    #[garde(dive)]
    pub perspective: Option<LocalizedDescription>,
    /// The slugs of the themes that the tutor knows well, each once.
    #[serde(default)]
    #[garde(dive, length(max = 50), custom(rules::distinct))]
    #[schema(value_type = BTreeSet<ThemeSlug>, max_items = 50)]
    pub themes: Vec<ThemeSlug>,
    /// The languages that the tutor gives support in, as BCP 47 tags, each once.
    #[serde(default)]
    #[garde(dive, length(max = 20), custom(rules::distinct))]
    #[schema(value_type = BTreeSet<LanguageTag>, max_items = 20)]
    pub languages: Vec<LanguageTag>,
    /// Whether the tutor can be asked now.
    #[serde(default = "active")]
    #[garde(skip)]
    pub status: TutorStatus,
    /// How to reach the tutor.
    #[garde(dive, custom(some_way))]
    pub contact: Option<Contact>,
    /// Who sees `name` and `contact`.
    #[serde(default = "network")]
    #[garde(skip)]
    pub visibility: Visibility,
}

fn active() -> TutorStatus {
    TutorStatus::Active
}

fn network() -> Visibility {
    Visibility::Network
}

#[expect(clippy::ref_option, reason = "garde hands a rule the field by reference")]
fn some_way(contact: &Option<Contact>, _: &()) -> garde::Result {
    match contact {
        Some(Contact { email: None, phone: None }) => {
            Err(garde::Error::new("required|must have at least one of email and phone"))
        }
        _ => Ok(()),
    }
}

/// What may change of it.
pub type TutorPatch = MergePatch<TutorInput>;

impl Body for TutorInput {
    const OBJECTS: &'static [&'static str] = &["/title", "/perspective", "/contact"];
    const SET_BY_SERVICE: &'static [&'static str] = &["id", "source", "version", "created_at", "updated_at"];
}

/// A tutor as stored. It cannot be sent: what a caller sees of it is a [`Tutor`].
#[derive(Clone, Debug, HasQuery)]
#[diesel(table_name = tutors)]
pub struct TutorRow {
    /// A UUID of version 7.
    pub id: Uuid,
    /// The system that made it.
    pub source: String,
    /// What is written.
    #[diesel(embed)]
    pub fields: TutorInput,
    /// Another one after every write.
    pub version: i64,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was last written.
    pub updated_at: DateTime<Utc>,
}

/// A tutor, as this caller sees it.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "id": "016f5e66-e800-77d9-b280-c3e7158e0c62", "source": "kuntatutorit", "external_id": null,
    "name": "Kuntatutor, Järvenpää", "title": {"fi": "Kuntatutor", "sv": "Kommuntutor", "en": "Municipal tutor"},
    "municipality_code": "186",
    "perspective": {"en": "An active network built together with adult education centres, the municipality and the third sector."},
    "themes": ["adult-education-centres"], "languages": ["fi"], "status": "ended", "contact": null,
    "visibility": "public", "version": 42, "created_at": "2026-11-24T08:00:00Z", "updated_at": "2026-11-24T08:00:00Z"
}))]
pub struct Tutor {
    /// A UUID of version 7: made later, it sorts later.
    pub id: Uuid,
    /// The system that made it: `kuntatutorit` for the service itself, else a partner system's own.
    pub source: String,
    /// Its key in the system that made it; unique there.
    pub external_id: Option<ExternalId>,
    /// What the tutor is called; null when `visibility` hides it from you.
    pub name: Option<String>,
    /// What the tutor does.
    pub title: Option<LocalizedName>,
    /// The code of the municipality that the tutor works for.
    pub municipality_code: MunicipalityCode,
    /// What is special about how the tutor gives support.
    pub perspective: Option<LocalizedDescription>,
    /// The slugs of the themes that the tutor knows well.
    #[schema(value_type = BTreeSet<ThemeSlug>, max_items = 50)]
    pub themes: Vec<ThemeSlug>,
    /// The languages that the tutor gives support in, as BCP 47 tags.
    #[schema(value_type = BTreeSet<LanguageTag>, max_items = 20)]
    pub languages: Vec<LanguageTag>,
    /// Whether the tutor can be asked now.
    pub status: TutorStatus,
    /// How to reach the tutor; null when none is stored or `visibility` hides it from you.
    pub contact: Option<Contact>,
    /// Who sees `name` and `contact`.
    pub visibility: Visibility,
    /// Another one after every write.
    pub version: i64,
    /// When it was made.
    #[serde(serialize_with = "time::serialize")]
    pub created_at: DateTime<Utc>,
    /// When it was last written.
    #[serde(serialize_with = "time::serialize")]
    pub updated_at: DateTime<Utc>,
}

impl Resource for Tutor {
    const COLLECTION: &'static str = "/v1/tutors";

    fn key(&self) -> String {
        self.id.to_string()
    }

    fn version(&self) -> i64 {
        self.version
    }

    /// Every tutor has a name: without it, this is the view without personal data.
    fn view(&self) -> &'static str {
        if self.name.is_some() { "full" } else { "reduced" }
    }
}

words! {
    /// The order of a list of tutors.
    #[derive(Default)]
    pub enum TutorSort {
        /// By id, which is by the time of making.
        #[default]
        Id = "id",
        /// By id, the newest first.
        IdDescending = "-id",
    }
}

/// Which tutors, in which order.
#[derive(Debug, Default, Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct TutorFilter {
    /// The code of the municipality that they work for; repeat it for any of several.
    #[garde(dive)]
    #[param(max_items = 100)]
    pub municipality: Vec<MunicipalityCode>,
    /// The slug of a theme that they know well; repeat it for any of several.
    #[garde(dive)]
    #[param(max_items = 100)]
    pub theme: Vec<ThemeSlug>,
    /// A language that they give support in; repeat it for any of several.
    #[garde(dive)]
    #[param(max_items = 100)]
    pub language: Vec<LanguageTag>,
    /// Whether they can be asked now; repeat it for any of several.
    #[garde(skip)]
    #[param(max_items = 100)]
    pub status: Vec<TutorStatus>,
    /// The system that made them; repeat it for any of several.
    #[garde(dive)]
    #[param(max_items = 100)]
    pub source: Vec<SourceName>,
    /// Their key in the system that made them; repeat it for any of several.
    #[garde(dive)]
    #[param(max_items = 100)]
    pub external_id: Vec<ExternalId>,
    /// Words in titles, perspectives and those names that you see, in any of the three languages; the best match
    /// comes first unless `sort` says otherwise.
    #[garde(inner(length(chars, min = 1, max = 200)))]
    #[param(min_length = 1, max_length = 200)]
    pub q: Option<String>,
    /// The order; `-` turns it round. By `id`, the oldest first, unless there is a `q`.
    #[garde(skip)]
    #[param(inline)]
    pub sort: Option<TutorSort>,
}

impl Filter for TutorFilter {}
