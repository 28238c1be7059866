//! Mergers that are refused, and writes that name a municipality that has ended.

use chrono::{TimeDelta, Utc};
use chrono_tz::Europe::Helsinki;
use serde_json::{Value, json};

use super::{create_event, event, merge};
use crate::support::{Server, callers::Caller, fixtures, sql::broken_constraint};
use kuntatutorit::clock::Clock;

const PATH: &str = "/v1/municipalities/710/merger";

#[tokio::test]
async fn a_successor_exists_has_not_ended_and_is_another_one() {
    let server = Server::start();
    let coordinator = server.coordinator();
    merge(&coordinator, "638", "092").await.expect(200);
    for (into, code) in [
        ("710", "municipalities_successor_code_not_itself"),
        ("999", "municipalities_successor_code_exists"),
        ("638", "municipality_ended"),
        ("1", "invalid_code"),
    ] {
        merge(&coordinator, "710", into).await.expect_violations(&[("/into", code)]);
    }
    // A cycle would need a successor that has ended.
    merge(&coordinator, "092", "638").await.expect_violations(&[("/into", "municipality_ended")]);
    merge(&coordinator, "999", "638").await.expect_problem(404, "not_found");
}

#[tokio::test]
async fn the_day_is_today_in_finland_or_earlier() {
    let clock = Clock::default();
    let server = Server::with_clock(&clock);
    // 23:30 in Helsinki is an earlier day in UTC for half of the year, and the same day for the other half: a clock at
    // 22:30 UTC is in the next day of Helsinki in both.
    let late = Utc::now().date_naive().and_hms_opt(22, 30, 0).unwrap().and_utc();
    clock.set_offset(late - Utc::now());
    let today = late.with_timezone(&Helsinki).date_naive();
    assert_eq!(today, late.date_naive() + TimeDelta::days(1));
    let order = |on: Value| json!({"into": "638", "on": on});
    let coordinator = server.coordinator();
    let path = format!("{PATH}?dry_run=true");
    for (on, code) in [
        (json!(today + TimeDelta::days(1)), "in_future"),
        (json!("1899-12-31"), "out_of_range"),
        (json!("2026-13-01"), "wrong_type"),
    ] {
        coordinator.post(&path, &order(on)).await.expect_violations(&[("/on", code)]);
    }
    coordinator.post(&path, &order(json!(today))).await.expect(200);
}

#[tokio::test]
async fn only_the_coordinator_merges() {
    let server = Server::start();
    for caller in Caller::ALL {
        let order = json!({"into": "091", "on": "2026-01-01"});
        let answer = caller.client(&server).post("/v1/municipalities/049/merger?dry_run=true", &order).await;
        let expected = match caller {
            Caller::Coordinator => 200,
            Caller::Anonymous => 401,
            _ => 403,
        };
        assert_eq!(answer.status, expected, "{caller:?}: {}", answer.text);
    }
}

#[tokio::test]
async fn every_write_that_names_it_is_refused_and_says_which_code_to_use() {
    let server = Server::start();
    let coordinator = server.coordinator();
    let (held, coming) = (server.create_event("049").await, create_event(&server, "049", json!({})).await);
    let tutor = server.create_tutor("049").await;
    let link = server.sign_in_new_account("linkki@kunta.example", json!({})).await;
    merge(&coordinator, "710", "638").await.expect(200);
    let event = |fields: Value| {
        let mut body = fixtures::event_body("049", "completed");
        json_patch::merge(&mut body, &fields);
        body
    };
    let feedback = json!({"event_id": held, "direction": "participant_to_tutor", "municipality_code": "710", "rating": 5, "respondent": "1"});
    for (caller, path, body, pointer) in [
        (&coordinator, "/v1/tutors", json!({"name": "Kuntatutor", "municipality_code": "710"}), "/municipality_code"),
        (&coordinator, "/v1/events", event(json!({"host_municipality_code": "710"})), "/host_municipality_code"),
        (&coordinator, "/v1/events", event(json!({"venue": {"municipality_code": "710"}})), "/venue/municipality_code"),
        (&coordinator, "/v1/events", event(json!({"audience": ["091", "710"]})), "/audience/1"),
        (&server.partner("outside", "feedback:write", None), "/v1/feedback", feedback, "/municipality_code"),
        (
            &coordinator,
            "/v1/accounts",
            json!({"email": "uusi@kunta.example", "role": "municipality", "municipality_code": "710"}),
            "/municipality_code",
        ),
        (
            &coordinator,
            "/v1/clients",
            json!({"name": "Kalenteri", "source": "uusi", "scopes": ["events:read"], "municipality_code": "710"}),
            "/municipality_code",
        ),
        (&link, "/v1/calendar-links", json!({"name": "Puhelin", "municipality_code": "710"}), "/municipality_code"),
    ] {
        let refused = caller.post(path, &body).await.expect_violations(&[(pointer, "municipality_ended")]);
        let detail = refused.body["errors"][0]["detail"].as_str().unwrap();
        assert_eq!(detail, "the municipality 710 ended on 2026-01-01; use 638, which it has merged into", "{path}");
    }
    let to_ended = json!({"municipality_code": "710"});
    let change = coordinator.if_match("*");
    change
        .patch(&format!("/v1/tutors/{tutor}"), &to_ended)
        .await
        .expect_violations(&[("/municipality_code", "municipality_ended")]);
    let to_ended = json!({"audience": ["710"]});
    change
        .patch(&format!("/v1/events/{coming}"), &to_ended)
        .await
        .expect_violations(&[("/audience/0", "municipality_ended")]);
}

