//! Events: their fields, their states, who sees and who writes which.

use serde_json::{Value, json};

use crate::support::{Server, client::Client};

const PATH: &str = "/v1/events";

fn webinar(host: Option<&str>) -> Value {
    json!({
        "external_id": null, "title": {"fi": "Etätuki kirjastoissa", "sv": "Fjärrstöd på bibliotek"},
        "description": {"fi": "Miten puhelintuki järjestetään."}, "kind": "webinar", "modality": "online",
        "starts_at": "2098-12-01T10:00:00Z", "ends_at": "2098-12-01T11:30:00Z", "time_zone": "Europe/Helsinki",
        "venue": null, "online_url": "https://video.example/abc", "host_municipality_code": host, "tutors": [],
        "themes": ["remote-support"], "languages": ["fi", "sv"], "audience": [], "capacity": 100,
        "registration_opens_at": null, "registration_closes_at": null, "status": "draft", "status_reason": null
    })
}

fn with(mut event: Value, changes: &Value) -> Value {
    event.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    event
}

async fn create(client: &Client, event: &Value) -> Value {
    client.post(PATH, event).await.expect(201).body
}

fn path_of(event: &Value) -> String {
    format!("{PATH}/{}", event["id"].as_str().unwrap())
}

async fn change(client: &Client, event: &Value, patch: &Value) -> Value {
    let path = path_of(event);
    let etag = client.get(&path).await.expect(200).etag();
    client.if_match(&etag).patch(&path, patch).await.expect(200).body
}

#[tokio::test]
async fn a_municipality_creates_publishes_postpones_and_cancels() {
    let server = Server::start();
    let espoo = server.municipality("049");
    let created = espoo.post(PATH, &webinar(Some("049"))).await.expect(201);
    let location = format!("{}{}", server.url, path_of(&created.body));
    assert_eq!(created.header("location"), location);
    let service_fields = json!({
        "id": "uuid", "source": "kuntatutorit", "previous_starts_at": null, "version": "version", "created_at": "time",
        "updated_at": "time"
    });
    assert_eq!(created.stable(), with(webinar(Some("049")), &service_fields));

    let event = created.body;
    change(&espoo, &event, &json!({"status": "published"})).await;
    let reason = json!({"status": "postponed", "status_reason": {"fi": "Poikkeusolot"}});
    assert_eq!(change(&espoo, &event, &reason).await["status"], "postponed");
    let moved = json!({"status": "published", "starts_at": "2099-01-12T10:00:00+02:00", "ends_at": "2099-01-12T11:30:00+02:00"});
    let moved = change(&espoo, &event, &moved).await;
    assert_eq!(moved["starts_at"], "2099-01-12T08:00:00Z");
    assert_eq!(moved["previous_starts_at"], event["starts_at"]);
    let etag = espoo.get(&path_of(&event)).await.etag();
    let completed = espoo.if_match(&etag).patch(&path_of(&event), &json!({"status": "completed"})).await;
    completed.expect_problem(409, "events_completed_after_end");
    change(&espoo, &event, &json!({"status": "cancelled"})).await;
    let etag = espoo.get(&path_of(&event)).await.etag();
    let refused = espoo.if_match(&etag).patch(&path_of(&event), &json!({"status": "published"})).await;
    let refused = refused.expect_problem(409, "events_status_transition");
    assert_eq!(
        (&refused.body["from"], &refused.body["to"], &refused.body["allowed"]),
        (&json!("cancelled"), &json!("published"), &json!([]))
    );
}

#[tokio::test]
async fn states_follow_each_other_as_the_table_says() {
    let server = Server::start();
    let coordinator = server.coordinator();
    let held = json!({"starts_at": "2026-05-01T10:00:00Z", "ends_at": "2026-05-01T11:00:00Z"});
    let states = ["draft", "published", "postponed", "completed", "cancelled"];
    for from in states {
        for to in states {
            let event = with(with(webinar(None), &held), &json!({"status": from}));
            let created = coordinator.post(PATH, &event).await.expect(201);
            let answer =
                coordinator.if_match(&created.etag()).patch(&path_of(&created.body), &json!({"status": to})).await;
            let next: &[&str] = match from {
                "draft" | "postponed" => &["published", "cancelled"],
                "published" => &["postponed", "completed", "cancelled"],
                _ => &[],
            };
            let allowed = from == to || next.contains(&to);
            assert_eq!(answer.status, if allowed { 200 } else { 409 }, "{from} to {to}: {}", answer.text);
        }
    }
}

