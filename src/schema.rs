// @generated automatically by Diesel CLI.

diesel::table! {
    use diesel::sql_types::*;
    use diesel_full_text_search::TsVector as Tsvector;

    accounts (id) {
        id -> Uuid,
        email -> Text,
        role -> Text,
        municipality_code -> Nullable<Text>,
        tutor_id -> Nullable<Uuid>,
        password_hash -> Nullable<Text>,
        disabled -> Bool,
        access_changed_at -> Nullable<Timestamptz>,
        version -> Int8,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use diesel_full_text_search::TsVector as Tsvector;

    calendar_links (id) {
        id -> Uuid,
        account_id -> Nullable<Uuid>,
        client_id -> Nullable<Uuid>,
        name -> Text,
        municipality_code -> Nullable<Text>,
        lang -> Text,
        secret_hash -> Bytea,
        version -> Int8,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use diesel_full_text_search::TsVector as Tsvector;

    changes (seq) {
        seq -> Int8,
        xid -> Int8,
        resource -> Text,
        key -> Text,
        operation -> Text,
        version -> Int8,
        changed_at -> Timestamptz,
        actor -> Nullable<Text>,
        request_id -> Nullable<Text>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use diesel_full_text_search::TsVector as Tsvector;

    client_secrets (id) {
        client_id -> Uuid,
        secret_hash -> Bytea,
        created_at -> Timestamptz,
        id -> Uuid,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use diesel_full_text_search::TsVector as Tsvector;

    clients (id) {
        id -> Uuid,
        name -> Text,
        source -> Text,
        scopes -> Array<Text>,
        municipality_code -> Nullable<Text>,
        disabled -> Bool,
        access_changed_at -> Nullable<Timestamptz>,
        version -> Int8,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use diesel_full_text_search::TsVector as Tsvector;

    event_audience (municipality_code, event_id) {
        municipality_code -> Text,
        event_id -> Uuid,
        starts_at -> Timestamptz,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use diesel_full_text_search::TsVector as Tsvector;

    event_languages (language, event_id) {
        language -> Text,
        event_id -> Uuid,
        starts_at -> Timestamptz,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use diesel_full_text_search::TsVector as Tsvector;

    event_themes (theme_slug, event_id) {
        theme_slug -> Text,
        event_id -> Uuid,
        starts_at -> Timestamptz,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use diesel_full_text_search::TsVector as Tsvector;

    event_tutors (tutor_id, event_id) {
        tutor_id -> Uuid,
        event_id -> Uuid,
        starts_at -> Timestamptz,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use diesel_full_text_search::TsVector as Tsvector;

    events (id) {
        id -> Uuid,
        source -> Text,
        external_id -> Nullable<Text>,
        title -> Jsonb,
        description -> Nullable<Jsonb>,
        kind -> Text,
        modality -> Text,
        starts_at -> Timestamptz,
        ends_at -> Timestamptz,
        time_zone -> Text,
        venue -> Nullable<Jsonb>,
        venue_municipality_code -> Nullable<Text>,
        online_url -> Nullable<Text>,
        host_municipality_code -> Nullable<Text>,
        tutors -> Array<Uuid>,
        themes -> Array<Text>,
        languages -> Array<Text>,
        audience -> Array<Text>,
        capacity -> Nullable<Int4>,
        registration_opens_at -> Nullable<Timestamptz>,
        registration_closes_at -> Nullable<Timestamptz>,
        status -> Text,
        status_reason -> Nullable<Jsonb>,
        previous_starts_at -> Nullable<Timestamptz>,
        version -> Int8,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        search -> Tsvector,
        sequence -> Int4,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use diesel_full_text_search::TsVector as Tsvector;

    feedback (id) {
        id -> Uuid,
        source -> Text,
        external_id -> Nullable<Text>,
        event_id -> Uuid,
        direction -> Text,
        municipality_code -> Text,
        respondent -> Text,
        rating -> Nullable<Int4>,
        useful -> Nullable<Bool>,
        themes_wanted -> Array<Text>,
        comment -> Nullable<Text>,
        language -> Nullable<Text>,
        publish_consent -> Bool,
        version -> Int8,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use diesel_full_text_search::TsVector as Tsvector;

    feedback_comments (feedback_id) {
        feedback_id -> Uuid,
        event_id -> Uuid,
        direction -> Text,
        municipality_code -> Text,
        place -> Uuid,
        shown -> Bool,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use diesel_full_text_search::TsVector as Tsvector;

    feedback_summaries (event_id, direction) {
        event_id -> Uuid,
        direction -> Text,
        figures -> Jsonb,
        steps -> Int4,
        only_grew -> Bool,
        version -> Int8,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use diesel_full_text_search::TsVector as Tsvector;

    feedback_tallies (event_id, figure, municipality_code) {
        event_id -> Uuid,
        figure -> Text,
        municipality_code -> Text,
        tally -> Jsonb,
        published -> Jsonb,
        waits -> Bool,
        since -> Int4,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use diesel_full_text_search::TsVector as Tsvector;

    feedback_tally_states (event_id, figure, municipality_code, from_step) {
        event_id -> Uuid,
        figure -> Text,
        municipality_code -> Text,
        from_step -> Int4,
        until_step -> Int4,
        tally_hash -> Int8,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use diesel_full_text_search::TsVector as Tsvector;

    feedback_themes_wanted (theme_slug, feedback_id) {
        theme_slug -> Text,
        feedback_id -> Uuid,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use diesel_full_text_search::TsVector as Tsvector;

    idempotency_keys (caller, key) {
        caller -> Text,
        key -> Text,
        fingerprint -> Bytea,
        path -> Text,
        etag -> Text,
        body -> Text,
        created_at -> Timestamptz,
        reach -> Text,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use diesel_full_text_search::TsVector as Tsvector;

    invitations (account_id) {
        account_id -> Uuid,
        secret_hash -> Bytea,
        created_at -> Timestamptz,
        expires_at -> Timestamptz,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use diesel_full_text_search::TsVector as Tsvector;

    municipalities (code) {
        code -> Text,
        name -> Jsonb,
        region_code -> Text,
        region_name -> Jsonb,
        language_status -> Text,
        population -> Int4,
        population_on -> Date,
        support_stage -> Text,
        support_since -> Nullable<Int4>,
        location -> Jsonb,
        website -> Nullable<Text>,
        profile -> Nullable<Jsonb>,
        version -> Int8,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        sort_name -> Text,
        search -> Tsvector,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use diesel_full_text_search::TsVector as Tsvector;

    refresh_tokens (token_hash) {
        token_hash -> Bytea,
        session_id -> Uuid,
        created_at -> Timestamptz,
        rotated_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use diesel_full_text_search::TsVector as Tsvector;

    search_synonym (words) {
        words -> Text,
        forms -> Tsvector,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use diesel_full_text_search::TsVector as Tsvector;

    sessions (id) {
        id -> Uuid,
        account_id -> Uuid,
        created_at -> Timestamptz,
        expires_at -> Timestamptz,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use diesel_full_text_search::TsVector as Tsvector;

    sign_in_failures (subject, address) {
        subject -> Bytea,
        address -> Text,
        failures -> Int4,
        last_failed_at -> Timestamptz,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use diesel_full_text_search::TsVector as Tsvector;

    themes (slug) {
        slug -> Text,
        kind -> Text,
        name -> Jsonb,
        parent -> Nullable<Text>,
        version -> Int8,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        sort_name -> Text,
        search -> Tsvector,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use diesel_full_text_search::TsVector as Tsvector;

    tutor_languages (language, tutor_id) {
        language -> Text,
        tutor_id -> Uuid,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use diesel_full_text_search::TsVector as Tsvector;

    tutor_themes (theme_slug, tutor_id) {
        theme_slug -> Text,
        tutor_id -> Uuid,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use diesel_full_text_search::TsVector as Tsvector;

    tutors (id) {
        id -> Uuid,
        source -> Text,
        external_id -> Nullable<Text>,
        name -> Text,
        title -> Nullable<Jsonb>,
        municipality_code -> Text,
        perspective -> Nullable<Jsonb>,
        themes -> Array<Text>,
        languages -> Array<Text>,
        status -> Text,
        contact -> Nullable<Jsonb>,
        visibility -> Text,
        version -> Int8,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        search -> Tsvector,
        search_with_name -> Tsvector,
    }
}

diesel::joinable!(accounts -> municipalities (municipality_code));
diesel::joinable!(calendar_links -> accounts (account_id));
diesel::joinable!(calendar_links -> clients (client_id));
diesel::joinable!(calendar_links -> municipalities (municipality_code));
diesel::joinable!(client_secrets -> clients (client_id));
diesel::joinable!(clients -> municipalities (municipality_code));
diesel::joinable!(event_audience -> events (event_id));
diesel::joinable!(event_audience -> municipalities (municipality_code));
diesel::joinable!(event_languages -> events (event_id));
diesel::joinable!(event_themes -> events (event_id));
diesel::joinable!(event_themes -> themes (theme_slug));
diesel::joinable!(event_tutors -> events (event_id));
diesel::joinable!(event_tutors -> tutors (tutor_id));
diesel::joinable!(feedback -> events (event_id));
diesel::joinable!(feedback -> municipalities (municipality_code));
diesel::joinable!(feedback_summaries -> events (event_id));
diesel::joinable!(feedback_tallies -> events (event_id));
diesel::joinable!(feedback_tally_states -> events (event_id));
diesel::joinable!(feedback_themes_wanted -> feedback (feedback_id));
diesel::joinable!(feedback_themes_wanted -> themes (theme_slug));
diesel::joinable!(invitations -> accounts (account_id));
diesel::joinable!(refresh_tokens -> sessions (session_id));
diesel::joinable!(sessions -> accounts (account_id));
diesel::joinable!(tutor_languages -> tutors (tutor_id));
diesel::joinable!(tutor_themes -> themes (theme_slug));
diesel::joinable!(tutor_themes -> tutors (tutor_id));
diesel::joinable!(tutors -> municipalities (municipality_code));

diesel::allow_tables_to_appear_in_same_query!(
    accounts,
    calendar_links,
    changes,
    client_secrets,
    clients,
    event_audience,
    event_languages,
    event_themes,
    event_tutors,
    events,
    feedback,
    feedback_comments,
    feedback_summaries,
    feedback_tallies,
    feedback_tally_states,
    feedback_themes_wanted,
    idempotency_keys,
    invitations,
    municipalities,
    refresh_tokens,
    search_synonym,
    sessions,
    sign_in_failures,
    themes,
    tutor_languages,
    tutor_themes,
    tutors,
);
