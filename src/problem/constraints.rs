//! The constraints of the database, each with the message for a caller whose request breaks it.
//!
//! The name of a constraint is the `code` of its problem or violation. The service checks most input before it writes, so
//! PostgreSQL reports most of these only when two requests race. A test compares this table with the constraints of the
//! database.

/// A rule of the database: a named constraint, or a named error that a trigger raises.
#[derive(Debug)]
pub struct Rule {
    /// The name.
    pub constraint: &'static str,
    /// The JSON pointer of the field that breaks the rule; empty for the whole body.
    pub pointer: &'static str,
    /// What the caller must do.
    pub detail: &'static str,
}

const fn rule(constraint: &'static str, pointer: &'static str, detail: &'static str) -> Rule {
    Rule { constraint, pointer, detail }
}

const LOCALIZED: &str =
    "must have a part in at least one of fi, sv, en, se, smn, sms; no part may be blank or too long";
const MUNICIPALITY: &str = "must be the code of a municipality that exists";
const THEME: &str = "must have only slugs of themes that exist";
const TUTOR: &str = "must be the id of a tutor that exists";
const EXTERNAL_ID: &str =
    "another resource of this source has this external_id; find that resource with ?external_id= and change it instead";
const SHORT_TEXT: &str = "must have 1 to 200 characters and not be blank";
const LANGUAGES: &str = "must have only BCP 47 tags such as fi, sv, en, se";
const ADDRESS: &str = "must be an http or https address of at most 2,000 characters";

