//! The rules of feedback: which callers may give it, on which events, and which references it may have.
//!
//! A municipality gives feedback as a participant and a tutor gives it as a tutor, both for their own municipality. A
//! partner system gives it in both directions, for the municipalities that it writes for, and the coordinator for all. But
//! no caller speaks as a tutor of a municipality that neither hosts the event nor has a tutor there.

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::future::try_join;

use super::model::{Direction, FeedbackInput};
use crate::{
    auth::reach::{Identity, Reach},
    clock,
    db::Conn,
    domain::{MunicipalityCode, Role},
    problem::{Error, Result, Violation},
    resources::{
        directory::{
            municipalities::{self, refused::Refused},
            themes, tutors,
        },
        meetings::{
            events,
            events::{
                model::Event,
                status::EventStatus::{Completed, Published},
            },
        },
    },
};

/// How long the service accepts feedback on an event after its end.
const ACCEPTANCE_PERIOD: TimeDelta = TimeDelta::days(60);

/// Checks the rules that need no database, and returns the respondent to store.
///
/// # Errors
/// [`Error::OutOfReach`], and [`Error::Invalid`] for a wrong respondent.
pub(super) fn respondent_of(reach: &Reach, new: &FeedbackInput) -> Result<String> {
    require_may_give(reach, new)?;
    respondent(reach, new).map_err(|violation| Error::Invalid(vec![violation]))
}

/// Checks all rules of new feedback.
///
/// # Errors
/// [`Error::OutOfReach`], and [`Error::Invalid`] with every broken rule.
pub(super) async fn require_new(conn: &Conn, reach: &Reach, new: &FeedbackInput) -> Result<()> {
    require_may_give(reach, new)?;
    let event = events::store::find_referenced(conn, reach, new.event_id);
    let (event, mut violations) = try_join(event, broken_references(conn, new, None)).await?;
    match &event {
        Some(event) => {
            require_event_of_tutor(conn, reach, event).await?;
            violations.extend(event_violations(event, clock::now()));
            violations.extend(not_of_tutor(conn, event, new.direction, &new.municipality_code).await?);
        }
        None => violations.extend(Violation::of_rule("feedback_event_id_exists")),
    }
    violations.extend(respondent(reach, new).err());
    Error::unless_empty(violations)
}

/// Checks the rules of a change. The municipality may be corrected to another one for which the caller may write; the
/// event, the direction and the respondent cannot be changed; the event must still accept feedback.
///
/// # Errors
/// The errors of [`require_new`].
pub(super) async fn require_change(
    conn: &Conn,
    reach: &Reach,
    current: &FeedbackInput,
    new: &FeedbackInput,
) -> Result<()> {
    if new.municipality_code != current.municipality_code {
        reach.require_writes_for(Some(&new.municipality_code))?;
    }
    let event = events::store::find_referenced(conn, reach, current.event_id);
    let (event, mut violations) = try_join(event, broken_references(conn, new, Some(current))).await?;
    violations.extend(event.iter().flat_map(|event| event_violations(event, clock::now())));
    if let Some(event) = event.filter(|_| new.municipality_code != current.municipality_code) {
        violations.extend(not_of_tutor(conn, &event, current.direction, &new.municipality_code).await?);
    }
    let fixed = [
        ("/event_id", new.event_id != current.event_id),
        ("/direction", new.direction != current.direction),
        ("/respondent", new.respondent.is_some() && new.respondent != current.respondent),
    ];
    let changed = fixed.into_iter().filter(|(_, is_changed)| *is_changed);
    violations.extend(
        changed.map(|(pointer, _)| Violation::at(pointer, "fixed", "cannot be changed; send the stored value")),
    );
    Error::unless_empty(violations)
}

/// Refuses a caller that may not give feedback in this direction or for this municipality.
fn require_may_give(reach: &Reach, new: &FeedbackInput) -> Result<()> {
    let own = match reach.role {
        Role::Municipality => Some(Direction::ParticipantToTutor),
        Role::Tutor => Some(Direction::TutorToParticipant),
        Role::Anonymous | Role::Partner | Role::Coordinator => None,
    };
    if let Some(own) = own.filter(|own| *own != new.direction) {
        let (role, own) = (reach.role.as_str(), own.as_str());
        return Err(Error::OutOfReach(format!("a {role} may give feedback only in the direction `{own}`")));
    }
    reach.require_writes_for(Some(&new.municipality_code))
}

