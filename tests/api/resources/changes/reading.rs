//! The contents, the readers and the order of the ledger.

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use diesel_async::{AsyncConnection as _, AsyncPgConnection, RunQueryDsl as _};
use serde_json::{Value, json};

use super::{Follower, PATH, column, create_theme, theme};
use crate::support::Server;

#[tokio::test]
async fn each_change_appears_once_and_in_order() {
    let server = Server::start();
    let coordinator = server.coordinator();
    let mut follower = Follower::of(coordinator.clone(), "").await;
    let mut others = Follower::of(server.municipality("049"), "").await;
    let writer = coordinator.with("x-request-id", "my-request");
    let made = writer.post("/v1/themes", &theme("new")).await.expect(201);
    let change = json!({"name": {"sv": "Nytt"}});
    let changed = writer.if_match(&made.etag()).patch("/v1/themes/new", &change).await.expect(200);
    writer.if_match(&changed.etag()).delete("/v1/themes/new").await.expect(204);
    let items = follower.take(3).await;
    assert_eq!(column(&items, "operation"), ["create", "update", "delete"]);
    let versions = [&made.body["version"], &changed.body["version"], &changed.body["version"]];
    for (item, version) in items.iter().zip(versions) {
        assert_eq!((&item["resource"], &item["key"], &item["version"]), (&json!("themes"), &json!("new"), version));
        assert!(item["actor"].as_str().unwrap().starts_with("account:"), "{item}");
        assert_eq!(item["request_id"], "my-request");
        assert!(item["changed_at"].as_str().unwrap().ends_with('Z'), "{item}");
    }
    assert!(follower.read(0).await.is_empty(), "repeated");
    let seen = others.take(3).await;
    assert!(seen.iter().all(|item| item["actor"].is_null() && item["request_id"].is_null()), "{seen:?}");
    assert_eq!(column(&seen, "operation"), column(&items, "operation"));
}

#[tokio::test]
async fn the_whole_ledger_can_be_read_in_pages_of_any_size() {
    let server = Server::start();
    let coordinator = server.coordinator();
    let mut follower = Follower::of(coordinator.clone(), "").await;
    for number in 0..7 {
        create_theme(&server, &format!("theme-{number}")).await;
    }
    follower.take(7).await;
    let whole = coordinator.get(&format!("{PATH}?limit=1000")).await.expect(200);
    let whole = whole.body["items"].as_array().unwrap().clone();
    assert!(whole.len() > 7 + 26, "the reference data is in the ledger");
    for limit in [1, 3, 26] {
        let (mut items, mut next) = (Vec::<Value>::new(), String::new());
        loop {
            let answer = coordinator.get(&format!("{PATH}?limit={limit}{next}")).await.expect(200);
            next = format!("&cursor={}", answer.body["next"].as_str().unwrap());
            match answer.body["items"].as_array().unwrap().as_slice() {
                [] => break,
                more => items.extend_from_slice(more),
            }
        }
        assert_eq!(items, whole, "limit={limit}");
    }
}

#[tokio::test]
async fn a_transaction_that_commits_late_is_not_missed() {
    let server = Server::start();
    let mut follower = Follower::of(server.coordinator(), "&resource=themes").await;
    let mut older = AsyncPgConnection::establish(&server.database_url).await.unwrap();
    let insert = "insert into themes (slug, kind, name) values ('older', 'theme', '{\"fi\": \"Vanha\"}')";
    for statement in ["begin", insert] {
        diesel::sql_query(statement).execute(&mut older).await.unwrap();
    }
    for slug in ["younger", "youngest"] {
        create_theme(&server, slug).await;
    }
    assert!(follower.read(2).await.is_empty(), "shown although an older transaction may still write");
    diesel::sql_query("commit").execute(&mut older).await.unwrap();
    create_theme(&server, "last").await;
    assert_eq!(column(&follower.take(4).await, "key"), ["older", "younger", "youngest", "last"]);
    assert!(follower.read(0).await.is_empty());
}

#[tokio::test]
async fn a_caller_sees_the_changes_of_collections_that_it_may_read() {
    let server = Server::start();
    let event = server.create_event("049").await;
    server.create_feedback(&event, "049").await;
    let partner = server.partner("calendar", "changes:read events:read", None);
    let mut follower = Follower { client: partner.clone(), filter: "&limit=1000".into(), next: String::new() };
    let first = partner.get(&format!("{PATH}?limit=1000&wait=30")).await.expect(200);
    follower.next = first.body["next"].as_str().unwrap().into();
    let mut seen = first.body["items"].as_array().unwrap().clone();
    while !column(&seen, "key").contains(&event) {
        seen.extend(follower.read(30).await);
    }
    assert!(column(&seen, "resource").iter().all(|resource| resource == "events"), "{seen:?}");
    let refused = partner.get(&format!("{PATH}?resource=events&resource=tutors")).await;
    assert_eq!(refused.expect_problem(403, "missing_scope").body["scope"], "tutors:read");
    server.partner("none", "events:read", None).get(PATH).await.expect_problem(403, "missing_scope");
    Server::with(&[("PUBLIC_READ", "true")]).anonymous().get(PATH).await.expect_problem(401, "unauthenticated");
}

