//! Cursors: any forged cursor is refused or leads to another place of the same list, as the caller may see it.

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::some;
use crate::support::{
    Server,
    client::{Answer, Client},
    document::operations,
    rows::Rows,
};

/// A list in one order: every item that the caller sees, and the real cursor after the first item.
struct List {
    path: String,
    all: Vec<Value>,
    cursor: String,
}

/// Signs in as a stored coordinator and makes at least two rows in every list.
async fn fill_every_list(server: &Server) -> Client {
    let coordinator =
        server.sign_in_new_account("digituki@kunta.example", json!({"role": "coordinator", "municipality_code": null}));
    let coordinator = coordinator.await;
    for code in ["049", "091"] {
        Rows::of(server, code).await;
        coordinator.post("/v1/calendar-links", &json!({"name": code})).await.expect(201);
    }
    coordinator
}

/// Returns every order of every list in the document, with a search word that finds several rows where there is a
/// search.
fn queries() -> Vec<String> {
    let mut queries = Vec::new();
    for operation in operations() {
        let parameter = |name: &str| operation.parameters.iter().find(|known| known.name == name);
        if parameter("cursor").is_none() {
            continue;
        }
        assert!(!operation.path.contains('{'), "{} needs a row to be listed under", operation.id);
        let sorts = parameter("sort").and_then(|sort| sort.schema["enum"].as_array()).into_iter().flatten();
        let queried = |name: &str, value: &str| format!("{}?{name}={value}&limit=", operation.path);
        queries.push(format!("{}?limit=", operation.path));
        queries.extend(sorts.map(|sort| queried("sort", sort.as_str().unwrap())));
        if parameter("q").is_some() {
            queries.extend(["digituki", "tapahtuma", "kuntatutor"].map(|word| queried("q", word)));
        }
    }
    queries
}

/// Returns all items in the order of the list. (The changes always have a `next`.)
async fn all(reader: &Client, query: &str) -> Vec<Value> {
    let (mut items, mut cursor) = (Vec::new(), String::new());
    loop {
        let answer = reader.get(&format!("{query}100{cursor}")).await.expect(200);
        let page = answer.body["items"].as_array().unwrap();
        items.extend(page.clone());
        match answer.body["next"].as_str().filter(|_| !page.is_empty()) {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return items,
        }
    }
}

/// Returns the lists that this caller may read and that have a second page.
async fn lists(reader: &Client) -> Vec<List> {
    let mut lists = Vec::new();
    for query in queries() {
        let first = reader.get(&format!("{query}1")).await;
        if let (200, Some(cursor)) = (first.status, first.body["next"].as_str()) {
            lists.push(List { all: all(reader, &query).await, path: query, cursor: cursor.to_owned() });
        }
    }
    lists
}

impl List {
    async fn after(&self, reader: &Client, cursor: &str) -> Answer {
        reader.get(&format!("{}3&cursor={cursor}", self.path)).await
    }

    /// Returns the fault of an answer that is neither a refusal nor a part of the list.
    fn wrong(&self, what: &str, refused: bool, answer: &Answer) -> Option<String> {
        let right = match answer.status {
            200 => {
                let items = answer.body["items"].as_array().unwrap();
                !refused && (items.is_empty() || self.all.windows(items.len()).any(|stretch| stretch == items))
            }
            400 => answer.body["code"] == "bad_cursor",
            422 => answer.body["errors"][0]["parameter"] == "cursor",
            _ => false,
        };
        (!right).then(|| format!("{} {what}: {} {:.200}", self.path, answer.status, answer.text))
    }
}

/// Decodes a cursor: the list and order that it is valid for, and the place in it.
fn opened(cursor: &str) -> (Value, Value) {
    serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(cursor).unwrap()).unwrap()
}

fn sealed(good_for: &Value, place: &Value) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(json!([good_for, place]).to_string())
}

fn hostile() -> Vec<Value> {
    let texts = [
        "",
        "\0",
        "a\0b",
        "a",
        "infinity",
        "-infinity",
        "NaN",
        "999",
        "0000-01-01T00:00:00Z",
        "9999-12-31T23:59:59Z",
        "1899-12-31T23:59:59Z",
        "2200-01-01T00:00:00Z",
        "2020-06-30T23:59:60Z",
        "\u{10ffff}",
        "'; --",
        "00000000-0000-0000-0000-000000000000",
        "ffffffff-ffff-ffff-ffff-ffffffffffff",
    ];
    let numbers = [json!(0), json!(-1), json!(i64::MAX), json!(i64::MIN), json!(u64::MAX), json!(1e308), json!(-1e308)];
    let numbers = numbers.into_iter().chain([json!(0.5), json!(i64::from(i32::MAX) + 1), json!(1e-320)]);
    let others =
        [Value::Null, json!(true), json!([]), json!({}), json!([[[[]]]]), json!({"a": 1}), json!("x".repeat(2000))];
    texts.map(Value::from).into_iter().chain(numbers).chain(others).collect()
}

