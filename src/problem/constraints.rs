//! The constraints of the database, each with the message for a caller whose request breaks it.
//!
//! The name of a constraint is the `code` of its problem or violation. The service checks most input before it writes, so
//! PostgreSQL reports most of these only when two requests race. A test compares this table with the constraints of the
//! database.
//!
//! What a constraint on a single column tells follows from its definition, as `src/schema.rs` lists it. The table here has
//! the other constraints, and those whose text says more.

use std::{borrow::Cow, sync::LazyLock};

use crate::schema::COLUMN_RULES;

/// A rule of the database: a named constraint, or a named error that a trigger raises.
#[derive(Debug)]
pub struct Rule {
    /// The name.
    pub constraint: &'static str,
    /// The JSON pointer of the field that breaks the rule; empty for the whole body.
    pub pointer: Cow<'static, str>,
    /// What the caller must do.
    pub detail: Cow<'static, str>,
}

const fn rule(constraint: &'static str, pointer: &'static str, detail: &'static str) -> Rule {
    Rule { constraint, pointer: Cow::Borrowed(pointer), detail: Cow::Borrowed(detail) }
}

/// The code of a violation by a municipality that has ended. The triggers that raise it tell the field and the
/// successor.
pub const MUNICIPALITY_ENDED: &str = "municipality_ended";

const LOCALIZED: &str =
    "must have a part in at least one of fi, sv, en, se, smn, sms; no part may be blank or too long";
const MUNICIPALITY: &str = "must be the code of a municipality that exists";
const THEME: &str = "must have only slugs of themes that exist";
const LANGUAGES: &str = "must have only BCP 47 tags such as fi, sv, en, se";

/// Every rule of the database that a request can break.
pub static RULES: LazyLock<Vec<Rule>> = LazyLock::new(|| {
    let is_written = |name: &str| WRITTEN.iter().any(|rule| rule.constraint == name);
    let derived = COLUMN_RULES.iter().filter(|(name, ..)| !is_written(name));
    let derived = derived.filter_map(|(name, column, requirement)| {
        let detail = detail_of(column, requirement)?;
        Some(Rule { constraint: name, pointer: format!("/{column}").into(), detail })
    });
    let written =
        WRITTEN.iter().map(|rule| Rule { pointer: rule.pointer.clone(), detail: rule.detail.clone(), ..*rule });
    written.chain(derived).collect()
});