#[tokio::test]
async fn history_can_still_be_corrected_but_not_brought_back_into_use() {
    let server = Server::start();
    let coordinator = server.coordinator();
    let held = create_event(
        &server,
        "710",
        json!({"starts_at": fixtures::hours_from_now(-2), "ends_at": fixtures::hours_from_now(-1)}),
    )
    .await;
    let tutor = server.create_tutor_with("710", &json!({"status": "ended"})).await;
    merge(&coordinator, "710", "638").await.expect(200);
    let change = coordinator.if_match("*");
    let (event_path, tutor_path) = (format!("/v1/events/{held}"), format!("/v1/tutors/{tutor}"));
    let ended = |pointer| [(pointer, "municipality_ended")];
    let postponed = json!({"status": "postponed"});
    change.patch(&event_path, &postponed).await.expect_violations(&ended("/host_municipality_code"));
    let later = json!({"starts_at": fixtures::hours_from_now(1), "ends_at": fixtures::hours_from_now(2)});
    change.patch(&event_path, &later).await.expect_violations(&ended("/host_municipality_code"));
    change.patch(&event_path, &json!({"audience": ["710"]})).await.expect(200);
    change.patch(&event_path, &json!({"status": "completed"})).await.expect(200);
    assert_eq!(event(&server, &held).await["host_municipality_code"], "710");
    change.patch(&tutor_path, &json!({"title": {"fi": "Kuntatutor"}})).await.expect(200);
    change.patch(&tutor_path, &json!({"status": "active"})).await.expect_violations(&ended("/municipality_code"));
    change.patch(&tutor_path, &json!({"status": "active", "municipality_code": "638"})).await.expect(200);
}

#[tokio::test]
async fn the_database_has_the_same_rules() {
    let server = Server::start();
    let held = server.create_event("710").await;
    let tutor = server.create_tutor_with("710", &json!({"status": "ended"})).await;
    merge(&server.coordinator(), "710", "638").await.expect(200);
    let event = |columns: &str, values: &str| {
        format!(
            "insert into events (id, source, title, kind, modality, starts_at, ends_at, {columns}) values \
             (gen_random_uuid(), 'a', '{{\"fi\": \"a\"}}', 'webinar', 'online', now(), now() + interval '1 hour', {values})"
        )
    };
    for statement in [
        event("host_municipality_code", "'710'"),
        event("venue", "'{\"municipality_code\": \"710\"}'"),
        event("audience", "array['091', '710']"),
        "insert into tutors (id, source, name, municipality_code) values (gen_random_uuid(), 'a', 'a', '710')".into(),
        "insert into accounts (id, email, role, municipality_code) values (gen_random_uuid(), 'a@b.fi', 'municipality', '710')".into(),
        "insert into clients (id, name, source, scopes, municipality_code) values (gen_random_uuid(), 'a', 'a', '{}', '710')".into(),
        format!(
            "insert into feedback (id, source, event_id, direction, municipality_code, respondent) values \
             (gen_random_uuid(), 'a', '{held}', 'participant_to_tutor', '710', 'a')"
        ),
        format!("update tutors set status = 'active' where id = '{tutor}'"),
    ] {
        assert_eq!(broken_constraint(&server, &statement).await.as_deref(), Some("municipality_ended"), "{statement}");
    }
}
