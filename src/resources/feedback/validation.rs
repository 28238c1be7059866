//! Who may give feedback, on which event, and what it may refer to.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::{dsl::now, prelude::*, sql_types::Timestamptz};
use diesel_async::RunQueryDsl;
use futures_util::future::try_join;
use uuid::Uuid;

use super::model::{Direction, Feedback, FeedbackInput};
use crate::{
    auth::reach::{Identity, Reach},
    db::Conn,
    domain::{MunicipalityCode, Role},
    problem::{Error, Result, Violation},
    resources::directory::{municipalities, themes},
    schema::events,
};

/// For how long after an event's end feedback on it is taken.
const TAKEN_FOR: TimeDelta = TimeDelta::days(60);

/// The event that feedback is about.
#[derive(HasQuery)]
#[diesel(table_name = events)]
struct Event {
    status: String,
    starts_at: DateTime<Utc>,
    ends_at: DateTime<Utc>,
    host_municipality_code: Option<MunicipalityCode>,
    tutors: Vec<Uuid>,
    #[diesel(select_expression = now.into_sql::<Timestamptz>(), select_expression_type = diesel::dsl::AsExprOf<now, Timestamptz>)]
    asked_at: DateTime<Utc>,
}

/// Passes when the caller may give this as far as that can be told without asking the database, which keeps its rules
/// itself; the `respondent` as it is to be stored.
///
/// # Errors
/// As [`require_new`].
pub(super) fn respondent_of(reach: &Reach, new: &FeedbackInput) -> Result<String> {
    require_direction(reach, new.direction)?;
    reach.require_writes_for(Some(&new.municipality_code))?;
    respondent(reach, new).map_err(|violation| Error::Invalid(vec![violation]))
}

/// Passes when the caller may give this.
///
/// A municipality speaks as a participant and a tutor as a tutor, for their municipality; a partner system both
/// ways, for those that it writes for; the coordinator for all.
///
/// # Errors
/// [`Error::OutOfReach`], and [`Error::Invalid`] with everything that the database stands against.
pub(super) async fn require_new(conn: &Conn, reach: &Reach, new: &FeedbackInput) -> Result<()> {
    require_direction(reach, new.direction)?;
    reach.require_writes_for(Some(&new.municipality_code))?;
    let looking = try_join(find_event(conn, reach, new.event_id), dangling(conn, new));
    let (event, mut violations) = looking.await?;
    match &event {
        Some(event) => {
            event.require_tutor(reach)?;
            violations.extend(event.violations());
        }
        None => violations.extend(Violation::of_rule("feedback_event_id_exists")),
    }
    violations.extend(respondent(reach, new).err());
    Error::unless_empty(violations)
}

/// Passes when what was given may become this: the municipality is corrected within reach, the rest of what
/// identifies it stays, and the event still takes feedback.
///
/// # Errors
/// As [`require_new`].
pub(super) async fn require_change(conn: &Conn, reach: &Reach, current: &Feedback, new: &FeedbackInput) -> Result<()> {
    let current = &current.fields;
    if new.municipality_code != current.municipality_code {
        reach.require_writes_for(Some(&new.municipality_code))?;
    }
    let looking = try_join(find_event(conn, reach, current.event_id), dangling(conn, new));
    let (event, mut violations) = looking.await?;
    violations.extend(event.iter().flat_map(Event::violations));
    let fixed = [
        ("/event_id", new.event_id != current.event_id),
        ("/direction", new.direction != current.direction),
        ("/respondent", new.respondent.is_some() && new.respondent != current.respondent),
    ];
    let touched = fixed.into_iter().filter(|(_, touched)| *touched);
    violations.extend(touched.map(|(at, _)| Violation::at(at, "fixed", "is fixed for good; leave it as it is")));
    Error::unless_empty(violations)
}

fn require_direction(reach: &Reach, direction: Direction) -> Result<()> {
    let own = match reach.role {
        Role::Municipality => Direction::ParticipantToTutor,
        Role::Tutor => Direction::TutorToParticipant,
        Role::Anonymous | Role::Partner | Role::Coordinator => return Ok(()),
    };
    if direction == own {
        return Ok(());
    }
    let (who, own) = (reach.role.as_str(), own.as_str());
    Err(Error::OutOfReach(format!("as a {who} you give feedback with the direction `{own}` only")))
}

/// Who gives it: for an account itself, for a partner system whom it names.
fn respondent(reach: &Reach, new: &FeedbackInput) -> Result<String, Violation> {
    let Identity::Account(id) = &reach.identity else {
        let missing = || Violation::at("/respondent", "required", "is required: your system's key of who gives it");
        return new.respondent.clone().ok_or_else(missing);
    };
    let own = id.to_string();
    if new.respondent.as_ref().is_none_or(|respondent| *respondent == own) {
        return Ok(own);
    }
    Err(Violation::at("/respondent", "invalid_value", "must be your account's own id; leave it out"))
}

/// The event, unless it is a draft that this reach does not see.
async fn find_event(mut conn: &Conn, reach: &Reach, id: Uuid) -> Result<Option<Event>> {
    let mut query = Event::query().filter(events::id.eq(id)).into_boxed();
    if !reach.is_coordinator() {
        let own = events::host_municipality_code.eq(reach.municipality.clone());
        query = query.filter(events::status.ne("draft").or(own));
    }
    Ok(query.first(&mut conn).await.optional()?)
}

impl Event {
    /// A tutor gives feedback as a tutor of the event, or as one of the municipality that hosts it.
    fn require_tutor(&self, reach: &Reach) -> Result<()> {
        let presents = reach.tutor.is_some_and(|tutor| self.tutors.contains(&tutor));
        let hosts = reach.municipality.is_some() && reach.municipality == self.host_municipality_code;
        if reach.role != Role::Tutor || presents || hosts {
            return Ok(());
        }
        let detail = "as a tutor you give feedback on events that you are a tutor of, or that your municipality hosts";
        Err(Error::OutOfReach(detail.into()))
    }

    /// The rules of the database that feedback on this event breaks now.
    fn violations(&self) -> Vec<Violation> {
        let started = matches!(&*self.status, "published" | "completed") && self.starts_at <= self.asked_at;
        let late = self.ends_at < self.asked_at - TAKEN_FOR;
        let rules = [("feedback_event_has_started", !started), ("feedback_within_60_days", late)];
        rules.into_iter().filter(|(_, is_broken)| *is_broken).filter_map(|(rule, _)| Violation::of_rule(rule)).collect()
    }
}

/// What it refers to and does not exist: its municipality, its themes.
async fn dangling(conn: &Conn, new: &FeedbackInput) -> Result<Vec<Violation>> {
    let code = std::slice::from_ref(&new.municipality_code);
    let looking =
        try_join(municipalities::store::missing(conn, code), themes::store::missing(conn, &new.themes_wanted));
    let (no_municipality, no_themes) = looking.await?;
    let mut violations: Vec<_> =
        Violation::of_items("feedback_themes_wanted_exist", &new.themes_wanted, &no_themes).collect();
    if !no_municipality.is_empty() {
        violations.extend(Violation::of_rule("feedback_municipality_code_exists"));
    }
    Ok(violations)
}
