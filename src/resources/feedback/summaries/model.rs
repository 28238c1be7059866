//! The shapes of summaries.

use std::collections::BTreeMap;

use diesel::{deserialize::FromSqlRow, expression::AsExpression, prelude::*, sql_types::Jsonb};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    domain::jsonb::jsonb_column,
    http::{Resource, examples},
    resources::feedback::model::Direction,
    schema::{feedback, feedback_summaries},
};

/// A count for each value.
pub(super) type Tally = BTreeMap<String, i64>;

/// The published figures of an event in one direction, as stored: a tally for each figure.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, AsExpression, FromSqlRow)]
#[serde(default)]
#[diesel(sql_type = Jsonb)]
pub(super) struct Figures {
    answers: Tally,
    rating: Tally,
    useful: Tally,
    themes_wanted: Tally,
}
jsonb_column!(Figures);

/// A stored summary: the published figures of an event in one direction.
#[derive(Debug, HasQuery)]
#[diesel(table_name = feedback_summaries)]
pub(super) struct SummaryRow {
    pub(super) event_id: Uuid,
    pub(super) direction: Direction,
    pub(super) figures: Figures,
    pub(super) version: i64,
}

/// A published comment, without its origin.
#[derive(Clone, Debug, Serialize, ToSchema, HasQuery)]
#[diesel(table_name = feedback)]
pub struct PublishedComment {
    /// The text.
    #[diesel(select_expression = feedback::comment.assume_not_null())]
    #[schema(example = "Saimme mallin, jolla aloitamme oman digituen.")]
    pub comment: String,
    /// The language of the comment as a BCP 47 tag.
    #[schema(example = "fi")]
    pub language: Option<String>,
}

/// The ratings.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Ratings {
    /// The number of answers with a rating.
    #[schema(example = 3)]
    pub count: i64,
    /// The mean of the ratings, rounded to two decimals.
    #[schema(example = 4.33)]
    pub mean: f64,
    /// The number of answers with each rating, from `1` (poor) to `5` (excellent).
    #[schema(value_type = BTreeMap<String, i64>, example = json!({"1": 0, "2": 0, "3": 0, "4": 2, "5": 1}))]
    pub distribution: BTreeMap<u8, i64>,
}

/// Whether the event was useful.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Usefulness {
    /// The number of answers that say whether the event was useful.
    #[schema(example = 4)]
    pub count: i64,
    /// The number of answers that say that the event was useful.
    #[schema(example = 3)]
    pub yes: i64,
    /// `yes` divided by `count`, rounded to two decimals.
    #[schema(example = 0.75)]
    pub share: f64,
}

/// The feedback in one direction. The figures of participants are published independently, each when at least three
/// municipalities have changed it, so they may count different answers.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "count": 4, "rating": {"count": 3, "mean": 4.33, "distribution": {"1": 0, "2": 0, "3": 0, "4": 2, "5": 1}},
    "useful": {"count": 4, "yes": 3, "share": 0.75}, "themes_wanted": {"email": 2},
    "comments": [{"comment": "Saimme mallin, jolla aloitamme oman digituen.", "language": "fi"}]
}))]
pub struct FeedbackFigures {
    /// The number of answers; 0 until the first ones are published.
    #[schema(example = 4)]
    pub count: i64,
    /// The ratings; null until the first ones are published.
    pub rating: Option<Ratings>,
    /// Whether the event was useful; null until the first answers are published.
    pub useful: Option<Usefulness>,
    /// The number of answers that request more about a theme, by the slug of the theme.
    #[schema(example = json!({"email": 2}))]
    pub themes_wanted: BTreeMap<String, i64>,
    /// At most 100 comments whose respondents agreed to publish them, in random order.
    pub comments: Vec<PublishedComment>,
}

