//! The rules of feedback: its givers, its events and its contents.

use serde_json::{Value, json};

use super::{BOTH, PATH, from_partner, of_participant, of_tutor, one, with_themes};
use crate::support::{Server, client::Client, fixtures, sql};

#[tokio::test]
async fn each_role_gives_feedback_in_its_direction_for_its_municipality() {
    let server = with_themes().await;
    let tutor = fixtures::insert_tutor(&server, "049").await;
    let event = fixtures::insert_event(&server, json!({"tutors": [tutor]})).await;
    let refused = async |client: &Client, body: Value, said: &str| {
        let answer = client.post(PATH, &body).await.expect_problem(403, "out_of_reach");
        assert!(answer.body["detail"].as_str().unwrap().contains(said), "{}", answer.text);
    };
    let pukkila = server.municipality("616");
    refused(&pukkila, of_tutor(&event, "616"), "only in the direction `participant_to_tutor`").await;
    refused(&pukkila, of_participant(&event, "504"), "504").await;
    let espoo = server.tutor("049", &tutor);
    refused(&espoo, of_participant(&event, "049"), "only in the direction `tutor_to_participant`").await;
    refused(&espoo, of_tutor(&event, "091"), "091").await;
    espoo.post(PATH, &of_tutor(&event, "049")).await.expect(201);
    // A tutor of the host that does not present, and a tutor of neither municipality.
    let helsinki = fixtures::insert_tutor(&server, "091").await;
    server.tutor("091", &helsinki).post(PATH, &of_tutor(&event, "091")).await.expect(201);
    let vantaa = fixtures::insert_tutor(&server, "092").await;
    refused(&server.tutor("092", &vantaa), of_tutor(&event, "092"), "at which they present").await;

    let bound = server.partner("pukkila", BOTH, Some("616"));
    bound.post(PATH, &from_partner("a", "a1", of_participant(&event, "616"))).await.expect(201);
    let host = server.partner("helsinki", BOTH, Some("091"));
    host.post(PATH, &from_partner("a", "a2", of_tutor(&event, "091"))).await.expect(201);
    refused(&bound, from_partner("b", "b1", of_participant(&event, "504")), "504").await;
    let coordinator = server.coordinator();
    let own = coordinator.post(PATH, &of_tutor(&event, "091")).await.expect(201);
    coordinator.post(PATH, &of_participant(&event, "504")).await.expect(201);
    assert_eq!(own.body["source"], "kuntatutorit");

    let reader = server.partner("reader", "feedback:read", None);
    let answer = reader.post(PATH, &of_participant(&event, "616")).await.expect_problem(403, "missing_scope");
    assert_eq!(answer.body["scope"], "feedback:write");
    server.partner("writer", "feedback:write", None).get(PATH).await.expect_problem(403, "missing_scope");
    server.anonymous().get(PATH).await.expect(401);
    let open = Server::with(&[("PUBLIC_READ", "true")]);
    open.anonymous().get(PATH).await.expect(401);
}

#[tokio::test]
async fn an_account_is_its_own_respondent_and_a_partner_system_names_one() {
    let server = with_themes().await;
    let event = fixtures::insert_event(&server, json!({})).await;
    let partner = server.partner("region", BOTH, None);
    for missing in [of_participant(&event, "616"), from_partner("x", "x", of_participant(&event, "616"))] {
        let mut body = missing;
        if body["respondent"] == "x" {
            body["respondent"] = Value::Null;
        }
        partner.post(PATH, &body).await.expect_violations(&[("/respondent", "required")]);
    }
    for (respondent, code) in [(" ".to_owned(), "blank"), ("x".repeat(201), "too_long")] {
        let body = from_partner(&respondent, "x", of_participant(&event, "616"));
        partner.post(PATH, &body).await.expect_violations(&[("/respondent", code)]);
    }
    let given =
        partner.post(PATH, &from_partner(&"å".repeat(200), "x", of_participant(&event, "616"))).await.expect(201);
    assert_eq!((&given.body["source"], &given.body["external_id"]), (&json!("region"), &json!("x")));

    for (client, code) in [(server.municipality("616"), "616"), (server.coordinator(), "504")] {
        let mut body = of_participant(&event, code);
        body["respondent"] = json!("somebody");
        client.post(PATH, &body).await.expect_violations(&[("/respondent", "invalid_value")]);
        body["respondent"] = Value::Null;
        let given = client.post(PATH, &body).await.expect(201);
        // An account may name its own id, which is what a GET returns.
        client.if_match(&given.etag()).delete(&one(&given)).await.expect(204);
        body["respondent"] = given.body["respondent"].clone();
        client.post(PATH, &body).await.expect(201);
    }
}