/// Returns places forged from a real one, and whether the service must refuse each.
fn forged(place: &Value) -> Vec<(Value, bool)> {
    let mut forged = Vec::new();
    let parts = place.as_array().cloned().unwrap_or_else(|| vec![place.clone()]);
    let whole = |parts: Vec<Value>| if place.is_array() { json!(parts) } else { parts[0].clone() };
    for (at, part) in parts.iter().enumerate() {
        for value in hostile() {
            let other_kind = part.is_string() != value.is_string() || part.is_number() != value.is_number();
            let refused = other_kind || value.to_string().contains("\\u0000");
            let mut parts = parts.clone();
            parts[at] = value;
            forged.push((whole(parts), refused));
        }
    }
    let more = parts.iter().chain(&parts[..1]).cloned().collect::<Vec<_>>();
    forged.extend(
        [json!(more), json!(parts[1..]), json!({"place": place}), json!([place]), json!([])].map(|one| (one, true)),
    );
    forged
}

#[tokio::test]
async fn a_forged_cursor_never_leaves_its_list() {
    let server = Server::start();
    let coordinator = fill_every_list(&server).await;
    let mut wrong = Vec::new();
    for reader in [coordinator, server.municipality("091")] {
        for list in lists(&reader).await {
            let (good_for, place) = opened(&list.cursor);
            for (place, refused) in forged(&place) {
                let answer = list.after(&reader, &sealed(&good_for, &place)).await;
                wrong.extend(list.wrong(&place.to_string(), refused, &answer));
            }
        }
    }
    assert!(wrong.is_empty(), "{} wrong answers:\n{}", wrong.len(), wrong[..wrong.len().min(40)].join("\n"));
}

#[tokio::test]
async fn a_cursor_of_another_list_or_order_is_refused() {
    let server = Server::start();
    let coordinator = fill_every_list(&server).await;
    let lists = lists(&coordinator).await;
    let paged = operations().iter().filter(|of| of.parameters.iter().any(|known| known.name == "cursor")).count();
    let paths: std::collections::BTreeSet<_> = lists.iter().map(|list| list.path.split('?').next().unwrap()).collect();
    assert_eq!(paths.len(), paged, "every list must have a second page: {paths:?}");
    let mut wrong = Vec::new();
    for (at, list) in lists.iter().enumerate() {
        let good_for = opened(&list.cursor).0;
        for (_, other) in lists.iter().enumerate().filter(|(other, _)| *other != at) {
            let answer = list.after(&coordinator, &other.cursor).await;
            wrong.extend(list.wrong(&format!("with that of {}", other.path), true, &answer));
            // The place of the other list's cursor, sealed as a cursor of this list.
            let moved = sealed(&good_for, &opened(&other.cursor).1);
            let answer = list.after(&coordinator, &moved).await;
            wrong.extend(list.wrong(&format!("with the place of {}", other.path), false, &answer));
        }
    }
    assert!(wrong.is_empty(), "{} wrong answers:\n{}", wrong.len(), wrong[..wrong.len().min(40)].join("\n"));
}

#[tokio::test]
async fn a_changed_or_truncated_cursor_never_leaves_its_list() {
    let server = Server::start();
    let reader = fill_every_list(&server).await;
    let mut wrong = Vec::new();
    for list in lists(&reader).await {
        let cursor = list.cursor.as_bytes();
        let changes = (0..cursor.len(), "[A-Za-z0-9_=-]{0,2}", prop::bool::ANY);
        for (at, instead, cut) in some(30, &changes) {
            let rest = if cut { &[][..] } else { &cursor[at + 1..] };
            let changed = String::from_utf8([&cursor[..at], instead.as_bytes(), rest].concat()).unwrap();
            let answer = list.after(&reader, &changed).await;
            wrong.extend(list.wrong(&changed, false, &answer));
        }
        let same = list.after(&reader, &list.cursor).await.expect(200);
        assert_eq!(same.body["items"].as_array().unwrap()[..], list.all[1..list.all.len().min(4)]);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