/// The summary of the feedback on an event.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "event_id": "016f5e66-e800-7a11-8f0d-5d1a2b3c4d5e", "version": 42, "tutor_to_participant": null,
    "participant_to_tutor": examples::example_of::<FeedbackFigures>()
}))]
pub struct EventFeedbackSummary {
    /// The id of the event.
    pub event_id: Uuid,
    /// The feedback of participants, published in steps with changes of at least three municipalities.
    pub participant_to_tutor: FeedbackFigures,
    /// The feedback of tutors about participants; null for callers other than the host municipality, the tutors of the
    /// event and the coordinator.
    pub tutor_to_participant: Option<FeedbackFigures>,
    /// The version. It changes whenever the summary that you see changes.
    #[schema(example = 42)]
    pub version: i64,
}

/// The summary of the feedback on the events of a tutor.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "tutor_id": "016f5e66-e800-7a11-8f0d-5d1a2b3c4d5e", "version": 42, "tutor_to_participant": null,
    "participant_to_tutor": examples::example_of::<FeedbackFigures>()
}))]
pub struct TutorFeedbackSummary {
    /// The id of the tutor.
    pub tutor_id: Uuid,
    /// The feedback of participants: the sum of the published figures of the tutor's events.
    pub participant_to_tutor: FeedbackFigures,
    /// The feedback of tutors about participants at these events; null for callers other than the tutor and the
    /// coordinator.
    pub tutor_to_participant: Option<FeedbackFigures>,
    /// The version. It changes whenever the summary that you see changes.
    #[schema(example = 42)]
    pub version: i64,
}

impl Resource for EventFeedbackSummary {
    const COLLECTION: &'static str = "/v1/events";

    fn key(&self) -> String {
        self.event_id.to_string()
    }

    fn version(&self) -> i64 {
        self.version
    }

    fn view(&self) -> &'static str {
        if self.tutor_to_participant.is_some() { "full" } else { "reduced" }
    }
}

impl Resource for TutorFeedbackSummary {
    const COLLECTION: &'static str = "/v1/tutors";

    fn key(&self) -> String {
        self.tutor_id.to_string()
    }

    fn version(&self) -> i64 {
        self.version
    }

    fn view(&self) -> &'static str {
        if self.tutor_to_participant.is_some() { "full" } else { "reduced" }
    }
}

impl Figures {
    /// Adds the figures of another event.
    pub(super) fn add(&mut self, other: &Self) {
        for (own, other) in [
            (&mut self.answers, &other.answers),
            (&mut self.rating, &other.rating),
            (&mut self.useful, &other.useful),
            (&mut self.themes_wanted, &other.themes_wanted),
        ] {
            for (value, count) in other {
                *own.entry(value.clone()).or_default() += count;
            }
        }
    }

    /// Returns the figures and these comments as a caller sees them.
    pub(super) fn with_comments(self, comments: Vec<PublishedComment>) -> FeedbackFigures {
        FeedbackFigures {
            count: self.answers.values().sum(),
            rating: Ratings::of(&self.rating),
            useful: Usefulness::of(&self.useful),
            themes_wanted: self.themes_wanted,
            comments,
        }
    }
}

impl Ratings {
    fn of(tally: &Tally) -> Option<Self> {
        let distribution: BTreeMap<u8, i64> =
            (1..=5).map(|rating| (rating, tally.get(&rating.to_string()).copied().unwrap_or_default())).collect();
        let count = distribution.values().sum();
        let sum = distribution.iter().map(|(rating, count)| i64::from(*rating) * count).sum();
        Some(Self { count, mean: ratio(sum, count)?, distribution })
    }
}

impl Usefulness {
    fn of(tally: &Tally) -> Option<Self> {
        let yes = tally.get("true").copied().unwrap_or_default();
        let count = tally.values().sum();
        Some(Self { count, yes, share: ratio(yes, count)? })
    }
}

/// Returns the ratio, rounded to two decimals; none when the whole is 0.
#[expect(clippy::cast_precision_loss, reason = "counts of answers are far below 2^53")]
fn ratio(part: i64, whole: i64) -> Option<f64> {
    (whole != 0).then(|| (part as f64 / whole as f64 * 100.0).round() / 100.0)
}
