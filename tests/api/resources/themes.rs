//! Themes: every caller reads them, and the coordinator writes them.

use diesel_async::{AsyncConnection as _, AsyncPgConnection, SimpleAsyncConnection as _};
use serde_json::{Value, json};

use crate::support::Server;

fn artificial_intelligence() -> Value {
    json!({"slug": "artificial-intelligence", "kind": "theme", "name": {"fi": "Tekoäly", "sv": "Artificiell intelligens"}, "parent": "smart-devices"})
}

#[tokio::test]
async fn the_reference_data_has_the_forms_and_themes_of_digital_support() {
    let server = Server::start();
    let all = server.municipality("049").all("/v1/themes?limit=7").await;
    assert_eq!(all.len(), 24);
    assert_eq!(all.iter().filter(|theme| theme["kind"] == "form").count(), 10);
}

#[tokio::test]
async fn get_returns_every_field() {
    let server = Server::start();
    let answer = server.municipality("049").get("/v1/themes/courses").await.expect(200);
    assert_eq!(
        answer.stable(),
        json!({
            "slug": "courses", "kind": "form", "name": {"fi": "Kurssit", "sv": "Kurser", "en": "Courses"},
            "parent": "training", "version": "version", "created_at": "time", "updated_at": "time"
        })
    );
    let etag = answer.etag();
    server.municipality("049").with("if-none-match", &etag).get("/v1/themes/courses").await.expect(304);
    server.municipality("049").get("/v1/themes/nothing").await.expect_problem(404, "not_found");
    server.anonymous().get("/v1/themes").await.expect(401);
}

#[tokio::test]
async fn public_read_makes_themes_public() {
    let server = Server::with(&[("PUBLIC_READ", "true")]);
    let answer = server.anonymous().get("/v1/themes/courses").await.expect(200);
    assert_eq!(answer.header("cache-control"), "public, max-age=60");
    server.anonymous().get("/v1/themes").await.expect(200);
    server.anonymous().post("/v1/themes", &artificial_intelligence()).await.expect(401);
}

#[tokio::test]
async fn pages_contain_every_row_once_in_any_order() {
    let server = Server::start();
    let espoo = server.municipality("049");
    for sort in ["slug", "name"] {
        for limit in [1, 5, 12, 24, 100] {
            let all = espoo.all(&format!("/v1/themes?sort={sort}&limit={limit}")).await;
            let slugs: Vec<_> = all.iter().map(|theme| theme["slug"].clone()).collect();
            let mut turned = espoo.all(&format!("/v1/themes?sort=-{sort}&limit={limit}")).await;
            turned.reverse();
            assert_eq!(slugs, turned.iter().map(|theme| theme["slug"].clone()).collect::<Vec<_>>());
            let mut once: Vec<_> = slugs.iter().map(|slug| slug.as_str().unwrap()).collect();
            once.sort_unstable();
            once.dedup();
            assert_eq!(once.len(), 24, "sort={sort}&limit={limit}");
        }
    }
    assert_eq!(espoo.get("/v1/themes?limit=1").await.column("slug"), ["adult-education-centres"]);
    let by_name = espoo.get("/v1/themes?sort=name&limit=100").await;
    let names: Vec<_> = by_name.body["items"].as_array().unwrap().iter().map(|t| t["name"]["fi"].clone()).collect();
    assert_eq!((&names[0], &names[23]), (&json!("Asiointipisteet"), &json!("Älylaitteiden käytön opastus")));
}

#[tokio::test]
async fn filters_narrow_the_list() {
    let server = Server::start();
    let espoo = server.municipality("049");
    assert_eq!(espoo.all("/v1/themes?kind=form").await.len(), 10);
    assert_eq!(espoo.all("/v1/themes?kind=theme&limit=3").await.len(), 14);
    assert_eq!(espoo.all("/v1/themes?kind=theme&kind=form&sort=-name").await.len(), 24);
    espoo.get("/v1/themes?kind=idea").await.expect_violations(&[("?kind", "invalid_value")]);
    let parts = espoo.all("/v1/themes?parent=training").await;
    assert!(!parts.is_empty() && parts.iter().all(|theme| theme["parent"] == "training"), "{parts:?}");
    espoo.get("/v1/themes?form=training").await.expect_problem(400, "unknown_parameter");
    espoo.get("/v1/themes?sort=kind").await.expect_violations(&[("?sort", "invalid_value")]);
}