/// Every rule of the database that a request can break.
pub const RULES: &[Rule] = &[
    rule("municipalities_pkey", "/code", "a municipality with this code already exists; change it with PUT or PATCH"),
    rule("municipalities_code_format", "/code", "must be three digits"),
    rule("municipalities_name_localized", "/name", LOCALIZED),
    rule("municipalities_region_code_format", "/region_code", "must be two digits"),
    rule("municipalities_region_name_localized", "/region_name", LOCALIZED),
    rule("municipalities_language_status", "/language_status", "must be fi, fi-sv, sv-fi or sv"),
    rule("municipalities_sami_languages", "/sami_languages", "must have only se, smn and sms, each at most once"),
    rule("municipalities_population_range", "/population", "must be from 0 to 10,000,000"),
    rule("municipalities_population_on_range", "/population_on", "must be a day from 1900 to 2199"),
    rule(
        "municipalities_support_stage",
        "/support_stage",
        "must be unknown, planning, starting, developing or established",
    ),
    rule("municipalities_support_since_range", "/support_since", "must be a year from 1980 to 2199"),
    rule("municipalities_location_range", "/location", "must have a lat from -90 to 90 and a lon from -180 to 180"),
    rule("municipalities_website_format", "/website", ADDRESS),
    rule("municipalities_profile_localized", "/profile", LOCALIZED),
    rule("themes_pkey", "/slug", "a theme with this slug already exists; change it with PUT or PATCH"),
    rule(
        "themes_slug_format",
        "/slug",
        "must be lower-case letters, digits and single hyphens, at most 100 characters",
    ),
    rule("themes_kind", "/kind", "must be form or theme"),
    rule("themes_name_localized", "/name", LOCALIZED),
    rule("themes_parent_exists", "/parent", "must be the slug of a theme that exists"),
    rule("themes_parent_not_itself", "/parent", "must be another theme"),
    rule("themes_parent_acyclic", "/parent", "must not be a theme that is part of this one, directly or indirectly"),
    rule("tutors_source_external_id_unique", "/external_id", EXTERNAL_ID),
    rule("tutors_external_id_length", "/external_id", SHORT_TEXT),
    rule("tutors_name_length", "/name", SHORT_TEXT),
    rule("tutors_title_localized", "/title", LOCALIZED),
    rule("tutors_municipality_code_exists", "/municipality_code", MUNICIPALITY),
    rule("tutors_perspective_localized", "/perspective", LOCALIZED),
    rule("tutors_themes_exist", "/themes", THEME),
    rule("tutors_themes_length", "/themes", "must have at most 50 items"),
    rule("tutors_languages_format", "/languages", LANGUAGES),
    rule("tutors_status", "/status", "must be active, paused or ended"),
    rule("tutors_contact_format", "/contact", "must have an email or a phone"),
    rule("tutors_visibility", "/visibility", "must be public, network or coordinator"),
    rule("events_source_external_id_unique", "/external_id", EXTERNAL_ID),
    rule("events_external_id_length", "/external_id", SHORT_TEXT),
    rule("events_title_localized", "/title", LOCALIZED),
    rule("events_description_localized", "/description", LOCALIZED),
    rule("events_kind", "/kind", "must be presentation, webinar, workshop, sparring or peer_visit"),
    rule("events_modality", "/modality", "must be onsite, online or hybrid"),
    rule("events_ends_after_start", "/ends_at", "must be after starts_at"),
    rule("events_times_range", "/starts_at", "must be in the years 1900 to 2199, like all other times of the event"),
    rule("events_time_zone_length", "/time_zone", "must be an IANA time zone such as Europe/Helsinki"),
    rule("events_venue_format", "/venue", "must have a name, an address or a municipality_code"),
    rule("events_venue_municipality_code_exists", "/venue/municipality_code", MUNICIPALITY),
    rule("events_online_url_format", "/online_url", ADDRESS),
    rule("events_host_municipality_code_exists", "/host_municipality_code", MUNICIPALITY),
    rule("events_tutors_exist", "/tutors", "must have only ids of tutors that exist"),
    rule("events_tutors_length", "/tutors", "must have at most 50 items"),
    rule("events_themes_exist", "/themes", THEME),
    rule("events_themes_length", "/themes", "must have at most 50 items"),
    rule("events_languages_format", "/languages", LANGUAGES),
    rule("events_audience_exist", "/audience", "must have only codes of municipalities that exist"),
    rule("events_audience_length", "/audience", "must have at most 400 items"),
    rule("events_capacity_range", "/capacity", "must be from 1 to 100,000"),
    rule("events_registration_closes_after_opening", "/registration_closes_at", "must be after registration_opens_at"),
    rule("events_status", "/status", "must be draft, published, postponed, completed or cancelled"),
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
    rule("events_status_reason_localized", "/status_reason", LOCALIZED),
    rule("feedback_source_external_id_unique", "/external_id", EXTERNAL_ID),
    rule("feedback_external_id_length", "/external_id", SHORT_TEXT),
    rule("feedback_event_id_exists", "/event_id", "must be the id of an event that exists"),
    rule("feedback_direction", "/direction", "must be participant_to_tutor or tutor_to_participant"),
    rule("feedback_municipality_code_exists", "/municipality_code", MUNICIPALITY),
    rule("feedback_respondent_length", "/respondent", SHORT_TEXT),
    rule("feedback_rating_range", "/rating", "must be from 1 to 5"),
    rule("feedback_themes_wanted_exist", "/themes_wanted", THEME),
    rule("feedback_themes_wanted_length", "/themes_wanted", "must have at most 50 items"),
    rule("feedback_comment_length", "/comment", "must have 1 to 4,000 characters and not be blank"),
    rule("feedback_language_format", "/language", "must be a BCP 47 tag such as fi, sv, en, se"),
    rule("feedback_event_has_started", "/event_id", "must be an event that is published or completed and has started"),
    rule("feedback_within_60_days", "/event_id", "must be an event that ended at most 60 days ago"),
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
    rule("accounts_role", "/role", "must be coordinator, municipality or tutor"),
    rule("accounts_municipality_code_exists", "/municipality_code", MUNICIPALITY),
    rule("accounts_tutor_id_exists", "/tutor_id", TUTOR),
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
    rule("calendar_links_name_length", "/name", SHORT_TEXT),
    rule("calendar_links_municipality_code_exists", "/municipality_code", MUNICIPALITY),
    rule("calendar_links_lang", "/lang", "must be fi, sv or en"),
    rule("clients_name_length", "/name", SHORT_TEXT),
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
    rule("clients_municipality_code_exists", "/municipality_code", MUNICIPALITY),
    rule("client_secrets_at_most_two", "", "a client has at most two secrets; delete one first"),
];

/// Returns the rule with this name.
pub fn find(constraint: &str) -> Option<&'static Rule> {
    RULES.iter().find(|rule| rule.constraint == constraint)
}
