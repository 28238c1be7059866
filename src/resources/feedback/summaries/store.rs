//! Summaries in the database. Every caller that sees an event sees the published figures of participants. This file decides
//! which callers see the figures of tutors.

use diesel::{
    dsl::array,
    prelude::*,
    sql_types::{Array, Integer, Text, Uuid as SqlUuid},
};
use diesel_async::RunQueryDsl;
use futures_util::future::{try_join, try_join4};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::model::{EventFeedbackSummary, Figures, PublishedComment, SummaryRow, TutorFeedbackSummary};
use crate::{
    auth::reach::{Identity, Reach},
    db::Conn,
    problem::Result,
    resources::{
        directory::tutors,
        feedback::{
            model::{
                Direction,
                Direction::{ParticipantToTutor, TutorToParticipant},
            },
            visibility::hosts_or_presents,
        },
        meetings::{events, events::model::Event},
    },
    schema::{event_tutors, feedback, feedback_comments, feedback_summaries},
};

/// The maximum number of comments in a summary.
const MAX_COMMENTS: i32 = 100;

#[diesel::declare_sql_function]
extern "SQL" {
    /// Returns the ids of the feedback with the first published comments about these events.
    fn first_comments(of_events: Array<SqlUuid>, of_direction: Text, most: Integer) -> SqlUuid;
}

/// Returns the summary of the feedback on an event.
///
/// The version is read before the comments. An `ETag` may therefore be older than the comments in the response, which
/// costs one more request, but never newer, which would hide a change.
///
/// # Errors
/// [`crate::problem::Error::NotFound`] when the caller does not see the event.
pub async fn of_event(conn: &Conn, reach: &Reach, id: Uuid) -> Result<EventFeedbackSummary> {
    let (event, mut rows, by_participants, by_tutors) = try_join4(
        events::store::find(conn, reach, id),
        rows_of_event(conn, id),
        comments_of_event(conn, id, ParticipantToTutor),
        comments_of_event(conn, id, TutorToParticipant),
    )
    .await?;
    let is_full = sees_feedback_of_tutors(reach, &event);
    rows.retain(|row| is_full || row.direction == ParticipantToTutor);
    Ok(EventFeedbackSummary {
        event_id: id,
        participant_to_tutor: total(&rows, ParticipantToTutor).with_comments(by_participants),
        tutor_to_participant: is_full.then(|| total(&rows, TutorToParticipant).with_comments(by_tutors)),
        version: rows.iter().map(|row| row.version).max().unwrap_or_default(),
    })
}

/// Returns the summary of the feedback on the events of a tutor. As in [`of_event`], the versions are read before the
/// comments.
///
/// # Errors
/// [`crate::problem::Error::NotFound`] when there is no such tutor.
pub async fn of_tutor(conn: &Conn, reach: &Reach, id: Uuid) -> Result<TutorFeedbackSummary> {
    let is_full = reach.is_coordinator() || reach.tutor == Some(id);
    let (_, mut rows) = try_join(tutors::store::find(conn, reach, id), rows_of_tutor(conn, id)).await?;
    rows.retain(|row| is_full || row.direction == ParticipantToTutor);
    let comments = |direction| comments_of_all(conn, &rows, direction);
    let (by_participants, by_tutors) = try_join(comments(ParticipantToTutor), comments(TutorToParticipant)).await?;
    Ok(TutorFeedbackSummary {
        tutor_id: id,
        participant_to_tutor: total(&rows, ParticipantToTutor).with_comments(by_participants),
        tutor_to_participant: is_full.then(|| total(&rows, TutorToParticipant).with_comments(by_tutors)),
        version: version_of_all(&rows),
    })
}

/// Returns whether the caller sees the feedback of tutors about participants at this event. Callers that can read the
/// feedback itself do.
fn sees_feedback_of_tutors(reach: &Reach, event: &Event) -> bool {
    let is_account = matches!(reach.identity, Identity::Account(_));
    reach.is_coordinator() || (is_account && hosts_or_presents(reach, event))
}

async fn rows_of_event(mut conn: &Conn, id: Uuid) -> Result<Vec<SummaryRow>> {
    Ok(SummaryRow::query().filter(feedback_summaries::event_id.eq(id)).load(&mut conn).await?)
}

/// Returns the summaries of the tutor's events. A row with the version 0 has nothing published and is left out, so that
/// it does not change the version of the whole.
async fn rows_of_tutor(mut conn: &Conn, id: Uuid) -> Result<Vec<SummaryRow>> {
    let presented = event_tutors::table.filter(event_tutors::tutor_id.eq(id)).select(event_tutors::event_id);
    // With an array, PostgreSQL finds all events in one index scan.
    let query = SummaryRow::query().filter(feedback_summaries::event_id.eq_any(array::<SqlUuid, _>(presented)));
    let query = query.filter(feedback_summaries::version.gt(0));
    Ok(query.order((feedback_summaries::event_id, feedback_summaries::direction)).load(&mut conn).await?)
}

async fn comments_of_event(mut conn: &Conn, id: Uuid, direction: Direction) -> Result<Vec<PublishedComment>> {
    let query = PublishedComment::query()
        .inner_join(feedback_comments::table.on(feedback_comments::feedback_id.eq(feedback::id)))
        .filter(feedback_comments::event_id.eq(id))
        .filter(feedback_comments::direction.eq(direction))
        .filter(feedback_comments::shown);
    Ok(query.order(feedback_comments::place).limit(MAX_COMMENTS.into()).load(&mut conn).await?)
}

async fn comments_of_all(mut conn: &Conn, rows: &[SummaryRow], direction: Direction) -> Result<Vec<PublishedComment>> {
    let events: Vec<_> = rows.iter().filter(|row| row.direction == direction).map(|row| row.event_id).collect();
    if events.is_empty() {
        return Ok(Vec::new());
    }
    let ids = diesel::select(first_comments(events, direction, MAX_COMMENTS));
    let query = PublishedComment::query()
        .inner_join(feedback_comments::table.on(feedback_comments::feedback_id.eq(feedback::id)))
        .filter(feedback_comments::feedback_id.eq_any(ids));
    Ok(query.order(feedback_comments::place).load(&mut conn).await?)
}

fn total(rows: &[SummaryRow], direction: Direction) -> Figures {
    let mut figures = Figures::default();
    for row in rows.iter().filter(|row| row.direction == direction) {
        figures.add(&row.figures);
    }
    figures
}

/// Returns one version for all rows: a different number whenever a version or the set of events changes. It is below
/// 2^53, so that every JSON reader represents it exactly.
fn version_of_all(rows: &[SummaryRow]) -> i64 {
    let mut hash = Sha256::new();
    for row in rows {
        hash.update(row.event_id.as_bytes());
        hash.update(row.version.to_be_bytes());
    }
    let bytes = hash.finalize();
    bytes[..8].iter().fold(0_i64, |number, byte| (number << 8) | i64::from(*byte)) & ((1 << 53) - 1)
}
