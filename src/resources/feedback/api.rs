//! The operations on feedback.

use actix_web::{
    delete, get, patch, post, put,
    web::{Data, Path},
};
use uuid::Uuid;

use super::{
    list,
    model::{Feedback, FeedbackFilter, FeedbackInput, FeedbackPatch, FeedbackRow},
    scopes::{FeedbackRead, FeedbackWrite},
    store,
};
use crate::{
    db::Db,
    domain::Role,
    http::{
        Caller, Created, IdempotencyKey, IfMatch, Json, List, NoContent, Page, Patch, Replacement,
        input::list::PageQuery,
        openapi::responses::{CreateProblems, DeleteProblems, GetProblems, ListProblems, NotModified, WriteProblems},
    },
    problem::Result,
    resources::update,
};

/// List feedback
///
/// Returns the feedback that you gave. The host municipality of an event and its tutors also see the feedback of tutors
/// about participants there, without `external_id`, `respondent` and `source`. The coordinator sees all feedback.
#[utoipa::path(
    tag = "feedback",
    security(("bearer" = [FeedbackRead]), ("client_credentials" = [FeedbackRead])),
    params(FeedbackFilter, PageQuery),
    responses((status = 200, description = "A page of feedback", body = Page<Feedback>), ListProblems),
)]
#[get("/v1/feedback")]
pub(super) async fn list_feedback(
    caller: Caller<FeedbackRead>,
    query: List<FeedbackFilter>,
    db: Data<Db>,
) -> Result<Page<Feedback>> {
    list::list(&db, &caller.reach, &query).await
}

/// Give feedback
///
/// The event must be published or completed and must have started; feedback is accepted until 60 days after its end. Each
/// `respondent` of a `source` gives feedback on an event once in each `direction`. A municipality gives feedback in the
/// direction `participant_to_tutor`. A tutor gives feedback in the direction `tutor_to_participant`, on events at which the
/// tutor presents or that the tutor's municipality hosts. A partner system may use both directions, and must send the
/// `respondent`. In the direction `tutor_to_participant`, the municipality must host the event or have a tutor among its
/// `tutors`.
#[utoipa::path(
    tag = "feedback",
    security(("bearer" = [FeedbackWrite]), ("client_credentials" = [FeedbackWrite])),
    params(IdempotencyKey),
    responses((status = 201, description = "The new feedback", body = Feedback,
        headers(("ETag" = String), ("Location" = String), ("Idempotency-Replayed" = bool))), CreateProblems),
)]
#[post("/v1/feedback")]
pub(super) async fn create_feedback(
    caller: Caller<FeedbackWrite>,
    key: IdempotencyKey,
    Json(new): Json<FeedbackInput>,
    db: Data<Db>,
) -> Result<Created<Feedback>> {
    let (reach, sent) = (caller.reach.clone(), new.clone());
    let outcome = match (key.is_absent(), reach.role) {
        (true, Role::Municipality | Role::Partner | Role::Coordinator) => {
            store::create_in_batch(&db, caller.author(), &reach, new).await.map(Created::New)
        }
        _ => key.once(&db, caller, new, store::create).await,
    };
    match outcome {
        Err(error) if error.conflicts_with_stored_data() => {
            db.read(async |conn| store::explain(conn, &reach, &sent, error).await).await
        }
        outcome => outcome,
    }
}

/// Get feedback
///
/// `external_id`, `respondent` and `source` are null unless you gave the feedback or are the coordinator.
#[utoipa::path(
    tag = "feedback",
    security(("bearer" = [FeedbackRead]), ("client_credentials" = [FeedbackRead])),
    params(("id" = Uuid, Path, example = "019a0c5e-9d52-7b1e-8c3a-6a1c2d3e0b7f", description = "The id of the feedback")),
    responses((status = 200, description = "The feedback", body = Feedback, headers(("ETag" = String))),
        NotModified, GetProblems),
)]
#[get("/v1/feedback/{id}")]
pub(super) async fn get_feedback(caller: Caller<FeedbackRead>, id: Path<Uuid>, db: Data<Db>) -> Result<Json<Feedback>> {
    db.read(async |conn| store::find(conn, &caller.reach, *id).await).await.map(Json)
}

/// Replace feedback
///
/// Only the caller that gave the feedback and the coordinator may replace it, for as long as the event accepts feedback.
/// `event_id`, `direction` and `respondent` cannot be changed; you may leave out `respondent`. A new `municipality_code`
/// must meet the rules of `POST`.
#[utoipa::path(
    tag = "feedback",
    security(("bearer" = [FeedbackWrite]), ("client_credentials" = [FeedbackWrite])),
    params(("id" = Uuid, Path, example = "019a0c5e-9d52-7b1e-8c3a-6a1c2d3e0b7f", description = "The id of the feedback"), IfMatch),
    request_body = FeedbackInput,
    responses((status = 200, description = "The feedback after the change", body = Feedback, headers(("ETag" = String))),
        WriteProblems),
)]
#[put("/v1/feedback/{id}")]
pub(super) async fn replace_feedback(
    caller: Caller<FeedbackWrite>,
    id: Path<Uuid>,
    if_match: IfMatch,
    new: Replacement<FeedbackInput>,
    db: Data<Db>,
) -> Result<Json<Feedback>> {
    update::replace::<FeedbackRow, _>(&db, caller, *id, if_match, new).await
}

/// Change feedback
///
/// A JSON Merge Patch (RFC 7396): fields that you leave out stay unchanged, null removes a value. The rules are those of
/// `PUT`.
#[utoipa::path(
    tag = "feedback",
    security(("bearer" = [FeedbackWrite]), ("client_credentials" = [FeedbackWrite])),
    params(("id" = Uuid, Path, example = "019a0c5e-9d52-7b1e-8c3a-6a1c2d3e0b7f", description = "The id of the feedback"), IfMatch),
    request_body(content_type = "application/merge-patch+json", content = FeedbackPatch,
        example = json!({"rating": 4, "publish_consent": false})),
    responses((status = 200, description = "The feedback after the change", body = Feedback, headers(("ETag" = String))),
        WriteProblems),
)]
#[patch("/v1/feedback/{id}")]
pub(super) async fn patch_feedback(
    caller: Caller<FeedbackWrite>,
    id: Path<Uuid>,
    if_match: IfMatch,
    patch: Patch,
    db: Data<Db>,
) -> Result<Json<Feedback>> {
    update::patch::<FeedbackRow, _>(&db, caller, *id, if_match, patch).await
}

/// Delete feedback
///
/// Only the caller that gave the feedback and the coordinator may delete it, at any time.
#[utoipa::path(
    tag = "feedback",
    security(("bearer" = [FeedbackWrite]), ("client_credentials" = [FeedbackWrite])),
    params(("id" = Uuid, Path, example = "019a0c5e-9d52-7b1e-8c3a-6a1c2d3e0b7f", description = "The id of the feedback"), IfMatch),
    responses((status = 204, description = "The feedback is deleted"), DeleteProblems),
)]
#[delete("/v1/feedback/{id}")]
pub(super) async fn delete_feedback(
    caller: Caller<FeedbackWrite>,
    id: Path<Uuid>,
    if_match: IfMatch,
    db: Data<Db>,
) -> Result<NoContent> {
    update::delete::<FeedbackRow, _>(&db, caller, *id, if_match).await
}
