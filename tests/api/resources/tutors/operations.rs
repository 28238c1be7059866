//! The answers of each operation.

use serde_json::{Value, json};

use super::{JARVENPAA, espoo_tutor, path};
use crate::support::Server;

#[tokio::test]
async fn get_returns_every_field() {
    let server = Server::start();
    let answer = server.municipality("049").get(&path(JARVENPAA)).await.expect(200);
    assert_eq!(answer.body["id"], JARVENPAA);
    assert_eq!(
        answer.stable(),
        json!({
            "id": "uuid", "source": "kuntatutorit", "external_id": null, "name": "Kuntatutor, Järvenpää",
            "title": {"fi": "Kuntatutor", "sv": "Kommuntutor", "en": "Municipal tutor"}, "municipality_code": "186",
            "perspective": {
                "fi": "Aktiivinen verkosto, joka on rakennettu yhdessä kansalaisopistojen, kunnan ja kolmannen sektorin kanssa.",
                "sv": "Ett aktivt nätverk som har byggts upp tillsammans med medborgarinstitut, kommunen och tredje sektorn.",
                "en": "An active network built together with adult education centres, the municipality and the third sector."
            },
            "themes": ["adult-education-centres"], "languages": ["fi"], "status": "ended", "contact": null,
            "visibility": "public", "version": "version", "created_at": "time", "updated_at": "time"
        })
    );
    assert_eq!(answer.header("cache-control"), "private, no-store");
    let espoo = server.municipality("049");
    espoo.with("if-none-match", &answer.etag()).get(&path(JARVENPAA)).await.expect(304);
    espoo.get("/v1/tutors/016f5e66-e800-7000-8000-000000000000").await.expect_problem(404, "not_found");
    espoo.get("/v1/tutors/anna").await.expect_problem(404, "not_found");
    server.anonymous().get(&path(JARVENPAA)).await.expect(401);
}

#[tokio::test]
async fn a_municipality_creates_replaces_patches_and_deletes_a_tutor() {
    let server = Server::start();
    let espoo = server.municipality("049");
    let created = espoo.post("/v1/tutors", &espoo_tutor()).await.expect(201);
    let path = path(created.body["id"].as_str().unwrap());
    assert_eq!(created.header("location"), format!("{}{path}", server.url));
    assert!(created.etag().ends_with("-full\""));
    let mut expected = espoo_tutor();
    (expected["id"], expected["source"], expected["version"]) =
        (json!("uuid"), json!("kuntatutorit"), json!("version"));
    (expected["created_at"], expected["updated_at"]) = (json!("time"), json!("time"));
    assert_eq!(created.stable(), expected);
    assert_eq!(espoo.get(&path).await.expect(200).body, created.body);

    // The body of a GET can be sent back with PUT.
    let mut changed = created.body.clone();
    (changed["status"], changed["themes"]) = (json!("active"), json!(["courses"]));
    let replaced = espoo.if_match(&created.etag()).put(&path, &changed).await.expect(200);
    assert!(replaced.body["version"].as_i64() > created.body["version"].as_i64());
    changed["version"] = replaced.body["version"].clone();
    changed["updated_at"] = replaced.body["updated_at"].clone();
    assert_eq!(replaced.body, changed);
    assert_eq!(espoo.get("/v1/tutors?theme=email").await.column("id"), Vec::<&str>::new());

    let less = json!({"title": {"sv": null}, "contact": {"phone": null}, "status": "ended"});
    let merge = espoo.if_match(&replaced.etag()).with("content-type", "application/merge-patch+json");
    let patched = merge.patch(&path, &less).await.expect(200);
    assert_eq!(patched.body["title"], json!({"fi": "Digitukija"}));
    assert_eq!(patched.body["contact"], json!({"email": "tapiola@espoo.example", "phone": null}));
    assert_eq!(patched.body["status"], "ended");
    assert_eq!(espoo.get(&path).await.body, patched.body);

    espoo.if_match(&replaced.etag()).delete(&path).await.expect_problem(412, "precondition_failed");
    espoo.if_match(&patched.etag()).delete(&path).await.expect(204);
    espoo.get(&path).await.expect(404);
}

