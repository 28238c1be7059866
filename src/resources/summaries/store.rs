//! The summaries in the database. What is published of participants' words is for everybody who sees the event; who
//! sees what tutors say is decided here.

use diesel::{
    prelude::*,
    sql_types::{Integer, Text, Uuid as SqlUuid},
};
use diesel_async::RunQueryDsl;
use futures_util::future::try_join4;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::model::{EventFeedbackSummary, Figures, Published, PublishedComment, TutorFeedbackSummary};
use crate::{
    auth::reach::{Identity, Reach},
    db::Conn,
    problem::Result,
    resources::{
        events::{self, model::Event},
        feedback::model::Direction::{self, ParticipantToTutor, TutorToParticipant},
        tutors,
    },
    schema::{event_tutors, feedback, feedback_comments, feedback_summaries},
};

/// How many comments a summary has at most.
const COMMENTS: i32 = 100;

#[diesel::declare_sql_function]
extern "SQL" {
    /// The first comments that are shown at a tutor's events, a row each.
    fn tutor_comments(of_tutor: SqlUuid, of_direction: Text, most: Integer) -> SqlUuid;
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
/// # Errors
/// [`crate::problem::Error::NotFound`] when there is no such tutor.
pub async fn of_tutor(conn: &Conn, reach: &Reach, id: Uuid) -> Result<TutorFeedbackSummary> {
    let full = reach.is_coordinator() || reach.tutor == Some(id);
    let by_tutors = async { if full { comments_of_tutor(conn, id, TutorToParticipant).await } else { Ok(Vec::new()) } };
    let (_, mut rows, by_participants, by_tutors) = try_join4(
        tutors::store::find(conn, reach, id),
        published_of_tutor(conn, id),
        comments_of_tutor(conn, id, ParticipantToTutor),
        by_tutors,
    )
    .await?;
    rows.retain(|row| full || row.direction == ParticipantToTutor);
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
    let query = Published::query().filter(feedback_summaries::event_id.eq_any(presented));
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

async fn comments_of_tutor(mut conn: &Conn, id: Uuid, direction: Direction) -> Result<Vec<PublishedComment>> {
    let ids = diesel::select(tutor_comments(id, direction, COMMENTS));
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