#[tokio::test]
async fn the_seeded_events_are_the_programmes() {
    let server = Server::start();
    let espoo = server.municipality("049");
    let all = espoo.all(PATH).await;
    let starts: Vec<_> = all.iter().map(|event| event["starts_at"].as_str().unwrap()).collect();
    assert_eq!(starts[0], "2020-05-19T05:00:00Z");
    assert_eq!(starts.len(), 5);
    assert!(all.iter().all(|event| event["status"] == "completed"));
    assert_eq!(all.iter().filter(|event| event["previous_starts_at"].is_string()).count(), 2);
    for q in ["digituen", "digituki", "Digituki kuntien", "digitukea"] {
        let found = espoo.get(&format!("{PATH}?q={q}")).await.expect(200);
        assert!(found.body["items"].as_array().unwrap().len() >= 3, "{q}: {}", found.text);
    }
    let helsinki = espoo.get(&format!("{PATH}?q=Helsinki")).await.expect(200);
    assert_eq!(helsinki.body["items"][0]["host_municipality_code"], "091");
}

#[tokio::test]
async fn a_draft_is_seen_by_its_host_and_the_coordinator_only() {
    let server = Server::with(&[("PUBLIC_READ", "true")]);
    let espoo = server.municipality("049");
    let draft = create(&espoo, &webinar(Some("049"))).await;
    let path = path_of(&draft);
    let reader = "events:read";
    for (client, status) in [
        (server.anonymous(), 404),
        (server.municipality("092"), 404),
        (server.partner("region", reader, None), 404),
        (server.partner("vantaa", "events:read events:write", Some("092")), 404),
        (server.partner("region", "events:read events:write", None), 200),
        (server.partner("espoo", reader, Some("049")), 200),
        (server.municipality("049"), 200),
        (server.coordinator(), 200),
    ] {
        let answer = client.get(&path).await.expect(status);
        let listed = client.all(&format!("{PATH}?starts_after=2026-01-01T00:00:00Z")).await.len();
        let found = client.all(&format!("{PATH}?q=etätuki&starts_after=2026-01-01T00:00:00Z")).await.len();
        assert_eq!((listed, found), if status == 200 { (1, 1) } else { (0, 0) }, "{}", answer.text);
    }
    let network = create(&server.coordinator(), &webinar(None)).await;
    server.partner("region", "events:read events:write", None).get(&super::events::path_of(&network)).await.expect(404);
    espoo.get(&super::events::path_of(&network)).await.expect(404);
}

#[tokio::test]
async fn online_url_is_for_host_tutors_and_audience() {
    let server = Server::with(&[("PUBLIC_READ", "true")]);
    let coordinator = server.coordinator();
    let tutor = server.given_tutor("091").await;
    let tailored = json!({"audience": ["611"], "tutors": [tutor], "status": "published"});
    let event = create(&coordinator, &with(webinar(Some("049")), &tailored)).await;
    let url = json!("https://video.example/abc");
    let region = "events:read events:write";
    for (client, seen) in [
        (server.anonymous(), false),
        (server.municipality("092"), false),
        (server.partner("region-r", "events:read", None), false),
        (server.partner("region-w", region, None), true),
        (server.municipality("049"), true),
        (server.municipality("611"), true),
        (server.tutor("091", &tutor), true),
        (server.municipality("091"), false),
        (server.partner("pornainen", "events:read", Some("611")), true),
        (coordinator.clone(), true),
    ] {
        let answer = client.get(&path_of(&event)).await.expect(200);
        assert_eq!(answer.body["online_url"] == url, seen, "{}", answer.text);
        assert!(answer.etag().contains(if seen { "full" } else { "reduced" }));
        let listed = client.get(&format!("{PATH}?audience=611")).await.expect(200);
        assert_eq!(listed.text.contains("video.example"), seen);
    }
    let open = create(&coordinator, &with(webinar(Some("049")), &json!({"status": "published"}))).await;
    assert_eq!(server.municipality("092").get(&path_of(&open)).await.body["online_url"], url);
    assert_eq!(server.anonymous().get(&path_of(&open)).await.body["online_url"], Value::Null);
}

