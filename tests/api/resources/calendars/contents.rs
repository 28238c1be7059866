//! The contents of a calendar, and who sees them.

use icalendar::{Component as _, EventLike as _, EventStatus};
use serde_json::{Value, json};

use super::{PATH, events, insert_vantaa_event, parse, server_without_events, summaries};
use crate::support::{Server, fixtures};

#[tokio::test]
async fn the_calendar_contains_the_events_of_the_programme() {
    let server = Server::start();
    let answer = server.municipality("049").get(PATH).await.expect(200);
    assert_eq!(answer.header("content-type"), "text/calendar; charset=utf-8");
    let calendar = parse(&answer.text);
    assert_eq!(calendar.get_name(), Some("Kuntatutorit"));
    let events: Vec<_> = calendar.events().collect();
    assert_eq!(events.len(), 5);
    let id = "01722b4d-8480-7dcf-a4be-9911483399e7";
    let jarvenpaa = events.iter().find(|event| event.get_uid() == Some(id)).unwrap();
    let start = &jarvenpaa.properties()["DTSTART"];
    assert_eq!((start.value(), start.params()["TZID"].value()), ("20200519T080000", "Europe/Helsinki"));
    assert!(answer.text.contains("BEGIN:VTIMEZONE\r\nTZID:Europe/Helsinki\r\n"));
}

#[tokio::test]
async fn each_status_is_translated_and_drafts_are_left_out() {
    let server = server_without_events().await;
    for status in ["draft", "published", "postponed", "cancelled", "completed"] {
        let row = json!({"status": status, "starts_at": fixtures::hours_from_now(-3), "ends_at": fixtures::hours_from_now(-1)});
        insert_vantaa_event(&server, status, row).await;
    }
    for caller in [server.municipality("092"), server.coordinator()] {
        let events = events(&caller, PATH).await;
        let mut told: Vec<_> =
            events.iter().map(|event| (event.get_summary().unwrap(), event.get_status().unwrap())).collect();
        told.sort_by_key(|(summary, _)| *summary);
        let expected = [
            ("Siirretty: postponed", EventStatus::Tentative),
            ("cancelled", EventStatus::Cancelled),
            ("completed", EventStatus::Confirmed),
            ("published", EventStatus::Confirmed),
        ];
        assert_eq!(told, expected);
    }
}

#[tokio::test]
async fn an_event_of_less_than_a_second_ends_after_its_start() {
    let server = server_without_events().await;
    let row = json!({
        "status": "published", "starts_at": "2027-05-05T10:00:00.2Z", "ends_at": "2027-05-05T10:00:00.8Z",
        "time_zone": "Europe/Helsinki"
    });
    insert_vantaa_event(&server, "brief", row).await;
    let event = events(&server.coordinator(), PATH).await.remove(0);
    let told = ["DTSTART", "DTEND"].map(|name| event.properties()[name].value().to_owned());
    assert_eq!(told, ["20270505T130000", "20270505T130001"]);
}

#[tokio::test]
async fn texts_are_in_the_requested_language_or_the_next_available_one() {
    let server = server_without_events().await;
    let texts = json!({
        "title": {"fi": "Tapahtuma", "sv": "Evenemang", "en": "Event"},
        "description": {"sv": "Beskrivning", "en": "Description"}, "status_reason": {"en": "Ill"},
        "venue": {"name": {"sv": "Biblioteket"}, "address": "Kirjastokatu 1"}
    });
    insert_vantaa_event(&server, "", texts).await;
    let espoo = server.municipality("049");
    for (query, title, language, description) in [
        ("", "Tapahtuma", "fi", "Ill\n\nBeskrivning"),
        ("?lang=fi", "Tapahtuma", "fi", "Ill\n\nBeskrivning"),
        ("?lang=sv", "Evenemang", "sv", "Ill\n\nBeskrivning"),
        ("?lang=en", "Event", "en", "Ill\n\nDescription"),
    ] {
        let event = events(&espoo, &format!("{PATH}{query}")).await.remove(0);
        assert_eq!((event.get_summary(), event.get_description()), (Some(title), Some(description)), "{query}");
        assert_eq!(event.properties()["SUMMARY"].params()["LANGUAGE"].value(), language);
        assert_eq!(event.get_location(), Some("Biblioteket, Kirjastokatu 1"));
    }
    server.execute("update events set title = '{\"smn\": \"Tábáhtus\", \"sms\": \"Šõddmõš\"}'").await;
    let event = events(&espoo, &format!("{PATH}?lang=sv")).await.remove(0);
    assert_eq!(event.get_summary(), Some("Tábáhtus"));
    assert_eq!(event.properties()["SUMMARY"].params()["LANGUAGE"].value(), "smn");
    espoo.get(&format!("{PATH}?lang=de")).await.expect_violations(&[("?lang", "invalid_value")]);
    espoo.get(&format!("{PATH}?language=fi")).await.expect_problem(400, "unknown_parameter");
}