#[tokio::test]
async fn the_event_must_accept_feedback() {
    let server = with_themes().await;
    let pukkila = server.municipality("616");
    let started = ("/event_id", "feedback_event_has_started");
    let unknown = ("/event_id", "feedback_event_id_exists");
    let late = ("/event_id", "feedback_within_60_days");
    let days = |days: i64| fixtures::hours_from_now(24 * days);
    for (columns, broken) in [
        (json!({"status": "draft"}), vec![unknown]),
        (json!({"status": "draft", "host_municipality_code": null}), vec![unknown]),
        (json!({"status": "draft", "host_municipality_code": "616"}), vec![started]),
        (json!({"status": "cancelled"}), vec![started]),
        (json!({"status": "postponed"}), vec![started]),
        (json!({"starts_at": fixtures::hours_from_now(1), "ends_at": fixtures::hours_from_now(2)}), vec![started]),
        (json!({"status": "completed", "starts_at": days(-62), "ends_at": days(-61)}), vec![late]),
        (json!({"status": "cancelled", "starts_at": days(-62), "ends_at": days(-61)}), vec![started, late]),
        (json!({"status": "completed", "starts_at": days(-61), "ends_at": days(-59)}), vec![]),
        (json!({"starts_at": fixtures::hours_from_now(-1), "ends_at": fixtures::hours_from_now(1)}), vec![]),
    ] {
        let event = fixtures::insert_event(&server, columns.clone()).await;
        let answer = pukkila.post(PATH, &of_participant(&event, "616")).await;
        match broken[..] {
            [] => assert_eq!(answer.status, 201, "{columns}: {}", answer.text),
            _ => drop(answer.expect_violations(&broken)),
        }
    }
    let nowhere = of_participant("019a0c5e-7b1e-7c3a-9d52-0b7f6a1c2d3e", "616");
    let nowhere = pukkila.post(PATH, &nowhere).await.expect_violations(&[unknown]);
    let draft = fixtures::insert_event(&server, json!({"status": "draft"})).await;
    let hidden = pukkila.post(PATH, &of_participant(&draft, "616")).await.expect_violations(&[unknown]);
    assert_eq!(nowhere.body["errors"], hidden.body["errors"]);
    let region = server.partner("region", BOTH, None);
    region.post(PATH, &from_partner("r", "x", of_participant(&draft, "616"))).await.expect_violations(&[unknown]);
    server.coordinator().post(PATH, &of_participant(&draft, "616")).await.expect_violations(&[started]);
}

#[tokio::test]
async fn the_database_enforces_the_rules_by_itself() {
    let server = Server::start();
    let long_ago = json!({"starts_at": fixtures::hours_from_now(-9999), "ends_at": fixtures::hours_from_now(-9990)});
    for (columns, broken) in [
        (json!({}), None),
        (json!({"status": "completed"}), None),
        (json!({"status": "draft"}), Some("feedback_event_has_started")),
        (json!({"status": "cancelled"}), Some("feedback_event_has_started")),
        (
            json!({"starts_at": fixtures::hours_from_now(1), "ends_at": fixtures::hours_from_now(2)}),
            Some("feedback_event_has_started"),
        ),
        (long_ago, Some("feedback_within_60_days")),
    ] {
        let event = fixtures::insert_event(&server, columns.clone()).await;
        let insert = format!(
            "insert into feedback (id, source, event_id, direction, municipality_code, respondent)
             values ('{event}', 'kuntatutorit', '{event}', 'participant_to_tutor', '616', 'r')"
        );
        assert_eq!(sql::broken_constraint(&server, &insert).await.as_deref(), broken, "{columns}");
    }
}