#[tokio::test]
async fn writing_is_bound_to_the_municipality() {
    let server = Server::start();
    let (espoo, vantaa, coordinator) = (server.municipality("049"), server.municipality("092"), server.coordinator());
    let refused = espoo.post(PATH, &webinar(Some("092"))).await.expect_problem(403, "out_of_reach");
    assert!(refused.body["detail"].as_str().unwrap().contains("092"));
    espoo.post(PATH, &webinar(None)).await.expect_problem(403, "out_of_reach");
    let published = with(webinar(Some("049")), &json!({"status": "published"}));
    espoo.post(PATH, &published).await.expect_problem(403, "out_of_reach");
    let event = create(&coordinator, &published).await;
    let etag = vantaa.get(&path_of(&event)).await.etag();
    vantaa.if_match(&etag).patch(&path_of(&event), &json!({})).await.expect_problem(403, "out_of_reach");
    vantaa.if_match(&etag).put(&path_of(&event), &event).await.expect_problem(403, "out_of_reach");
    vantaa.if_match(&etag).delete(&path_of(&event)).await.expect_problem(403, "out_of_reach");
    // Nor can it be given to somebody else, or taken.
    let given = json!({"host_municipality_code": "092"});
    espoo.if_match(&etag).patch(&path_of(&event), &given).await.expect_problem(403, "out_of_reach");
    espoo.if_match(&etag).patch(&path_of(&event), &json!({"capacity": 5})).await.expect(200);

    let partner = server.partner("espoo-calendar", "events:read events:write", Some("049"));
    let pushed =
        partner.post(PATH, &with(webinar(Some("049")), &json!({"external_id": "e-1", "source": "vantaa"}))).await;
    let pushed = pushed.expect(201).body;
    assert_eq!((&pushed["source"], &pushed["external_id"]), (&json!("espoo-calendar"), &json!("e-1")));
    let twice = with(webinar(Some("049")), &json!({"external_id": "e-1"}));
    partner.post(PATH, &twice).await.expect_problem(409, "events_source_external_id_unique");
    espoo.post(PATH, &twice).await.expect(201);
    let mine = partner.get(&format!("{PATH}?source=espoo-calendar&external_id=e-1")).await.expect(200);
    assert_eq!(mine.column("id"), [pushed["id"].as_str().unwrap()]);
    let reader = server.partner("reader", "events:read", Some("049"));
    reader.post(PATH, &webinar(Some("049"))).await.expect_problem(403, "missing_scope");
}

#[tokio::test]
async fn what_was_read_can_be_sent_back() {
    let server = Server::start();
    let espoo = server.municipality("049");
    let created = espoo.post(PATH, &webinar(Some("049"))).await.expect(201);
    let replaced = espoo.if_match(&created.etag()).put(&path_of(&created.body), &created.body).await.expect(200);
    assert_eq!(replaced.stable(), created.stable());
    let version = replaced.body["version"].as_i64().unwrap();
    assert!(version > created.body["version"].as_i64().unwrap());
    espoo.if_match(&created.etag()).put(&path_of(&created.body), &created.body).await.expect(412);
    espoo.if_match(&replaced.etag()).delete(&path_of(&created.body)).await.expect(204);
    espoo.get(&path_of(&created.body)).await.expect(404);
}

#[tokio::test]
async fn every_broken_rule_is_told_at_once() {
    let server = Server::start();
    let coordinator = server.coordinator();
    let broken = json!({
        "external_id": "", "title": {}, "ends_at": "2098-12-01T10:00:00Z", "time_zone": "Europe/Espoo", "venue": {},
        "online_url": "video", "host_municipality_code": "49", "themes": ["a", "a"], "languages": ["finnish"],
        "audience": ["1"], "capacity": 0, "registration_opens_at": "2026-11-01T00:00:00Z",
        "registration_closes_at": "2026-11-01T00:00:00Z", "status_reason": {"fi": " "}, "price": 0
    });
    coordinator.post(PATH, &with(webinar(None), &broken)).await.expect_violations(&[
        ("/price", "unknown_field"),
        ("/external_id", "too_short"),
        ("/external_id", "blank"),
        ("/title", "required"),
        ("/ends_at", "not_after"),
        ("/time_zone", "invalid_time_zone"),
        ("/venue", "required"),
        ("/online_url", "invalid_url"),
        ("/host_municipality_code", "invalid_code"),
        ("/themes", "duplicate"),
        ("/languages/0", "invalid_language"),
        ("/audience/0", "invalid_code"),
        ("/capacity", "too_small"),
        ("/registration_closes_at", "not_after"),
        ("/status_reason/fi", "blank"),
    ]);
    let unknown = json!({
        "host_municipality_code": "999", "venue": {"municipality_code": "998"}, "themes": ["remote-support", "magic"],
        "tutors": ["019a0c5e-7b1e-7c3a-9d52-0b7f6a1c2d3e"], "audience": ["049", "997"], "status": "completed"
    });
    coordinator.post(PATH, &with(webinar(None), &unknown)).await.expect_violations(&[
        ("/host_municipality_code", "events_host_municipality_code_exists"),
        ("/venue/municipality_code", "events_venue_municipality_code_exists"),
        ("/themes/1", "events_themes_exist"),
        ("/tutors/0", "events_tutors_exist"),
        ("/audience/1", "events_audience_exist"),
        ("/status", "events_completed_after_end"),
    ]);
    for (field, value) in [
        ("starts_at", json!("tomorrow")),
        ("starts_at", json!("2098-12-01T10:00:00")),
        ("starts_at", json!("0000-01-01T00:00:00Z")),
        ("starts_at", json!("9999-12-31T23:59:59Z")),
        ("starts_at", json!("infinity")),
        ("starts_at", Value::Null),
        ("tutors", json!(["me"])),
        ("kind", json!("party")),
        ("status", json!("done")),
    ] {
        let answer = coordinator.post(PATH, &with(webinar(None), &json!({field: value}))).await.expect(422);
        let at = answer.body["errors"][0]["pointer"].as_str().unwrap();
        assert!(at == format!("/{field}") || at == format!("/{field}/0"), "{}", answer.text);
    }
}