/// The rules whose text is written by hand.
const WRITTEN: &[Rule] = &[
    rule("municipalities_pkey", "/code", "a municipality with this code already exists; change it with PUT or PATCH"),
    rule("municipalities_sami_languages", "/sami_languages", "must have only se, smn and sms, each at most once"),
    rule("municipalities_population_on_range", "/population_on", "must be a day from 1900 to 2199"),
    rule("municipalities_support_since_range", "/support_since", "must be a year from 1980 to 2199"),
    rule("municipalities_location_range", "/location", "must have a lat from -90 to 90 and a lon from -180 to 180"),
    rule("municipalities_successor_code_exists", "/into", MUNICIPALITY),
    rule("municipalities_successor_code_not_itself", "/into", "must be another municipality"),
    rule("municipalities_ended_on_range", "/on", "must be a day from 1900 to 2199"),
    rule("municipalities_ended_with_successor", "", "a municipality ends only with a successor"),
    rule(
        MUNICIPALITY_ENDED,
        "/municipality_code",
        "must be a municipality that has not ended; its `successor_code` says which one to use",
    ),
    rule("themes_pkey", "/slug", "a theme with this slug already exists; change it with PUT or PATCH"),
    rule("themes_parent_not_itself", "/parent", "must be another theme"),
    rule("themes_parent_acyclic", "/parent", "must not be a theme that is part of this one, directly or indirectly"),
    rule("tutors_themes_exist", "/themes", THEME),
    rule("tutors_languages_format", "/languages", LANGUAGES),
    rule("tutors_contact_format", "/contact", "must have an email or a phone"),
    rule("events_ends_after_start", "/ends_at", "must be after starts_at"),
    rule("events_times_range", "/starts_at", "must be in the years 1900 to 2199, like all other times of the event"),
    rule("events_time_zone_length", "/time_zone", "must be an IANA time zone such as Europe/Helsinki"),
    rule("events_venue_format", "/venue", "must have a name, an address or a municipality_code"),
    rule("events_venue_municipality_code_exists", "/venue/municipality_code", MUNICIPALITY),
    rule("events_tutors_exist", "/tutors", "must have only ids of tutors that exist"),
    rule("events_themes_exist", "/themes", THEME),
    rule("events_languages_format", "/languages", LANGUAGES),
    rule("events_audience_exist", "/audience", "must have only codes of municipalities that exist"),
    rule("events_registration_closes_after_opening", "/registration_closes_at", "must be after registration_opens_at"),
    rule(
        "events_status_transition",
        "/status",
        "must be a status that may follow the current one; `allowed` lists them",
    ),
    rule(
        "events_completed_after_end",
        "/status",
        "must not be completed before the event has ended; set it after ends_at",
    ),
    rule("feedback_themes_wanted_exist", "/themes_wanted", THEME),
    rule("feedback_event_has_started", "/event_id", "must be an event that is published or completed and has started"),
    rule("feedback_within_60_days", "/event_id", "must be an event that ended at most 60 days ago"),
    rule(
        "feedback_tutor_of_event",
        "/municipality_code",
        "must be the host municipality of the event or the municipality of one of its tutors, because the direction is \
         tutor_to_participant",
    ),
    rule(
        "feedback_one_per_respondent",
        "/respondent",
        "this respondent has already given feedback on this event in this direction; change it with PUT or PATCH",
    ),
    rule(
        "accounts_email_unique",
        "/email",
        "an account with this e-mail address already exists; change that account, or use another address",
    ),
    rule("accounts_email_format", "/email", "must be an e-mail address in lower case"),
    rule(
        "accounts_tutor_of_municipality",
        "/tutor_id",
        "must be the id of a tutor of the municipality in municipality_code",
    ),
    rule(
        "accounts_role_binding",
        "/role",
        "must match municipality_code and tutor_id: a coordinator has neither, a municipality has a municipality_code, a tutor has both",
    ),
    rule("last_coordinator", "", "this is the last enabled coordinator; create or enable another one first"),
    rule(
        "calendar_links_account_id_exists",
        "",
        "the account of this token no longer exists; sign in with another account",
    ),
    rule(
        "calendar_links_client_id_exists",
        "",
        "the client of this token no longer exists; get a token for another client",
    ),
    rule(
        "clients_source_unique",
        "/source",
        "a client with this source already exists; change that client, or use another source",
    ),
    rule(
        "clients_source_format",
        "/source",
        "must be lower-case letters, digits and single hyphens, at most 50 characters, and not kuntatutorit",
    ),
    rule("client_secrets_at_most_two", "", "a client has at most two secrets; delete one first"),
];

/// Returns what a constraint on a single column tells; none when its requirement has no text, so that it needs a line in
/// [`WRITTEN`].
fn detail_of(column: &str, requirement: &str) -> Option<Cow<'static, str>> {
    let (kind, rest) = requirement.split_once(' ').unwrap_or((requirement, ""));
    Some(match (kind, rest) {
        ("is_localized", _) => LOCALIZED.into(),
        ("is_text", most) => format!("must have 1 to {} characters and not be blank", grouped(most)).into(),
        ("is_external_id", _) => "must have 1 to 200 characters and not be blank".into(),
        ("is_municipality_code", _) => "must be three digits".into(),
        ("is_region_code", _) => "must be two digits".into(),
        ("is_slug", _) => "must be lower-case letters, digits and single hyphens, at most 100 characters".into(),
        ("is_language", _) => "must be a BCP 47 tag such as fi, sv, en, se".into(),
        ("is_email", _) => "must be an e-mail address such as digituki@example.org".into(),
        ("is_phone", _) => "must be 3 to 30 digits, spaces, +, -, ( and )".into(),
        ("is_web_address", _) => "must be an http or https address of at most 2,000 characters".into(),
        ("in", words) => match words.rsplit_once(", ") {
            Some((others, last)) => format!("must be {others} or {last}").into(),
            None => format!("must be {words}").into(),
        },
        ("items", most) => format!("must have at most {most} items").into(),
        ("between", bounds) => {
            let (least, most) = bounds.split_once(' ')?;
            format!("must be from {} to {}", grouped(least), grouped(most)).into()
        }
        ("references", "municipalities") => MUNICIPALITY.into(),
        ("references", "tutors") => "must be the id of a tutor that exists".into(),
        ("references", "events") => "must be the id of an event that exists".into(),
        ("references", "themes") => "must be the slug of a theme that exists".into(),
        ("unique", _) if column == "external_id" => {
            "another resource of this source has this external_id; find that resource with ?external_id= and change it instead".into()
        }
        _ => return None,
    })
}

/// Returns a whole number with its thousands separated by commas.
fn grouped(digits: &str) -> String {
    let mut grouped = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// Returns the rule with this name.
pub fn find(constraint: &str) -> Option<&'static Rule> {
    RULES.iter().find(|rule| rule.constraint == constraint)
}
