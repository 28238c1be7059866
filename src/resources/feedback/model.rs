//! The shapes of feedback.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use garde::Validate;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::{
    domain::{
        ExternalId, LanguageTag, MunicipalityCode, SourceName, ThemeSlug, rules, time,
        words::{column_words, words},
    },
    http::{Body, Filter, MergePatch, Resource, examples},
    schema::feedback,
};

column_words! {
    /// Whether a participant gives the feedback about the tutors, or a tutor about the participants.
    pub enum Direction {
        /// From a participant, about the tutors and what they presented.
        ParticipantToTutor = "participant_to_tutor",
        /// From a tutor, about the participants.
        TutorToParticipant = "tutor_to_participant",
    }
}

/// The fields of feedback that callers write. At least one of `rating`, `useful`, `comment` and `themes_wanted` must have a
/// value.
#[derive(
    Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, Validate, Insertable, AsChangeset, Queryable, Selectable,
)]
#[diesel(table_name = feedback, treat_none_as_null = true, treat_none_as_default_value = false)]
#[garde(custom(has_answer))]
#[schema(example = json!({
    "external_id": null, "event_id": "019a0c5e-7b1e-7c3a-9d52-0b7f6a1c2d3e", "direction": "participant_to_tutor",
    "municipality_code": "616", "respondent": null, "rating": 5, "useful": true, "themes_wanted": ["passwords-identification"],
    "comment": "Saimme mallin, jolla aloitamme oman digituen.", "language": "fi", "publish_consent": true
}))]
pub struct FeedbackInput {
    /// The key of the feedback in your system. It is unique there. Only the caller that gave the feedback and the
    /// coordinator see it.
    #[garde(dive)]
    pub external_id: Option<ExternalId>,
    /// The id of the event. It never changes.
    #[garde(skip)]
    pub event_id: Uuid,
    /// Whether a participant gives the feedback about the tutors, or a tutor about the participants. It never changes.
    #[garde(skip)]
    pub direction: Direction,
    /// The code of the respondent's municipality.
    #[garde(dive)]
    pub municipality_code: MunicipalityCode,
    /// The respondent, as a key that reveals nothing about the person. A partner system must send one, which it chooses
    /// itself. An account leaves it out: the respondent is then the account's own id. It never changes. Only the caller
    /// that gave the feedback and the coordinator see it.
    #[diesel(select_expression = feedback::respondent.nullable(), skip_insertion, skip_update)]
    #[garde(inner(length(chars, max = 200), custom(rules::not_blank)))]
    #[schema(min_length = 1, max_length = 200, pattern = r"\S")]
    pub respondent: Option<String>,
    /// The rating, from 1 (poor) to 5 (excellent).
    #[garde(inner(range(min = 1, max = 5)))]
    #[schema(minimum = 1, maximum = 5)]
    pub rating: Option<i32>,
    /// Whether the event was useful to the respondent.
    #[garde(skip)]
    pub useful: Option<bool>,
    /// The slugs of the themes that the respondent wants to hear more about, each once.
    #[serde(default)]
    #[garde(dive, length(max = 50), custom(rules::distinct))]
    #[schema(value_type = BTreeSet<ThemeSlug>, max_items = 50)]
    pub themes_wanted: Vec<ThemeSlug>,
    /// A comment in plain text: at most 4,000 characters, not blank.
    #[garde(inner(length(chars, max = 4000), custom(rules::not_blank)))]
    #[schema(min_length = 1, max_length = 4000, pattern = r"\S")]
    pub comment: Option<String>,
    /// The language of the comment as a BCP 47 tag.
    #[garde(dive)]
    pub language: Option<LanguageTag>,
    /// Whether the comment may be published, without its origin.
    #[serde(default)]
    #[garde(skip)]
    pub publish_consent: bool,
}

fn has_answer(new: &FeedbackInput, _: &()) -> garde::Result {
    let FeedbackInput { rating, useful, comment, themes_wanted, .. } = new;
    if rating.is_some() || useful.is_some() || comment.is_some() || !themes_wanted.is_empty() {
        return Ok(());
    }
    Err(garde::Error::new("required|must have at least one of rating, useful, comment and themes_wanted"))
}