#[tokio::test]
async fn pages_hold_every_event_once_with_any_filter() {
    let server = Server::start();
    let coordinator = server.coordinator();
    for day in 1..=14 {
        // Some start at the same time, so that the id decides.
        let starts_at = format!("2027-03-{:02}T10:00:00Z", day / 3 + 1);
        let event = json!({
            "starts_at": starts_at, "ends_at": "2027-04-01T00:00:00Z", "status": "published",
            "themes": if day % 2 == 0 { json!(["training"]) } else { json!(["training", "courses"]) },
            "audience": if day % 7 == 0 { json!([]) } else { json!(["611", "858"]) },
            "languages": ["fi"], "kind": "workshop"
        });
        create(&coordinator, &with(webinar(Some("049")), &event)).await;
    }
    for (query, count) in [
        ("kind=workshop", 14),
        ("kind=workshop&kind=sparring", 14),
        ("municipality=049", 14),
        ("status=published", 14),
        ("theme=training", 14),
        ("theme=courses", 7),
        ("theme=courses&theme=training", 14),
        ("theme=courses&theme=magic", 7),
        ("language=fi&kind=workshop", 14),
        ("language=se", 0),
        ("audience=611", 12),
        ("audience=611&audience=858", 12),
        ("audience=611&audience=region&kind=workshop", 14),
        ("audience=region&kind=workshop", 2),
        ("starts_after=2027-03-02T10:00:00Z", 12),
        ("starts_before=2027-03-02T10:00:00Z&starts_after=2027-01-01T00:00:00Z", 2),
        ("modality=online&municipality=049", 14),
        ("source=kuntatutorit&municipality=049", 14),
        ("source=nobody", 0),
        ("q=etätuki", 14),
    ] {
        let mut orders = Vec::new();
        for sort in ["&sort=starts_at", "&sort=-starts_at", ""] {
            let items = coordinator.all(&format!("{PATH}?{query}&limit=3{sort}")).await;
            let ids: Vec<_> = items.iter().map(|event| event["id"].as_str().unwrap().to_owned()).collect();
            let unique: std::collections::HashSet<_> = ids.iter().collect();
            assert_eq!((ids.len(), unique.len()), (count, count), "{query}{sort}");
            orders.push(ids);
        }
        orders[1].reverse();
        assert_eq!(orders[0], orders[1], "{query}");
    }
}

#[tokio::test]
async fn a_query_that_is_not_understood_is_refused() {
    let server = Server::start();
    let espoo = server.municipality("049");
    for (query, parameter, code) in [
        ("municipality=49", "?municipality", "invalid_code"),
        ("tutor=me", "?tutor", "invalid_value"),
        ("kind=party", "?kind", "invalid_value"),
        ("starts_after=yesterday", "?starts_after", "invalid_value"),
        ("starts_after=9999-01-01T00:00:00Z", "?starts_after", "out_of_range"),
        ("language=finnish", "?language", "invalid_language"),
        ("audience=everybody", "?audience", "invalid_code"),
        ("sort=title", "?sort", "invalid_value"),
    ] {
        espoo.get(&format!("{PATH}?{query}")).await.expect_violations(&[(parameter, code)]);
    }
    espoo.get(&format!("{PATH}/not-an-id")).await.expect_problem(404, "not_found");
    // A forged cursor: the right form, a time that no event can have.
    let page = espoo.get(&format!("{PATH}?limit=1")).await.expect(200);
    let cursor = page.body["next"].as_str().unwrap();
    for forged in [&cursor[..cursor.len() - 4], "bm90IGpzb24"] {
        espoo.get(&format!("{PATH}?limit=1&cursor={forged}")).await.expect_problem(400, "bad_cursor");
    }
}

#[tokio::test]
async fn a_completed_event_stays_where_it_was() {
    let server = Server::start();
    let espoo = server.municipality("049");
    let path = format!("{PATH}/{}", server.given_event("049").await);
    let later = json!({"starts_at": "2098-01-01T00:00:00Z", "ends_at": "2099-01-01T00:00:00Z"});
    espoo.if_match("*").patch(&path, &later).await.expect_problem(403, "out_of_reach");
    let refused = server.coordinator().if_match("*").patch(&path, &later).await;
    refused.expect_problem(409, "events_completed_after_end");
    espoo.if_match("*").patch(&path, &json!({"title": {"sv": "Evenemang"}})).await.expect(200);
}
