//! Calendars, read by another library than the one that writes them.

mod contents;
mod links;
mod times;
mod zones;

use icalendar::{Component as _, Event};
use serde_json::{Value, json};

use crate::support::{Server, client::Client, fixtures};

const PATH: &str = "/v1/events.ics";

/// Returns the events of a calendar.
async fn events(client: &Client, path: &str) -> Vec<Event> {
    parse(&client.get(path).await.expect(200).text).events().cloned().collect()
}

#[track_caller]
fn parse(text: &str) -> icalendar::Calendar {
    for line in text.strip_suffix("\r\n").unwrap().split("\r\n") {
        assert!((1..=75).contains(&line.len()), "{} octets: {line}", line.len());
        assert!(!line.contains(|c: char| c.is_control() && c != '\t'), "{line:?}");
    }
    text.parse().unwrap()
}

fn summaries(events: &[Event]) -> Vec<&str> {
    events.iter().map(|event| event.get_summary().unwrap()).collect()
}

/// Inserts an event of Vantaa with this title, for tomorrow, and returns its id.
async fn insert_vantaa_event(server: &Server, title: &str, columns: Value) -> String {
    let mut row = json!({
        "title": {"fi": title}, "host_municipality_code": "092", "starts_at": fixtures::hours_from_now(24), "ends_at": fixtures::hours_from_now(26)
    });
    json_patch::merge(&mut row, &columns);
    fixtures::insert_event(server, row).await
}

/// Starts a server without the events of the reference data.
async fn server_without_events() -> Server {
    let server = Server::start();
    server.execute("delete from events").await;
    server
}