/// A merge patch of feedback.
pub type FeedbackPatch = MergePatch<FeedbackInput>;

impl Body for FeedbackInput {
    const SET_BY_SERVICE: &'static [&'static str] = &["id", "source", "version", "created_at", "updated_at"];
}

/// Feedback as stored. The file `visibility.rs` decides which of its fields a caller sees.
#[derive(Clone, Debug, HasQuery)]
#[diesel(table_name = feedback)]
pub struct FeedbackRow {
    pub(super) id: Uuid,
    pub(super) source: String,
    #[diesel(embed)]
    pub(super) fields: FeedbackInput,
    pub(super) version: i64,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

/// Feedback on an event, as the caller sees it. Only the caller that gave it and the coordinator see all fields; others get
/// null for `external_id`, `respondent` and `source`.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(example = json!(examples::stored::<FeedbackInput>(&serde_json::json!({
    "id": "019a0c5e-9d52-7b1e-8c3a-6a1c2d3e0b7f", "source": "kuntatutorit"
}))))]
pub struct Feedback {
    /// A UUID of version 7.
    #[schema(example = "019a0c5e-9d52-7b1e-8c3a-6a1c2d3e0b7f")]
    pub id: Uuid,
    #[serde(flatten)]
    pub fields: FeedbackInput,
    /// The system that created the feedback: `kuntatutorit` for an account, else the source of the client.
    #[schema(example = "kuntatutorit")]
    pub source: Option<String>,
    /// The version. Every write changes it.
    #[schema(example = 42)]
    pub version: i64,
    /// When the feedback was given.
    #[serde(serialize_with = "time::serialize")]
    pub created_at: DateTime<Utc>,
    /// When the feedback was last written.
    #[serde(serialize_with = "time::serialize")]
    pub updated_at: DateTime<Utc>,
}

impl FeedbackRow {
    /// Returns the feedback with or without the fields that could reveal the respondent.
    pub(super) fn view(self, with_origin: bool) -> Feedback {
        let Self { id, source, mut fields, version, created_at, updated_at } = self;
        if !with_origin {
            (fields.external_id, fields.respondent) = (None, None);
        }
        Feedback { id, fields, source: with_origin.then_some(source), version, created_at, updated_at }
    }
}

impl Resource for Feedback {
    const COLLECTION: &'static str = "/v1/feedback";

    fn key(&self) -> String {
        self.id.to_string()
    }

    fn version(&self) -> i64 {
        self.version
    }

    fn view(&self) -> &'static str {
        if self.source.is_some() { "full" } else { "reduced" }
    }
}

words! {
    /// The order of a list of feedback.
    #[derive(Default)]
    pub enum FeedbackSort {
        /// The newest first.
        #[default]
        CreatedAtDescending = "-created_at",
        /// The oldest first.
        CreatedAt = "created_at",
    }
}

/// The filters of a list of feedback. A repeated filter matches any of its values.
#[derive(Debug, Default, Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct FeedbackFilter {
    /// The id of the event.
    #[garde(skip)]
    #[param(max_items = 100)]
    pub event: Vec<Uuid>,
    /// The code of the respondent's municipality.
    #[garde(dive)]
    #[param(max_items = 100)]
    pub municipality: Vec<MunicipalityCode>,
    /// Whether a participant gives the feedback about the tutors, or a tutor about the participants.
    #[garde(skip)]
    #[param(max_items = 100)]
    pub direction: Vec<Direction>,
    /// The slug of a theme that the respondent wants to hear more about.
    #[garde(dive)]
    #[param(max_items = 100)]
    pub themes_wanted: Vec<ThemeSlug>,
    /// The system that created the feedback. The filter finds only feedback that you gave; for the coordinator, any
    /// feedback.
    #[garde(dive)]
    #[param(max_items = 100)]
    pub source: Vec<SourceName>,
    /// The key of the feedback in that system. The filter finds only feedback that you gave; for the coordinator, any
    /// feedback.
    #[garde(dive)]
    #[param(max_items = 100)]
    pub external_id: Vec<ExternalId>,
    /// The order; `-` reverses it. The default is the newest first.
    #[garde(skip)]
    #[param(inline)]
    pub sort: Option<FeedbackSort>,
}

impl Filter for FeedbackFilter {}