#[tokio::test]
async fn q_finds_names_in_any_form_and_three_languages() {
    let server = Server::start();
    let espoo = server.municipality("049");
    server.coordinator().post("/v1/themes", &artificial_intelligence()).await.expect(201);
    for q in ["tekoäly", "Tekoälyn", "tekoälystä", "tekoä"] {
        let found = espoo.get(&format!("/v1/themes?q={q}")).await.expect(200);
        assert_eq!(found.column("slug"), ["artificial-intelligence"], "{q}");
    }
    let whole = espoo.get("/v1/themes?q=käyttö&limit=100").await.expect(200);
    assert!(whole.column("slug").len() > 1, "{}", whole.text);
    let paged = espoo.all("/v1/themes?q=käyttö&limit=1").await;
    assert_eq!(json!(paged), whole.body["items"], "pages must add up to the whole list");
    let sorted = espoo.get("/v1/themes?q=käyttö&sort=-slug&kind=theme&kind=form").await.expect(200);
    let mut slugs = whole.column("slug");
    slugs.sort_unstable_by(|one, other| other.cmp(one));
    assert_eq!(sorted.column("slug"), slugs);
    assert_eq!(espoo.get("/v1/themes?q=tekoaly").await.expect(200).column("slug"), Vec::<&str>::new());
    espoo.get("/v1/themes?q=").await.expect_violations(&[("?q", "too_short")]);
}

#[tokio::test]
async fn the_coordinator_creates_replaces_and_deletes() {
    let server = Server::start();
    let coordinator = server.coordinator();
    let created = coordinator.post("/v1/themes", &artificial_intelligence()).await.expect(201);
    let path = "/v1/themes/artificial-intelligence";
    assert_eq!(created.header("location"), format!("{}{path}", server.url));
    let mut expected = artificial_intelligence();
    (expected["version"], expected["created_at"], expected["updated_at"]) =
        (json!("version"), json!("time"), json!("time"));
    assert_eq!(created.stable(), expected);

    // The body of a GET can be sent back with PUT.
    let mut changed = created.body.clone();
    changed["parent"] = Value::Null;
    let replaced = coordinator.if_match(&created.etag()).put(path, &changed).await.expect(200);
    assert_eq!(replaced.body["parent"], Value::Null);
    assert!(replaced.body["version"].as_i64() > created.body["version"].as_i64());
    let part = json!({"name": {"sv": null, "en": "Artificial intelligence"}});
    let patched = coordinator.if_match(&replaced.etag()).patch(path, &part).await.expect(200);
    assert_eq!(patched.body["name"], json!({"fi": "Tekoäly", "en": "Artificial intelligence"}));
    assert_eq!(coordinator.get(path).await.body, patched.body);

    coordinator.post("/v1/themes", &artificial_intelligence()).await.expect_problem(409, "themes_pkey");
    let other = json!({"slug": "ai"});
    coordinator.if_match(&patched.etag()).patch(path, &other).await.expect_violations(&[("/slug", "fixed")]);
    coordinator.put(path, &changed).await.expect_problem(428, "precondition_required");
    coordinator.if_match(&created.etag()).delete(path).await.expect_problem(412, "precondition_failed");
    coordinator.if_match(&patched.etag()).delete(path).await.expect(204);
    coordinator.get(path).await.expect(404);
}

#[tokio::test]
async fn only_the_coordinator_writes_themes() {
    let server = Server::start();
    let tutor = server.create_tutor("049").await;
    let partner = server.partner("esb", "themes:read tutors:write", None);
    for caller in [server.municipality("049"), server.tutor("049", &tutor), partner] {
        let path = "/v1/themes/courses";
        let refused = caller.post("/v1/themes", &artificial_intelligence()).await.expect_problem(403, "missing_scope");
        assert_eq!(refused.body["scope"], "themes:write");
        caller.if_match("*").put(path, &artificial_intelligence()).await.expect_problem(403, "missing_scope");
        caller.if_match("*").patch(path, &json!({})).await.expect_problem(403, "missing_scope");
        caller.if_match("*").delete(path).await.expect_problem(403, "missing_scope");
        caller.get(path).await.expect(200);
    }
}