#[tokio::test]
async fn any_text_is_escaped_and_stays_one_value() {
    let server = server_without_events().await;
    let long = "Ä".repeat(80) + "老虎, (\u{1f99d}); \\ \"x\": ";
    for (given, told) in [
        (long.clone(), long),
        ("a\nBEGIN:VEVENT\r\nUID:x".into(), "a\nBEGIN:VEVENT\nUID:x".into()),
        ("a\rEND:VCALENDAR\u{2028}b\u{85}c".into(), "a\nEND:VCALENDAR\nb\nc".into()),
        ("a\u{7}b\tc\u{feff}\u{202e}".into(), "a b\tc\u{feff}\u{202e}".to_owned()),
    ] {
        let id = insert_vantaa_event(&server, &given, json!({"description": {"fi": given}})).await;
        let event = events(&server.coordinator(), PATH).await.remove(0);
        assert_eq!((event.get_summary(), event.get_description()), (Some(&*told), Some(&*told)));
        server.execute(&format!("delete from events where id = '{id}'")).await;
    }
}

#[tokio::test]
async fn an_event_keeps_its_uid_and_counts_its_revisions() {
    let server = server_without_events().await;
    let path = format!("/v1/events/{}", insert_vantaa_event(&server, "Yksi", json!({})).await);
    let vantaa = server.municipality("092");
    let uid = events(&vantaa, PATH).await[0].get_uid().unwrap().to_owned();
    let mut sequence = 0;
    for (patch, counts) in [
        (json!({"title": {"fi": "Kaksi"}}), true),
        (json!({"title": {"fi": "Kaksi"}}), false),
        (json!({"capacity": 20}), false),
        (json!({"ends_at": fixtures::hours_from_now(27)}), true),
        (json!({"status": "postponed"}), true),
        (json!({"venue": {"address": "Tikkurila"}}), true),
    ] {
        let before = server.coordinator().get(PATH).await.etag();
        vantaa.if_match("*").patch(&path, &patch).await.expect(200);
        let event = events(&vantaa, PATH).await.remove(0);
        sequence += u32::from(counts);
        assert_eq!((event.get_uid(), event.get_sequence()), (Some(&*uid), Some(sequence)), "{patch}");
        assert!(!counts || server.coordinator().get(PATH).await.etag() != before);
    }
}

#[tokio::test]
async fn a_municipalitys_calendar_has_its_own_events_and_those_for_it() {
    let server = server_without_events().await;
    insert_vantaa_event(&server, "own", json!({"audience": ["092"]})).await;
    insert_vantaa_event(&server, "draft", json!({"status": "draft"})).await;
    insert_vantaa_event(
        &server,
        "of Espoo for Vantaa",
        json!({"host_municipality_code": "049", "audience": ["049", "092"]}),
    )
    .await;
    insert_vantaa_event(&server, "of Espoo", json!({"host_municipality_code": "049", "audience": ["638"]})).await;
    insert_vantaa_event(&server, "of the network", json!({"host_municipality_code": null})).await;
    let espoo = server.municipality("049");
    let mut told = events(&espoo, "/v1/municipalities/092/events.ics?lang=sv").await;
    told.sort_by_key(|event| event.get_summary().unwrap().to_owned());
    assert_eq!(summaries(&told), ["of Espoo for Vantaa", "own"]);
    let answer = espoo.get("/v1/municipalities/092/events.ics?lang=sv").await.expect(200);
    assert_eq!(parse(&answer.text).get_name(), Some("Kuntatutorit: Vanda"));
    espoo.get("/v1/municipalities/999/events.ics").await.expect_problem(404, "not_found");
}

#[tokio::test]
async fn only_callers_that_may_see_the_online_address_get_it() {
    let server = Server::with(&[("PUBLIC_READ", "true")]);
    server.execute("delete from events").await;
    let address = "https://etä.example/huone?a=1,2;3";
    insert_vantaa_event(&server, "Sparraus", json!({"online_url": address, "audience": ["049"]})).await;
    for (caller, sees) in [
        (server.municipality("049"), true),
        (server.municipality("092"), true),
        (server.coordinator(), true),
        (server.municipality("638"), false),
        (server.anonymous(), false),
    ] {
        let event = events(&caller, PATH).await.remove(0);
        let told = event.get_url();
        assert_eq!(told, sees.then_some("https://xn--et-wia.example/huone?a=1%2C2%3B3"));
        assert_eq!(event.get_location().is_some(), sees);
    }
    Server::start().anonymous().get(PATH).await.expect_problem(401, "unauthenticated");
}