#[tokio::test]
async fn feedback_can_change_while_its_event_accepts_feedback_and_be_deleted_at_any_time() {
    let server = with_themes().await;
    let event = fixtures::insert_event(&server, json!({})).await;
    let pukkila = server.municipality("616");
    let given = pukkila.post(PATH, &of_participant(&event, "616")).await.expect(201);
    let long_ago = "starts_at = now() - interval '62 days', ends_at = now() - interval '61 days'";
    let moved = sql::broken_constraint(&server, &format!("update events set {long_ago} where id = '{event}'")).await;
    assert_eq!(moved, None);
    let writer = pukkila.if_match(&given.etag());
    let late = [("/event_id", "feedback_within_60_days")];
    writer.patch(&one(&given), &json!({"rating": 1})).await.expect_violations(&late);
    writer.delete(&one(&given)).await.expect(204);
}

#[tokio::test]
async fn every_broken_rule_is_reported_at_once() {
    let server = with_themes().await;
    let partner = server.partner("region", BOTH, None);
    let mut new = from_partner("r", "", of_participant("019a0c5e-7b1e-7c3a-9d52-0b7f6a1c2d3e", "12"));
    new["rating"] = json!(6);
    new["themes_wanted"] = json!(["email", "email"]);
    new["comment"] = json!(" \n");
    new["language"] = json!("suomi");
    new["mood"] = json!("good");
    partner.post(PATH, &new).await.expect_violations(&[
        ("/mood", "unknown_field"),
        ("/external_id", "too_short"),
        ("/municipality_code", "invalid_code"),
        ("/rating", "too_large"),
        ("/themes_wanted", "duplicate"),
        ("/comment", "blank"),
        ("/language", "invalid_language"),
    ]);
    for (field, value, at, code) in [
        ("rating", json!(0), "/rating", "too_small"),
        ("rating", json!(4.5), "/rating", "wrong_type"),
        ("useful", json!("yes"), "/useful", "wrong_type"),
        ("comment", json!("x".repeat(4001)), "/comment", "too_long"),
        ("direction", json!("sideways"), "/direction", "wrong_type"),
        ("event_id", json!("nonsense"), "/event_id", "wrong_type"),
        ("themes_wanted", (0..51).map(|n| n.to_string()).collect(), "/themes_wanted", "too_long"),
    ] {
        let mut new = from_partner("r", "x", of_participant("019a0c5e-7b1e-7c3a-9d52-0b7f6a1c2d3e", "616"));
        new[field] = value;
        partner.post(PATH, &new).await.expect_violations(&[(at, code)]);
    }
    // The rules that only the database can check are reported at once, too.
    let long_ago = json!({"status": "cancelled", "starts_at": fixtures::hours_from_now(-9999), "ends_at": fixtures::hours_from_now(-9990)});
    let mut new = of_participant(&fixtures::insert_event(&server, long_ago).await, "999");
    new["themes_wanted"] = json!(["email", "no-such-theme", "applications", "nor-this"]);
    partner.post(PATH, &new).await.expect_violations(&[
        ("/event_id", "feedback_event_has_started"),
        ("/event_id", "feedback_within_60_days"),
        ("/municipality_code", "feedback_municipality_code_exists"),
        ("/themes_wanted/1", "feedback_themes_wanted_exist"),
        ("/themes_wanted/3", "feedback_themes_wanted_exist"),
        ("/respondent", "required"),
    ]);
}

#[tokio::test]
async fn feedback_must_not_be_empty() {
    let server = with_themes().await;
    let event = fixtures::insert_event(&server, json!({})).await;
    let partner = server.partner("region", BOTH, None);
    let bare = json!({"event_id": event, "direction": "participant_to_tutor", "municipality_code": "616"});
    let refused =
        partner.post(PATH, &from_partner("r", "x", bare.clone())).await.expect_violations(&[("", "required")]);
    assert!(refused.text.contains("at least one of rating"), "{}", refused.text);
    for (field, value) in [
        ("rating", json!(1)),
        ("useful", json!(false)),
        ("comment", json!("å".repeat(4000))),
        ("themes_wanted", json!(["email"])),
    ] {
        let mut new = from_partner(field, field, bare.clone());
        new[field] = value;
        let given = partner.post(PATH, &new).await.expect(201);
        let nothing = json!({"rating": null, "useful": null, "comment": null, "themes_wanted": []});
        let writer = partner.if_match(&given.etag());
        writer.patch(&one(&given), &nothing).await.expect_violations(&[("", "required")]);
        let defaults = (&given.body["publish_consent"], given.body["themes_wanted"].is_array());
        assert_eq!(defaults, (&json!(false), true));
    }
}
