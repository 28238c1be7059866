//! The operations on summaries.

use actix_web::{
    get,
    web::{Data, Path},
};
use uuid::Uuid;

use super::{
    model::{EventFeedbackSummary, TutorFeedbackSummary},
    scopes::SummariesRead,
    store,
};
use crate::{
    db::Db,
    http::{
        Caller, Json,
        openapi::responses::{GetProblems, NotModified},
    },
    problem::Result,
};

/// Get the summary of an event's feedback
///
/// The feedback of participants is published in steps, each with changes of at least three municipalities. Until the next
/// step, a figure stays unchanged, even after edits and deletions; before the first step it is 0 or null. A withdrawn
/// comment disappears at once. Only the host municipality of the event, its tutors and the coordinator see the feedback of
/// tutors about participants.
#[utoipa::path(
    tag = "summaries",
    security(("bearer" = [SummariesRead]), ("client_credentials" = [SummariesRead])),
    params(("id" = Uuid, Path, description = "The id of the event")),
    responses((status = 200, description = "The summary", body = EventFeedbackSummary, headers(("ETag" = String))),
        NotModified, GetProblems),
)]
#[get("/v1/events/{id}/feedback-summary")]
pub(super) async fn get_event_feedback_summary(
    caller: Caller<SummariesRead>,
    id: Path<Uuid>,
    db: Data<Db>,
) -> Result<Json<EventFeedbackSummary>> {
    db.read(async |conn| store::of_event(conn, &caller.reach, *id).await).await.map(Json)
}

/// Get the summary of a tutor's feedback
///
/// Returns the sum of the published figures of all events of the tutor. Only the tutor and the coordinator see the feedback
/// of tutors about participants at these events.
#[utoipa::path(
    tag = "summaries",
    security(("bearer" = [SummariesRead]), ("client_credentials" = [SummariesRead])),
    params(("id" = Uuid, Path, description = "The id of the tutor")),
    responses((status = 200, description = "The summary", body = TutorFeedbackSummary, headers(("ETag" = String))),
        NotModified, GetProblems),
)]
#[get("/v1/tutors/{id}/feedback-summary")]
pub(super) async fn get_tutor_feedback_summary(
    caller: Caller<SummariesRead>,
    id: Path<Uuid>,
    db: Data<Db>,
) -> Result<Json<TutorFeedbackSummary>> {
    db.read(async |conn| store::of_tutor(conn, &caller.reach, *id).await).await.map(Json)
}
