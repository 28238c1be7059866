//! The response cache: callers cannot tell a cached answer from a fresh one.

use std::time::{Duration, Instant};

use diesel_async::{AsyncConnection as _, AsyncPgConnection, SimpleAsyncConnection as _};
use serde_json::{Value, json};

use crate::support::{Server, client::Client, fixtures};

/// The requests that are repeated, each beside an equal request that the cache cannot answer.
const LIST: [&str; 2] = ["/v1/events?municipality=049", "/v1/events?municipality=049&limit=99"];
const CALENDAR: &str = "/v1/municipalities/049/events.ics";

/// Returns the answers of both instances after comparing the cached and the fresh ones.
async fn answers(readers: &[Client; 2]) -> (Value, String) {
    let mut told = Vec::new();
    for reader in readers {
        let fresh = reader.get(LIST[1]).await.expect(200).body["items"].clone();
        // The first answer is fresh. The service checks the others against the ledger.
        for _ in 0..3 {
            assert_eq!(reader.get(LIST[0]).await.expect(200).body["items"], fresh);
            told.push((fresh.clone(), reader.get(CALENDAR).await.expect(200).text));
        }
    }
    let first = told.swap_remove(0);
    assert!(told.iter().all(|other| *other == first), "{first:?}\n{told:?}");
    first
}

#[tokio::test]
async fn a_write_on_either_instance_is_read_on_both() {
    let server = Server::start();
    let second = server.second(&[]);
    let readers = [server.municipality("092"), second.municipality("092")];
    let writers = [second.municipality("049"), server.municipality("049")];
    let mut before = answers(&readers).await;
    for writer in &writers {
        let mut event = writer.post("/v1/events", &fixtures::event_body("049", "draft")).await.expect(201);
        assert_eq!(answers(&readers).await, before, "another municipality must not see a draft");
        let path = format!("/v1/events/{}", event.body["id"].as_str().unwrap());
        for change in [
            json!({"status": "published"}),
            json!({"title": {"fi": "Uusi nimi"}}),
            json!({"audience": ["049"]}),
            json!({"starts_at": "2030-01-01T10:00:00Z", "ends_at": "2030-01-01T11:00:00Z"}),
            json!({"status": "cancelled"}),
        ] {
            event = writer.if_match(&event.etag()).patch(&path, &change).await.expect(200);
            let now = answers(&readers).await;
            assert_ne!(now.0, before.0, "{change}");
            // A calendar shows nothing of an audience but the second in which it changed.
            assert!(now.1 != before.1 || change["audience"].is_array(), "{change}");
            before = now;
        }
        writer.if_match(&event.etag()).delete(&path).await.expect(204);
        let now = answers(&readers).await;
        assert_ne!(now, before);
        before = now;
    }
}

#[tokio::test]
async fn rows_without_new_writes_are_not_read_again() {
    let server = Server::start();
    let readers = [server.municipality("092"), server.municipality("049")];
    let before = answers(&readers).await;
    let mut holder = AsyncPgConnection::establish(&server.database_url).await.unwrap();
    holder.batch_execute("begin; lock table events in access exclusive mode").await.unwrap();
    for reader in &readers {
        assert_eq!(reader.get(LIST[0]).await.expect(200).body["items"], before.0);
        assert_eq!(reader.get(CALENDAR).await.expect(200).text, before.1);
    }
}

/// A write that began first may be committed last, and then the newest number in the ledger stays the same.
#[tokio::test]
async fn a_write_that_commits_late_is_read() {
    let server = Server::start();
    let [late, early] = [server.create_event("049").await, server.create_event("049").await];
    let mut writer = AsyncPgConnection::establish(&server.database_url).await.unwrap();
    let write = format!("begin; update events set title = '{{\"fi\": \"Myöhässä\"}}' where id = '{late}'");
    writer.batch_execute(&write).await.unwrap();
    let change = json!({"title": {"fi": "Ajoissa"}});
    server.coordinator().if_match("*").patch(&format!("/v1/events/{early}"), &change).await.expect(200);
    let reader = server.municipality("092");
    for (commit, is_there) in [("", false), ("commit", true)] {
        writer.batch_execute(commit).await.unwrap();
        for _ in 0..4 {
            for path in [LIST[0], CALENDAR] {
                let text = reader.get(path).await.expect(200).text;
                assert!(text.contains("Ajoissa"), "{text}");
                assert_eq!(text.contains("Myöhässä"), is_there, "{text}");
            }
        }
    }
}

