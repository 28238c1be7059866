//! The filter `region`, and search by the name of a region.

use serde_json::json;

use super::create_event;
use crate::{resources::municipalities::new_municipality, support::Server};

/// Starts a server with a municipality of another region.
async fn server_with_another_region() -> Server {
    let server = Server::start();
    let mut new = new_municipality();
    (new["region_code"], new["region_name"]) = (json!("19"), json!({"fi": "Lappi", "sv": "Lappland", "se": "Lappi"}));
    server.coordinator().post("/v1/municipalities", &new).await.expect(201);
    server
}

#[tokio::test]
async fn lists_are_filtered_by_region() {
    let server = server_with_another_region().await;
    let coordinator = server.coordinator();
    let (event, tutor) = (create_event(&server, "998", json!({})).await, server.create_tutor("998").await);
    for (collection, id) in [("events", event), ("tutors", tutor)] {
        let ids = async |query: &str| {
            let all = coordinator.all(&format!("/v1/{collection}?{query}")).await;
            all.iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(ids("region=19").await, [&*id], "{collection}");
        assert_eq!(ids("region=19&municipality=998").await, [&*id]);
        assert_eq!(ids("region=19&region=01&municipality=998").await, [&*id]);
        assert_eq!(ids("region=19&municipality=049").await, [""; 0]);
        assert_eq!(ids("region=02").await, [""; 0]);
        assert!(!ids("region=01").await.contains(&id));
        assert_eq!(ids("region=01&region=19&limit=1").await.len(), ids("region=01").await.len() + 1);
        coordinator.get(&format!("/v1/{collection}?region=1")).await.expect_violations(&[("?region", "invalid_code")]);
    }
}

#[tokio::test]
async fn the_calendar_of_all_events_is_filtered_by_region() {
    let server = server_with_another_region().await;
    let coordinator = server.coordinator();
    let there = create_event(&server, "998", json!({})).await;
    let here = create_event(&server, "049", json!({})).await;
    let shown = async |query: &str| {
        let text = coordinator.get(&format!("/v1/events.ics?{query}")).await.expect(200).text;
        (text.contains(&*there), text.contains(&*here))
    };
    assert_eq!(shown("region=19").await, (true, false));
    assert_eq!(shown("region=01&lang=sv").await, (false, true));
    assert_eq!(shown("region=01&region=19").await, (true, true));
    assert_eq!(shown("region=02").await, (false, false));
}

#[tokio::test]
async fn a_municipality_that_moves_to_another_region_moves_at_once() {
    let server = server_with_another_region().await;
    let coordinator = server.coordinator();
    let event = create_event(&server, "998", json!({})).await;
    let listed = async |region: &str| {
        coordinator.get(&format!("/v1/events?region={region}&limit=100")).await.text.contains(&*event)
    };
    assert_eq!((listed("19").await, listed("01").await), (true, false));
    let change = json!({"region_code": "01", "region_name": {"fi": "Uusimaa"}});
    coordinator.if_match("*").patch("/v1/municipalities/998", &change).await.expect(200);
    assert_eq!((listed("19").await, listed("01").await), (false, true));
}

#[tokio::test]
async fn search_finds_municipalities_by_the_name_of_their_region() {
    let server = server_with_another_region().await;
    let coordinator = server.coordinator();
    for q in ["Lappi", "Lappland"] {
        assert_eq!(
            coordinator.get(&format!("/v1/municipalities?q={q}")).await.expect(200).column("code"),
            ["998"],
            "{q}"
        );
    }
    assert_eq!(coordinator.all("/v1/municipalities?q=Uudellamaalla").await.len(), 26);
}
