//! Answers are bounded in bytes, and nothing gets lost.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{insert_events, insert_tutors, longest};
use crate::support::{Server, client::Client};

/// The largest page.
const PAGE_BYTES: usize = 2 * 1024 * 1024;

/// Reads a list page by page. Returns its keys and the number of pages.
async fn read_all(client: &Client, path: &str, key: &str) -> (Vec<String>, usize) {
    let (mut keys, mut pages, mut cursor) = (Vec::new(), 0, String::new());
    loop {
        let page = client.get(&format!("{path}{cursor}")).await.expect(200);
        assert!(page.text.len() <= PAGE_BYTES, "{path}: {} bytes", page.text.len());
        keys.extend(page.column(key).into_iter().map(str::to_owned));
        pages += 1;
        let Some(next) = page.body["next"].as_str() else { return (keys, pages) };
        cursor = format!("&cursor={next}");
    }
}

#[tokio::test]
async fn a_page_of_long_items_ends_early_and_the_next_one_goes_on() {
    let server = Server::start();
    insert_tutors(&server, 18).await;
    insert_events(&server, 10).await;
    server.execute(&format!("update municipalities set profile = {}", longest(10_000))).await;
    let caller = server.coordinator();
    for (path, key, count) in [
        ("/v1/events?limit=100&source=longest", "id", 20),
        ("/v1/events?limit=100&source=longest&audience=091&sort=-starts_at", "id", 20),
        ("/v1/tutors?limit=100&source=longest", "id", 18),
        ("/v1/municipalities?limit=100", "code", 26),
        ("/v1/municipalities?limit=100&sort=-population", "code", 26),
    ] {
        let (keys, pages) = read_all(&caller, path, key).await;
        assert_eq!(keys.len(), count, "{path}");
        assert_eq!(keys.iter().collect::<BTreeSet<_>>().len(), count, "{path}");
        assert!(pages >= 2, "{path}: {pages} pages");
    }
    // Short items fill their page, although the service has just read long ones.
    server.execute("update municipalities set profile = null").await;
    let page = caller.get("/v1/municipalities?limit=20").await.expect(200);
    assert_eq!(page.column("code").len(), 20);
}

#[tokio::test]
async fn concurrent_lookups_of_long_rows_all_get_theirs() {
    let server = Server::start();
    insert_events(&server, 10).await;
    let caller = server.coordinator();
    let (ids, _) = read_all(&caller, "/v1/events?limit=100&source=longest", "id").await;
    let answers = ids.iter().map(async |id| caller.get(&format!("/v1/events/{id}")).await.expect(200));
    for (answer, id) in futures_util::future::join_all(answers).await.iter().zip(&ids) {
        assert_eq!(answer.body["id"], Value::from(id.as_str()));
    }
}

#[tokio::test]
async fn included_resources_that_are_too_large_are_refused() {
    let server = Server::start();
    insert_tutors(&server, 20).await;
    insert_events(&server, 1).await;
    let caller = server.coordinator();
    let (ids, _) = read_all(&caller, "/v1/events?limit=100&source=longest", "id").await;
    for path in [format!("/v1/events/{}?include=tutors", ids[0]), "/v1/events?include=tutors&source=longest".to_owned()]
    {
        caller.get(&path).await.expect_problem(400, "include_too_large");
    }
    server.execute("update tutors set perspective = null where source = 'longest'").await;
    let page = caller.get("/v1/events?include=tutors&source=longest").await.expect(200);
    assert_eq!(page.body["included"]["tutors"].as_object().unwrap().len(), 20);
}

#[tokio::test]
async fn a_calendar_of_long_events_has_the_nearest_and_says_so() {
    let server = Server::start();
    let caller = server.coordinator();
    let whole = caller.get("/v1/events.ics").await.expect(200).text;
    assert!(!whole.contains("X-WR-CALDESC"), "{whole}");
    insert_events(&server, 15).await;
    for (path, notice) in [
        ("/v1/events.ics", "ajallisesti lähimmät"),
        ("/v1/events.ics?lang=sv", "närmast i tiden"),
        ("/v1/municipalities/049/events.ics?lang=en", "nearest in time"),
    ] {
        let calendar = caller.get(path).await.expect(200).text.replace("\r\n ", "");
        assert!(calendar.len() < PAGE_BYTES, "{} bytes", calendar.len());
        let told = calendar.lines().filter(|line| line.contains(notice)).count();
        assert_eq!(told, 2, "DESCRIPTION and X-WR-CALDESC: {path}");
        let mut starts: Vec<_> = calendar.lines().filter(|line| line.starts_with("DTSTART;")).collect();
        let count = starts.len();
        assert!((10..30).contains(&count), "{count} events");
        starts.dedup();
        assert_eq!(starts.len(), count, "each hour has one event");
        let past =
            "select id::text as line from events where source = 'longest' and starts_at < now() order by starts_at";
        let ids = crate::support::sql::query_lines(&server, past).await;
        let (nearest, farthest) = (ids.last().unwrap(), &ids[0]);
        assert!(calendar.contains(nearest.as_str()) && !calendar.contains(farthest.as_str()));
    }
}