/// Returns the respondent to store: the id of the account, or the key that the partner system sent.
fn respondent(reach: &Reach, new: &FeedbackInput) -> Result<String, Violation> {
    let Identity::Account(id) = &reach.identity else {
        let missing = || Violation::at("/respondent", "required", "must be the key of the respondent in your system");
        return new.respondent.clone().ok_or_else(missing);
    };
    let own = id.to_string();
    if new.respondent.as_ref().is_none_or(|respondent| *respondent == own) {
        return Ok(own);
    }
    Err(Violation::at(
        "/respondent",
        "invalid_value",
        "must be left out, because the respondent of an account is the account itself",
    ))
}

/// Refuses a tutor who neither presents at the event nor belongs to its host.
async fn require_event_of_tutor(conn: &Conn, reach: &Reach, event: &Event) -> Result<()> {
    let presents = reach.tutor.is_some_and(|tutor| event.fields.tutors.contains(&tutor));
    if reach.role != Role::Tutor || presents || hosts(conn, event, reach.municipality.as_ref()).await? {
        return Ok(());
    }
    let detail = "a tutor may give feedback only on events at which they present or that their municipality hosts";
    Err(Error::OutOfReach(detail.to_owned()))
}

/// Returns whether this municipality hosts the event, or the host has merged into it.
async fn hosts(conn: &Conn, event: &Event, municipality: Option<&MunicipalityCode>) -> Result<bool> {
    match (municipality, &event.fields.host_municipality_code) {
        (Some(code), Some(host)) => municipalities::store::is_or_succeeds(conn, code, host).await,
        _ => Ok(false),
    }
}

/// Returns a violation for each rule that feedback on this event would break now. The triggers of the table have the
/// same rules.
fn event_violations(event: &Event, now: DateTime<Utc>) -> Vec<Violation> {
    let fields = &event.fields;
    let has_started = matches!(fields.status, Published | Completed) && fields.starts_at <= now;
    let is_late = fields.ends_at < now - ACCEPTANCE_PERIOD;
    let rules = [("feedback_event_has_started", !has_started), ("feedback_within_60_days", is_late)];
    rules.into_iter().filter(|(_, is_broken)| *is_broken).filter_map(|(rule, _)| Violation::of_rule(rule)).collect()
}

/// Returns a violation when feedback of a tutor is from a municipality that neither hosts the event nor has a tutor there.
/// The triggers of the table have the same rule. It is about the municipality and not about the caller, so it holds for
/// every caller.
async fn not_of_tutor(
    conn: &Conn,
    event: &Event,
    direction: Direction,
    municipality: &MunicipalityCode,
) -> Result<Option<Violation>> {
    if direction == Direction::ParticipantToTutor
        || hosts(conn, event, Some(municipality)).await?
        || tutors::store::belong_to(conn, &event.fields.tutors, municipality).await?
    {
        return Ok(None);
    }
    Ok(Violation::of_rule("feedback_tutor_of_event"))
}

/// Returns a violation for each reference to a municipality or a theme that does not exist, or to a municipality that
/// has ended. A change may keep the municipality.
async fn broken_references(
    conn: &Conn,
    new: &FeedbackInput,
    current: Option<&FeedbackInput>,
) -> Result<Vec<Violation>> {
    let is_kept = current.is_some_and(|current| current.municipality_code == new.municipality_code);
    let named = if is_kept { &[][..] } else { std::slice::from_ref(&new.municipality_code) };
    let (refused, no_theme) =
        try_join(Refused::among(conn, named), themes::store::missing(conn, &new.themes_wanted)).await?;
    let mut violations: Vec<_> =
        Violation::of_items("feedback_themes_wanted_exist", &new.themes_wanted, &no_theme).collect();
    violations.extend(refused.violation(named.first(), "feedback_municipality_code_exists"));
    Ok(violations)
}
