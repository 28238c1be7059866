//! The summaries in the database. What is published of participants' words is for everybody who sees the event; who
//! sees what tutors say is decided here.

use diesel::{
    dsl::array,
    prelude::*,
    sql_types::{Array, Integer, Text, Uuid as SqlUuid},
};
use diesel_async::RunQueryDsl;
use futures_util::future::{try_join, try_join4};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::model::{EventFeedbackSummary, Figures, Published, PublishedComment, TutorFeedbackSummary};
use crate::{
    auth::reach::{Identity, Reach},
    db::Conn,
    problem::Result,
    resources::{
        directory::tutors,
        feedback::model::{
            Direction,
            Direction::{ParticipantToTutor, TutorToParticipant},
        },
        meetings::{events, events::model::Event},
    },
    schema::{event_tutors, feedback, feedback_comments, feedback_summaries},
};

/// How many comments a summary has at most.
const COMMENTS: i32 = 100;

#[diesel::declare_sql_function]
extern "SQL" {
    /// The first comments that are shown at these events, a row each.
    fn first_comments(of_events: Array<SqlUuid>, of_direction: Text, most: Integer) -> SqlUuid;
}

/// The summary of the feedback on an event.
///
/// The version is asked for before the comments: a tag may be older than what it stands for, never newer.
///
/// # Errors
/// [`crate::problem::Error::NotFound`] when this reach does not see the event.
pub async fn of_event(conn: &Conn, reach: &Reach, id: Uuid) -> Result<EventFeedbackSummary> {
    let (event, mut rows, by_participants, by_tutors) = try_join4(
        events::store::find(conn, reach, id),
        published_of_event(conn, id),
        comments_of_event(conn, id, ParticipantToTutor),
        comments_of_event(conn, id, TutorToParticipant),
    )
    .await?;
    let full = sees_all_of(reach, &event);
    rows.retain(|row| full || row.direction == ParticipantToTutor);
    Ok(EventFeedbackSummary {
        event_id: id,
        participant_to_tutor: sum(&rows, ParticipantToTutor).with(by_participants),
        tutor_to_participant: full.then(|| sum(&rows, TutorToParticipant).with(by_tutors)),
        version: rows.iter().map(|row| row.version).max().unwrap_or_default(),
    })
}

/// The summary of the feedback on a tutor's events.
///
/// The versions are asked for before the comments: a tag may be older than what it stands for, never newer.
///
/// # Errors
/// [`crate::problem::Error::NotFound`] when there is no such tutor.
pub async fn of_tutor(conn: &Conn, reach: &Reach, id: Uuid) -> Result<TutorFeedbackSummary> {
    let full = reach.is_coordinator() || reach.tutor == Some(id);
    let (_, mut rows) = try_join(tutors::store::find(conn, reach, id), published_of_tutor(conn, id)).await?;
    rows.retain(|row| full || row.direction == ParticipantToTutor);
    let comments = |direction| comments_of_all(conn, &rows, direction);
    let (by_participants, by_tutors) = try_join(comments(ParticipantToTutor), comments(TutorToParticipant)).await?;
    Ok(TutorFeedbackSummary {
        tutor_id: id,
        participant_to_tutor: sum(&rows, ParticipantToTutor).with(by_participants),
        tutor_to_participant: full.then(|| sum(&rows, TutorToParticipant).with(by_tutors)),
        version: version_of_all(&rows),
    })
}

/// Whether this reach sees what tutors say of participants at this event: as [`crate::resources::feedback`] has it.
fn sees_all_of(reach: &Reach, event: &Event) -> bool {
    let hosts = reach.municipality.is_some() && reach.municipality == event.fields.host_municipality_code;
    let presents = reach.tutor.is_some_and(|tutor| event.fields.tutors.contains(&tutor));
    reach.is_coordinator() || (matches!(reach.identity, Identity::Account(_)) && (hosts || presents))
}

async fn published_of_event(mut conn: &Conn, id: Uuid) -> Result<Vec<Published>> {
    Ok(Published::query().filter(feedback_summaries::event_id.eq(id)).load(&mut conn).await?)
}

/// Nothing published, and nothing said by tutors, is as if there were no row.
async fn published_of_tutor(mut conn: &Conn, id: Uuid) -> Result<Vec<Published>> {
    let presented = event_tutors::table.filter(event_tutors::tutor_id.eq(id)).select(event_tutors::event_id);
    // As an array: its events are looked for in one go.
    let query = Published::query().filter(feedback_summaries::event_id.eq_any(array::<SqlUuid, _>(presented)));
    let query = query.filter(feedback_summaries::version.gt(0));
    Ok(query.order((feedback_summaries::event_id, feedback_summaries::direction)).load(&mut conn).await?)
}

async fn comments_of_event(mut conn: &Conn, id: Uuid, direction: Direction) -> Result<Vec<PublishedComment>> {
    let query = PublishedComment::query()
        .inner_join(feedback_comments::table.on(feedback_comments::feedback_id.eq(feedback::id)))
        .filter(feedback_comments::event_id.eq(id))
        .filter(feedback_comments::direction.eq(direction))
        .filter(feedback_comments::shown);
    Ok(query.order(feedback_comments::place).limit(COMMENTS.into()).load(&mut conn).await?)
}

async fn comments_of_all(mut conn: &Conn, rows: &[Published], direction: Direction) -> Result<Vec<PublishedComment>> {
    let events: Vec<_> = rows.iter().filter(|row| row.direction == direction).map(|row| row.event_id).collect();
    if events.is_empty() {
        return Ok(Vec::new());
    }
    let ids = diesel::select(first_comments(events, direction, COMMENTS));
    let query = PublishedComment::query()
        .inner_join(feedback_comments::table.on(feedback_comments::feedback_id.eq(feedback::id)))
        .filter(feedback_comments::feedback_id.eq_any(ids));
    Ok(query.order(feedback_comments::place).load(&mut conn).await?)
}

fn sum(rows: &[Published], direction: Direction) -> Figures {
    let mut figures = Figures::default();
    for row in rows.iter().filter(|row| row.direction == direction) {
        figures.add(&row.figures);
    }
    figures
}

/// Another number whenever one of the versions or the set of events is another; below 2^53, which JSON's readers keep.
fn version_of_all(rows: &[Published]) -> i64 {
    let mut hash = Sha256::new();
    for row in rows {
        hash.update(row.event_id.as_bytes());
        hash.update(row.version.to_be_bytes());
    }
    let bytes = hash.finalize();
    bytes[..8].iter().fold(0_i64, |number, byte| (number << 8) | i64::from(*byte)) & ((1 << 53) - 1)
}