#[tokio::test]
async fn omitted_fields_have_their_defaults() {
    let server = Server::start();
    let new = json!({"name": "Kuntatutor", "municipality_code": "049"});
    let created = server.coordinator().post("/v1/tutors", &new).await.expect(201);
    assert_eq!(
        created.stable(),
        json!({
            "id": "uuid", "source": "kuntatutorit", "external_id": null, "name": "Kuntatutor", "title": null,
            "municipality_code": "049", "perspective": null, "themes": [], "languages": [], "status": "active",
            "contact": null, "visibility": "network", "version": "version", "created_at": "time", "updated_at": "time"
        })
    );
    let put = server.coordinator().if_match(&created.etag());
    let put = put.put(&path(created.body["id"].as_str().unwrap()), &new).await.expect(200);
    assert_eq!(put.stable(), created.stable());
}

#[tokio::test]
async fn fields_that_the_service_sets_are_ignored_in_bodies() {
    let server = Server::start();
    let mut new = espoo_tutor();
    (new["id"], new["source"], new["version"]) = (json!(JARVENPAA), json!("other"), json!(1));
    (new["created_at"], new["updated_at"]) = (json!("yesterday"), Value::Null);
    let partner = server.partner("espoo-crm", "tutors:read tutors:write", Some("049"));
    let created = partner.post("/v1/tutors", &new).await.expect(201);
    assert_eq!(created.body["source"], "espoo-crm");
    assert_ne!(created.body["id"], JARVENPAA);
    // A change by another source does not change the source of the tutor.
    let path = path(created.body["id"].as_str().unwrap());
    new["source"] = json!("kuntatutorit");
    let changed = server.municipality("049").if_match(&created.etag()).put(&path, &new).await.expect(200);
    assert_eq!((&changed.body["source"], &changed.body["id"]), (&json!("espoo-crm"), &created.body["id"]));
}

#[tokio::test]
async fn an_external_id_is_unique_within_its_source() {
    let server = Server::start();
    let crm = server.partner("espoo-crm", "tutors:read tutors:write", Some("049"));
    let first = crm.post("/v1/tutors", &espoo_tutor()).await.expect(201);
    let code = "tutors_source_external_id_unique";
    crm.post("/v1/tutors", &espoo_tutor()).await.expect_problem(409, code);
    server.municipality("049").post("/v1/tutors", &espoo_tutor()).await.expect(201);
    let mut second = espoo_tutor();
    second["external_id"] = json!("t-2");
    let second = crm.post("/v1/tutors", &second).await.expect(201);
    let taken = json!({"external_id": "t-1"});
    let second_path = path(second.body["id"].as_str().unwrap());
    crm.if_match(&second.etag()).patch(&second_path, &taken).await.expect_problem(409, code);
    let given_up = json!({"external_id": null});
    let first_path = path(first.body["id"].as_str().unwrap());
    crm.if_match(&first.etag()).patch(&first_path, &given_up).await.expect(200);
    crm.if_match(&second.etag()).patch(&second_path, &taken).await.expect(200);
}

#[tokio::test]
async fn a_tutor_with_references_can_be_ended_but_not_deleted() {
    let server = Server::start();
    let id = server.create_tutor("049").await;
    server
        .execute(&format!(
            "insert into accounts (id, email, role, municipality_code, tutor_id)
             values (gen_random_uuid(), 'tutor@espoo.example', 'tutor', '049', '{id}')"
        ))
        .await;
    let espoo = server.municipality("049");
    let refused = espoo.if_match("*").delete(&path(&id)).await.expect_problem(409, "in_use");
    assert!(refused.body["detail"].as_str().unwrap().contains("set its `status` to `ended` instead"));
    let ended = espoo.if_match("*").patch(&path(&id), &json!({"status": "ended"})).await.expect(200);
    assert_eq!(ended.body["status"], "ended");
}

#[tokio::test]
async fn only_one_of_two_callers_with_the_same_etag_can_write() {
    let server = Server::start();
    let id = server.create_tutor("049").await;
    let read = server.coordinator().get(&path(&id)).await;
    let writer = server.coordinator().if_match(&read.etag());
    let path = path(&id);
    let (one, other) = (json!({"name": "Yksi"}), json!({"name": "Toinen"}));
    let (first, second) = tokio::join!(writer.patch(&path, &one), writer.patch(&path, &other));
    let mut statuses = [first.status, second.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 412]);
}