/// A calendar shows the next 500 upcoming events.
#[tokio::test]
async fn an_event_that_begins_makes_room_for_another_in_the_calendar() {
    let server = Server::start();
    let soon = "insert into events (id, source, title, kind, modality, starts_at, ends_at, host_municipality_code, status) \
                select gen_random_uuid(), 'kuntatutorit', jsonb_build_object('fi', 'Tapahtuma ' || n), 'webinar', 'online', \
                now() + interval '4 seconds' * n, now() + interval '1 day', '049', 'published' \
                from generate_series(1, 501) as n";
    server.execute(soon).await;
    let reader = server.municipality("092");
    let shows_last = async || reader.get(CALENDAR).await.expect(200).text.contains("Tapahtuma 501");
    // Unless the machine is busy, no event has begun yet.
    let began = Instant::now();
    while !shows_last().await {
        assert!(began.elapsed() < Duration::from_secs(20), "the first event has begun");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test]
async fn no_caller_gets_an_answer_cached_for_another() {
    let server = Server::start();
    let tutor = server.create_tutor("092").await;
    let mut event = fixtures::event_body("049", "published");
    event["audience"] = json!(["257"]);
    event["tutors"] = json!([tutor]);
    event["online_url"] = json!("https://video.example/abc");
    server.coordinator().post("/v1/events", &event).await.expect(201);
    server.coordinator().post("/v1/events", &fixtures::event_body("049", "draft")).await.expect(201);
    let callers = [
        (server.coordinator(), true, true),
        (server.municipality("049"), true, true),
        (server.municipality("257"), true, false),
        (server.municipality("092"), false, false),
        (server.tutor("092", &tutor), true, false),
        (server.partner("kalenteri", "events:read", Some("092")), false, false),
        (server.partner("muu", "events:read events:write", None), true, true),
    ];
    // From the second time on each answer may be a cached one.
    for _ in 0..3 {
        for (caller, joins, drafts) in &callers {
            let list = caller.get(LIST[0]).await.expect(200);
            assert_eq!(list.text.contains("https://video.example/abc"), *joins);
            assert_eq!(list.text.contains("\"draft\""), *drafts);
            let calendar = caller.get(CALENDAR).await.expect(200);
            assert_eq!(calendar.text.contains("https://video.example/abc"), *joins);
        }
    }
}

#[tokio::test]
async fn a_single_resource_is_read_as_last_written_on_either_instance() {
    let server = Server::start();
    let second = server.second(&[]);
    let event = format!("/v1/events/{}", server.create_event("049").await);
    let tutor = format!("/v1/tutors/{}", server.create_tutor("049").await);
    let coordinators = [server.coordinator(), second.coordinator()];
    for path in [event, tutor] {
        let mut tag = String::new();
        for round in 0..6 {
            let change = json!({"title": {"fi": format!("Nimi {round}")}});
            let written = coordinators[round % 2].if_match("*").patch(&path, &change).await.expect(200);
            for reader in &coordinators {
                for _ in 0..2 {
                    let read = reader.get(&path).await.expect(200);
                    assert_eq!((&read.text, read.etag()), (&written.text, written.etag()));
                    assert_eq!(reader.with("if-none-match", &read.etag()).get(&path).await.expect(304).text, "");
                    assert!(round == 0 || reader.with("if-none-match", &tag).get(&path).await.status == 200);
                }
            }
            tag = written.etag();
        }
        coordinators[0].if_match(&tag).delete(&path).await.expect(204);
        for reader in &coordinators {
            reader.get(&path).await.expect_problem(404, "not_found");
        }
    }
}

#[tokio::test]
async fn a_tutors_name_is_cached_only_for_callers_that_may_see_it() {
    let server = Server::start();
    let hidden =
        json!({"name": "Salla Salainen", "visibility": "coordinator", "contact": {"email": "salla@kunta.example"}});
    let path = format!("/v1/tutors/{}", server.create_tutor_with("049", &hidden).await);
    let callers = [
        (server.coordinator(), true),
        (server.municipality("092"), false),
        (server.municipality("049"), true),
        (server.partner("kalenteri", "tutors:read", Some("049")), false),
    ];
    for _ in 0..3 {
        for (caller, sees) in &callers {
            let told = caller.get(&path).await.expect(200).text;
            assert_eq!((told.contains("Salla"), told.contains("salla@")), (*sees, *sees));
        }
    }
    // A later change of the visibility changes the answers.
    server.coordinator().if_match("*").patch(&path, &json!({"visibility": "public"})).await.expect(200);
    for (caller, _) in &callers {
        assert!(caller.get(&path).await.expect(200).text.contains("Salla"));
    }
}

#[tokio::test]
async fn a_calendar_follows_the_name_of_its_municipality() {
    let server = Server::start();
    let coordinator = server.coordinator();
    for name in ["Espoo", "Uusi Espoo", "Espoo"] {
        let change = json!({"name": {"fi": name}});
        coordinator.if_match("*").patch("/v1/municipalities/049", &change).await.expect(200);
        for _ in 0..2 {
            let text = coordinator.get(CALENDAR).await.expect(200).text;
            assert!(text.contains(&format!("NAME:Kuntatutorit: {name}\r\n")), "{text}");
        }
    }
}
