//! The visibility of names and contacts.

use serde_json::{Value, json};

use super::path;
use crate::support::{
    Server,
    client::{Answer, Client},
};

/// Creates tutors of Espoo, one for each visibility, with unmistakable names and addresses.
struct Three {
    server: Server,
    ids: Vec<String>,
}

const VISIBILITIES: [&str; 3] = ["public", "network", "coordinator"];

async fn one_tutor_of_each_visibility() -> Three {
    let server = Server::with(&[("PUBLIC_READ", "true")]);
    let mut ids = Vec::new();
    for visibility in VISIBILITIES {
        let fields = json!({
            "name": format!("Zacharias {visibility}"), "visibility": visibility, "title": {"fi": "Avustaja"},
            "contact": {"email": format!("secret.{visibility}@espoo.example"), "phone": "+358 40 555 0199"}
        });
        ids.push(server.create_tutor_with("049", &fields).await);
    }
    Three { server, ids }
}

/// Asserts that no personal data of a tutor with this visibility is in the answer.
fn assert_no_trace(answer: &Answer, visibility: &str) {
    for text in [format!("Zacharias {visibility}"), format!("secret.{visibility}@")] {
        assert!(!answer.text.contains(&text), "{text} is in {}", answer.text);
    }
}

/// Asserts that every way of reading shows the first `seen` visibilities and no others.
async fn assert_sees(caller: &Client, ids: &[String], seen: usize) {
    for (index, (id, visibility)) in ids.iter().zip(VISIBILITIES).enumerate() {
        let shown = index < seen;
        let one = caller.get(&path(id)).await.expect(200);
        let name = if shown { json!(format!("Zacharias {visibility}")) } else { Value::Null };
        assert_eq!((&one.body["name"], one.body["contact"].is_object()), (&name, shown), "{:?}", caller.token);
        assert_eq!(one.etag().ends_with("-full\""), shown);
        assert_eq!(one.etag().ends_with("-reduced\""), !shown);
        let listed = caller.get("/v1/tutors?municipality=049").await.expect(200);
        let found = caller.get("/v1/tutors?q=avustaja").await.expect(200);
        for list in [&listed, &found] {
            let items = list.body["items"].as_array().unwrap();
            assert_eq!(items.iter().find(|item| item["id"] == **id).unwrap(), &one.body);
        }
        // A search for a hidden name finds nothing.
        for query in ["q=zacharias", "q=Zacharias&sort=-id", "q=zach", "q=avustaja%20zacharias"] {
            let by_name = caller.get(&format!("/v1/tutors?{query}")).await.expect(200);
            assert_eq!(by_name.column("id").contains(&id.as_str()), shown, "{query}");
            if !shown {
                assert_no_trace(&by_name, visibility);
            }
        }
        if !shown {
            for answer in [&one, &listed, &found] {
                assert_no_trace(answer, visibility);
            }
        }
    }
}

#[tokio::test]
async fn visibility_decides_who_sees_names_and_contacts() {
    let Three { server, ids } = one_tutor_of_each_visibility().await;
    for (caller, seen) in [
        (server.anonymous(), 1),
        (server.partner("events", "tutors:read", Some("049")), 1),
        (server.partner("others", "tutors:read tutors:write", Some("091")), 1),
        (server.municipality("091"), 2),
        (server.tutor("049", super::HELSINKI), 2),
        (server.partner("crm", "tutors:read contacts:read", Some("049")), 2),
        (server.partner("region", "tutors:read contacts:read", None), 2),
        (server.municipality("049"), 3),
        (server.partner("own", "tutors:read tutors:write", Some("049")), 3),
        (server.partner("all", "tutors:read tutors:write", None), 3),
        (server.coordinator(), 3),
    ] {
        assert_sees(&caller, &ids, seen).await;
    }
}

#[tokio::test]
async fn a_tutor_sees_its_own_profile_whatever_its_visibility() {
    let Three { server, ids } = one_tutor_of_each_visibility().await;
    let tutor = server.tutor("049", &ids[2]);
    assert_sees(&tutor, &ids, 3).await;
}

#[tokio::test]
async fn no_answer_contains_an_address_that_the_caller_may_not_see() {
    let Three { server, ids } = one_tutor_of_each_visibility().await;
    let helsinki = server.municipality("091");
    // Neither a write nor a broken rule may reveal it.
    for id in &ids {
        let path = path(id);
        for answer in [
            helsinki.if_match("*").patch(&path, &json!({})).await,
            helsinki.if_match("*").patch(&path, &json!({"contact": {"email": null}})).await,
            helsinki.if_match("*").delete(&path).await,
        ] {
            assert_no_trace(&answer.expect(403), "coordinator");
        }
    }
    for query in ["q=secret.coordinator", "q=espoo.example", "q=0199"] {
        let found = server.coordinator().get(&format!("/v1/tutors?{query}")).await.expect(200);
        assert_eq!(found.column("id"), Vec::<&str>::new(), "{query}");
    }
}

#[tokio::test]
async fn the_etag_of_one_view_is_not_valid_for_the_other() {
    let Three { server, ids } = one_tutor_of_each_visibility().await;
    let (path, helsinki) = (path(&ids[2]), server.municipality("091"));
    let reduced = helsinki.get(&path).await.etag();
    let full = server.municipality("049").get(&path).await.etag();
    assert_ne!(reduced, full);
    helsinki.with("if-none-match", &full).get(&path).await.expect(200);
    helsinki.with("if-none-match", &reduced).get(&path).await.expect(304);
    server.municipality("049").with("if-none-match", &reduced).get(&path).await.expect(200);
}

#[tokio::test]
async fn only_the_public_view_is_cached() {
    let Three { server, ids } = one_tutor_of_each_visibility().await;
    let public = server.anonymous().get(&path(&ids[0])).await.expect(200);
    assert_eq!(public.header("cache-control"), "public, max-age=60");
    let own = server.municipality("049").get(&path(&ids[0])).await.expect(200);
    assert_eq!(own.header("cache-control"), "private, no-store");
}

#[tokio::test]
async fn a_null_reveals_nothing_hidden() {
    let server = Server::start();
    let id = server.create_tutor_with("049", &json!({"visibility": "coordinator"})).await;
    let hide = server.municipality("049").if_match("*");
    hide.patch(&path(&id), &json!({"visibility": null})).await.expect_violations(&[("/visibility", "required")]);
    assert_eq!(server.coordinator().get(&path(&id)).await.body["visibility"], "coordinator");
}
