//! Lists of events: filters, orders and pages.

use serde_json::json;

use super::{PATH, create, webinar, with};
use crate::support::{
    Server,
    fixtures::{hours_from_now, insert_event},
};

#[tokio::test]
async fn the_reference_data_has_the_events_of_the_programme() {
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
async fn pages_contain_every_event_once_with_any_filter() {
    let server = Server::start();
    let coordinator = server.coordinator();
    for day in 1..=14 {
        // Some events start at the same time, so the id decides their order.
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
async fn an_invalid_query_is_refused() {
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
    // A forged cursor in the right form, with a time that no event can have.
    let page = espoo.get(&format!("{PATH}?limit=1")).await.expect(200);
    let cursor = page.body["next"].as_str().unwrap();
    for forged in [&cursor[..cursor.len() - 4], "bm90IGpzb24"] {
        espoo.get(&format!("{PATH}?limit=1&cursor={forged}")).await.expect_problem(400, "bad_cursor");
    }
}

#[tokio::test]
async fn events_under_way_can_be_asked_for() {
    let server = Server::start();
    server.execute("delete from events").await;
    let insert = async |from: i64, to: i64| {
        let columns = json!({"starts_at": hours_from_now(from), "ends_at": hours_from_now(to)});
        insert_event(&server, columns).await
    };
    let (day, week) = (24, 7 * 24);
    let long = insert(-30 * day, 30 * day).await;
    let long_ended = insert(-40 * day, -20 * day).await;
    let exactly_a_week = insert(-week, 1).await;
    let ended = insert(-3, -1).await;
    let under_way = insert(-1, 1).await;
    let coming = insert(5, 6).await;
    let now = urlencode(&hours_from_now(0));
    let coordinator = server.coordinator();
    for (query, expected) in [
        (format!("ends_after={now}"), vec![&long, &exactly_a_week, &under_way, &coming]),
        (format!("ends_after={now}&starts_before={now}"), vec![&long, &exactly_a_week, &under_way]),
        (format!("ends_before={now}"), vec![&long_ended, &ended]),
        (format!("ends_after={now}&ends_before={}", urlencode(&hours_from_now(2))), vec![&exactly_a_week, &under_way]),
        (format!("ends_after={now}&starts_after={now}"), vec![&coming]),
        (format!("ends_after={now}&municipality=049"), vec![]),
        (format!("ends_after={now}&q=tutorit&sort=starts_at"), vec![&long, &exactly_a_week, &under_way, &coming]),
    ] {
        for limit in [1, 2, 3, 100] {
            let listed = |sort: &str| {
                let path = format!("{PATH}?{query}&limit={limit}{sort}");
                let client = coordinator.clone();
                async move {
                    let all = client.all(&path).await;
                    all.iter().map(|event| event["id"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
                }
            };
            let mut expected: Vec<_> = expected.iter().map(|id| (*id).clone()).collect();
            assert_eq!(listed("").await, expected, "{query}&limit={limit}");
            expected.reverse();
            if !query.contains("sort=") {
                assert_eq!(listed("&sort=-starts_at").await, expected, "{query}&limit={limit}, the latest first");
            }
        }
    }
    let ranked = coordinator.all(&format!("{PATH}?q=tutorit&ends_before={now}")).await;
    assert_eq!(ranked.len(), 2);
    coordinator.get(&format!("{PATH}?ends_after=now")).await.expect_violations(&[("?ends_after", "invalid_value")]);
}

fn urlencode(time: &str) -> String {
    time.replace('+', "%2B")
}