#[tokio::test]
async fn an_unchanged_calendar_answers_304() {
    let server = Server::start();
    let espoo = server.municipality("049");
    let answer = espoo.get(PATH).await.expect(200);
    assert!(answer.etag().starts_with("W/\""));
    let same = espoo.with("if-none-match", &answer.etag()).get(PATH).await.expect(304);
    assert_eq!((same.text.as_str(), same.etag()), ("", answer.etag()));
    espoo.with("if-none-match", "\"other\"").get(PATH).await.expect(200);
    let packed = espoo.with("accept-encoding", "gzip").get(PATH).await.expect(200);
    assert_eq!((packed.header("content-encoding"), packed.etag()), ("gzip", answer.etag()));
    for (accept, status) in [("text/calendar", 200), ("text/*;q=0.5", 200), ("application/json", 406)] {
        espoo.with("accept", accept).get(PATH).await.expect(status);
    }
    espoo.with("accept", "text/calendar").get("/v1/events").await.expect_problem(406, "not_acceptable");
    let head = espoo.send(reqwest::Method::HEAD, PATH, None).await.expect(200);
    assert_eq!((head.text.as_str(), head.etag()), ("", answer.etag()));
}

#[tokio::test]
async fn the_calendar_has_the_nearest_thousand_events() {
    let server = server_without_events().await;
    let rows = "insert into events (id, source, title, kind, modality, starts_at, ends_at, status)
                select gen_random_uuid(), 'kuntatutorit', jsonb_build_object('fi', hours::text), 'webinar', 'online',
                    now() + hours * interval '1 hour', now() + hours * interval '1 hour' + interval '10 minutes',
                    'published'
                from generate_series(-599, 600) as hours";
    server.execute(rows).await;
    let events = events(&server.coordinator(), PATH).await;
    let hours: Vec<i64> = summaries(&events).iter().map(|summary| summary.parse().unwrap()).collect();
    assert_eq!(hours, (-499..=500).collect::<Vec<_>>());
    assert!(events.iter().all(|event| event.properties().get("DTSTAMP").is_some()));
}

#[test]
fn the_document_declares_the_calendar_as_text_calendar() {
    let document = serde_json::to_value(kuntatutorit::server::document()).unwrap();
    for path in [PATH, "/v1/municipalities/{code}/events.ics", "/calendar/{secret}.ics"] {
        let content = &document["paths"][path]["get"]["responses"]["200"]["content"];
        assert_eq!(content.as_object().unwrap().keys().collect::<Vec<_>>(), ["text/calendar"], "{path}");
    }
    assert_ne!(document["paths"]["/calendar/{secret}.ics"]["get"]["security"], Value::Null);
}

#[tokio::test]
async fn an_event_has_its_host_its_themes_and_its_place() {
    let server = server_without_events().await;
    let row = json!({
        "status": "postponed", "themes": ["courses", "email"], "venue": {"municipality_code": "616"}
    });
    let id = insert_vantaa_event(&server, "Kirjastoaamu", row).await;
    let espoo = server.municipality("049");
    let themes = espoo.all("/v1/themes?limit=100").await;
    let named = |slug: &str| themes.iter().find(|theme| theme["slug"] == slug).unwrap()["name"]["sv"].clone();
    let text = espoo.get(&format!("{PATH}?lang=sv")).await.expect(200).text.replace("\r\n ", "");
    for line in [
        format!("UID:{id}\r\n"),
        format!("ORGANIZER;CN=Vanda:{}/v1/municipalities/092\r\n", server.url),
        format!("CATEGORIES;LANGUAGE=sv:{}\r\n", named("courses").as_str().unwrap()),
        format!("CATEGORIES;LANGUAGE=sv:{}\r\n", named("email").as_str().unwrap()),
        "SUMMARY;LANGUAGE=fi:Uppskjutet: Kirjastoaamu\r\n".to_owned(),
    ] {
        assert!(text.contains(&line), "no {line} in {text}");
    }
    let location = espoo.get("/v1/municipalities/616").await.body["location"].clone();
    assert!(text.contains(&format!("GEO:{};{}\r\n", location["lat"], location["lon"])), "{text}");
    // A program finds an address more exactly than the centre of the municipality.
    server.execute("update events set venue = venue || '{\"address\": \"Kirjastokatu 1\"}'").await;
    assert!(!espoo.get(PATH).await.text.contains("GEO"));
    // The names in a cached calendar follow their changes.
    server
        .coordinator()
        .if_match("*")
        .patch("/v1/themes/courses", &json!({"name": {"sv": "Nytt namn"}}))
        .await
        .expect(200);
    assert!(espoo.get(&format!("{PATH}?lang=sv")).await.text.contains("Nytt namn"));
}

#[tokio::test]
async fn the_uid_does_not_depend_on_the_address_of_the_service() {
    let server = server_without_events().await;
    let id = insert_vantaa_event(&server, "x", json!({})).await;
    let moved = Server::on(server.database_url.clone(), &[("PUBLIC_URL", "https://kuntatutorit.example")]);
    for server in [&server, &moved] {
        assert_eq!(events(&server.coordinator(), PATH).await[0].get_uid(), Some(&*id));
    }
}