#[tokio::test]
async fn a_theme_cannot_be_its_own_ancestor() {
    let server = Server::start();
    let coordinator = server.coordinator();
    let part_of = async |slug: &str, parent: &str| {
        coordinator.if_match("*").patch(&format!("/v1/themes/{slug}"), &json!({"parent": parent})).await
    };
    let mut new = artificial_intelligence();
    for (parent, code) in [("nothing", "themes_parent_exists"), ("artificial-intelligence", "themes_parent_not_itself")]
    {
        new["parent"] = json!(parent);
        coordinator.post("/v1/themes", &new).await.expect_violations(&[("/parent", code)]);
    }
    part_of("courses", "nothing").await.expect_violations(&[("/parent", "themes_parent_exists")]);
    part_of("training", "training").await.expect_violations(&[("/parent", "themes_parent_acyclic")]);
    part_of("training", "courses").await.expect_violations(&[("/parent", "themes_parent_acyclic")]);
    part_of("courses", "online-training").await.expect(200);
    part_of("training", "courses").await.expect_violations(&[("/parent", "themes_parent_acyclic")]);
    let (first, second) = tokio::join!(part_of("email", "applications"), part_of("applications", "email"));
    let mut statuses = [first.status, second.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 422]);
}

/// A transaction that refers to a row locks its key. If a change needed the same lock, two simultaneous moves of themes
/// could deadlock.
#[tokio::test]
async fn a_theme_and_a_municipality_can_be_changed_while_a_transaction_refers_to_them() {
    let server = Server::start();
    let coordinator = server.coordinator().if_match("*");
    let mut holder = AsyncPgConnection::establish(&server.database_url).await.unwrap();
    let lock = "begin; select from themes for key share; select from municipalities for key share";
    holder.batch_execute(lock).await.unwrap();
    coordinator.patch("/v1/themes/courses", &json!({"parent": "online-training"})).await.expect(200);
    coordinator.patch("/v1/municipalities/049", &json!({"website": "https://www.espoo.fi/digi"})).await.expect(200);
    holder.batch_execute("commit").await.unwrap();
}

#[tokio::test]
async fn a_theme_in_use_cannot_be_deleted() {
    let server = Server::start();
    let coordinator = server.coordinator();
    // One theme has a child, the other a tutor.
    for slug in ["remote-support", "adult-education-centres"] {
        coordinator.if_match("*").delete(&format!("/v1/themes/{slug}")).await.expect_problem(409, "in_use");
    }
    coordinator.if_match("*").delete("/v1/themes/remote-support-channels").await.expect(204);
    coordinator.if_match("*").delete("/v1/themes/remote-support").await.expect(204);
}

#[tokio::test]
async fn every_broken_rule_is_reported_at_once() {
    let server = Server::start();
    let coordinator = server.coordinator();
    let new = json!({"slug": "Ä b", "kind": "form", "name": {"fi": " "}, "parent": "-", "colour": "red"});
    coordinator.post("/v1/themes", &new).await.expect_violations(&[
        ("/slug", "invalid_slug"),
        ("/name/fi", "blank"),
        ("/parent", "invalid_slug"),
        ("/colour", "unknown_field"),
    ]);
    for (slug, status) in [("a".repeat(100), 201), ("a".repeat(101), 422), ("a--b".into(), 422), (String::new(), 422)] {
        let mut new = artificial_intelligence();
        new["slug"] = json!(slug);
        coordinator.post("/v1/themes", &new).await.expect(status);
    }
    let mut new = artificial_intelligence();
    new["kind"] = json!("idea");
    coordinator.post("/v1/themes", &new).await.expect_violations(&[("/kind", "wrong_type")]);
    let none = json!({"slug": "none", "kind": "form"});
    coordinator.post("/v1/themes", &none).await.expect_violations(&[("/name", "required")]);
}