#[tokio::test]
async fn a_cursor_works_for_its_collections_only_and_cannot_be_forged() {
    let server = Server::start();
    let espoo = server.municipality("049");
    let next = Follower::of(espoo.clone(), "&resource=themes&resource=events").await.next;
    espoo.get(&format!("{PATH}?resource=events&resource=themes&limit=1&cursor={next}")).await.expect(200);
    for filter in ["", "&resource=themes", "&resource=themes&resource=events&resource=tutors"] {
        espoo.get(&format!("{PATH}?cursor={next}{filter}")).await.expect_problem(400, "bad_cursor");
    }
    let all = Follower::of(espoo.clone(), "").await.next;
    let (made_for, place): (String, Value) =
        serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(&all).unwrap()).unwrap();
    let other = |pointer: &str, value: Value| {
        let mut place = place.clone();
        *place.pointer_mut(pointer).unwrap() = value;
        json!([made_for, place])
    };
    for forged in [
        other("/epoch", json!("019a0c5e-7b1e-7c3a-9d52-0b7f6a1c2d3e")),
        other("/passed/xid", json!(1)),
        other("/passed/seq", json!(1)),
        other("/passed/seq", json!(i64::MAX)),
        other("/passed/seq", json!(-1)),
        other("/passed/version", json!(0)),
        other("/passed/changed_at", json!(0)),
        other("/passed/changed_at", json!(i64::MIN)),
        json!([made_for, "training"]),
        json!([made_for, [741, 96]]),
        json!([made_for]),
        json!(["", place]),
    ] {
        let forged = BASE64_URL_SAFE_NO_PAD.encode(forged.to_string());
        espoo.get(&format!("{PATH}?cursor={forged}")).await.expect_problem(400, "bad_cursor");
    }
    espoo.get(&format!("{PATH}?cursor=x")).await.expect_problem(400, "bad_cursor");
    let of_list = espoo.get("/v1/themes?limit=1").await.expect(200);
    let of_list = of_list.body["next"].as_str().unwrap();
    espoo.get(&format!("{PATH}?cursor={of_list}")).await.expect_problem(400, "bad_cursor");
    let both = espoo.get(&format!("{PATH}?from=now&cursor={all}")).await;
    both.expect_violations(&[("?from", "one_of")]);
}

#[tokio::test]
async fn the_bounds_of_the_parameters_are_enforced() {
    let server = Server::start();
    let espoo = server.municipality("049");
    for (query, code) in [("limit=0", "too_small"), ("limit=1001", "too_large"), ("wait=31", "too_large")] {
        let at = format!("?{}", query.split('=').next().unwrap());
        espoo.get(&format!("{PATH}?{query}")).await.expect_violations(&[(&at, code)]);
    }
    for query in ["limit=x", "wait=-1", "wait=0.5", "from=then", "resource=accounts", "resource=%00"] {
        espoo.get(&format!("{PATH}?{query}")).await.expect_problem(422, "invalid");
    }
    espoo.get(&format!("{PATH}?since=1")).await.expect_problem(400, "unknown_parameter");
    assert_eq!(espoo.get(&format!("{PATH}?limit=1")).await.expect(200).header("cache-control"), "private, no-store");
}

/// A dump of version 0.1 has no epochs, and the transaction numbers of its own server.
#[tokio::test]
async fn changes_of_a_dump_without_epochs_are_visible_at_once() {
    let server = Server::start();
    let mut follower = Follower::of(server.coordinator(), "").await;
    let foreign = "insert into changes (xid, resource, key, operation, version) \
                   values (1000000000000, 'themes', 'foreign', 'create', 1)";
    Server::execute(&server, foreign).await;
    let all = server.coordinator().get("/v1/changes?resource=themes&limit=1000").await.expect(200);
    assert!(all.column("key").contains(&"foreign"), "{}", all.text);
    create_theme(&server, "new").await;
    assert_eq!(column(&follower.take(1).await, "key"), ["new"], "a dump is older than everything else");
}
